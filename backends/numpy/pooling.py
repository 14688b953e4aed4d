"""Pooling, one axis after the other: windows of several axes are separable."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from layergraph.backends.numpy.scratch import Pool as Room
from layergraph.backends.numpy.scratch import Specialised, empty
from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.backends.numpy.threads import over_rows, spread
from layergraph.backends.numpy.tiles import tiled
from layergraph.ir.ops.pooling import AdaptivePool, GlobalPool, Pool
from layergraph.ir.types import Array
from layergraph.ir.windows import left_out, output_size, padding_of

kernels = Kernels()

TILE = 1 << 17
"""Elements of an input at a time."""

COMBINE: dict[str, Any] = {"max": np.maximum, "average": np.add}

Tap = tuple[slice, slice]
"""Output positions a window element reaches, and the inputs it takes there."""


@kernels.prepares(Pool)
def pool(op: Pool) -> Kernel:
    """Combine shifted views along each axis in turn."""

    def make(shape: tuple[int, ...]) -> Kernel:
        axes = [(axis, *_taps(op, axis - 1, shape[axis])) for axis in range(1, len(shape) - 1)]
        counts = _counts(op, shape) if op.kind == "average" else None

        windows = tuple(size for _, size, _ in axes)
        # About a third of a nanosecond for each element that a pass reads.
        cost = prod(shape) * 0.35 * sum(len(taps) for _, _, taps in axes) / max(len(axes), 1)
        tiles = tiled(shape[0], 1, max(TILE // max(prod(shape[1:]), 1), 1))
        most = max((t.images for t in tiles), default=0)
        # What each pass but the last writes: axes before it are pooled, those behind not yet.
        between = [
            (most, *windows[: i + 1], *shape[i + 2 :]) for i in range(max(len(windows) - 1, 0))
        ]
        rooms: dict[Any, Room] = {}

        def run(x: Array) -> Array:
            y = empty((shape[0], *windows, shape[-1]), x.dtype)
            divisors = None if counts is None else counts.astype(x.dtype)
            fractional = x.dtype.kind not in "iu"
            room = rooms.setdefault(x.dtype, Room(lambda: [np.empty(b, x.dtype) for b in between]))

            def images(i: int) -> None:
                part = slice(tiles[i].first, tiles[i].last)
                work: list[Array] = room.take()
                result = x[part]
                outs = [*(w[: tiles[i].images] for w in work), y[part]]
                for (axis, size, taps), out in zip(axes, outs, strict=True):
                    _along(result, axis, size, taps, op.kind, out)
                    result = out
                room.give(work)
                if divisors is not None and fractional:
                    y[part] /= divisors

            spread(images, len(tiles), cost)
            return y if divisors is None or fractional else np.asarray(y / divisors)

        return run

    return Specialised(make)


def _taps(op: Pool, axis: int, size: int) -> tuple[int, list[Tap]]:
    """Windows along an axis, and for each window element what it meets."""
    window, stride = op.pool_size[axis], op.strides[axis]
    out = output_size(size, window, stride, op.padding) or 0
    before, _ = padding_of(size, window, stride, op.padding)
    before -= left_out(size, window, stride, op.padding, 1, len(op.pool_size))
    taps = []
    for tap in range(window):
        first = max(-((tap - before) // stride), 0)
        last = max(min(out, (size - 1 - tap + before) // stride + 1), first)
        start = first * stride + tap - before
        taps.append((slice(first, last), slice(start, start + (last - first) * stride, stride)))
    # A window element that every window has can be copied first, which spares a fill.
    taps.sort(key=lambda t: t[0].start - t[0].stop)
    return out, taps


def _along(x: Array, axis: int, size: int, taps: list[Tap], kind: str, y: Array) -> None:
    """Combine along an axis into ``y``."""
    lead = (slice(None),) * axis
    combine = COMBINE[kind]
    (target, source), *rest = taps
    if target != slice(0, size):
        y[...] = _identity(kind, x.dtype)
        rest = taps
    elif rest and rest[0][0] == target:
        (_, other), *rest = rest
        combine(x[(*lead, source)], x[(*lead, other)], out=y)
    else:
        y[...] = x[(*lead, source)]
    for target, source in rest:
        part = y[(*lead, target)]
        combine(part, x[(*lead, source)], out=part)


def _identity(kind: str, dtype: Any) -> Any:
    if kind == "average":
        return 0
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _counts(op: Pool, shape: tuple[int, ...]) -> Array:
    """Real elements in each window: padding does not count."""
    rank = len(op.pool_size)
    total: Array = np.ones((1,) * (rank + 1))
    for axis in range(rank):
        out, taps = _taps(op, axis, shape[axis + 1])
        count = np.zeros(out)
        for target, _ in taps:
            count[target] += 1
        total = total * count.reshape((-1,) + (1,) * (rank - axis))
    if op.padding == "valid":
        return np.asarray(float(prod(op.pool_size)))
    return total


@kernels.prepares(AdaptivePool)
def adaptive_pool(op: AdaptivePool) -> Kernel:
    """Window by window along each axis in turn."""

    def make(shape: tuple[int, ...]) -> Kernel:
        windows = [_shares(n, size) for n, size in zip(shape[1:-1], op.output_size, strict=True)]

        def run(x: Array) -> Array:
            for axis, spans in enumerate(windows, 1):
                lead: tuple[Any, ...] = (slice(None),) * axis
                y = np.empty((*x.shape[:axis], len(spans), *x.shape[axis + 1 :]), x.dtype)
                for i, (first, last) in enumerate(spans):
                    window = x[(*lead, slice(first, last))]
                    if op.kind == "max":
                        window.max(axis=axis, out=y[(*lead, i)])
                    else:
                        window.mean(axis=axis, out=y[(*lead, i)])
                x = y
            return x

        return run

    return Specialised(make)


def _shares(count: int, size: int) -> list[tuple[int, int]]:
    """First element and end of each window of an axis.

    Keras divides in float32, which for large axes rounds across a whole number.
    """
    at = np.arange(size + 1, dtype="float32") * np.float32(count) / np.float32(size)
    first = np.minimum(np.floor(at[:-1]).astype(int), count - 1)
    last = np.minimum(np.ceil(at[1:]).astype(int), count)
    short = -(-count // size)
    # Keras has windows of two lengths only, and reads a shorter one with the shorter length.
    length = np.where(last - first == short + 1, short + 1, short)
    return list(zip(first.tolist(), (first + length).tolist(), strict=True))


@kernels.computes(GlobalPool)
def global_pool(op: GlobalPool, x: Array, mask: Array | None = None) -> Array:
    """Reduce over all spatial axes; a masked mean divides by the steps kept."""
    axes = tuple(range(1, x.ndim - 1))
    if op.kind == "max":
        low = _identity("max", x.dtype)
        return np.asarray(x.max(axis=axes, keepdims=op.keepdims, initial=low))
    if mask is None:
        inner = (1,) * len(axes) if op.keepdims else ()
        total = empty((len(x), *inner, x.shape[-1]), x.dtype)

        def images(part: slice) -> None:
            x[part].sum(axis=axes, keepdims=op.keepdims, dtype=x.dtype, out=total[part])

        over_rows(images, len(x), prod(x.shape[1:]), 0.3)
        return np.asarray(total / x.dtype.type(prod(x.shape[1:-1])))
    weight = mask.astype(x.dtype)[..., None]
    total = (x * weight).sum(axis=1, keepdims=op.keepdims)
    # A row without any step gives 0 / 0, in Keras too.
    with np.errstate(invalid="ignore"):
        return np.asarray(total / weight.sum(axis=1, keepdims=op.keepdims))
