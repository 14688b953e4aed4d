"""Normalisation by stored or by fresh statistics."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.gemm import LANES
from layergraph.backends.numpy.merge import unit_length
from layergraph.backends.numpy.scratch import empty
from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.backends.numpy.threads import over_rows
from layergraph.ir.ops.normalization import BatchNorm, GroupNorm, LayerNorm, Standardize, UnitNorm
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

    repeated = [np.tile(a, max(LANES // max(a.size, 1), 1)) for a in (scale, shift)]

    def run(x: Array) -> Array:
        lanes = repeated[0].size
        if op.axis == x.ndim - 1 and x.size % lanes == 0 and x.flags.c_contiguous:
            return _affine(x, *(a.astype(x.dtype, copy=False) for a in repeated))
        sizes = [1] * x.ndim
        sizes[op.axis] = -1
        y: Array = x * scale.reshape(sizes).astype(x.dtype, copy=False)
        y += shift.reshape(sizes).astype(x.dtype, copy=False)
        return y

    return run


def _affine(x: Array, scale: Array, shift: Array) -> Array:
    """Scale and shift along the last axis, some rows at a time."""
    y = empty(x.shape, x.dtype)
    given, result = x.reshape(-1, scale.size), y.reshape(-1, scale.size)

    def rows(part: slice) -> None:
        out = result[part]
        np.multiply(given[part], scale, out=out)
        out += shift

    over_rows(rows, len(given), scale.size, 0.5)
    return y


@kernels.prepares(LayerNorm)
def layer_norm(op: LayerNorm, *, gamma: Array | None = None, beta: Array | None = None) -> Kernel:
    """Two passes: the mean, then the variance about it."""

    def run(x: Array) -> Array:
        sizes = [n if axis in op.axis else 1 for axis, n in enumerate(x.shape)]
        y: Array = x.copy() if op.rms_scaling else x - x.mean(axis=op.axis, keepdims=True)
        variance = np.square(y).mean(axis=op.axis, keepdims=True)
        y /= np.sqrt(variance + x.dtype.type(op.epsilon))
        return _scaled(y, gamma, beta, sizes)

    return run


def _scaled(y: Array, gamma: Array | None, beta: Array | None, sizes: list[int]) -> Array:
    """Scale and shift where the value lies; parameters take the given shape."""
    if gamma is not None:
        y *= gamma.reshape(sizes)
    if beta is not None:
        y += beta.reshape(sizes)
    return y


@kernels.prepares(GroupNorm)
def group_norm(op: GroupNorm, *, gamma: Array | None = None, beta: Array | None = None) -> Kernel:
    """Channels split in two axes, all axes but batch and group reduced."""

    def run(x: Array) -> Array:
        channels = x.shape[op.axis]
        split = (*x.shape[: op.axis], op.groups, channels // op.groups, *x.shape[op.axis + 1 :])
        y: Array = x.reshape(split)
        axes = tuple(a for a in range(1, y.ndim) if a != op.axis)
        y = y - y.mean(axis=axes, keepdims=True)
        y /= np.sqrt(np.square(y).mean(axis=axes, keepdims=True) + x.dtype.type(op.epsilon))
        y = y.reshape(x.shape)
        sizes = [1] * x.ndim
        sizes[op.axis] = -1
        return _scaled(y, gamma, beta, sizes)

    return run


@kernels.computes(UnitNorm)
def unit_norm(op: UnitNorm, x: Array) -> Array:
    """By the length of each vector."""
    return unit_length(x, op.axis)


@kernels.computes(Standardize)
def standardize(op: Standardize, x: Array, *, mean: Array, deviation: Array) -> Array:
    """In Keras' order, which keeps what a large mean would round away."""
    return np.asarray(mean + x * deviation if op.invert else (x - mean) / deviation)
