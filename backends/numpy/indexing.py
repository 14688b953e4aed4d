"""Choosing elements by place; views wherever NumPy can give one."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.indexing import (
    Flip,
    Gather,
    GatherND,
    OneHot,
    ReverseSequence,
    Roll,
    Slice,
    Split,
    Take,
    Triangle,
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
    parts = np.split(x, op.at, axis=op.axis)
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
