"""Choosing elements by place: slices, numbers, parts, triangles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import (
    as_dtype,
    as_tensor,
    f,
    known_size,
    moved,
    part,
    type_in,
    write,
)
from layergraph.backends.keras.writer import Operand, Writer, dtype_of
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
from layergraph.ir.types import INTEGERS, TensorType, product

spellings = Spellings()


def key_of(op: Slice) -> list[Any]:
    """The key of a slice, as arguments of a call hold it."""
    return list(op.index)


@spellings.spells(Slice)
def slice_(w: Writer, op: Slice, x: Tensor) -> Any:
    """``x[key]``."""
    if w.keras3:
        return w.op("GetItem", w.tensor(x), key_of(op))
    return w.tf("__operators__.getitem", w.tensor(x), slice_spec=key_of(op))


@spellings.spells(Flip)
def flip(w: Writer, op: Flip, x: Tensor) -> Any:
    """An operation."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("Flip", x, axis=None if op.axis is None else list(op.axis))
    axes = range(x.rank) if op.axis is None else [a % x.rank for a in op.axis]
    return w.tf("reverse", x, axis=list(axes))


@spellings.spells(Roll)
def roll(w: Writer, op: Roll, x: Tensor) -> Any:
    """An operation; of the flattened value where no axis is named."""
    x = w.tensor(x)
    shift: Any = list(op.shift) if len(op.shift) > 1 else op.shift[0]
    axis: Any = None if op.axis is None else list(op.axis) if len(op.axis) > 1 else op.axis[0]
    if w.keras3:
        return w.op("Roll", x, shift=shift, axis=axis)
    if axis is not None:
        return w.tf("roll", x, shift=shift, axis=axis)
    flat = f("roll", f("reshape", x, shape=[-1]), shift=shift, axis=0)
    return write(w, f("reshape", flat, shape=shape_of(x)))


def shape_of(x: Tensor) -> Any:
    """Its sizes as TensorFlow's ``reshape`` takes them."""
    if sum(d is None for d in x.shape) > 1:
        return f("shape", x, types=TensorType((x.rank,), "int32"))
    return [-1 if d is None else d for d in x.shape]


# --- by number -------------------------------------------------------------------------


@spellings.spells(Take)
def take(w: Writer, op: Take, x: Operand, indices: Operand) -> Any:
    """An operation; TensorFlow's ``gather`` knows no number below 0."""
    if w.keras3:
        return w.op("Take", x, indices, axis=op.axis)
    w.spelled_out()
    given = _table(w, x, indices)
    numbers = from_start(w, given, indices, op.axis)
    return w.tf("gather", given, indices=numbers, axis=op.axis)


def _table(w: Writer, x: Operand, indices: Operand) -> Operand:
    """What is chosen from: a list of numbers, as long as TensorFlow guesses its dtype."""
    if isinstance(x, Tensor) or dtype_of(x) in ("float32", "int32"):
        return x
    return as_tensor(w, x, w.tensor(indices))


def from_start(w: Writer, x: Operand, indices: Operand, axis: int) -> Operand:
    """Numbers of an axis, those from its end counted from its start."""
    size = type_in(x).shape[axis]
    if not isinstance(indices, Tensor):
        if indices.min(initial=0) >= 0:
            return indices
        length = known_size(size, "the size of an axis whose elements are counted from its end")
        return np.where(indices < 0, indices + length, indices).astype(indices.dtype)
    if indices.dtype not in INTEGERS or indices.dtype.startswith("u"):
        return indices
    length_: Any = size
    if size is None:
        dtype = indices.dtype if indices.dtype in ("int32", "int64") else "int32"
        sizes = f("shape", x, out_type=dtype, types=TensorType((type_in(x).rank,), dtype))
        length_ = f("__operators__.getitem", sizes, slice_spec=[axis], types=TensorType((), dtype))
    below = f("math.less", indices, 0, types=indices.type.with_dtype("bool"))
    later = f("math.add", indices, length_, types=indices.type)
    found: Tensor = part(w, f("where", below, x=later, y=indices), "numbers", indices.type)
    return found


@spellings.spells(Gather)
def gather(w: Writer, op: Gather, x: Operand, indices: Operand) -> Any:
    """TensorFlow's ``gather``; in Keras 3 ``take``, or along an axis row by row."""
    if not w.keras3:
        given = _table(w, x, indices)
        return w.tf("gather", given, indices=indices, axis=op.axis, batch_dims=op.batch_dims)
    w.spelled_out()
    if not op.batch_dims:
        return w.op("Take", x, indices, axis=op.axis)
    return write(w, by_rows(x, indices, op.axis, op.batch_dims))


def by_rows(x: Operand, indices: Operand, axis: int, rows: int) -> Any:
    """Elements of an axis by numbers of each row, in Keras 3."""
    source, numbers = type_in(x), type_in(indices)
    inner = numbers.shape[rows:]
    count = -1 if product(inner) is None else product(inner)
    before, behind = axis - rows, source.rank - axis - 1
    lead = [-1 if d is None else d for d in numbers.shape[:rows]]
    shape = [*lead, *(1,) * before, count, *(1,) * behind]
    wide = f("Reshape", indices, newshape=_one_unknown(shape))
    found = f("TakeAlongAxis", x, wide, axis=axis)
    full = [*numbers.shape[:rows], *source.shape[rows:axis], *inner, *source.shape[axis + 1 :]]
    return f("Reshape", found, newshape=_one_unknown([-1 if d is None else d for d in full]))


def _one_unknown(shape: Sequence[int | None]) -> list[Any]:
    if sum(d == -1 for d in shape) > 1:
        raise RefusedError("more than one of its sizes is not known before the model runs")
    return list(shape)


@spellings.spells(GatherND)
def gather_nd(w: Writer, op: GatherND, x: Operand, indices: Operand) -> Any:
    """TensorFlow's ``gather_nd``; in Keras 3 ``take`` from the axes in one."""
    if not w.keras3:
        given = _table(w, x, indices)
        return w.tf("gather_nd", given, indices=indices, batch_dims=op.batch_dims)
    source, rows = type_in(x), op.batch_dims
    depth = known_size(type_in(indices).shape[-1], "the number of axes that a place names")
    named, rest = source.shape[rows : rows + depth], source.shape[rows + depth :]
    strides = [known_size(product(named[i + 1 :]), "the size of an axis") for i in range(depth)]
    number = type_in(indices)
    numbers = f("Sum", f("Multiply", indices, np.asarray(strides, number.dtype)), axis=[-1],
                types=number.with_shape(number.shape[:-1]))  # fmt: skip
    lead = [-1 if d is None else d for d in source.shape[:rows]]
    merged = product(named)
    shape = [*lead, -1 if merged is None else merged, *(-1 if d is None else d for d in rest)]
    flat = f("Reshape", x, newshape=_one_unknown(shape))
    if not rows:
        return write(w, f("Take", flat, numbers, axis=0))
    flat_type = source.with_shape([None if d == -1 else d for d in shape])
    table = part(w, flat, "table", flat_type)
    places = part(w, numbers, "places", number.with_shape(number.shape[:-1]))
    return write(w, by_rows(table, places, rows, rows))


@spellings.spells(TakeAlongAxis)
def take_along_axis(w: Writer, op: TakeAlongAxis, x: Operand, indices: Operand) -> Any:
    """An operation; in TensorFlow a ``gather`` whose rows are all axes but one."""
    if w.keras3:
        return w.op("TakeAlongAxis", x, indices, axis=op.axis)
    tensor = next(v for v in (x, indices) if isinstance(v, Tensor))
    x, indices = as_tensor(w, x, tensor), as_tensor(w, indices, tensor)
    indices = from_start(w, x, indices, op.axis)
    assert isinstance(indices, Tensor)
    rank, axis = x.rank, op.axis
    shapes = [(*t.shape[:axis], *t.shape[axis + 1 :]) for t in (x, indices)]
    terms: list[Any] = [x, indices]
    if shapes[0] != shapes[1]:
        for i, t in enumerate((x, indices)):
            other = (indices, x)[i]
            key: list[Any] = [slice(None)] * rank
            key[axis] = slice(0, 1)
            one = f("zeros_like", f("__operators__.getitem", other, slice_spec=key), dtype=t.dtype)
            terms[i] = f("math.add", t, one)
    order = [i for i in range(rank) if i != axis] + [axis]
    table, numbers = (f("transpose", t, perm=order) for t in terms)
    found = f("gather", table, indices=numbers, axis=rank - 1, batch_dims=rank - 1)
    return write(w, f("transpose", found, perm=[order.index(i) for i in range(rank)]))


@spellings.spells(ReverseSequence)
def reverse_sequence(w: Writer, op: ReverseSequence, x: Operand, lengths: Operand) -> Any:
    """TensorFlow's function; in Keras 3 elements by number."""
    if not w.keras3:
        given = as_tensor(w, x, w.tensor(lengths)) if not isinstance(x, Tensor) else x
        return w.tf("reverse_sequence", given, seq_lengths=lengths, seq_axis=op.seq_axis,
                    batch_axis=op.batch_axis)  # fmt: skip
    type_ = type_in(x)
    size = known_size(type_.shape[op.seq_axis], "the length of its sequences")
    dtype = dtype_of(lengths)
    column = [1] * type_.rank
    column[op.batch_axis] = -1
    ends = f("Reshape", lengths, newshape=column)
    row = [size if i == op.seq_axis else 1 for i in range(type_.rank)]
    places = np.arange(size, dtype=dtype).reshape(row)
    back = f("Subtract", f("Subtract", ends, places), np.asarray(1, dtype))
    numbers = f("Where", f("Less", places, ends), back, places)
    return write(w, f("TakeAlongAxis", x, numbers, axis=op.seq_axis))


# --- parts -----------------------------------------------------------------------------


@spellings.spells(Split)
def split(w: Writer, op: Split, x: Tensor) -> Any:
    """An operation of either Keras."""
    x = w.tensor(x)
    count = len(w.node.types)
    if op.squeeze:
        if w.keras3:
            return w.op("Unstack", x, num=count, axis=op.axis)
        return w.tf("unstack", x, num=count, axis=op.axis)
    if w.keras3 and x.shape[op.axis] is None and any(place < 0 for place in op.at):
        # Keras 3 takes a place that counts from the end of an unknown axis for a size.
        w.spelled_out()
        ends = zip((0, *op.at), (*op.at, None), w.node.types, strict=True)
        return tuple(
            w.op("GetItem", x, [slice(None)] * op.axis + [slice(start, stop)], part=f"part_{i}",
                 types=type_)
            for i, (start, stop, type_) in enumerate(ends)
        )  # fmt: skip
    if w.keras3:
        name = "ArraySplit" if op.uneven else "Split"
        given: Any = op.sections or list(op.at)
        return w.op(name, x, indices_or_sections=given, axis=op.axis)
    if op.sections:
        w.spelled_out()
    if op.sections and not op.uneven:
        return w.tf("split", x, num_or_size_splits=op.sections, axis=op.axis)
    sizes = [t.shape[op.axis] for t in w.node.types]
    if sizes.count(None) > 1:
        raise RefusedError("the sizes of several parts are not known before the model runs")
    sizes = [-1 if n is None else n for n in sizes]
    return w.tf("split", x, num_or_size_splits=sizes, axis=op.axis)


@spellings.spells(OneHot)
def one_hot(w: Writer, op: OneHot, x: Tensor) -> Any:
    """An operation."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("OneHot", x, num_classes=op.num_classes, axis=op.axis, dtype=op.dtype)
    given = x if x.dtype in ("uint8", "int32", "int64") else as_dtype(w, x, "int32")
    axis = op.axis if op.axis >= -1 else op.axis % (x.rank + 1)
    if op.dtype == "bool":
        hits = f("one_hot", given, depth=op.num_classes, axis=axis, dtype="int32")
        return write(w, f("cast", hits, dtype="bool"))
    return w.tf("one_hot", given, depth=op.num_classes, axis=axis, dtype=op.dtype)


@spellings.spells(Triangle)
def triangle(w: Writer, op: Triangle, x: Tensor) -> Any:
    """An operation; TensorFlow's band always holds the main diagonal, a choice need not."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("Triu" if op.upper else "Tril", x, k=op.k)
    if op.upper and op.k <= 0:
        return w.tf("linalg.band_part", x, num_lower=-op.k, num_upper=-1)
    if not op.upper and op.k >= 0:
        return w.tf("linalg.band_part", x, num_lower=-1, num_upper=op.k)
    rows, columns = (known_size(d, "the size of a matrix") for d in x.shape[-2:])
    mask = np.tri(rows, columns, op.k - 1 if op.upper else op.k, dtype=bool) ^ op.upper
    return write(w, f("where", mask, x=x, y=f("zeros_like", x)))


@spellings.spells(Diagonal)
def diagonal(w: Writer, op: Diagonal, x: Tensor) -> Any:
    """An operation; TensorFlow's is of the last two axes."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("Diagonal", x, offset=op.offset, axis1=op.axes[0], axis2=op.axes[1])
    order = [i for i in range(x.rank) if i not in op.axes] + list(op.axes)
    term: Any = x
    if order != list(range(x.rank)):
        term = f("transpose", x, perm=order, types=x.type.with_shape(moved(x.shape, order)))
    return write(w, f("linalg.diag_part", term, k=op.offset))


@spellings.spells(Diag)
def diag(w: Writer, op: Diag, x: Tensor) -> Any:
    """An operation."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("Diag", x, k=op.k)
    w.spelled_out()
    return w.tf("linalg.diag", x, k=op.k)


@spellings.spells(Rot90)
def rot90(w: Writer, op: Rot90, x: Tensor) -> Any:
    """An operation; in TensorFlow a turn is two axes exchanged and one of them reversed."""
    x, (a, b) = w.tensor(x), op.axes
    if w.keras3:
        return w.op("Rot90", x, k=op.turns, axes=[a, b])
    if op.turns > 1 and x.shape[a] != x.shape[b]:
        raise RefusedError("Keras 3 turns planes with unequal sides several times in its own way")
    order = list(range(x.rank))
    order[a], order[b] = b, a
    term: Any = x
    for _ in range(op.turns):
        term = f("transpose", f("reverse", term, axis=[b]), perm=order)
    return write(w, term)


# --- places ----------------------------------------------------------------------------


@spellings.spells(Nonzero)
def nonzero(w: Writer, op: Nonzero, x: Tensor) -> Any:
    """An operation; TensorFlow gives the places as rows."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("Nonzero", x)
    rows = f("where", x, types=TensorType((None, x.rank), "int64"))
    whole = f("cast", rows, dtype="int32", types=TensorType((None, x.rank), "int32"))
    return write(w, f("unstack", whole, num=x.rank, axis=1), w.node.types)


@spellings.spells(UnravelIndex)
def unravel_index(w: Writer, op: UnravelIndex, x: Tensor) -> Any:
    """An operation; digits one by one in TensorFlow."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("UnravelIndex", x, shape=list(op.shape))
    term: Any = x
    places = []
    for size in op.shape[::-1] if x.rank == 1 else op.shape:
        places.append(f("math.floormod", term, size))
        term = f("math.floordiv", term, size)
    found = f("unstack", f("stack", places[::-1], axis=0), num=len(places), axis=0)
    return write(w, found, w.node.types)


@spellings.spells(ArgPartition)
def argpartition(w: Writer, op: ArgPartition, x: Tensor) -> Any:
    """An operation of Keras 3."""
    if not w.keras3:
        raise RefusedError("TensorFlow has no partial order, and Keras 3 orders in its own way")
    return w.op("Argpartition", w.tensor(x), kth=op.kth)
