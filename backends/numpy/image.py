"""Operators on images."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from layergraph.backends.numpy.resampling import KERNELS, resampler
from layergraph.backends.numpy.scratch import Specialised
from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.backends.numpy.tiles import Geometry, Padded
from layergraph.backends.numpy.warping import inside, projected, read
from layergraph.ir.interpolation import Interpolation, resized_dtype
from layergraph.ir.ops.image import (
    SSIM,
    CenterCrop,
    ConvertColors,
    Frame,
    Grayscale,
    Homography,
    MapCoordinates,
    Patches,
    ProjectiveTransform,
    Resize,
    ScaleAndTranslate,
)
from layergraph.ir.types import Array, promote

kernels = Kernels()


def resampled(
    x: Array, size: tuple[int, ...], interpolation: Interpolation, antialias: bool = False
) -> Array:
    """Spatial axes brought to a size, one after the other.

    Rows first, but for ``bilinear``: TensorFlow does it in these orders, and
    rounding to bytes shows the last bit.
    """
    y = x.astype(resized_dtype(x.dtype.name, interpolation), copy=False)
    axes = range(1, x.ndim - 1)
    for axis in reversed(axes) if interpolation == "bilinear" else axes:
        shape = y.shape
        ahead, behind = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
        along = resampler(shape[axis], size[axis - 1], interpolation, antialias)
        y = along(y.reshape(ahead, shape[axis], behind))
        y = y.reshape(*shape[:axis], size[axis - 1], *shape[axis + 1 :])
    return y


@kernels.computes(Resize)
def resize(op: Resize, x: Array) -> Array:
    """Fit the aspect ratio, then resample."""
    if op.fit == "crop":
        x = _cropped(x, op.size)
    elif op.fit == "pad":
        x = _padded(x, op.size, op.fill_value)
    return resampled(x, op.size, op.interpolation, op.antialias)


def _in_proportion(shape: tuple[int, ...], size: tuple[int, int]) -> tuple[int, int]:
    """Height and width that would give the images of ``shape`` the proportions of ``size``."""
    (_, height, width, _), (to_height, to_width) = shape, size
    divide = np.float32
    return (
        int(divide(width * to_height) / divide(to_width)),
        int(divide(height * to_width) / divide(to_height)),
    )


def _cropped(x: Array, size: tuple[int, int]) -> Array:
    wanted = _in_proportion(x.shape, size)
    height, width = (max(min(n, w), 1) for n, w in zip(x.shape[1:3], wanted, strict=True))
    top, left = (x.shape[1] - height) // 2, (x.shape[2] - width) // 2
    return x[:, top : top + height, left : left + width]


def _padded(x: Array, size: tuple[int, int], value: float) -> Array:
    """As much on both sides, so that an odd element is missing."""
    wanted = _in_proportion(x.shape, size)
    top, left = (max(w - n, 0) // 2 for n, w in zip(x.shape[1:3], wanted, strict=True))
    batch, height, width, channels = x.shape
    y = np.full((batch, height + 2 * top, width + 2 * left, channels), value, x.dtype)
    y[:, top : top + height, left : left + width] = x
    return y


@kernels.computes(CenterCrop)
def center_crop(op: CenterCrop, x: Array) -> Array:
    """The middle, or the resized middle of its shape."""
    spare = [n - s for n, s in zip(x.shape[1:3], op.size, strict=True)]
    if min(spare) < 0:
        return resampled(_cropped(x, op.size), op.size, "bilinear").astype(x.dtype, copy=False)
    top, left = (s // 2 for s in spare)
    return np.array(x[:, top : top + op.size[0], left : left + op.size[1]])


@kernels.computes(Frame)
def frame(op: Frame, x: Array) -> Array:
    """One copy into zeros, or out of the image."""
    ends = [op.ends(axis, n) for axis, n in enumerate(x.shape[1:3])]
    grown = [n + b + a for n, (b, a) in zip(x.shape[1:3], ends, strict=True)]
    y = np.zeros((x.shape[0], *grown, x.shape[-1]), x.dtype)
    pairs = list(zip(ends, x.shape[1:3], strict=True))
    into = tuple(slice(max(b, 0), max(b, 0) + n + min(b, 0) + min(a, 0)) for (b, a), n in pairs)
    outof = tuple(slice(max(-b, 0), n + min(a, 0)) for (b, a), n in pairs)
    y[(slice(None), *into)] = x[(slice(None), *outof)]
    return y


@kernels.prepares(Patches)
def patches(op: Patches) -> Kernel:
    """One strided copy."""

    def make(shape: tuple[int, ...]) -> Kernel:
        pad: Padded | None = None

        def run(x: Array) -> Array:
            nonlocal pad
            pad = pad or Padded(
                Geometry.of(shape, op.size, op.strides, op.padding, op.dilation_rate, x.dtype)
            )
            padded, lent = pad.take(x)
            depth = int(np.prod(op.size)) * shape[-1]
            y = np.array(pad.view(padded)).reshape(shape[0], *pad.windows, depth)
            pad.give(lent)
            return y

        return run

    return Specialised(make)


@kernels.computes(ProjectiveTransform)
def projective_transform(op: ProjectiveTransform, x: Array, transform: Array) -> Array:
    """Places of all pixels at once, then one gather a neighbour."""
    height, width = x.shape[1:3]
    across, down, defined = projected(transform.astype(np.float32, copy=False), height, width)
    across, down = inside(across, width, op.fill_mode), inside(down, height, op.fill_mode)
    return read(x, across, down, defined, op.interpolation, op.fill_value)


@kernels.computes(Homography)
def homography(op: Homography, start: Array, end: Array) -> Array:
    """Eight linear equations a transform, solved in float32 as Keras does."""
    start, end = (points.astype(np.float32, copy=False) for points in (start, end))
    matrix = np.zeros((len(start), 4, 2, 8), np.float32)
    for row in range(2):
        matrix[:, :, row, 3 * row : 3 * row + 2] = end
        matrix[:, :, row, 3 * row + 2] = 1
        matrix[:, :, row, 6:] = -start[:, :, row, None] * end
    wanted = start.reshape(-1, 8, 1)
    return np.linalg.solve(matrix.reshape(-1, 8, 8), wanted)[..., 0]


@kernels.computes(MapCoordinates)
def map_coordinates(op: MapCoordinates, x: Array, coordinates: Array) -> Array:
    """One gather for each corner of the cell a place lies in."""
    dtype = coordinates.dtype
    corners = []
    for places, size in zip(coordinates, x.shape, strict=True):
        if op.order == 0:
            nodes = [(np.rint(places).astype(np.int32), dtype.type(1))]
        else:
            low = np.floor(places)
            index = low.astype(np.int32)
            nodes = [(index, 1 - (places - low)), (index + 1, places - low)]
        corners.append([(*_bounded(op, index, size), weight) for index, weight in nodes])
    y: Array = np.zeros(coordinates.shape[1:], dtype)
    for corner in product(*corners):
        found = x[tuple(index for index, _, _ in corner)].astype(dtype)
        if op.fill_mode == "constant":
            known = np.logical_and.reduce([valid for _, valid, _ in corner])
            found = np.where(known, found, x.dtype.type(op.fill_value).astype(dtype))
        for _, _, weight in corner:
            found = found * weight
        y = y + found
    return (np.rint(y) if x.dtype.kind in "iu" else y).astype(x.dtype)


def _bounded(op: MapCoordinates, index: Array, size: int) -> tuple[Array, Array]:
    """Indices brought into an axis, and which of them were in it."""
    valid = (index >= 0) & (index < size)
    if op.fill_mode == "wrap":
        return index % size, valid
    if op.fill_mode in ("constant", "nearest"):
        return np.clip(index, 0, size - 1), valid
    folded = np.abs(index) % (2 * size)
    back = 2 * size - folded - (op.fill_mode == "reflect")
    return np.where(folded < size, folded, back), valid


@kernels.computes(ScaleAndTranslate)
def scale_and_translate(op: ScaleAndTranslate, x: Array, scale: Array, translation: Array) -> Array:
    """One matrix product an axis."""
    dtype = promote(scale.dtype.name, translation.dtype.name)
    y = x if x.dtype.kind == "f" else x.astype(np.float32)
    for i, axis in enumerate(op.axes):
        axis %= x.ndim
        size = op.output_shape[axis]
        matrix = _scaling(
            op, x.shape[axis], int(size or 0), scale[i].astype(dtype), translation[i].astype(dtype)
        )
        y = np.moveaxis(np.tensordot(y, matrix.astype(y.dtype), (axis, 0)), -1, axis)
    if x.dtype.kind != "f" and x.size:
        y = np.clip(np.rint(y), x.min(), x.max())
    return y.astype(x.dtype)


def _scaling(op: ScaleAndTranslate, given: int, size: int, scale: Array, shift: Array) -> Array:
    """Weight of each element in each new one, ``(given, size)``."""
    dtype = scale.dtype
    kernel = KERNELS[{"linear": "bilinear", "cubic": "bicubic"}.get(op.method, op.method)][1]
    inverse = 1 / scale
    wide = np.maximum(inverse, 1).astype(dtype) if op.antialias else dtype.type(1)
    at = (np.arange(size, dtype=dtype) + dtype.type(0.5)) * inverse - shift * inverse
    at = (at - dtype.type(0.5)).astype(dtype)
    weights = kernel(np.abs(at - np.arange(given, dtype=dtype)[:, None]) / wide)
    total = weights.sum(0, keepdims=True)
    kept = np.abs(total) > 1000 * np.finfo(np.float32).eps
    weights = np.where(kept, weights / np.where(total != 0, total, 1), 0)
    return np.where((at >= -0.5) & (at <= given - 0.5), weights, 0).astype(dtype)


@kernels.computes(SSIM)
def ssim(op: SSIM, x1: Array, x2: Array, *, window: Array) -> Array:
    """Means of both, their squares and their product by two matrix products an axis."""
    a, b = (x.astype(window.dtype, copy=False) for x in (x1, x2))
    means = np.stack([a, b, a * a, b * b, a * b])
    for axis in (2, 3):
        means = sliding_window_view(means, len(window), axis) @ window
    mean_a, mean_b, square_a, square_b, both = means
    spread = (square_a - mean_a**2) + (square_b - mean_b**2)
    above = (2 * mean_a * mean_b + op.c1) * (2 * (both - mean_a * mean_b) + op.c2)
    below = (mean_a**2 + mean_b**2 + op.c1) * (spread + op.c2)
    return np.asarray((above / below).mean((1, 2)).mean(-1))


@kernels.computes(Grayscale)
def grayscale(op: Grayscale, x: Array) -> Array:
    """A weighed sum."""
    y = x if x.dtype.kind == "f" else x.astype(np.float32)
    weights = np.array([[0.2989], [0.5870], [0.1140]], y.dtype)
    return np.asarray(np.matmul(y, weights)).astype(x.dtype, copy=False)


@kernels.computes(ConvertColors)
def convert_colors(op: ConvertColors, x: Array) -> Array:
    """Channel by channel."""
    first, second, third = np.moveaxis(x, -1, 0)
    found = _to_hsv(first, second, third) if op.to == "hsv" else _to_rgb(first, second, third)
    return np.stack(found, -1).astype(x.dtype, copy=False)


def _to_hsv(red: Array, green: Array, blue: Array) -> tuple[Array, Array, Array]:
    """Source: tensorflow/core/kernels/image/colorspace_op.h ``RGBToHSV``."""
    value = np.maximum(np.maximum(red, green), blue)
    spread = value - np.minimum(np.minimum(red, green), blue)
    with np.errstate(all="ignore"):
        saturation = np.where(value > 0, spread / value, 0)
        part = 1 / spread / 6
        hue = np.where(
            red == value,
            part * (green - blue),
            np.where(green == value, part * (blue - red) + 2 / 6, part * (red - green) + 4 / 6),
        )
    hue = np.where(spread > 0, hue, 0)
    return np.where(hue < 0, hue + 1, hue), saturation, value


def _to_rgb(hue: Array, saturation: Array, value: Array) -> tuple[Array, Array, Array]:
    """Source: tensorflow/core/kernels/image/colorspace_op.h ``HSVToRGB``."""
    sixth = hue * 6
    red = np.clip(np.abs(sixth - 3) - 1, 0, 1)
    green = np.clip(2 - np.abs(sixth - 2), 0, 1)
    blue = np.clip(2 - np.abs(sixth - 4), 0, 1)
    grey = 1 - saturation
    return tuple((grey + saturation * c) * value for c in (red, green, blue))
