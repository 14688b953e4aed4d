"""Kernels of locally connected layers: three layouts in files, one here.

Source: tf_keras/src/layers/locally_connected/*.py and ``conv_kernel_mask`` of
tf_keras/src/utils/conv_utils.py, tf-keras 2.21.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from layergraph.ir.types import Array, Shape, product


@dataclass(frozen=True)
class Layout:
    """Sizes of a locally connected layer.

    Attributes:
        spatial: sizes of the input without padding.
        windows: sizes of the output.
        kernel_size, strides: one number a spatial axis.
        channels, filters: of the input and the output.
        same: whether windows lie around multiples of the strides, and what of them lies
            outside counts nothing; the padding is not that of a convolution.
        first: whether the layer puts channels first.
    """

    spatial: tuple[int, ...]
    windows: tuple[int, ...]
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    channels: int
    filters: int
    same: bool
    first: bool

    @property
    def padding(self) -> tuple[tuple[int, int], ...]:
        """Zeros before and behind each spatial axis with which all windows lie inside."""
        if not self.same:
            return ((0, 0),) * len(self.spatial)
        before = [k // 2 for k in self.kernel_size]
        ends = [
            (w - 1) * s + k - b
            for w, s, k, b in zip(self.windows, self.strides, self.kernel_size, before, strict=True)
        ]
        return tuple((b, max(e - n, 0)) for b, e, n in zip(before, ends, self.spatial, strict=True))

    def places(self) -> list[Array]:
        """Input element of each axis that a window's element is: ``(windows, kernel_size)``."""
        return [
            np.arange(w)[:, None] * s + np.arange(k) - before
            for w, s, k, (before, _) in zip(
                self.windows, self.strides, self.kernel_size, self.padding, strict=True
            )
        ]

    def inside(self) -> Array:
        """Whether each window's elements lie in the input, ``(places, window elements)``."""
        inside = np.ones((1, 1), bool)
        for place, size in zip(self.places(), self.spatial, strict=True):
            here = (place >= 0) & (place < size)
            inside = inside[:, None, :, None] & here[None, :, None, :]
            inside = inside.reshape(inside.shape[0] * inside.shape[1], -1)
        return inside


def _by_place(layout: Layout) -> Shape:
    elements = (product(layout.kernel_size) or 1) * layout.channels
    return (product(layout.windows), elements, layout.filters)


def _from_by_place(layout: Layout, kernel: Array) -> Array:
    """Windows were flattened as the input lies."""
    if not layout.first:
        return kernel
    places, elements, filters = kernel.shape
    parts = kernel.reshape(places, layout.channels, -1, filters)
    return parts.transpose(0, 2, 1, 3).reshape(places, elements, filters)


def _dense(layout: Layout) -> Shape:
    if layout.first:
        return (layout.channels, *layout.spatial, layout.filters, *layout.windows)
    return (*layout.spatial, layout.channels, *layout.windows, layout.filters)


def _from_dense(layout: Layout, kernel: Array) -> Array:
    """From all inputs to all outputs; what lies outside of a window counts nothing."""
    rank = len(layout.spatial)
    if layout.first:
        kernel = np.moveaxis(np.moveaxis(kernel, rank + 1, -1), 0, rank)
    index: list[Array | slice] = []
    for axis, (place, size) in enumerate(zip(layout.places(), layout.spatial, strict=True)):
        shape = [1] * (2 * rank)
        shape[axis], shape[rank + axis] = place.shape
        index.append(np.clip(place, 0, size - 1).reshape(shape))
    outputs = [np.arange(w).reshape(-1, *(1,) * (2 * rank - 1 - a))
               for a, w in enumerate(layout.windows)]  # fmt: skip
    parts = kernel[(*index, slice(None), *outputs)]
    parts = parts.reshape(*layout.inside().shape, layout.channels, layout.filters)
    parts = np.where(layout.inside()[..., None, None], parts, 0).astype(kernel.dtype)
    return parts.reshape(len(parts), -1, layout.filters)


def _sparse(layout: Layout) -> Shape:
    return (int(layout.inside().sum()) * layout.channels * layout.filters,)


def _from_sparse(layout: Layout, kernel: Array) -> Array:
    """Elements by output, then by input, each as it lies in memory."""
    inside, channels, filters = layout.inside(), layout.channels, layout.filters
    places, elements = inside.shape
    if layout.first:
        spread = np.zeros((filters, places, channels, elements), kernel.dtype)
        spread[np.broadcast_to(inside[None, :, None, :], spread.shape)] = kernel
        parts = spread.transpose(1, 3, 2, 0)
    else:
        spread = np.zeros((places, filters, elements, channels), kernel.dtype)
        spread[np.broadcast_to(inside[:, None, :, None], spread.shape)] = kernel
        parts = spread.transpose(0, 2, 3, 1)
    return parts.reshape(places, elements * channels, filters)


LAYOUTS: dict[int, tuple[Callable[[Layout], Shape], Callable[[Layout, Array], Array]]] = {
    1: (_by_place, _from_by_place),
    2: (_dense, _from_dense),
    3: (_sparse, _from_sparse),
}
"""Shape in the file by ``implementation``, and what makes ``(places, window elements, filters)``
of it, window elements channels last."""
