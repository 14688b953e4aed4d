"""Augmentation that works at inference too."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.scratch import Specialised
from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.ir.ops.augmentation import AutoContrast, EqualizeTiles, PadBoxes
from layergraph.ir.types import Array

kernels = Kernels()

LEVELS = 256
"""Values a histogram tells apart."""


@kernels.computes(AutoContrast)
def auto_contrast(op: AutoContrast, x: Array) -> Array:
    """In steps of 255 in between, as Keras does it."""
    low, high = (x.dtype.type(v) for v in op.value_range)
    plain = op.value_range == (0, 255)
    y = x if plain else (x - low) / (high - low) * 255
    first, last = y.min((1, 2), keepdims=True), y.max((1, 2), keepdims=True)
    with np.errstate(all="ignore"):
        scale = 255 / (last - first)
        y = np.clip(y * scale + -first * scale, 0, 255)
    if not plain:
        y = y / 255 * (high - low) + low
    return np.where(np.isnan(y), x, y)


@kernels.prepares(EqualizeTiles)
def equalize_tiles(op: EqualizeTiles) -> Kernel:
    """One count for all histograms, then one gather for each of four neighbours."""
    return Specialised(lambda shape: _equalizer(op, shape))


def _equalizer(op: EqualizeTiles, shape: tuple[int, ...]) -> Kernel:
    batch, height, width, channels = shape
    down, across = op.tile_grid_size
    tall, wide = -(-height // down), -(-width // across)
    beyond = ((0, 0), (0, tall * down - height), (0, wide * across - width), (0, 0))
    maps = (batch, down, across, channels)
    own = np.arange(int(np.prod(maps))).reshape(*maps[:3], 1, 1, channels) * LEVELS
    top, bottom, low = _neighbours(height, tall, down)
    left, right, far = _neighbours(width, wide, across)
    low, far = low[:, None, None], far[:, None]
    images = np.arange(batch)[:, None, None, None] * down
    channel = np.arange(channels)

    lowest, highest = (np.float32(v) for v in op.value_range)
    plain = op.value_range == (0, 255)

    def run(x: Array) -> Array:
        if not plain:
            x = (x.astype(np.float32) - lowest) / (highest - lowest) * np.float32(255)
        padded = np.pad(x, beyond, mode="symmetric")
        levels = np.clip(padded, 0, 255).astype(np.int32)
        tiles = levels.reshape(batch, down, tall, across, wide, channels)
        counted = own + tiles.transpose(0, 1, 3, 2, 4, 5)
        counts = np.bincount(counted.ravel(), minlength=own.size * LEVELS)
        table = _curves(op, counts.reshape(-1, LEVELS).astype(np.float32), tall * wide).ravel()
        pixels = levels[:, :height, :width]

        def mapped(rows: Array, columns: Array) -> Array:
            tile = (images + rows[:, None, None]) * across + columns[:, None]
            return np.asarray(table.take((tile * channels + channel) * LEVELS + pixels))

        above = mapped(top, left) * (1 - far) + mapped(top, right) * far
        below = mapped(bottom, left) * (1 - far) + mapped(bottom, right) * far
        y: Array = above * (1 - low) + below * low
        return y if plain else y / np.float32(255) * (highest - lowest) + lowest

    return run


def _neighbours(size: int, tile: int, tiles: int) -> tuple[Array, Array, Array]:
    """Tiles before and behind each pixel of an axis, and how near it is to the latter."""
    at = (np.arange(size, dtype=np.float32) - np.float32(tile / 2)) / np.float32(tile)
    at = at + np.float32(1)
    before = np.floor(at)
    # The first and the last tile stand once more outside the grid.
    first, second = (
        np.clip(np.clip(n, 0, tiles + 1) - 1, 0, tiles - 1).astype(np.intp)
        for n in (before, before + 1)
    )
    return first, second, at - before


def _curves(op: EqualizeTiles, counts: Array, pixels: int) -> Array:
    """Value that each level of each tile becomes, ``(tiles, levels)``."""
    if op.clip_limit > 0:
        limit = np.float32(op.clip_limit * pixels / 256.0)
        cut = np.minimum(counts, limit)
        counts = cut + (counts - cut).sum(-1, keepdims=True) / np.float32(256)
    total = np.cumsum(counts, axis=-1, dtype=np.float32)
    least = total.min(-1, keepdims=True)
    rest = np.float32(pixels) - least
    rest = np.where(rest == 0, np.float32(1), rest)
    return np.asarray(np.clip((total - least) * np.float32(255) / rest, 0, 255))


@kernels.computes(PadBoxes)
def pad_boxes(op: PadBoxes, x: Array) -> Array:
    """One copy."""
    y = np.full((x.shape[0], op.number, *x.shape[2:]), op.fill_value, x.dtype)
    kept = min(op.number, x.shape[1])
    y[:, :kept] = x[:, :kept]
    return y
