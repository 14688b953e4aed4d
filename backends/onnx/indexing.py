"""Choosing elements by place: slices, numbers, parts, triangles."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from layergraph.backends.onnx.elementwise import choice, truth
from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.indexing import (
    ArgPartition,
    Diag,
    Diagonal,
    Flip,
    Gather,
    GatherND,
    Nonzero,
    OneHot,
    ReverseSequence,
    Roll,
    Rot90,
    Slice,
    Split,
    Take,
    TakeAlongAxis,
    Triangle,
    UnravelIndex,
)

spellings = Spellings()

OPEN = np.iinfo(np.int64).max
"""Beyond every end."""


@spellings.spells(Slice)
def slice_(w: Writer, op: Slice, x: Tensor) -> str:
    """A node for all parts, then axes dropped, then axes added."""
    return sliced(w, op.key, x)


def sliced(w: Writer, key: Sequence[Any], x: Tensor) -> str:
    """Python's indexing; numbers of the key may be vectors with one element."""
    starts: list[int | str] = []
    stops: list[int | str] = []
    axes, steps, dropped, added = [], [], [], []
    used = sum(k not in ("new", "...") for k in key)
    axis = place = 0
    for entry in key:
        if entry == "new":
            added.append(place)
            place += 1
        elif entry == "...":
            axis += x.rank - used
            place += x.rank - used
        elif isinstance(entry, tuple):
            start, stop, step = (*entry, None, None)[:3]
            step = 1 if step is None else step
            if (start, stop, step) != (None, None, 1):
                axes.append(axis)
                starts.append((0 if step > 0 else OPEN) if start is None else start)
                stops.append((OPEN if step > 0 else -OPEN) if stop is None else stop)
                steps.append(step)
            axis, place = axis + 1, place + 1
        else:
            axes.append(axis)
            starts.append(entry)
            stops.append(_next(w, entry))
            steps.append(1)
            dropped.append(axis)
            axis += 1
    name = w.name_of(x)
    if axes:
        name = w.op("Slice", name, w.sizes(*starts), w.sizes(*stops), w.ints(*axes), w.ints(*steps))
    if dropped:
        name = w.op("Squeeze", name, w.ints(*dropped))
    if added:
        name = w.op("Unsqueeze", name, w.ints(*added))
    return name


def _next(w: Writer, entry: int | str) -> int | str:
    """The place behind one element, counted from the same end."""
    if isinstance(entry, int):
        return OPEN if entry == -1 else entry + 1
    after = w.op("Add", entry, w.ints(1))
    last = w.op("Equal", entry, w.ints(-1))
    name: str = w.op("Where", last, w.ints(OPEN), after)
    return name


def reversed_along(w: Writer, x: Any, axes: Sequence[int]) -> str:
    """Axes backwards."""
    count = len(axes)
    name: str = w.op(
        "Slice", x, w.ints(*[OPEN] * count), w.ints(*[-OPEN] * count), w.ints(*axes),
        w.ints(*[-1] * count),
    )  # fmt: skip
    return name


@spellings.spells(Flip)
def flip(w: Writer, op: Flip, x: Tensor) -> str:
    """A ``Slice`` with steps of -1."""
    axes = range(x.rank) if op.axis is None else [a % x.rank for a in op.axis]
    return reversed_along(w, x, list(axes)) if x.rank else w.name_of(x)


@spellings.spells(Roll)
def roll(w: Writer, op: Roll, x: Tensor) -> str:
    """What leaves, then what stays."""
    if op.axis is None:
        flat = _rolled(w, w.reshape(x, -1), 0, sum(op.shift))
        name: str = w.op("Reshape", flat, w.op("Shape", x))
        return name
    name = w.name_of(x)
    for shift, axis in zip(op.shift, op.axis, strict=True):
        name = _rolled(w, name, axis % x.rank, shift)
    return name


def _rolled(w: Writer, x: str, axis: int, shift: int) -> str:
    size = w.size(x, axis)
    # The remainder is never negative where the size is not.
    cut = w.op("Mod", w.ints(-shift), w.op("Max", size, w.ints(1)))
    along = w.ints(axis)
    behind = w.op("Slice", x, cut, w.ints(OPEN), along)
    name: str = w.op("Concat", behind, w.op("Slice", x, w.ints(0), cut, along), axis=axis)
    return name


def _numbers(w: Writer, x: Tensor) -> str:
    return w.name_of(x if x.dtype in ("int32", "int64") else w.as_dtype(x, "int64"))


@spellings.spells(Take)
def take(w: Writer, op: Take, x: Tensor, indices: Tensor) -> str:
    """A node."""
    name: str = w.op("Gather", x, _numbers(w, indices), axis=op.axis)
    return name


@spellings.spells(Split)
def split(w: Writer, op: Split, x: Tensor) -> Any:
    """Parts cut one by one."""
    size = x.type.shape[op.axis]
    ends: list[int | str]
    if not op.sections:
        ends = [0, *op.at, OPEN]
    elif size is not None:
        each, more = divmod(size, op.sections)
        ends = list(np.cumsum([0, *(each + (i < more) for i in range(op.sections))]).tolist())
    elif op.uneven:
        raise RefusedError("uneven parts of an axis of unknown size")
    else:
        each_ = w.op("Div", w.size(x, op.axis), w.ints(op.sections))
        ends = [0, *(w.op("Mul", each_, w.ints(i + 1)) for i in range(op.sections))]
    parts = []
    along = w.ints(op.axis)
    for start, stop in itertools.pairwise(ends):
        part = w.op("Slice", x, w.sizes(start), w.sizes(stop), along)
        parts.append(w.op("Squeeze", part, along) if op.squeeze else part)
    return tuple(parts)


@spellings.spells(OneHot)
def one_hot(w: Writer, op: OneHot, x: Tensor) -> str:
    """A comparison with each number: those outside, negative ones too, give a row of 0."""
    axis = op.axis % (x.rank + 1)
    sizes = [1] * (x.rank + 1)
    sizes[axis] = op.num_classes
    places = np.arange(op.num_classes, dtype=np.int64).reshape(sizes)
    given = w.op("Unsqueeze", w.as_dtype(x, "int64"), w.ints(axis))
    return w.cast(w.op("Equal", given, w.array(places)), "bool", op.dtype)


@spellings.spells(Triangle)
def triangle(w: Writer, op: Triangle, x: Tensor) -> str:
    """A node."""
    between = "uint8" if x.dtype == "bool" else x.dtype
    given = w.as_dtype(x, between)
    name = w.op("Trilu", given, np.int64(op.k), upper=int(op.upper))
    return w.cast(name, between, x.dtype)


@spellings.spells(Gather)
def gather(w: Writer, op: Gather, x: Tensor, indices: Tensor) -> str:
    """A node, or one of places where each row has its own."""
    name: str
    if not op.batch_dims:
        name = w.op("Gather", x, _numbers(w, indices), axis=op.axis)
        return name
    rows, axis = op.batch_dims, op.axis
    # The axis behind the rows: what is gathered of it keeps the other axes.
    order = [*range(rows), axis, *(i for i in range(rows, x.rank) if i != axis)]
    given = x if axis == rows else w.op("Transpose", x, perm=order)
    places = w.op("Unsqueeze", w.as_dtype(indices, "int64"), w.ints(indices.rank))
    name = w.op("GatherND", given, places, batch_dims=rows)
    if axis == rows:
        return name
    inner = indices.rank - rows
    between = axis - rows
    back = [
        *range(rows),
        *range(rows + inner, rows + inner + between),
        *range(rows, rows + inner),
        *range(rows + inner + between, w.type.rank),
    ]
    name = w.op("Transpose", name, perm=back)
    return name


@spellings.spells(GatherND)
def gather_nd(w: Writer, op: GatherND, x: Tensor, indices: Tensor) -> str:
    """A node."""
    name: str = w.op("GatherND", x, w.as_dtype(indices, "int64"), batch_dims=op.batch_dims)
    return name


@spellings.spells(ReverseSequence)
def reverse_sequence(w: Writer, op: ReverseSequence, x: Tensor, lengths: Tensor) -> str:
    """A node, whose axes are the first two."""
    lead = [op.seq_axis, op.batch_axis]
    order = [*lead, *(i for i in range(x.rank) if i not in lead)]
    given = w.op("Transpose", x, perm=order)
    name = w.op("ReverseSequence", given, w.as_dtype(lengths, "int64"), time_axis=0, batch_axis=1)
    back: str = w.op("Transpose", name, perm=[order.index(i) for i in range(x.rank)])
    return back


@spellings.spells(TakeAlongAxis)
def take_along_axis(w: Writer, op: TakeAlongAxis, x: Tensor, indices: Tensor) -> str:
    """``GatherElements`` once the other axes are equally long."""
    given, places = w.name_of(x), w.name_of(w.as_dtype(indices, "int64"))
    pairs = [p for i, p in enumerate(zip(x.type.shape, indices.type.shape, strict=True))
             if i != op.axis]  # fmt: skip
    if any(a != b or a is None for a, b in pairs):
        given, places = (
            _spread(w, one, other, op.axis, x.rank)
            for one, other in ((given, places), (places, given))
        )
    name: str = w.op("GatherElements", given, places, axis=op.axis)
    return name


def _spread(w: Writer, x: str, other: str, axis: int, rank: int) -> str:
    """A value as wide as another one but along an axis."""
    dims = [w.ints(1) if i == axis else w.size(other, i) for i in range(rank)]
    name: str = w.op("Expand", x, w.op("Concat", *dims, axis=0))
    return name


@spellings.spells(Nonzero)
def nonzero(w: Writer, op: Nonzero, x: Tensor) -> Any:
    """A row of the node's result each."""
    found = w.cast(w.op("NonZero", truth(w, x)), "int64", "int32")
    return tuple(w.op("Gather", found, np.int64(i), axis=0) for i in range(x.rank))


@spellings.spells(UnravelIndex)
def unravel_index(w: Writer, op: UnravelIndex, x: Tensor) -> Any:
    """Digits one by one."""
    given, places = w.name_of(w.as_dtype(x, "int64")), []
    for size in op.shape[::-1] if x.rank == 1 else op.shape:
        number = np.int64(size)
        rest = w.op("Mod", given, number)
        given = w.op("Div", w.op("Sub", given, rest), number)
        places.append(w.cast(rest, "int64", x.dtype))
    return tuple(places[::-1])


@spellings.spells(Diag)
def diag(w: Writer, op: Diag, x: Tensor) -> str:
    """The vector beside a column number, where it belongs."""
    if x.dtype == "bool":
        raise RefusedError("a diagonal of truth values")
    size = w.size(x, 0)
    side = w.op("Add", size, w.ints(abs(op.k)))
    line = w.op("Range", np.int64(0), w.op("Squeeze", side), np.int64(1))
    rows, columns = w.op("Unsqueeze", line, w.ints(1)), w.op("Unsqueeze", line, w.ints(0))
    on = w.op("Equal", w.op("Add", rows, np.int64(op.k)), columns)
    ends = w.ints(max(op.k, 0), max(-op.k, 0))
    spread = w.op("Pad", x, ends)
    return choice(w, on, spread, w.number(0, x.dtype), x.dtype)


@spellings.spells(Diagonal)
def diagonal(w: Writer, op: Diagonal, x: Tensor) -> str:
    """Places gathered, which are known when both sizes are."""
    rows, columns = (x.type.shape[a] for a in op.axes)
    if rows is None or columns is None:
        raise RefusedError("a diagonal of axes of unknown size")
    count = max(min(rows - max(-op.offset, 0), columns - max(op.offset, 0)), 0)
    steps = np.arange(count, dtype=np.int64)
    places = (steps + max(-op.offset, 0)) * columns + steps + max(op.offset, 0)
    rest = [i for i in range(x.rank) if i not in op.axes]
    moved = w.op("Transpose", x, perm=[*rest, *op.axes])
    lead = w.op("Slice", w.op("Shape", moved), w.ints(0), w.ints(len(rest)))
    flat = w.op("Reshape", moved, w.op("Concat", lead, w.ints(rows * columns), axis=0))
    name: str = w.op("Gather", flat, w.array(places), axis=len(rest))
    return name


@spellings.spells(Rot90)
def rot90(w: Writer, op: Rot90, x: Tensor) -> str:
    """Backwards along the second axis, then the axes exchanged, a turn."""
    rest = [i for i in range(x.rank) if i not in op.axes]
    order = [*rest, *op.axes]
    name = w.op("Transpose", x, perm=order)
    swap = [*range(x.rank - 2), x.rank - 1, x.rank - 2]
    turned = w.op("Shape", name if op.turns % 2 == 0 else w.op("Transpose", name, perm=swap))
    for turn in range(op.turns):
        if turn == 1:
            name = w.op("Reshape", name, turned)
        name = w.op("Transpose", reversed_along(w, name, [x.rank - 1]), perm=swap)
    name = w.op("Reshape", name, turned)
    back: str = w.op("Transpose", name, perm=[order.index(i) for i in range(x.rank)])
    return back


spellings.refuses(ArgPartition, "it has no partial ordering")
