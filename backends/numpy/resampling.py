"""One axis of an image resampled: which input elements each output element weighs.

Positions and weights are computed in float32 step by step as TensorFlow's
kernels do, so that borders between cells fall where they fall there.
Source: tensorflow/core/kernels/image, TensorFlow 2.21: resize_nearest_neighbor_op,
resize_bilinear_op, resize_bicubic_op, resize_area_op, scale_and_translate_op.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from layergraph.ir.interpolation import Interpolation
from layergraph.ir.types import Array

F = np.float32
Axis = Callable[[Array], Array]

GAIN, LONG = 16, 32
"""How much faster a matrix product multiplies than gathering and adding does, and the
length of rows from which on it is one of matrices rather than of vectors."""


def triangle(x: Array) -> Array:
    """Falls from 1 to 0 at 1."""
    return np.maximum(F(0), F(1) - x)


def keys_cubic(x: Array) -> Array:
    """Keys' cubic with a = -1/2."""
    near = ((F(1.5) * x - F(2.5)) * x) * x + F(1)
    far = ((F(-0.5) * x + F(2.5)) * x - F(4)) * x + F(2)
    return np.where(x >= 2, F(0), np.where(x >= 1, far, near))


def mitchell_cubic(x: Array) -> Array:
    """Mitchell and Netravali's cubic with B = C = 1/3."""
    near = ((F(7 / 6) * x - F(2)) * x) * x + F(8 / 9)
    far = ((F(-7 / 18) * x + F(2)) * x - F(10 / 3)) * x + F(16 / 9)
    return np.where(x >= 2, F(0), np.where(x >= 1, far, near))


def gaussian(x: Array) -> Array:
    """A bell of deviation 1/2, cut at 1.5."""
    return np.where(x >= F(1.5), F(0), np.exp(-x * x * F(2)))


def lanczos(radius: int) -> Callable[[Array], Array]:
    """A windowed sinc."""

    def kernel(x: Array) -> Array:
        near = x <= F(1e-3)
        angle = np.where(near, F(1), x) * F(np.pi)
        value = F(radius) * np.sin(angle) * np.sin(angle / F(radius)) / (angle * angle)
        return np.where(x > radius, F(0), np.where(near, F(1), value))

    return kernel


KERNELS: dict[str, tuple[float, Callable[[Array], Array]]] = {
    "bilinear": (1, triangle),
    "bicubic": (2, keys_cubic),
    "mitchellcubic": (2, mitchell_cubic),
    "gaussian": (1.5, gaussian),
    "lanczos3": (3, lanczos(3)),
    "lanczos5": (5, lanczos(5)),
}
"""Radius and weight function by interpolation."""


@lru_cache(maxsize=64)
def resampler(given: int, size: int, interpolation: Interpolation, antialias: bool) -> Axis:
    """The function that brings axis 1 of ``(batch, given, rest)`` to ``size``.

    Args:
        given, size: elements before and after.
        interpolation: how.
        antialias: widen the kernel by the factor the axis shrinks by.
    """
    if interpolation == "nearest":
        return nearest(given, size)
    if interpolation == "bilinear" and not antialias:
        return between(given, size)
    if interpolation == "bicubic" and not antialias:
        return weighing(given, *_bicubic(given, size))
    if interpolation == "area":
        return weighing(given, *_area(given, size))
    return weighing(given, *_spans(given, size, interpolation, antialias))


def nearest(given: int, size: int) -> Axis:
    """The elements whose cells the new centres lie in."""
    at = np.floor((np.arange(size, dtype=F) + F(0.5)) * (F(given) / F(size)))
    places = np.minimum(at.astype(np.intp), given - 1)
    return lambda x: x.take(places, 1)


def _centres(given: int, size: int) -> Array:
    return (np.arange(size, dtype=F) + F(0.5)) * (F(given) / F(size)) - F(0.5)


def between(given: int, size: int) -> Axis:
    """Linear interpolation between half-pixel centres, edges held."""
    at = _centres(given, size)
    low = np.floor(at)
    first = np.maximum(low, 0).astype(np.intp)
    second = np.minimum(np.ceil(at), given - 1).astype(np.intp)
    weight = (at - low)[:, None]

    def run(x: Array) -> Array:
        left, y = x.take(first, 1), x.take(second, 1)
        y -= left
        y *= weight.astype(y.dtype, copy=False)
        y += left
        return y

    return run


def _bicubic(given: int, size: int) -> tuple[Array, Array]:
    """Four elements; weights from a table of 1024 places between two centres."""
    at = _centres(given, size)
    low = np.floor(at)
    offset = np.rint((at - low) * F(1024)) / F(1024)
    reach = np.stack([F(1) + offset, offset, F(1) - offset, F(2) - offset], axis=1)
    places = low.astype(np.intp)[:, None] + np.arange(-1, 3)
    inside = (places >= 0) & (places < given)
    weights = np.where(inside, _keys_table(reach), F(0))
    return np.clip(places, 0, given - 1), weights / weights.sum(1, keepdims=True)


def _keys_table(x: Array) -> Array:
    """Keys' cubic as the table's makers wrote it, which is 0 at 2 by itself."""
    near = (F(1.5) * x - F(2.5)) * x * x + F(1)
    far = ((F(-0.5) * x + F(2.5)) * x - F(4)) * x + F(2)
    return np.where(x > 1, far, near)


def _area(given: int, size: int) -> tuple[Array, Array]:
    """The elements a new cell covers, weighed by how much of each."""
    scale = F(given) / F(size)
    start, end = np.arange(size, dtype=F) * scale, np.arange(1, size + 1, dtype=F) * scale
    first = np.floor(start).astype(np.intp)
    most = int((np.ceil(end).astype(np.intp) - first).max(initial=1))
    places = first[:, None] + np.arange(most)
    covered = np.minimum(places + F(1), end[:, None]) - np.maximum(places, start[:, None])
    weights = np.maximum(covered, 0).astype(F) * (F(1) / scale)
    return np.clip(places, 0, given - 1), weights


def _spans(
    given: int, size: int, interpolation: Interpolation, antialias: bool
) -> tuple[Array, Array]:
    """The elements a kernel reaches, weights summing to 1."""
    radius, kernel = KERNELS[interpolation]
    step = F(1.0 / float(F(size) / F(given)))
    wide = max(step, F(1)) if antialias else F(1)
    at = (np.arange(size, dtype=F) + F(0.5)) * step
    reach = F(radius) * wide
    first = np.clip(np.ceil(at - reach - F(0.5)), 0, given - 1).astype(np.intp)
    last = np.clip(np.floor(at + reach - F(0.5)), 0, given - 1).astype(np.intp)
    places = first[:, None] + np.arange(int((last - first).max(initial=0)) + 1)
    distance = np.abs((places.astype(F) + F(0.5) - at[:, None]) * (F(1) / wide))
    weights = np.where(places <= last[:, None], kernel(distance), F(0)).astype(F)
    total = weights.sum(1, keepdims=True)
    total = np.where(np.abs(total) >= 1000 * np.finfo(F).tiny, total, F(1))
    return np.minimum(places, given - 1), weights / total


def weighing(given: int, places: Array, weights: Array) -> Axis:
    """Sums of weighed elements.

    Args:
        given: elements of the axis.
        places, weights: ``(size, elements weighed)``.
    """
    size, many = places.shape
    columns = [
        (np.ascontiguousarray(places[:, i]), np.ascontiguousarray(weights[:, i : i + 1]))
        for i in range(many)
    ]
    matrix = np.zeros((size, given), F)
    np.add.at(matrix, (np.arange(size)[:, None], places), weights)

    def run(x: Array) -> Array:
        if x.shape[2] >= LONG and many * GAIN >= given:
            return np.asarray(np.matmul(matrix, x))
        (place, weight), *rest = columns
        y = x.take(place, 1)
        y *= weight
        for place, weight in rest:
            part = x.take(place, 1)
            part *= weight
            y += part
        return y

    return run
