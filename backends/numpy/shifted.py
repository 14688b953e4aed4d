"""Convolutions as a few products of the input itself, each shifted and added to the others.

Lines of an image lie one after the other, so the pixels under one row of the kernel
are a piece of memory, and so are those of every window a kernel's width further on.
The input is thus, without copying windows, the left matrix of a product for each row
and each column of the kernel; BLAS adds them up.

A window that would run over the end of a line reads the next line's zeros; between
two lines, and two images, lie only as many as either needs.
"""

from __future__ import annotations

from math import prod

import numpy as np

from layergraph.backends.numpy.blas import AddedProduct, adds_products
from layergraph.backends.numpy.gemm import LANES, Finish, product_time
from layergraph.backends.numpy.scratch import Pool, empty
from layergraph.backends.numpy.table import Kernel
from layergraph.backends.numpy.threads import over_tiles
from layergraph.backends.numpy.tiles import Geometry, Tile, rows_read, tiled
from layergraph.ir.types import Array

TILE_BYTES = 2 << 20
"""Of a tile's input and output."""

LEAST_BYTES = 512 << 10
"""Of several images, below which they are not divided."""

CALL = 2_000
"""Nanoseconds it takes to call BLAS."""


def fits(geometry: Geometry, groups: int) -> bool:
    """Whether the algorithm is for such a convolution."""
    g = geometry
    plain = g.rank == 2 and groups == 1 and g.strides == g.rates == (1, 1)
    return plain and prod(g.sizes) > 1 and adds_products(g.dtype)


def shifted_time(geometry: Geometry, filters: int) -> float:
    """About how many nanoseconds ``shifted`` takes one thread."""
    g, lines = geometry, Lines(geometry)
    tall, broad = g.sizes
    tiles = _tiles(g, filters)
    pixels = sum(lines.span(t.images, t.rows) for t in tiles)
    # Every row of the kernel reads and writes the sums once more.
    passes = pixels * (0.15 * g.channels + (0.25 + 0.08 * tall) * filters)
    rows = pixels / broad
    return passes + tall * broad * (
        product_time(rows, broad * g.channels, filters) + CALL * len(tiles)
    )


def shifted(geometry: Geometry, kernel: Array, finish: Finish) -> Kernel:
    """Tile by tile, the sum of shifted products; see the file.

    Args:
        geometry: see ``fits``.
        kernel: ``(*sizes, channels, filters)``.
        finish: bias and activation.
    """
    g, filters = geometry, kernel.shape[-1]
    matrices = np.ascontiguousarray(kernel.reshape(g.sizes[0], -1, filters))
    tiles = _tiles(g, filters)
    pool = Pool(lambda: _Work(g, tiles, matrices, finish))
    cost = shifted_time(g, filters)

    def run(x: Array) -> Array:
        y = empty((g.batch, *g.windows, filters), matrices.dtype)
        x = g.read(x)

        def tile(t: Tile, work: _Work) -> None:
            work.sums(x, t, y[t.first : t.last, t.top : t.bottom])

        over_tiles(tile, tiles, pool, cost)
        return y

    return run


class Lines:
    """How images lie: pixels of a line, lines of an image, zeros between them shared."""

    def __init__(self, geometry: Geometry) -> None:
        g = geometry
        after = [n - s - b for n, s, b in zip(g.grown, g.spatial, g.before, strict=True)]
        self._windows = g.windows[1]
        self.height, self.width = (
            s + max(b, a) for s, b, a in zip(g.spatial, g.before, after, strict=True)
        )

    def span(self, images: int, rows: int) -> int:
        """Windows from the first to the last of a tile, those of no use included."""
        if not images or not rows:
            return 0
        return ((images - 1) * self.height + rows - 1) * self.width + self._windows


def _tiles(geometry: Geometry, filters: int) -> list[Tile]:
    g = geometry
    row_bytes = Lines(g).width * (g.channels + filters) * g.dtype.itemsize
    most = TILE_BYTES // max(row_bytes, 1)
    if g.batch > 1:
        # Two threads have something to do each, unless it is next to nothing.
        most = min(most, max(g.batch * g.windows[0] // 2, LEAST_BYTES // max(row_bytes, 1)))
    return tiled(g.batch, g.windows[0], most)


class _Work:
    """Buffers of one thread: a tile's lines, and the sums at every pixel of them."""

    def __init__(
        self, geometry: Geometry, tiles: list[Tile], matrices: Array, finish: Finish
    ) -> None:
        self._geometry, self._lines = geometry, Lines(geometry)
        self._matrices, self._finish = matrices, finish
        images = max((t.images for t in tiles), default=0)
        rows = max((t.rows for t in tiles), default=0)
        tall, broad = geometry.sizes
        lines = (images - 1) * self._lines.height + max(rows, self._lines.height) + tall
        # The last window of the last row reads a little further than any that counts.
        pixels = (lines + 1) * self._lines.width + 2 * broad
        self._in = np.zeros((pixels, geometry.channels), geometry.dtype)
        self._times = max(LANES // matrices.shape[-1], 1)
        self._out = np.zeros((-(-pixels // self._times) * self._times, matrices.shape[-1]),
                             geometry.dtype)  # fmt: skip
        self._repeated = None if finish.bias is None else np.tile(finish.bias, self._times)
        self._made: dict[tuple[int, int], tuple[list[AddedProduct], Array, Array, Array]] = {}

    def sums(self, x: Array, tile: Tile, out: Array) -> None:
        """A tile, ``(images, rows, windows, filters)``."""
        size = tile.images, tile.rows
        if size not in self._made:
            self._made[size] = self._views(*size)
        products, begun, found, kept = self._made[size]
        self._fill(x, tile)
        if self._repeated is not None:
            begun[...] = self._repeated
        for add in products:
            add()
        self._finish.activated(kept, found, out)

    def _fill(self, x: Array, tile: Tile) -> None:
        g, width = self._geometry, self._lines.width
        lo, hi, above, height = rows_read(g, tile)
        below = above + hi - lo
        between = self._lines.height if tile.images > 1 else max(self._lines.height, height)
        lines = self._in[: tile.images * between * width].reshape(
            tile.images, between, width, g.channels
        )
        if tile.rows < g.windows[0]:
            lines[:, :above] = 0
            lines[:, below:height] = 0
        lines[:, above:below, g.before[1] : g.before[1] + g.spatial[1]] = x[
            tile.first : tile.last, lo:hi
        ]

    def _views(self, images: int, rows: int) -> tuple[list[AddedProduct], Array, Array, Array]:
        """Products for tiles of a size, the sums as they begin, as they end, and those to keep."""
        g, lines, count = self._geometry, self._lines, self._lines.span(images, rows)
        filters = self._matrices.shape[-1]
        broad, used = g.sizes[1], -(-count // self._times) * self._times
        products = [
            AddedProduct(
                self._every(self._in, i * lines.width + p, count - p),
                matrix,
                self._out[p::broad][: -(-(count - p) // broad)],
                add=i > 0 or self._repeated is not None,
            )
            for i, matrix in enumerate(self._matrices)
            for p in range(min(broad, count))
        ]
        whole = self._out[: images * lines.height * lines.width] if images > 1 else self._out
        height = lines.height if images > 1 else rows
        kept = whole[: images * height * lines.width].reshape(images, height, lines.width, filters)
        begun = self._out[:used].reshape(-1, self._times * filters)
        return products, begun, self._out[:count], kept[:, :rows, : g.windows[1]]

    def _every(self, pixels: Array, first: int, count: int) -> Array:
        """What windows read of a line, a kernel's width apart: ``(windows, width * channels)``."""
        broad = self._geometry.sizes[1]
        rows = -(-count // broad)
        return pixels[first : first + rows * broad].reshape(rows, -1)
