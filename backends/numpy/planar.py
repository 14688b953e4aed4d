"""Convolutions of few channels, each laid out as a plane."""

from __future__ import annotations

from itertools import product
from typing import TypeAlias

import numpy as np

from layergraph.backends.numpy.gemm import Finish, product_time
from layergraph.backends.numpy.scratch import Pool, empty
from layergraph.backends.numpy.table import Kernel
from layergraph.backends.numpy.threads import over_tiles
from layergraph.backends.numpy.tiles import Geometry, Tile, rows_read, tiled
from layergraph.ir.types import Array

TILE_BYTES = 768 << 10
"""Shifted planes and products at a time."""


def planar_time(geometry: Geometry, filters: int) -> float:
    """About how many nanoseconds ``planar`` takes one thread."""
    planes = Planes(geometry)
    wide = geometry.batch * geometry.windows[0] * planes.width
    copied = wide * (0.18 * planes.depth + 1.2 * geometry.channels + 1.0 * filters)
    return copied + product_time(wide, planes.depth, filters)


def planar(geometry: Geometry, kernel: Array, finish: Finish) -> Kernel:
    """One product of shifted planes with the kernel, a tile at a time.

    A window element of a plane is the plane shifted, so that gathering is one long
    copy an element; runs of the three numbers of a pixel are what makes gathering
    windows of images slow. Planes keep their zeros at either side, so a row has a
    few results too many, which are dropped on the way into the output.

    Args:
        geometry: two spatial axes, no dilation.
        kernel: ``(*sizes, channels, filters)``.
        finish: bias and activation.
    """
    g, filters, planes = geometry, kernel.shape[-1], Planes(geometry)
    matrix = planes.arranged(kernel, finish.bias)
    row_bytes = max(planes.width * (len(matrix) + filters) * matrix.itemsize, 1)
    tiles = tiled(g.batch, g.windows[0], max(TILE_BYTES // row_bytes, 1))
    pool = Pool(lambda: _Work(planes, tiles, matrix, bias=finish.bias is not None))
    cost = planar_time(g, filters)

    def run(x: Array) -> Array:
        y = empty((g.batch, *g.windows, filters), matrix.dtype)
        x = g.read(x)

        def tile(t: Tile, work: _Work) -> None:
            shifts, columns, found, kept = work.views(t.images, t.rows)
            planes.fill(work.planes, x, t)
            for source, target in shifts:
                np.copyto(target, source)
            np.matmul(columns, matrix, out=found)
            finish.activated(kept, found, y[t.first : t.last, t.top : t.bottom])

        over_tiles(tile, tiles, pool, cost)
        return y

    return run


Views: TypeAlias = tuple[list[tuple[Array, Array]], Array, Array, Array]
"""Copies to make, their result, the product, and what to keep of it."""


class _Work:
    """Buffers of one thread: planes, shifted planes, a row of ones for the bias, the product."""

    def __init__(self, planes: Planes, tiles: list[Tile], matrix: Array, bias: bool) -> None:
        self._of = planes
        self._bias = bias
        lines = max((planes.lines(t.images, t.rows) for t in tiles), default=0)
        self.planes = planes.empty(lines)
        self._room = np.ones((len(matrix), lines * planes.width), matrix.dtype)
        self._found = np.empty((lines * planes.width, matrix.shape[1]), matrix.dtype)
        self._views: dict[tuple[int, int], Views] = {}

    def views(self, images: int, rows: int) -> Views:
        """For tiles of so many images and rows."""
        if (images, rows) not in self._views:
            of = self._of
            lines = of.lines(images, rows)
            # No window begins in the last lines of the last image.
            count = (lines - of.lines(1, rows) + rows) * of.width
            columns = self._room[:, :count]
            found = self._found[: lines * of.width].reshape(
                images, -1, of.width, self._found.shape[1]
            )
            kept = found[:, :rows, : of.windows]
            shifts = of.shifts(self.planes, columns, count)
            self._views[images, rows] = shifts, columns.T, self._found[:count], kept
        return self._views[images, rows]


class Planes:
    """An image's rows as planes, one a channel and remainder of the strides.

    Attributes:
        windows: windows of a row.
        width: elements of a plane's row; a few more.
        depth: channels times window elements.
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = g = geometry
        (down, across), (tall, broad) = g.strides, g.sizes
        self._reach = ((tall - 1) // down, (broad - 1) // across)
        self.windows = g.windows[1]
        self.width = self.windows + self._reach[1]
        self.depth = g.channels * tall * broad
        # Window elements of each remainder, and how many there are along either axis.
        self._phases = [
            (p, q, -(-(tall - p) // down), -(-(broad - q) // across))
            for p, q in product(range(min(down, tall)), range(min(across, broad)))
        ]

    def arranged(self, kernel: Array, bias: Array | None) -> Array:
        """The kernel in the order of ``shifts``, ``(depth [+ 1], filters)``."""
        down, across = self._geometry.strides
        rows = [
            kernel[p::down, q::across].transpose(2, 0, 1, 3).reshape(-1, kernel.shape[-1])
            for p, q, _, _ in self._phases
        ]
        return np.concatenate(rows if bias is None else [*rows, bias[None]])

    def lines(self, images: int, rows: int) -> int:
        """Rows of a plane that holds so many rows of windows of so many images."""
        return images * (rows + self._reach[0])

    def empty(self, lines: int) -> Array:
        """Planes of so many rows."""
        length = lines * self.width + self._reach[1]
        shape = (len(self._phases), self._geometry.channels, length)
        return np.zeros(shape, self._geometry.dtype)

    def shifts(self, planes: Array, columns: Array, count: int) -> list[tuple[Array, Array]]:
        """Views to copy from and to, so that ``columns`` has a row a window element."""
        channels, at, found = self._geometry.channels, 0, []
        for plane, (_, _, tall, broad) in zip(planes, self._phases, strict=True):
            between, step = plane.strides
            source = np.ndarray(
                (channels, tall, broad, count), plane.dtype, plane, 0,
                (between, self.width * step, step, step),
            )  # fmt: skip
            taken = channels * tall * broad
            found.append((source, columns[at : at + taken].reshape(source.shape)))
            at += taken
        return found

    def fill(self, planes: Array, x: Array, tile: Tile) -> None:
        """The tile's input rows, each remainder of the strides in its plane."""
        for plane, (p, q, _, _) in zip(planes, self._phases, strict=True):
            self._fill(plane, x, tile, p, q)

    def _fill(self, plane: Array, x: Array, tile: Tile, p: int, q: int) -> None:
        """The rows and columns of one remainder, zeros around them."""
        g = self._geometry
        down, across = g.strides
        lo, hi, above, _ = rows_read(g, tile)
        height = tile.rows + self._reach[0]
        count = tile.images * height * self.width
        rows = plane[:, :count].reshape(g.channels, tile.images, height, self.width)
        # The first row and column of the remainder that lie within the image.
        top, left = above + (p - above) % down, g.before[1] + (q - g.before[1]) % across
        source = x[
            tile.first : tile.last, lo + top - above : hi : down, left - g.before[1] :: across
        ].transpose(3, 0, 1, 2)
        top, left = top // down, left // across
        source = source[:, :, : max(height - top, 0), : self.width - left]
        bottom = top + source.shape[2]
        if top:
            rows[:, :, :top] = 0
        if bottom < height:
            rows[:, :, bottom:] = 0
        rows[:, :, top:bottom, left : left + source.shape[3]] = source
