"""Shapes and places that are known only when the model runs.

TensorFlow's functions, of Keras 2, take them as tensors. Those of ``keras.ops`` take
numbers; where a number is the size of an axis of some tensor, Keras 3 can make the same
of that tensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import Item, Term, as_tensor, f, part, type_in, write
from layergraph.backends.keras.writer import Operand, Writer
from layergraph.ir.graph import Value
from layergraph.ir.ops.dynamic import (
    Choose,
    DynamicBroadcast,
    DynamicPad,
    DynamicReshape,
    DynamicTile,
    Places,
    Range,
    ShapeOf,
    StridedSlice,
)
from layergraph.ir.ops.indexing import Slice
from layergraph.ir.ops.shape import Identity
from layergraph.ir.types import TensorType, product

spellings = Spellings()

KNOWN = "keras.ops takes it as numbers that are known before the model runs"


def _numbers(known: Sequence[Any], given: Sequence[Operand]) -> list[Any]:
    """Known numbers, and tensors for those that are not."""
    rest = iter(given)
    found = [next(rest) if n is None else n for n in known]
    return [v.item() if isinstance(v, np.ndarray) else v for v in found]


# --- sizes -----------------------------------------------------------------------------


@spellings.spells(ShapeOf)
def shape_of(w: Writer, op: ShapeOf, x: Tensor) -> Any:
    """TensorFlow's ``shape``; in Keras 3 what is known, and counts of what is not."""
    x = w.tensor(x)
    if not w.keras3:
        return w.tf("shape", x, out_type=op.dtype)
    sizes = [_count(x, i, op.dtype) if d is None else np.asarray(d, op.dtype)
             for i, d in enumerate(x.shape)]  # fmt: skip
    if not any(isinstance(n, Term) for n in sizes):
        return as_tensor(w, np.asarray(sizes, op.dtype), x)
    return write(w, f("Stack", sizes, axis=0))


def _count(x: Tensor, axis: int, dtype: str) -> Term:
    """The size of an axis, as a number that Keras 3 computes."""
    number = TensorType((), dtype)
    rest = product([d for i, d in enumerate(x.shape) if i != axis])
    if rest:
        total = f("Size", x, types=TensorType((), "int32"))
        if rest > 1:
            total = f("FloorDivide", total, np.int32(rest), types=TensorType((), "int32"))
        return total if dtype == "int32" else f("Cast", total, dtype=dtype, types=number)
    return f("Sum", f("Cast", _ones(x, axis), dtype=dtype), axis=None, types=number)


def _ones(x: Tensor, axis: int) -> Term:
    """A vector of truths as long as an axis."""
    others = [i for i in range(x.rank) if i != axis]
    every = f("OnesLike", x, dtype="bool")
    return f("Any", every, axis=others, keepdims=False) if others else every


def _axis_of(w: Writer, value: Value | None) -> tuple[Tensor, int] | None:
    """The tensor and its axis whose size a number is."""
    while value is not None:
        node = w.graph[value.node]
        if isinstance(node.op, Slice) and len(node.op.key) == 1 and type(node.op.key[0]) is int:
            source = node.inputs[0]
            place: Any = node.op.key[0]
            while source is not None and isinstance(w.graph[source.node].op, Identity):
                source = w.graph[source.node].inputs[0]
            if source is None or not isinstance(w.graph[source.node].op, ShapeOf):
                return None
            measured = w.graph[source.node].inputs[0]
            found = None if measured is None else w.values[measured]
            if not isinstance(found, Tensor):
                return None
            return found, place % found.rank
        if not isinstance(node.op, Identity):
            return None
        value = node.inputs[0]
    return None


# --- shapes ----------------------------------------------------------------------------


@spellings.spells(DynamicReshape)
def dynamic_reshape(w: Writer, op: DynamicReshape, x: Operand, *numbers: Operand) -> Any:
    """TensorFlow's ``reshape``."""
    if not w.keras3:
        source = next(v for v in (x, *numbers) if isinstance(v, Tensor))
        return w.tf("reshape", as_tensor(w, x, source), shape=_numbers(op.shape, numbers))
    found = _numbers(op.shape, numbers)
    unknown = [i for i, n in enumerate(found) if isinstance(n, Tensor) or n == -1]
    if len(unknown) > 1 or 0 in [n for n in found if isinstance(n, int)]:
        raise RefusedError(f"several sizes of its shape are tensors; {KNOWN}")
    return w.op("Reshape", x, newshape=[-1 if i in unknown else n for i, n in enumerate(found)])


@spellings.spells(DynamicBroadcast)
def dynamic_broadcast(w: Writer, op: DynamicBroadcast, x: Operand, *numbers: Operand) -> Any:
    """TensorFlow's ``broadcast_to``; in Keras 3 a sum with zeros as long as some axes."""
    if not w.keras3:
        source = next(v for v in (x, *numbers) if isinstance(v, Tensor))
        return w.tf("broadcast_to", as_tensor(w, x, source), shape=_numbers(op.shape, numbers))
    rank, dtype = len(op.shape), type_in(x).dtype
    if dtype in ("bool", "string"):
        raise RefusedError(f"{dtype} is broadcast to sizes of the run; {KNOWN}")
    given = w.node.inputs[1:]
    term: Any = x
    row = [1 if n is None else n for n in op.shape]
    zeros: Any = np.zeros(row, dtype)
    for i, value in zip((i for i, n in enumerate(op.shape) if n is None), given, strict=True):
        found = _axis_of(w, value)
        if found is None:
            raise RefusedError(f"its shape is no size of an axis; {KNOWN}")
        column = [-1 if j == i else 1 for j in range(rank)]
        line = f("Reshape", f("Cast", _ones(*found), dtype=dtype), newshape=column)
        zeros = f("Add", zeros, f("ZerosLike", line))
    return write(w, f("Add", term, zeros))


@spellings.spells(DynamicTile)
def dynamic_tile(w: Writer, op: DynamicTile, x: Operand, *numbers: Operand) -> Any:
    """TensorFlow's ``tile``; in Keras 3 axes of one element are broadcast."""
    if not w.keras3:
        source = next(v for v in (x, *numbers) if isinstance(v, Tensor))
        return w.tf("tile", as_tensor(w, x, source), multiples=_numbers(op.repeats, numbers))
    type_ = type_in(x)
    unknown = [i for i, n in enumerate(op.repeats) if n is None]
    sources = [_axis_of(w, v) for v in w.node.inputs[1:]]
    if None in sources or any(type_.shape[i] != 1 for i in unknown) or type_.dtype == "bool":
        raise RefusedError(f"it is repeated as often as a tensor says; {KNOWN}")
    term: Any = f("Tile", x, repeats=[1 if n is None else n for n in op.repeats])
    for i, found in zip(unknown, sources, strict=True):
        assert found is not None
        column = [-1 if j == i else 1 for j in range(type_.rank)]
        line = f("Reshape", f("Cast", _ones(*found), dtype=type_.dtype), newshape=column)
        term = f("Add", term, f("ZerosLike", line))
    return write(w, term)


@spellings.spells(DynamicPad)
def dynamic_pad(w: Writer, op: DynamicPad, x: Operand, *numbers: Operand) -> Any:
    """TensorFlow's ``pad``."""
    if w.keras3:
        raise RefusedError(f"it is padded by as much as a tensor says; {KNOWN}")
    source = next(v for v in (x, *numbers) if isinstance(v, Tensor))
    flat = _numbers(op.pad_width, numbers)
    pairs = [flat[i : i + 2] for i in range(0, len(flat), 2)]
    value: Any = op.value if type_in(x).is_float else int(op.value)
    return w.tf("pad", as_tensor(w, x, source), paddings=pairs, mode=op.mode.upper(),
                constant_values=value)  # fmt: skip


# --- parts -----------------------------------------------------------------------------


@spellings.spells(StridedSlice)
def strided_slice(w: Writer, op: StridedSlice, x: Operand, *numbers: Operand) -> Any:
    """``x[key]`` of TensorFlow; in Keras 3 a tensor may be the number of an element."""
    rest = iter(numbers)

    def known(entry: Any) -> Any:
        if isinstance(entry, tuple):
            return slice(*(known(e) for e in entry))
        found = next(rest) if entry == "?" else {"new": None, "...": ...}.get(entry, entry)
        return found.item() if isinstance(found, np.ndarray) else found

    key = [known(entry) for entry in op.key]
    source = next(v for v in (x, *numbers) if isinstance(v, Tensor))
    if not w.keras3:
        return w.tf("__operators__.getitem", as_tensor(w, x, source), slice_spec=key)
    chosen = [i for i, entry in enumerate(key) if isinstance(entry, Tensor)]
    within = [e for e in key if isinstance(e, slice)]
    if any(isinstance(e, Tensor) for s in within for e in (s.start, s.stop, s.step)):
        raise RefusedError(f"a slice ends where a tensor says; {KNOWN}")
    if len(chosen) != 1 or ... in key or None in key[: chosen[0]]:
        raise RefusedError(f"several elements are numbered by tensors; {KNOWN}")
    (place,) = chosen
    taken = f("Take", x, key[place], axis=place)
    others = key[:place] + key[place + 1 :]
    if any(not isinstance(e, slice) for e in key[:place]):
        raise RefusedError(f"several elements are numbered; {KNOWN}")
    return write(w, f("GetItem", taken, others) if others else taken)


@spellings.spells(Range)
def range_(w: Writer, op: Range, start: Operand, stop: Operand, step: Operand) -> Any:
    """TensorFlow's ``range``; in Keras 3 counts along the axis whose size is the end."""
    dtype = type_in(start).dtype
    if not w.keras3:
        first: Any = start if isinstance(start, Tensor) else start.item()
        ends = [v if isinstance(v, Tensor) else v.item() for v in (stop, step)]
        return w.tf("range", first, limit=ends[0], delta=ends[1], dtype=dtype)
    source = w.node.inputs[1]
    begun = isinstance(start, Tensor) or isinstance(step, Tensor)
    if source is not None and not begun:
        while type(w.graph[source.node].op).__name__ == "Cast":
            source = w.graph[source.node].arguments[0]
    found = None if begun else _axis_of(w, source)
    if found is None or start != 0 or step != 1:
        raise RefusedError(f"it counts to a number that is no size of an axis; {KNOWN}")
    ones = f("Cast", _ones(*found), dtype=dtype)
    return write(w, f("Subtract", f("Cumsum", ones, axis=0), np.asarray(1, dtype)))


@spellings.spells(Places)
def places(w: Writer, op: Places, x: Tensor) -> Any:
    """``where`` of one argument; in Keras 3 ``nonzero``, a column an axis."""
    x = w.tensor(x)
    if not w.keras3:
        return w.tf("where", x)
    columns = f("Nonzero", x, count=x.rank) if x.rank > 1 else f("Nonzero", x)
    each: list[Any] = [Item(columns, i) for i in range(x.rank)] if x.rank > 1 else [columns]
    return write(w, f("Cast", f("Stack", each, axis=-1), dtype="int64"))


@spellings.spells(Choose)
def choose(w: Writer, op: Choose, x: Operand, mask: Operand) -> Any:
    """``boolean_mask``; in Keras 3 elements at the places where the mask is true."""
    source = next(v for v in (x, mask) if isinstance(v, Tensor))
    given = as_tensor(w, x, source)
    if not w.keras3:
        return w.tf("boolean_mask", given, mask=mask, axis=op.axis)
    rank = type_in(mask).rank
    chosen: Any = mask
    if rank > 1:
        shape = list(given.shape)
        joined = product(shape[op.axis : op.axis + rank])
        sizes = [*shape[: op.axis], joined, *shape[op.axis + rank :]]
        if sizes.count(None) > 1:
            raise RefusedError("more than one of its sizes is not known before the model runs")
        flat = f("Reshape", given, newshape=[-1 if d is None else d for d in sizes])
        given = part(w, flat, "flat", given.type.with_shape(sizes))
        chosen = f("Reshape", mask, newshape=[-1])
    places: Any = f("Nonzero", chosen)
    if not isinstance(mask, Tensor):
        places = np.flatnonzero(mask).astype("int32")
    return write(w, f("Take", given, places, axis=op.axis))
