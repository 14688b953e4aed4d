"""Rearranging elements; views wherever NumPy can give one."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.shape import ExpandDims, Flatten, Identity, Reshape, Transpose
from layergraph.ir.types import Array

kernels = Kernels()


@kernels.computes(Identity)
def identity(op: Identity, x: Array) -> Array:
    """The array itself."""
    return x


@kernels.computes(ExpandDims)
def expand_dims(op: ExpandDims, x: Array) -> Array:
    """A view with one more axis."""
    return np.expand_dims(x, op.axis)


@kernels.computes(Flatten)
def flatten(op: Flatten, x: Array) -> Array:
    """A view where the memory order allows."""
    return x.reshape(x.shape[0], -1 if x.size else int(np.prod(x.shape[1:])))


@kernels.computes(Reshape)
def reshape(op: Reshape, x: Array) -> Array:
    """A view where the memory order allows."""
    shape = op.target_shape
    if not x.size and -1 in shape:
        rest = -int(np.prod(shape))
        shape = tuple(int(np.prod(x.shape[1:])) // rest if d == -1 else d for d in shape)
    return x.reshape(x.shape[0], *shape)


@kernels.computes(Transpose)
def transpose(op: Transpose, x: Array) -> Array:
    """A view."""
    return x.transpose(op.axes)
