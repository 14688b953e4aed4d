"""Where windows lie in an input with zeros around it, and that input a tile at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from layergraph.backends.numpy.scratch import Pool
from layergraph.ir.types import Array
from layergraph.ir.windows import Padding, extent, left_out, output_sizes, padding_of


@dataclass(frozen=True)
class Geometry:
    """Sizes of one convolution, channels last; one number a spatial axis.

    Attributes:
        batch, spatial, channels: the input's shape.
        sizes, strides, rates: of the windows.
        windows: windows along each axis.
        before: zeros before each axis.
        grown: each axis with zeros before and behind.
        first: elements of each axis that no window reads.
        dtype: dtype computed in.
    """

    batch: int
    spatial: tuple[int, ...]
    channels: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    rates: tuple[int, ...]
    windows: tuple[int, ...]
    before: tuple[int, ...]
    grown: tuple[int, ...]
    first: tuple[int, ...]
    dtype: np.dtype

    @classmethod
    def of(
        cls, shape: tuple[int, ...], sizes: Sequence[int], strides: Sequence[int],
        padding: Padding, rates: Sequence[int], dtype: np.dtype,
    ) -> Geometry:  # fmt: skip
        """For an input shape and the attributes of a convolution."""
        batch, *spatial, channels = shape
        axes = list(zip(spatial, sizes, strides, rates, strict=True))
        first = tuple(left_out(n, k, s, padding, d, len(axes)) for n, k, s, d in axes)
        pads = [padding_of(n, k, s, padding, d) for n, k, s, d in axes]
        kept = [n - f for n, f in zip(spatial, first, strict=True)]
        windows = output_sizes(tuple(spatial), sizes, strides, padding, rates)
        return cls(
            batch, tuple(kept), channels, tuple(sizes), tuple(strides), tuple(rates),
            tuple(w or 0 for w in windows), tuple(b for b, _ in pads),
            tuple(n + b + a for n, (b, a) in zip(kept, pads, strict=True)), first, dtype,
        )  # fmt: skip

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.spatial)

    @property
    def pixels(self) -> int:
        """Windows of all images."""
        return self.batch * prod(self.windows)

    @property
    def padded(self) -> bool:
        """Whether there are zeros around the input."""
        return self.grown != self.spatial

    def reach(self, rows: int) -> int:
        """Rows of the padded input that so many rows of windows read."""
        return (rows - 1) * self.strides[0] + extent(self.sizes[0], self.rates[0])

    def read(self, x: Array) -> Array:
        """The part of the input that windows read."""
        return x[(slice(None), *(slice(f, None) for f in self.first))] if any(self.first) else x

    def view(self, padded: Array, images: int, rows: int, top: int = 0) -> Array:
        """Windows ``(images, rows, *windows, *sizes, channels)`` of a padded input, not copied.

        Args:
            padded: the input, C order; windows begin in its first image.
            images, rows: how many.
            top: the row of the input in which the first window begins.
        """
        spatial = padded.strides[1:-1]
        steps = [b * s for b, s in zip(spatial, self.strides, strict=True)]
        inner = [b * d for b, d in zip(spatial, self.rates, strict=True)]
        # The constructor takes an eighth of the time of ``as_strided``.
        return np.ndarray(
            (images, rows, *self.windows[1:], *self.sizes, padded.shape[-1]), padded.dtype,
            padded, top * spatial[0], (padded.strides[0], *steps, *inner, padded.strides[-1]),
        )  # fmt: skip


@dataclass(frozen=True)
class Tile:
    """Some rows of windows of one image, or all rows of several images."""

    first: int
    last: int
    top: int
    bottom: int

    @property
    def rows(self) -> int:
        """Rows of windows, of each image."""
        return self.bottom - self.top

    @property
    def images(self) -> int:
        """Number of images."""
        return self.last - self.first


def tiled(batch: int, rows: int, most: int) -> list[Tile]:
    """Tiles of at most so many rows (one at least), as equal as can be, an even number of them.

    Two threads then have the same to do.
    """
    if most >= rows:
        step = _even_share(batch, max(most // max(rows, 1), 1))
        return [Tile(i, min(i + step, batch), 0, rows) for i in range(0, batch, step)]
    step = _even_share(rows, max(most, 1), even=batch % 2 == 1)
    return [
        Tile(i, i + 1, top, min(top + step, rows))
        for i in range(batch)
        for top in range(0, rows, step)
    ]


def _even_share(count: int, most: int, even: bool = True) -> int:
    pieces = -(-count // most)
    if even and pieces > 1:
        pieces += pieces % 2
    return max(-(-count // max(pieces, 1)), 1)


class PaddedTile:
    """A small buffer that a tile's part of an input is copied into, zeros around it.

    Args:
        geometry: of the convolution.
        tiles: how it is cut; the buffer holds the largest.
    """

    def __init__(self, geometry: Geometry, tiles: Sequence[Tile]) -> None:
        self._geometry = g = geometry
        images = max((t.images for t in tiles), default=0)
        rows = max((g.reach(t.rows) for t in tiles), default=0)
        across = [slice(b, b + n) for b, n in zip(g.before[1:], g.spatial[1:], strict=True)]
        self._across = tuple(across)
        # Only the inside is ever written, so the zeros on either side last.
        self.array = np.zeros((images, rows, *g.grown[1:], g.channels), g.dtype)

    def fill(self, x: Array, tile: Tile) -> None:
        """Copy the rows that the tile's windows read."""
        lo, hi, above, height = rows_read(self._geometry, tile)
        below = above + hi - lo
        rows = self.array[: tile.images]
        if above:
            rows[:, :above] = 0
        if below < height:
            rows[:, below:height] = 0
        rows[(slice(None), slice(above, below), *self._across)] = x[tile.first : tile.last, lo:hi]


def rows_read(geometry: Geometry, tile: Tile) -> tuple[int, int, int, int]:
    """Input rows from, to; rows of zeros above them; rows of the padded tile in all."""
    start = tile.top * geometry.strides[0] - geometry.before[0]
    height = geometry.reach(tile.rows)
    lo = min(max(start, 0), geometry.spatial[0])
    hi = max(min(start + height, geometry.spatial[0]), lo)
    return lo, hi, min(max(-start, 0), height), height


class Padded:
    """A whole input with zeros around it, and the view of its windows.

    Args:
        geometry: of the convolution.
    """

    def __init__(self, geometry: Geometry) -> None:
        g = geometry
        self._geometry, self.windows = g, g.windows
        self._inner = tuple(slice(b, b + n) for b, n in zip(g.before, g.spatial, strict=True))
        self._pool = None
        if g.padded:
            self._pool = Pool(lambda: np.zeros((g.batch, *g.grown, g.channels), g.dtype))

    def take(self, x: Array) -> tuple[Array, Array | None]:
        """The padded input, and the buffer to give back."""
        read = self._geometry.read(x)
        if self._pool is None:
            return np.ascontiguousarray(read, self._geometry.dtype), None
        # Only the inside is ever written, so the zeros around it last.
        lent: Array = self._pool.take()
        lent[(slice(None), *self._inner)] = read
        return lent, lent

    def give(self, lent: Array | None) -> None:
        """Return the buffer."""
        if self._pool is not None and lent is not None:
            self._pool.give(lent)

    def view(self, padded: Array) -> Array:
        """Windows ``(batch, *windows, *sizes, channels)`` without copying."""
        return self._geometry.view(padded, len(padded), self.windows[0])

    def taps(self, padded: Array) -> list[Array]:
        """For each kernel element, the input elements it meets."""
        g, view = self._geometry, self.view(padded)
        return [view[(slice(None),) * (g.rank + 1) + tap] for tap in product(*map(range, g.sizes))]
