"""Convolutions of each channel by itself: multiply and add, all window elements in one call."""

from __future__ import annotations

from math import prod

import numpy as np

from layergraph.backends.numpy.gemm import Finish
from layergraph.backends.numpy.scratch import Pool, buffer, empty
from layergraph.backends.numpy.table import Kernel
from layergraph.backends.numpy.threads import over_tiles
from layergraph.backends.numpy.tiles import Geometry, Padded, Tile, rows_read, tiled
from layergraph.ir.types import Array

TILE_BYTES = 1 << 20
"""Input rows at a time; the result, their products and the kernel lie beside them."""

KERNEL_BYTES = 512 << 10
"""Of the kernel, repeated along a row so that channels and columns are one long axis."""


def fits(geometry: Geometry) -> bool:
    """One or two axes; strides and dilation do not meet."""
    g = geometry
    return g.rank <= 2 and all(1 in pair for pair in zip(g.strides, g.rates, strict=True))


def by_rows_time(geometry: Geometry, filters: int) -> float:
    """About how many nanoseconds ``by_rows`` takes one thread."""
    return geometry.pixels * filters * (prod(geometry.sizes) * 0.22 + 1)


def by_rows(geometry: Geometry, kernel: Array, finish: Finish) -> Kernel:
    """Rows of pixels as long vectors, multiplied and added up by one ``einsum`` a tile.

    NumPy's ``einsum`` adds a product to its result in one pass over the two, where
    ``multiply`` and ``add`` take two. Columns are split by the remainder of the
    stride, so that what a window element meets along a row lies side by side.

    Args:
        geometry: see ``fits``.
        kernel: ``(*sizes, channels, multiplier)``.
        finish: bias and activation.
    """
    g = _flat(geometry)
    rows = _Rows(g, kernel)
    tiles = rows.tiles
    filters = g.channels * kernel.shape[-1]
    pool = Pool(lambda: _Work(rows))
    cost = by_rows_time(geometry, filters)

    def run(x: Array) -> Array:
        y = empty((g.batch, *g.windows, filters), kernel.dtype)
        x = geometry.read(x).reshape(g.batch, *g.spatial, g.channels)

        def tile(t: Tile, work: _Work) -> None:
            rows.fill(work.padded, x, t)
            out = y[t.first, t.top : t.bottom]
            for columns, view, weights in work.views(t.rows):
                part = out[:, columns].reshape(t.rows, -1)
                np.einsum("rijpc,ijpc->rc", view, weights, out=part)
            finish(out.reshape(-1, filters))

        over_tiles(tile, tiles, pool, cost)
        return y.reshape(g.batch, *geometry.windows, filters)

    return run


def _flat(geometry: Geometry) -> Geometry:
    """A line as an image of one row."""
    g = geometry
    if g.rank == 2:
        return g
    return Geometry(
        g.batch, (1, *g.spatial), g.channels, (1, *g.sizes), (1, *g.strides), (1, *g.rates),
        (1, *g.windows), (0, *g.before), (1, *g.grown), (0, *g.first), g.dtype,
    )  # fmt: skip


class _Rows:
    """Padded rows of a tile, and the kernel repeated along them."""

    def __init__(self, geometry: Geometry, kernel: Array) -> None:
        self._geometry = g = geometry
        self._multiplier = kernel.shape[-1]
        filters = g.channels * self._multiplier
        self._phases = g.strides[1]
        tall, broad = g.sizes
        # A stride of two meets window elements 0, 2, 4 in even columns, 1, 3, 5 in odd ones;
        # the element that lacks a partner has one of zeros.
        self._taps = -(-broad // self._phases)
        weights = np.zeros((tall, self._taps * self._phases, filters), kernel.dtype)
        weights[:, :broad] = kernel.reshape(tall, broad, filters)
        weights = weights.reshape(tall, self._taps, self._phases, filters)
        fitting = KERNEL_BYTES // max(weights.nbytes, 1)
        self._step = step = max(min(fitting, g.windows[1]), 1)
        self._weights = np.tile(weights, step)
        columns = g.windows[1] + (self._taps - 1) * g.rates[1]
        self._shape = (self._phases, columns, filters)
        row_bytes = max(prod(self._shape) * g.dtype.itemsize, 1)
        most = max(TILE_BYTES // row_bytes - g.reach(1), 4) // g.strides[0]
        self.tiles = [
            Tile(image, image + 1, t.top, t.bottom)
            for t in tiled(g.batch, g.windows[0], max(most, 1))
            for image in range(t.first, t.last)
        ]

    def padded(self) -> Array:
        """A buffer for the input rows of the largest tile."""
        height = max((self._geometry.reach(t.rows) for t in self.tiles), default=0)
        return np.zeros((height, *self._shape), self._geometry.dtype)

    def fill(self, lent: Array, x: Array, tile: Tile) -> None:
        """Copy the tile's input rows into ``(rows, remainders, columns, filters)``."""
        g = self._geometry
        lo, hi, above, height = rows_read(g, tile)
        rows, below = lent[:height], above + hi - lo
        if above:
            rows[:above] = 0
        if below < height:
            rows[below:] = 0
        image = x[tile.first, lo:hi]
        for phase in range(self._phases):
            skip = (phase - g.before[1]) % self._phases
            left = (skip + g.before[1]) // self._phases
            part = image[:, skip :: self._phases][:, : max(self._shape[1] - left, 0)]
            target = rows[above:below, phase, left : left + part.shape[1]]
            if self._multiplier == 1:
                target[...] = part
            else:
                target.reshape(*part.shape, self._multiplier)[...] = part[..., None]

    def views(self, padded: Array, rows: int) -> list[tuple[slice, Array, Array]]:
        """For some columns at a time: which, what their windows hold, and the weights."""
        g, filters = self._geometry, self._shape[-1]
        row, phase, column, item = padded.strides
        found = []
        for left in range(0, g.windows[1], self._step):
            count = min(self._step, g.windows[1] - left) * filters
            view = np.ndarray(
                (rows, g.sizes[0], self._taps, self._phases, count), padded.dtype, padded,
                left * column,
                (row * g.strides[0], row * g.rates[0], column * g.rates[1], phase, item),
            )  # fmt: skip
            found.append((slice(left, left + self._step), view, self._weights[..., :count]))
        return found


class _Work:
    """A thread's buffer of padded rows, and views of it."""

    def __init__(self, rows: _Rows) -> None:
        self._rows = rows
        self.padded = rows.padded()
        self._views: dict[int, list[tuple[slice, Array, Array]]] = {}

    def views(self, rows: int) -> list[tuple[slice, Array, Array]]:
        """Made once for all tiles of a size."""
        if rows not in self._views:
            self._views[rows] = self._rows.views(self.padded, rows)
        return self._views[rows]


def element_by_element(geometry: Geometry, kernel: Array, finish: Finish) -> Kernel:
    """For any number of axes: multiply and accumulate, one window element at a time."""
    g = geometry
    *_, channels, multiplier = kernel.shape
    weights = np.ascontiguousarray(kernel.reshape(-1, channels, multiplier))
    inner = (*g.windows, channels, multiplier)
    work = buffer(inner, kernel.dtype)
    pad = Padded(g)

    def run(x: Array) -> Array:
        y = empty((g.batch, *inner), kernel.dtype)
        padded, lent = pad.take(x)
        product = work.take()
        for i, (tap, weight) in enumerate(zip(pad.taps(padded), weights, strict=True)):
            for image, out in zip(tap, y, strict=True):
                np.multiply(image[..., None], weight, out=product if i else out)
                if i:
                    out += product
        work.give(product)
        pad.give(lent)
        y = y.reshape(g.batch, *g.windows, channels * multiplier)
        finish(y.reshape(-1, channels * multiplier))
        return y

    return run
