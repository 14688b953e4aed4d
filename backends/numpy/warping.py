"""Images read at other places, as TensorFlow's ImageProjectiveTransformV3 reads them.

Source: tensorflow/core/kernels/image/image_ops.h, TensorFlow 2.21.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from layergraph.ir.ops.image import FillMode
from layergraph.ir.types import Array

F = np.float32


def projected(transform: Array, height: int, width: int) -> tuple[Array, Array, Array]:
    """Where each pixel is read: across and down, and whether that is defined.

    Args:
        transform: ``(batch, 8)``.
    """
    x, y = np.arange(width, dtype=F), np.arange(height, dtype=F)[:, None]
    a0, a1, a2, b0, b1, b2, c0, c1 = transform.T[:, :, None, None]
    depth = c0 * x + c1 * y + F(1)
    defined = depth != 0
    depth = np.where(defined, depth, F(1))
    return (a0 * x + a1 * y + a2) / depth, (b0 * x + b1 * y + b2) / depth, defined


def inside(places: Array, size: int, fill_mode: FillMode) -> Array:
    """Places outside an axis brought back into it; ``constant`` leaves them."""
    if fill_mode == "constant":
        return places
    if fill_mode == "reflect" and size > 1:
        places = _reflected(places, size)
    elif fill_mode == "wrap" and size > 1:
        turns = np.trunc(np.abs(places) / F(size - 1))
        low = places + F(size) * (turns + 1)
        places = np.where(
            places < 0, low, np.where(places > size - 1, places - size * turns, places)
        )
    return np.clip(places, F(0), F(size - 1))


def _reflected(places: Array, size: int) -> Array:
    """``abcd`` goes on as ``dcba`` on both sides."""
    period = F(2 * size)
    low = period * np.trunc(-places / period) + places
    low = np.where(low < -size, low + period, -low - 1)
    high = places - period * np.trunc(places / period)
    high = np.where(high >= size, period - high - 1, high)
    return np.where(places < 0, low, np.where(places > size - 1, high, places))


def read(
    x: Array, across: Array, down: Array, defined: Array,
    interpolation: Literal["nearest", "bilinear"], fill_value: float,
) -> Array:  # fmt: skip
    """Pixels at fractional places.

    Args:
        x: ``(batch, height, width, channels)``.
        across, down, defined: ``(batch or 1, height, width)``.
    """
    batch, height, width, channels = x.shape
    flat = x.reshape(batch * height * width, channels)
    images = (np.arange(batch) * (height * width))[:, None, None]
    fill = x.dtype.type(fill_value)
    # Far away is far enough one pixel outside, and fits an integer.
    across = np.clip(np.nan_to_num(across, nan=-2), -2, width + 1)
    down = np.clip(np.nan_to_num(down, nan=-2), -2, height + 1)

    def at(row: Array, column: Array) -> Array:
        known = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        place = np.clip(row, 0, height - 1) * width + np.clip(column, 0, width - 1)
        found = flat.take((images + place.astype(np.intp)).ravel(), 0).reshape(x.shape)
        return np.asarray(np.where(known[..., None], found, fill))

    if interpolation == "nearest":
        y = at(_rounded(down), _rounded(across))
    else:
        top, left = np.floor(down), np.floor(across)
        right_part, low_part = (across - left)[..., None], (down - top)[..., None]
        left_part = (left + F(1) - across)[..., None]
        high_part = (top + F(1) - down)[..., None]

        def row(where: Array) -> Array:
            first, second = at(where, left), at(where, left + 1)
            return np.asarray(left_part * first.astype(F) + right_part * second.astype(F))

        y = (high_part * row(top) + low_part * row(top + 1)).astype(x.dtype)
    return np.where(np.broadcast_to(defined, y.shape[:3])[..., None], y, fill)


def _rounded(x: Array) -> Array:
    """To the nearest whole number, halves away from 0."""
    whole = np.trunc(x)
    return np.asarray(whole + np.where(np.abs(x - whole) >= F(0.5), np.sign(x), F(0)))
