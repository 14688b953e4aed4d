"""3x3 convolutions with fewer multiplications: Winograd's F(2x2, 3x3).

Four outputs of a patch of 4x4 inputs cost 16 products instead of 36: patches and
kernel are transformed by sums and differences, multiplied element by element,
which over channels is one matrix product an element, and transformed back. The
factors are 1 and 1/2 alone, so rounding stays that of an ordinary sum.

Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import NamedTuple, TypeAlias

import numpy as np

from layergraph.backends.numpy.gemm import Finish
from layergraph.backends.numpy.processor import FLOPS
from layergraph.backends.numpy.scratch import Pool, empty
from layergraph.backends.numpy.table import Kernel
from layergraph.backends.numpy.threads import over_tiles
from layergraph.backends.numpy.tiles import Geometry, Tile, tiled
from layergraph.ir.types import Array

TILE_BYTES = 4 << 20
"""Transformed patches and products at a time: more than a core's own cache holds, since
threads that call NumPy for a few microseconds each wait for each other."""

LEAST_PATCHES = 48
"""Of a tile, below which the products are too thin."""

CALLS = 40_000
"""Nanoseconds that calling NumPy takes for a tile."""

KERNEL = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))
"""Transforms three elements of a kernel to four."""


def fits(geometry: Geometry, groups: int) -> bool:
    """Whether the algorithm is for such a convolution."""
    g = geometry
    simple = g.rank == 2 and groups == 1 and g.sizes == (3, 3)
    return simple and g.strides == (1, 1) and g.rates == (1, 1)


def winograd_time(geometry: Geometry, filters: int) -> float:
    """About how many nanoseconds ``winograd`` takes one thread."""
    g = geometry
    patches = g.batch * -(-g.windows[0] // 2) * -(-g.windows[1] // 2)
    sums = patches * (19.0 * g.channels + 18.0 * filters)
    flops = 32.0 * patches * g.channels * filters
    thin = (1 + 6 / max(g.channels, 1)) * (1 + 6 / max(filters, 1))
    calls = len(_tiles(g, filters))
    return sums + flops / FLOPS * thin + calls * (16 * 0.3 * g.channels * filters + CALLS)


def transformed(kernel: Array) -> Array:
    """The kernel ``(3, 3, channels, filters)`` as 16 matrices."""
    factors = np.asarray(KERNEL)
    found = np.einsum("ia,jb,abcf->ijcf", factors, factors, kernel.astype(np.float64))
    return np.ascontiguousarray(found.reshape(16, *kernel.shape[2:]), kernel.dtype)


def winograd(geometry: Geometry, matrices: Array, finish: Finish) -> Kernel:
    """Patch by patch, tile by tile.

    Args:
        geometry: see ``fits``.
        matrices: the transformed kernel, ``(16, channels, filters)``.
        finish: bias and activation.
    """
    g, filters = geometry, matrices.shape[-1]
    tiles = _tiles(g, filters)
    pool = Pool(lambda: _Work(g, tiles, filters))
    cost = winograd_time(g, filters)

    def run(x: Array) -> Array:
        y = empty((g.batch, *g.windows, filters), matrices.dtype)
        x = g.read(x)

        def tile(t: Tile, work: _Work) -> None:
            views = work.views(t.images, t.rows)
            work.fill(x, t)
            for combine, one, other, out in views.forward:
                combine(one, other, out=out)
            np.matmul(views.patches, matrices, out=views.products)
            if finish.bias is not None:
                np.add(views.everywhere, finish.bias, out=views.everywhere)
            for combine, one, other, out in views.back:
                combine(one, other, out=out)
            block = y[t.first : t.last, 2 * t.top : 2 * t.bottom]
            for (down, across), found in views.corners:
                target = block[:, down::2, across::2]
                part = found[:, : target.shape[1], : target.shape[2]]
                finish.activated(part, found, target)

        over_tiles(tile, tiles, pool, cost)
        return y

    return run


def _tiles(geometry: Geometry, filters: int) -> list[Tile]:
    """Tiles of rows of patches."""
    g = geometry
    down, across = -(-g.windows[0] // 2), max(-(-g.windows[1] // 2), 1)
    row_bytes = 16 * across * (g.channels + filters) * g.dtype.itemsize
    return tiled(g.batch, down, max(TILE_BYTES // max(row_bytes, 1), -(-LEAST_PATCHES // across)))


Sum: TypeAlias = tuple[Callable[..., Array], Array, Array, Array]
"""``add`` or ``subtract``, two arrays, and the array for the result."""


class Views(NamedTuple):
    """What a tile of some size computes with.

    Attributes:
        forward: sums that transform patches.
        patches: transformed, ``(16, patches, channels)``.
        products: with the kernel, ``(16, patches, filters)``.
        everywhere: the product that goes into each of the four outputs once.
        back: sums that transform products to outputs, where they lie.
        corners: position in a patch, and its output ``(images, rows, patches, filters)``.
    """

    forward: list[Sum]
    patches: Array
    products: Array
    everywhere: Array
    back: list[Sum]
    corners: list[tuple[tuple[int, int], Array]]


class _Work:
    """Buffers of one thread, for patches of 4x4 that are two rows and columns apart."""

    def __init__(self, geometry: Geometry, tiles: list[Tile], filters: int) -> None:
        self._geometry = g = geometry
        self._filters = filters
        self._across = -(-g.windows[1] // 2)
        images = max((t.images for t in tiles), default=0)
        rows = max((t.rows for t in tiles), default=0)
        count = max((t.images * t.rows for t in tiles), default=0)
        # Even columns before odd ones, so that those of all patches lie side by side.
        shape = (images, 2 * rows + 2, 2, self._across + 1, g.channels)
        self._padded = np.zeros(shape, g.dtype)
        self._half = np.empty(4 * count * prod(shape[2:]), g.dtype)
        self._full = np.empty(16 * count * self._across * g.channels, g.dtype)
        self._products = np.empty(16 * count * self._across * filters, g.dtype)
        self._views: dict[tuple[int, int], Views] = {}

    def fill(self, x: Array, tile: Tile) -> None:
        """Copy the tile's input rows, zeros around them."""
        g = self._geometry
        height = 2 * tile.rows + 2
        start = 2 * tile.top - g.before[0]
        lo = max(start, 0)
        hi = max(min(start + height, g.spatial[0]), lo)
        above, below = lo - start, hi - start
        rows = self._padded[: tile.images]
        if above:
            rows[:, :above] = 0
        if below < height:
            rows[:, below:height] = 0
        for parity in range(2):
            skip = (parity - g.before[1]) % 2
            part = x[tile.first : tile.last, lo:hi, skip::2]
            left = (skip + g.before[1]) // 2
            rows[:, above:below, parity, left : left + part.shape[2]] = part

    def views(self, images: int, rows: int) -> Views:
        """Made once for all tiles of a size."""
        if (images, rows) not in self._views:
            self._views[images, rows] = self._made(images, rows)
        return self._views[images, rows]

    def _made(self, images: int, rows: int) -> Views:
        across, filters, count = self._across, self._filters, images * rows
        forward, patches = self._forward(images, rows)
        size = 16 * count * across * filters
        products = self._products[:size].reshape(16, count * across, filters)
        m = products.reshape(4, 4, count * across, filters)
        corners = [
            ((a, b), m[a, b].reshape(images, rows, across, filters))
            for a in range(2)
            for b in range(2)
        ]
        back = [*_pairs(list(m)), *_pairs([m[:2, i] for i in range(4)])]
        return Views(forward, patches, products, m[1, 1], back, corners)

    def _forward(self, images: int, rows: int) -> tuple[list[Sum], Array]:
        """Sums along rows, then along columns."""
        channels, across, count = self._geometry.channels, self._across, images * rows
        lines = self._padded[:images].reshape(images, self._padded.shape[1], -1)
        d = [lines[:, i : i + 2 * rows : 2] for i in range(4)]
        stage = self._half[: 4 * count * lines.shape[-1]].reshape(4, images, rows, -1)
        split = stage.reshape(4, count, 2, across + 1, channels)
        even, odd = split[:, :, 0], split[:, :, 1]
        columns = [even[:, :, :-1], odd[:, :, :-1], even[:, :, 1:], odd[:, :, 1:]]
        full = self._full[: 16 * count * across * channels]
        out = full.reshape(4, 4, count, across, channels)
        sums = [*_differences(d, stage), *_differences(columns, out.swapaxes(0, 1))]
        return sums, full.reshape(16, count * across, channels)


def _differences(elements: list[Array], out: Array) -> list[Sum]:
    """The transform of four elements of a patch."""
    d0, d1, d2, d3 = elements
    return [
        (np.subtract, d0, d2, out[0]),
        (np.add, d1, d2, out[1]),
        (np.subtract, d2, d1, out[2]),
        (np.subtract, d1, d3, out[3]),
    ]


def _pairs(products: list[Array]) -> list[Sum]:
    """Four products to two outputs, in place of the first two."""
    m0, m1, m2, m3 = products
    return [
        (np.add, m0, m1, m0),
        (np.add, m0, m2, m0),
        (np.subtract, m1, m2, m1),
        (np.subtract, m1, m3, m1),
    ]
