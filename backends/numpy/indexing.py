"""Choosing elements by place; views wherever NumPy can give one."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.table import Kernels
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
from layergraph.ir.types import Array

kernels = Kernels()


@kernels.computes(Slice)
def slice_(op: Slice, x: Array) -> Array:
    """A view."""
    return np.asarray(x[op.index])


@kernels.computes(Flip)
def flip(op: Flip, x: Array) -> Array:
    """A view."""
    return np.flip(x, op.axis)


@kernels.computes(Roll)
def roll(op: Roll, x: Array) -> Array:
    """One copy."""
    return np.roll(x, op.shift if op.axis else op.shift[0], op.axis)


@kernels.computes(Take)
def take(op: Take, x: Array, indices: Array) -> Array:
    """NumPy's own; numbers beyond the axis are refused by it."""
    return np.asarray(np.take(x, indices.astype("int64"), axis=op.axis))


@kernels.computes(Split)
def split(op: Split, x: Array) -> tuple[Array, ...]:
    """Copies, because only a first output may alias."""
    cut = np.array_split if op.uneven else np.split
    parts = cut(x, op.sections or op.at, axis=op.axis)
    return tuple(np.array(p.squeeze(op.axis) if op.squeeze else p) for p in parts)


@kernels.computes(OneHot)
def one_hot(op: OneHot, x: Array) -> Array:
    """Numbers outside give a row of 0."""
    axis = op.axis % (x.ndim + 1)
    sizes = [1] * (x.ndim + 1)
    sizes[axis] = op.num_classes
    places = np.arange(op.num_classes).reshape(sizes)
    hit: Array = np.expand_dims(x.astype("int64"), axis) == places
    return hit.astype(op.dtype)


@kernels.computes(Triangle)
def triangle(op: Triangle, x: Array) -> Array:
    """NumPy's own."""
    return np.triu(x, op.k) if op.upper else np.tril(x, op.k)


@kernels.computes(Gather)
def gather(op: Gather, x: Array, indices: Array) -> Array:
    """Rows numbered by axes of their own."""
    rows = op.batch_dims
    x = np.moveaxis(x, op.axis, rows)
    inner = indices.ndim - rows
    numbers = [
        np.arange(n).reshape((-1,) + (1,) * (rows - i - 1 + inner))
        for i, n in enumerate(x.shape[:rows])
    ]
    found = x[(*numbers, _inside(indices, x.shape[rows]))]
    # The axes between the rows and the axis stand in front again.
    moved = np.moveaxis(found, range(rows, rows + inner), range(op.axis, op.axis + inner))
    return np.array(moved)


def _inside(indices: Array, size: int) -> Array:
    """The indices, refused when one is beyond the axis, negative ones too."""
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        raise IndexError(f"indices from {indices.min()} to {indices.max()} of {size} elements")
    return indices


@kernels.computes(GatherND)
def gather_nd(op: GatherND, x: Array, indices: Array) -> Array:
    """One copy."""
    rows = op.batch_dims
    inner = indices.ndim - 1 - rows
    numbers = [
        np.arange(n).reshape((-1,) + (1,) * (rows - i - 1 + inner))
        for i, n in enumerate(x.shape[:rows])
    ]
    places = [_inside(indices[..., i], x.shape[rows + i]) for i in range(indices.shape[-1])]
    return np.array(x[(*numbers, *places)] if numbers or places else x)


@kernels.computes(ReverseSequence)
def reverse_sequence(op: ReverseSequence, x: Array, lengths: Array) -> Array:
    """Elements taken by number: ``length - 1 - i`` for the first ones."""
    places = np.arange(x.shape[op.seq_axis])
    lengths = lengths.reshape(-1, 1)
    numbers = np.where(places < lengths, lengths - 1 - places, places)
    if op.seq_axis < op.batch_axis:
        numbers = numbers.T
    shape = [1] * x.ndim
    shape[op.batch_axis], shape[op.seq_axis] = x.shape[op.batch_axis], x.shape[op.seq_axis]
    return np.take_along_axis(x, numbers.reshape(shape), axis=op.seq_axis)


@kernels.computes(TakeAlongAxis)
def take_along_axis(op: TakeAlongAxis, x: Array, indices: Array) -> Array:
    """NumPy's own, after broadcasting the other axes."""
    wide = [(*a.shape[: op.axis], 1, *a.shape[op.axis + 1 :]) for a in (x, indices)]
    shape = list(np.broadcast_shapes(*wide))
    shapes = [[*shape[: op.axis], a.shape[op.axis], *shape[op.axis + 1 :]] for a in (x, indices)]
    places = np.broadcast_to(indices.astype("int64"), shapes[1])
    return np.asarray(np.take_along_axis(np.broadcast_to(x, shapes[0]), places, op.axis))


@kernels.computes(Nonzero)
def nonzero(op: Nonzero, x: Array) -> tuple[Array, ...]:
    """NumPy's own."""
    return tuple(places.astype("int32") for places in np.nonzero(x))


@kernels.computes(UnravelIndex)
def unravel_index(op: UnravelIndex, x: Array) -> tuple[Array, ...]:
    """Digits one by one."""
    places = []
    for size in op.shape[::-1] if x.ndim == 1 else op.shape:
        x, place = np.divmod(x, x.dtype.type(size))
        places.append(place)
    return tuple(places[::-1])


@kernels.computes(ArgPartition)
def argpartition(op: ArgPartition, x: Array) -> Array:
    """The smallest in order; then the rest by size, among those zeros in place of the smallest."""
    whole = x.astype("int32")
    kth = min(max(op.kth, 0), len(x) - 1)
    first = np.argsort(whole, kind="stable")[: kth + 1]
    rest = whole.copy()
    rest[first] = 0
    behind = np.argsort(~rest, kind="stable")[: len(x) - kth - 1]
    return np.concatenate([first, behind]).astype("int32")


@kernels.computes(Diagonal)
def diagonal(op: Diagonal, x: Array) -> Array:
    """NumPy's own, copied."""
    return np.array(x.diagonal(op.offset, *op.axes))


@kernels.computes(Diag)
def diag(op: Diag, x: Array) -> Array:
    """NumPy's own."""
    return np.diag(x, op.k)


@kernels.computes(Rot90)
def rot90(op: Rot90, x: Array) -> Array:
    """Backwards along the second axis, then the axes exchanged, a turn."""
    plane = np.moveaxis(x, op.axes, (-2, -1))
    shape = plane.shape if op.turns % 2 == 0 else plane.swapaxes(-1, -2).shape
    plane = plane[..., ::-1].swapaxes(-1, -2)
    if op.turns > 1:
        plane = plane.reshape(shape)
        for _ in range(op.turns - 1):
            plane = plane[..., ::-1].swapaxes(-1, -2)
    return np.array(np.moveaxis(plane.reshape(shape), (-2, -1), op.axes))
