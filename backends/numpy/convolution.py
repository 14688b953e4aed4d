"""Convolutions, each computed in the way that suits its shape.

========= ===================================================== ============
variant   what it does                                          file
========= ===================================================== ============
pointwise 1x1: the input is the matrix                          gemm.py
gathered  windows copied side by side, one product; any shape   gemm.py
planar    few channels: shifted planes, one product             planar.py
shifted   no strides: shifted products, added up by BLAS        shifted.py
winograd  3x3: 16 products for four outputs instead of 36       winograd.py
rows      each channel by itself: rows as vectors, one einsum   depthwise.py
elements  depthwise: one window element at a time; any shape    depthwise.py
apart     transposed, strides of the kernel's size              here
added     transposed: blocks added up where they fall           here
========= ===================================================== ============

All but "elements" and "added" cut the output into tiles that stay in cache while
bias and activation are applied, and spread the tiles over the run's threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from layergraph.backends.numpy.depthwise import by_rows, by_rows_time, element_by_element
from layergraph.backends.numpy.depthwise import fits as depthwise_fits
from layergraph.backends.numpy.gemm import (
    Finish,
    gathered,
    gathered_time,
    pointwise,
    product_time,
)
from layergraph.backends.numpy.planar import planar, planar_time
from layergraph.backends.numpy.scratch import Specialised, empty
from layergraph.backends.numpy.shifted import fits as shifted_fits
from layergraph.backends.numpy.shifted import shifted, shifted_time
from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.backends.numpy.threads import STRETCH, spread
from layergraph.backends.numpy.tiles import Geometry, tiled
from layergraph.backends.numpy.winograd import fits as winograd_fits
from layergraph.backends.numpy.winograd import transformed, winograd, winograd_time
from layergraph.ir.ops.convolution import Conv, ConvTranspose, DepthwiseConv, LocallyConnected
from layergraph.ir.types import Array
from layergraph.ir.windows import transposed_crop, transposed_size

kernels = Kernels()

ConvVariant = Literal["pointwise", "gathered", "planar", "shifted", "winograd", "rows"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A kernel for one shape, and the name of its way of computing."""

    variant: str
    kernel: Kernel

    def __call__(self, *arrays: Array | None) -> Any:
        """What the kernel gives."""
        return self.kernel(*arrays)


@kernels.prepares(Conv)
def conv(op: Conv, *, kernel: Array, bias: Array | None = None) -> Kernel:
    """The way of computing it that is quickest for a shape."""
    ways = makers(op, kernel, bias)
    sizes, filters = kernel.shape[:-2], kernel.shape[-1]

    def make(shape: tuple[int, ...]) -> Kernel:
        g = Geometry.of(shape, sizes, op.strides, op.padding, op.dilation_rate, kernel.dtype)
        times = times_of(g, op.groups, filters)
        variant = min(times, key=lambda name: times[name])
        return Chosen(variant, ways[variant](g))

    return Specialised(make)


def makers(
    op: Conv, kernel: Array, bias: Array | None
) -> dict[ConvVariant, Callable[[Geometry], Kernel]]:
    """What makes the kernel of each variant; kernels are rearranged once a variant."""
    finish = Finish(bias, op.activation)
    sizes, filters = kernel.shape[:-2], kernel.shape[-1]

    @cache
    def matrices() -> Array:
        # One matrix a group: (groups, window elements, filters of the group).
        found = kernel.reshape(-1, op.groups, filters // op.groups).transpose(1, 0, 2)
        return np.ascontiguousarray(found)

    @cache
    def patches() -> Array:
        return transformed(kernel)

    return {
        "pointwise": lambda g: pointwise(g, matrices()[0], finish),
        "gathered": lambda g: gathered(g, matrices(), finish),
        "planar": lambda g: planar(g, kernel, finish),
        "shifted": lambda g: shifted(g, kernel, finish),
        "winograd": lambda g: winograd(g, patches(), finish),
        # As many groups as channels: a depthwise convolution by another name.
        "rows": lambda g: by_rows(g, kernel.reshape(*sizes, op.groups, -1), finish),
    }


def times_of(geometry: Geometry, groups: int, filters: int) -> dict[ConvVariant, float]:
    """Variants that can compute a convolution, and about how many nanoseconds each takes.

    The figures are a model's, not measured, so that the same graph is always
    computed the same way.
    """
    g = geometry
    found: dict[ConvVariant, float] = {"gathered": gathered_time(g, groups, filters)}
    if prod(g.sizes) == prod(g.strides) == groups == 1:
        found["pointwise"] = product_time(g.pixels, g.channels, filters)
    if g.rank == 2 and groups == 1 and set(g.rates) == {1}:
        found["planar"] = planar_time(g, filters)
    if shifted_fits(g, groups):
        found["shifted"] = shifted_time(g, filters)
    if winograd_fits(g, groups):
        found["winograd"] = winograd_time(g, filters)
    if groups == g.channels > 1 and depthwise_fits(g):
        found["rows"] = by_rows_time(g, filters)
    return found


@kernels.prepares(DepthwiseConv)
def depthwise(op: DepthwiseConv, *, kernel: Array, bias: Array | None = None) -> Kernel:
    """Rows as long vectors where an image or a line is convolved."""
    finish = Finish(bias, op.activation)

    def make(shape: tuple[int, ...]) -> Kernel:
        g = Geometry.of(
            shape, kernel.shape[:-2], op.strides, op.padding, op.dilation_rate, kernel.dtype
        )
        variant = depthwise_variants(g)[0]
        return Chosen(variant, DEPTHWISE[variant](g, kernel, finish))

    return Specialised(make)


DEPTHWISE: dict[str, Callable[[Geometry, Array, Finish], Kernel]] = {
    "rows": by_rows,
    "elements": element_by_element,
}


def depthwise_variants(geometry: Geometry) -> list[str]:
    """Variants that can compute a depthwise convolution, the quickest first."""
    return ["rows", "elements"] if depthwise_fits(geometry) else ["elements"]


@kernels.prepares(ConvTranspose)
def conv_transpose(op: ConvTranspose, *, kernel: Array, bias: Array | None = None) -> Kernel:
    """One GEMM gives every input element's contribution; they are added where they fall."""
    finish = Finish(bias, op.activation)
    *sizes, filters, channels = kernel.shape
    matrix = np.ascontiguousarray(kernel.reshape(-1, channels).T)
    extra = op.output_padding or (None,) * len(sizes)

    def make(shape: tuple[int, ...]) -> Kernel:
        spatial = shape[1:-1]
        axes = list(zip(spatial, sizes, op.strides, op.dilation_rate, extra, strict=True))
        out = tuple(transposed_size(n, k, s, op.padding, p, d) or 0 for n, k, s, d, p in axes)
        if all(
            k == s and d == 1 and o == n * s for (n, k, s, d, _), o in zip(axes, out, strict=True)
        ):
            return Chosen("apart", _apart(shape, tuple(sizes), matrix, finish))
        ranges = [
            [_fall(n, o, k, s, d, op.padding, t) for t in range(k)]
            for (n, k, s, d, _), o in zip(axes, out, strict=True)
        ]
        taps = list(product(*map(range, sizes)))

        def run(x: Array) -> Array:
            parts = (x.reshape(-1, channels) @ matrix).reshape(*shape[:-1], len(taps), filters)
            y = empty((shape[0], *out, filters), kernel.dtype)
            y[...] = 0
            for i, tap in enumerate(taps):
                found = [ranges[axis][t] for axis, t in enumerate(tap)]
                target = (slice(None), *(f[0] for f in found))
                source = (slice(None), *(f[1] for f in found))
                y[target] += parts[..., i, :][source]
            finish(y.reshape(-1, filters))
            return y

        return Chosen("added", run)

    return Specialised(make)


def _apart(shape: tuple[int, ...], sizes: tuple[int, ...], matrix: Array, finish: Finish) -> Kernel:
    """A transposed convolution whose strides are its kernel's size: nothing meets.

    Each input element becomes a block of the output, which is written once.
    """
    batch, *spatial, channels = shape
    rank, filters = len(sizes), matrix.shape[1] // prod(sizes)
    out = tuple(n * k for n, k in zip(spatial, sizes, strict=True))
    across = prod(spatial[1:])
    tiles = tiled(batch, spatial[0], max(STRETCH // max(across * matrix.shape[1], 1), 1))
    # Axes (images, *elements, *block, filters) to (images, element, block, ..., filters).
    order = (0, *(i for axis in range(1, rank + 1) for i in (axis, axis + rank)), 2 * rank + 1)
    cost = product_time(batch * spatial[0] * across, channels, matrix.shape[1])

    def run(x: Array) -> Array:
        y = empty((batch, *out, filters), matrix.dtype)

        def tile(i: int) -> None:
            t = tiles[i]
            part = x[t.first : t.last, t.top : t.bottom]
            blocks = (part.reshape(-1, channels) @ matrix).reshape(-1, filters)
            finish(blocks)
            blocks = blocks.reshape(*part.shape[:-1], *sizes, filters).transpose(order)
            target = y[t.first : t.last, t.top * sizes[0] : t.bottom * sizes[0]]
            target.reshape(blocks.shape)[...] = blocks

        spread(tile, len(tiles), cost)
        return y

    return run


def _fall(
    size: int, out: int, kernel_size: int, strides: int, dilation_rate: int, padding: str, tap: int
) -> tuple[slice, slice]:
    """Output positions one kernel element adds to, and the inputs they come from."""
    crop = transposed_crop(size, out, kernel_size, strides, dilation_rate, padding)  # type: ignore[arg-type]
    shift = tap * dilation_rate - crop
    first = max(-(shift // strides), 0) if shift < 0 else 0
    last = min(size, (out - 1 - shift) // strides + 1)
    last = max(last, first)
    start = first * strides + shift
    return slice(start, start + (last - first) * strides, strides), slice(first, last)


@kernels.computes(LocallyConnected)
def locally_connected(
    op: LocallyConnected, x: Array, *, kernel: Array, bias: Array | None = None
) -> Array:
    """One small matrix product a place, all in one batched call."""
    rank = len(op.kernel_size)
    windows = sliding_window_view(x, op.kernel_size, tuple(range(1, rank + 1)))
    windows = windows[(slice(None), *(slice(None, None, s) for s in op.strides))]
    places = windows.shape[1 : rank + 1]
    # (batch, *places, channels, *kernel_size) to (places, batch, window elements).
    order = (*range(1, rank + 1), 0, *range(rank + 2, 2 * rank + 2), rank + 1)
    rows = windows.transpose(order).reshape(len(kernel), len(x), kernel.shape[1])
    y = np.matmul(rows, kernel).transpose(1, 0, 2).reshape(len(x), *places, kernel.shape[2])
    return np.asarray(y + bias) if bias is not None else np.ascontiguousarray(y)
