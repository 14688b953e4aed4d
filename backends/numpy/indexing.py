"""Choosing elements by place; views wherever NumPy can give one."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.indexing import Flip, OneHot, Roll, Slice, Split, Take, Triangle
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
