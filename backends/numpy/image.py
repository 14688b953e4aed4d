"""Operators on images."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.image import Resize
from layergraph.ir.types import Array

kernels = Kernels()


@kernels.computes(Resize)
def resize(op: Resize, x: Array) -> Array:
    """Axis by axis."""
    for axis, size in enumerate(op.size, 1):
        if size != x.shape[axis]:
            x = nearest(x, axis, size) if op.interpolation == "nearest" else linear(x, axis, size)
    return np.array(x)


def nearest(x: Array, axis: int, size: int) -> Array:
    """Elements whose cells the new centres lie in."""
    given = x.shape[axis]
    at = np.floor((np.arange(size) + 0.5) * (given / size)).astype(int)
    return np.asarray(x.take(np.minimum(at, given - 1), axis))


def linear(x: Array, axis: int, size: int) -> Array:
    """Interpolation between half-pixel centres, edges held."""
    given = x.shape[axis]
    at = (np.arange(size) + 0.5) * (given / size) - 0.5
    low = np.floor(at)
    sizes = [1] * x.ndim
    sizes[axis] = -1
    weight = (at - low).astype(x.dtype).reshape(sizes)
    first = x.take(np.clip(low, 0, given - 1).astype(int), axis)
    second = x.take(np.clip(low + 1, 0, given - 1).astype(int), axis)
    return np.asarray(first + (second - first) * weight)
