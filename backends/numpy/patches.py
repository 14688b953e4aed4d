"""Blocks laid out side by side: strided views, copied once."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.patches import (
    DepthToSpace,
    Fold,
    Frames,
    SpaceToDepth,
    Unfold,
    windows_of,
)
from layergraph.ir.types import Array

kernels = Kernels()


def _windows(op: Unfold | Fold, image: Array, counts: list[int]) -> Array:
    """``(batch, channels, *kernel_size, *counts)``: views of a padded image."""
    batch, channel, *spatial = image.strides
    inner = [b * d for b, d in zip(spatial, op.dilation_rate, strict=True)]
    steps = [b * s for b, s in zip(spatial, op.strides, strict=True)]
    shape = (*image.shape[:2], *op.kernel_size, *counts)
    return as_strided(image, shape, (batch, channel, *inner, *steps))


@kernels.computes(Unfold)
def unfold(op: Unfold, x: Array) -> Array:
    """One copy of all windows."""
    counts = [n or 0 for n in windows_of(op, x.shape[2:])]
    (top, left), (batch, channels, height, width) = op.padding, x.shape
    image = np.zeros((batch, channels, height + 2 * top, width + 2 * left), x.dtype)
    image[:, :, top : top + height, left : left + width] = x
    rows = channels * op.kernel_size[0] * op.kernel_size[1]
    windows = _windows(op, image, counts)
    return np.array(windows).reshape(batch, rows, counts[0] * counts[1])


@kernels.computes(Fold)
def fold(op: Fold, x: Array) -> Array:
    """Window element by window element, of which none overlap themselves."""
    counts = [n or 0 for n in windows_of(op, op.output_size)]
    (top, left), (height, width) = op.padding, op.output_size
    channels = x.shape[1] // (op.kernel_size[0] * op.kernel_size[1])
    image = np.zeros((len(x), channels, height + 2 * top, width + 2 * left), x.dtype)
    windows = _windows(op, image, counts)
    columns = x.reshape(windows.shape)
    for row in range(op.kernel_size[0]):
        for column in range(op.kernel_size[1]):
            windows[:, :, row, column] += columns[:, :, row, column]
    return image[:, :, top : top + height, left : left + width].copy()


@kernels.computes(DepthToSpace)
def depth_to_space(op: DepthToSpace, x: Array) -> Array:
    """The block's two axes moved behind height and width."""
    batch, height, width, channels = x.shape
    block = op.block_size
    inner = channels // block**2
    y = x.reshape(batch, height, width, block, block, inner).transpose(0, 1, 3, 2, 4, 5)
    return y.reshape(batch, height * block, width * block, inner)


@kernels.computes(SpaceToDepth)
def space_to_depth(op: SpaceToDepth, x: Array) -> Array:
    """The block's two axes moved before the channels."""
    batch, height, width, channels = x.shape
    block = op.block_size
    y = x.reshape(batch, height // block, block, width // block, block, channels)
    y = y.transpose(0, 1, 3, 2, 4, 5)
    return y.reshape(batch, height // block, width // block, channels * block**2)


@kernels.computes(Frames)
def frames(op: Frames, x: Array) -> Array:
    """One copy of all frames."""
    if x.shape[-1] < op.length:
        return np.empty((*x.shape[:-1], 0, op.length), x.dtype)
    return np.array(sliding_window_view(x, op.length, axis=-1)[..., :: op.stride, :])
