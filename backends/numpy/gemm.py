"""Convolutions as matrix products, of the input itself or of gathered windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

from layergraph.backends.numpy.blas import add_product, adds_products
from layergraph.backends.numpy.processor import FLOPS
from layergraph.backends.numpy.scratch import Pool, empty
from layergraph.backends.numpy.table import InPlace, Kernel, in_place, out_of_place
from layergraph.backends.numpy.threads import over_tiles, spread
from layergraph.backends.numpy.tiles import Geometry, PaddedTile, Tile, tiled
from layergraph.ir.op import Activation
from layergraph.ir.ops.activation import ReLU
from layergraph.ir.ops.elementwise import Unary
from layergraph.ir.types import Array

TILE_BYTES = 768 << 10
"""Gathered windows at a time: what a core's own cache holds beside the result."""

LEAST_ROWS = 192
"""Rows of a product below which BLAS spends much of its time rearranging the other matrix."""

LANES = 512
"""Elements a bias or a factor is repeated to, so that NumPy's inner loops are long."""

LEAST_ADDED = 64
"""Rows of a product from which the pass spared is worth a call of BLAS by itself."""


class Finish:
    """Bias and activation, applied where a tile of the result lies.

    Args:
        bias: ``(filters,)`` or ``None``.
        activation: one that works on each row of the last axis by itself.
    """

    def __init__(self, bias: Array | None, activation: Activation | None) -> None:
        self.bias = bias
        self.activate: InPlace | None = in_place(activation)
        self._write: Callable[[Array, Array], None] | None = None
        if activation is None:
            self._write = np.copyto
        elif _in_one_pass(activation):
            write = out_of_place(activation)
            self._write = lambda out, x: write(x, out)
        self._repeated = np.empty(0)
        if bias is not None:
            self._repeated = np.tile(bias, max(LANES // max(bias.size, 1), 1))

    def __call__(self, rows: Array) -> None:
        """Finish ``(rows, filters)``, C order."""
        if self.bias is not None:
            self._add(rows)
        if self.activate is not None:
            self.activate(rows)

    def activated(self, x: Array, whole: Array, out: Array) -> None:
        """Write the activation of ``x`` to ``out``.

        Args:
            x: a part of ``whole``, ``(..., filters)``.
            whole: overwritten where the activation takes several passes.
            out: of the shape of ``x``.
        """
        if self._write is not None:
            self._write(out, x)
        elif self.activate is not None:
            self.activate(whole)
            np.copyto(out, x)

    def product(self, x: Array, matrix: Array, out: Array) -> None:
        """``x @ matrix`` finished, into ``out``, ``(rows, filters)`` in C order.

        BLAS adds the product to the bias, which spares a pass.
        """
        added = (
            self.bias is not None
            and out.size
            and len(x) >= LEAST_ADDED
            and adds_products(out.dtype)
        )
        if not (added and x.dtype == matrix.dtype == out.dtype):
            np.matmul(x, matrix, out=out)
            self(out)
            return
        times = self._repeated.size // max(out.shape[-1], 1)
        whole = len(out) // times * times
        out[:whole].reshape(-1, self._repeated.size)[...] = self._repeated
        out[whole:] = self.bias
        # An input that lies otherwise has to give the same, to the last bit.
        add_product(np.ascontiguousarray(x), matrix, out)
        if self.activate is not None:
            self.activate(out)

    def _add(self, rows: Array) -> None:
        times = self._repeated.size // max(rows.shape[-1], 1)
        whole = len(rows) // max(times, 1) * times
        if times > 1 and whole and rows.flags.c_contiguous:
            wide = rows[:whole].reshape(-1, self._repeated.size)
            wide += self._repeated
            rows = rows[whole:]
        if rows.size:
            rows += self.bias


def _in_one_pass(op: Activation) -> bool:
    """Whether an activation reads each number once."""
    if isinstance(op, Unary):
        return op.kind in ("relu", "relu6")
    return isinstance(op, ReLU) and not op.negative_slope and not op.threshold


def product_time(rows: float, inner: int, columns: int) -> float:
    """About how many nanoseconds a matrix product takes one thread."""
    inner, columns = max(inner, 1), max(columns, 1)
    flops = 2.0 * rows * inner * columns
    # Thin products leave vector registers idle; the right matrix is rearranged once.
    return flops / FLOPS * (1 + 6 / inner) * (1 + 6 / columns) + 0.3 * inner * columns


def gathering_time(geometry: Geometry) -> float:
    """About how many nanoseconds one thread copies windows, a run of a row at a time."""
    g = geometry
    dense = g.rates[-1] == 1
    run = g.channels * (g.sizes[-1] if dense else 1)
    runs = g.pixels * prod(g.sizes) * g.channels / max(run, 1)
    return runs * (16 + 0.22 * run)


def pointwise(geometry: Geometry, matrix: Array, finish: Finish) -> Kernel:
    """A 1x1 convolution without strides: the input is the matrix.

    Args:
        geometry: sizes and strides of one.
        matrix: ``(channels, filters)``.
        finish: bias and activation.
    """
    g = geometry
    multiply = Product(matrix, finish)

    def run(x: Array) -> Array:
        y = empty((g.batch, *g.windows, matrix.shape[1]), matrix.dtype)
        multiply(x.reshape(-1, matrix.shape[0]), y.reshape(-1, matrix.shape[1]))
        return y

    return run


class Product:
    """``x @ matrix`` in tiles, each finished while it is in cache.

    Args:
        matrix: ``(inner, columns)``.
        finish: bias and activation.
    """

    def __init__(self, matrix: Array, finish: Finish) -> None:
        self._matrix, self._finish = matrix, finish
        inner, columns = matrix.shape
        row_bytes = max((inner + columns) * matrix.itemsize, 1)
        self._most = max(2 * TILE_BYTES // row_bytes, LEAST_ROWS)

    def __call__(self, x: Array, out: Array) -> None:
        """Compute ``out``, ``(rows, columns)`` in C order, from ``x``, ``(rows, inner)``."""
        tiles = tiled(1, len(x), self._most)
        spread(
            lambda i: self._rows(x, out, slice(tiles[i].top, tiles[i].bottom)),
            len(tiles),
            product_time(len(x), *self._matrix.shape),
        )

    def _rows(self, x: Array, out: Array, part: slice) -> None:
        self._finish.product(x[part], self._matrix, out[part])


def gathered_time(geometry: Geometry, groups: int, filters: int) -> float:
    """About how many nanoseconds ``gathered`` takes one thread."""
    g = geometry
    depth = prod(g.sizes) * g.channels // max(groups, 1)
    return gathering_time(g) + product_time(g.pixels * groups, depth, filters)


def gathered(geometry: Geometry, matrices: Array, finish: Finish) -> Kernel:
    """Windows copied side by side, a tile at a time, then one product a group.

    Args:
        geometry: any.
        matrices: ``(groups, window elements, filters of a group)``.
        finish: bias and activation.
    """
    g = geometry
    groups, depth, filters = matrices.shape
    per_row = prod(g.windows[1:])
    row_bytes = max(per_row * depth * groups * matrices.itemsize, 1)
    most = max(TILE_BYTES // row_bytes, -(-LEAST_ROWS // max(per_row, 1)))
    tiles = tiled(g.batch, g.windows[0], most)
    pool = Pool(lambda: _Windows(g, tiles, matrices))
    cost = gathered_time(g, groups, filters)

    def run(x: Array) -> Array:
        y = empty((g.batch, *g.windows, filters * groups), matrices.dtype)
        flat = y.reshape(-1, filters * groups)
        x = g.read(x)
        plain = not g.padded and x.flags.c_contiguous and x.dtype == matrices.dtype

        def tile(t: Tile, work: _Windows) -> None:
            columns = work.gather(x, t, plain)
            start = (t.first * g.windows[0] + t.top) * per_row
            rows = flat[start : start + t.images * t.rows * per_row]
            if groups == 1:
                finish.product(columns[0], matrices[0], rows)
            else:
                for group, part in enumerate(columns):
                    out = rows[:, group * filters :][:, :filters]
                    np.matmul(part, matrices[group], out=out)
                finish(rows)

        over_tiles(tile, tiles, pool, cost)
        return y

    return run


class _Windows:
    """Buffers of one thread: a tile's padded input, and its windows side by side.

    Views of them are made once for all tiles of a size; making one takes as long
    as computing a small tile.
    """

    def __init__(self, geometry: Geometry, tiles: Sequence[Tile], matrices: Array) -> None:
        self._geometry = g = geometry
        self._tiles = tiles
        self._groups, depth, _ = matrices.shape
        self._per_row = prod(g.windows[1:])
        most = max((t.images * t.rows for t in tiles), default=0) * self._per_row
        self._columns = np.empty((self._groups, most, depth), g.dtype)
        self._padded: PaddedTile | None = None
        self._sources: dict[tuple[int, int], list[Array]] = {}
        self._targets: dict[tuple[int, int], tuple[list[Array], list[Array]]] = {}

    def gather(self, x: Array, tile: Tile, plain: bool) -> list[Array]:
        """``(windows, window elements)`` of each group.

        Args:
            x: the input.
            tile: the windows wanted.
            plain: no zeros are needed, and the input can be read where it lies.
        """
        size = tile.images, tile.rows
        if plain:
            top = tile.top * self._geometry.strides[0]
            sources = self._split(self._geometry.view(x[tile.first : tile.last], *size, top))
        else:
            sources = self._padded_windows(x, tile)
        if size not in self._targets:
            columns = list(self._columns[:, : tile.images * tile.rows * self._per_row])
            self._targets[size] = columns, [c.reshape(sources[0].shape) for c in columns]
        columns, targets = self._targets[size]
        for source, target in zip(sources, targets, strict=True):
            np.copyto(target, source)
        return columns

    def _padded_windows(self, x: Array, tile: Tile) -> list[Array]:
        size = tile.images, tile.rows
        if self._padded is None:
            self._padded = PaddedTile(self._geometry, self._tiles)
        self._padded.fill(x, tile)
        if size not in self._sources:
            self._sources[size] = self._split(self._geometry.view(self._padded.array, *size))
        return self._sources[size]

    def _split(self, block: Array) -> list[Array]:
        """The channels of each group."""
        return np.split(block, self._groups, axis=-1) if self._groups > 1 else [block]
