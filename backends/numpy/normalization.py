"""Normalisation by stored or by fresh statistics."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.ir.ops.normalization import BatchNorm, LayerNorm
from layergraph.ir.types import Array

kernels = Kernels()


@kernels.prepares(BatchNorm)
def batch_norm(
    op: BatchNorm,
    *,
    gamma: Array | None = None,
    beta: Array | None = None,
    moving_mean: Array,
    moving_variance: Array,
) -> Kernel:
    """One multiplication and one addition with folded statistics."""
    scale = 1 / np.sqrt(moving_variance + moving_variance.dtype.type(op.epsilon))
    scale = scale if gamma is None else scale * gamma
    shift = -moving_mean * scale if beta is None else beta - moving_mean * scale

    def run(x: Array) -> Array:
        sizes = [1] * x.ndim
        sizes[op.axis] = -1
        y: Array = x * scale.reshape(sizes)
        y += shift.reshape(sizes)
        return y

    return run


@kernels.prepares(LayerNorm)
def layer_norm(op: LayerNorm, *, gamma: Array | None = None, beta: Array | None = None) -> Kernel:
    """Two passes: the mean, then the variance about it."""

    def run(x: Array) -> Array:
        sizes = [n if axis in op.axis else 1 for axis, n in enumerate(x.shape)]
        y: Array = x.copy() if op.rms_scaling else x - x.mean(axis=op.axis, keepdims=True)
        variance = np.square(y).mean(axis=op.axis, keepdims=True)
        y /= np.sqrt(variance + x.dtype.type(op.epsilon))
        if gamma is not None:
            y *= gamma.reshape(sizes)
        if beta is not None:
            y += beta.reshape(sizes)
        return y

    return run
