"""Quantiles, counts, correlation, distinct values."""

from __future__ import annotations

from math import prod

import numpy as np

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.statistics import (
    Bincount,
    Corrcoef,
    Correlate,
    Histogram,
    Quantile,
    SearchSorted,
    Unique,
)
from layergraph.ir.types import Array, type_of

kernels = Kernels()


@kernels.computes(Quantile)
def quantile(op: Quantile, x: Array, q: Array) -> Array:
    """Sorted once, then picked by place; places in float64, values in their own dtype."""
    wanted = op.infer(type_of(x), type_of(q))
    x = x.astype(wanted.dtype, copy=False)
    axes = tuple(range(x.ndim)) if op.axis is None else op.axis
    kept = [i for i in range(x.ndim) if i not in axes]
    rows = [x.shape[i] for i in kept]
    flat = x.transpose(*kept, *axes).reshape((*rows, prod(x.shape[i] for i in axes)))
    ordered = np.sort(flat, axis=-1)
    missing = np.isnan(flat).sum(axis=-1)
    count = flat.shape[-1] - missing if op.skip_nan else np.full(rows, flat.shape[-1])
    parts = q.astype("float64").reshape((-1, *[1] * len(rows)))
    with np.errstate(all="ignore"):
        y = _picked(op.method, ordered, count, parts)
    # NaN stands behind all numbers: it is met where it counts, or where nothing else is.
    void = count == 0 if op.skip_nan else missing > 0
    y = np.where(void, x.dtype.type(np.nan), y)
    ones = [1 if i in axes else d for i, d in enumerate(x.shape)]
    return np.asarray(y).reshape((*q.shape, *(ones if op.keepdims else rows)))


def _picked(method: str, ordered: Array, count: Array, parts: Array) -> Array:
    """Values at the places ``(count - 1) * parts``, a row a part."""
    last = np.maximum(count - 1, 0)
    exact = last * parts

    def at(places: Array) -> Array:
        chosen = np.clip(places, 0, last).astype("int64")
        return np.take_along_axis(ordered[None], chosen[..., None], axis=-1)[..., 0]

    if method == "nearest":
        return at(np.rint(exact))
    if method in ("lower", "higher"):
        return at(np.floor(exact) if method == "lower" else np.ceil(exact))
    if method == "midpoint":
        half = ordered.dtype.type(0.5)
        return np.asarray(half * (at(np.floor(exact)) + at(np.ceil(exact))))
    below = np.maximum(np.clip(np.ceil(exact), 0, last) - 1, 0)
    above = np.minimum(below + 1, last)
    fraction = (above - exact).astype(ordered.dtype)
    return np.asarray(at(above) * (1 - fraction) + at(below) * fraction)


@kernels.computes(Histogram)
def histogram(op: Histogram, x: Array) -> tuple[Array, Array]:
    """Places among the inner edges, counted."""
    low, high = op.range or (x.min(), x.max())
    x_ = x[(x >= low) & (x <= high)]
    dtype = x.dtype if x.dtype.kind == "f" and op.range is None else np.dtype("float32")
    edges = np.linspace(low, high, op.bins + 1, dtype=dtype).astype(x.dtype)
    places = np.searchsorted(edges[1:-1], x_, side="right")
    return np.bincount(places, minlength=op.bins).astype(x.dtype), edges


@kernels.computes(Bincount)
def bincount(op: Bincount, x: Array, weights: Array | None = None) -> Array:
    """All rows at once, each in numbers of its own."""
    wanted = op.infer(type_of(x), None if weights is None else type_of(weights)).dtype
    whole = x.astype("int64")
    length = max(int(whole.max(initial=-1)) + 1, op.minlength)
    rows = prod(x.shape[:-1])
    shifted = whole.reshape(rows, x.shape[-1]) + length * np.arange(rows)[:, None]
    flat = None if weights is None else weights.reshape(-1)
    counts = np.bincount(shifted.reshape(-1), flat, minlength=rows * length)
    return counts.reshape(*x.shape[:-1], length).astype(wanted)


@kernels.computes(Corrcoef)
def corrcoef(op: Corrcoef, x: Array) -> Array:
    """Covariances by standard deviations, no further out than 1."""
    if not x.ndim:
        return np.asarray(np.nan, "float32")
    is_whole = x.dtype == np.int64
    x = x.astype(op.infer(type_of(x)).dtype, copy=False)
    mean = x.mean(axis=-1, keepdims=True)
    centred = x - (np.trunc(mean) if is_whole else mean)
    with np.errstate(all="ignore"):
        covariance = (centred @ centred.conj().T) / x.real.dtype.type(x.shape[-1] - 1)
        deviation = np.sqrt(covariance.diagonal().real)
        y = covariance / np.outer(deviation, deviation).astype(x.dtype)
    if y.dtype.kind == "c":
        return np.asarray(np.clip(y.real, -1, 1) + 1j * np.clip(y.imag, -1, 1))
    return np.asarray(np.clip(y, -1, 1))


@kernels.computes(Correlate)
def correlate(op: Correlate, x1: Array, x2: Array) -> Array:
    """A convolution with the second vector backwards, cut to the mode."""
    dtype = op.infer(type_of(x1), type_of(x2)).dtype
    n, m = len(x1), len(x2)
    full: Array = np.convolve(x1.astype(dtype), x2.astype(dtype)[::-1])
    if op.mode == "valid":
        return np.array(full[m - 1 : n])
    size = max(n, m) if op.mode == "same" else len(full)
    start = (len(full) - size) // 2
    return np.array(full[start : start + size])


@kernels.computes(SearchSorted)
def search_sorted(op: SearchSorted, sequence: Array, values: Array) -> Array:
    """NumPy's own, row by row where there are several vectors."""
    if sequence.ndim == 1:
        return np.asarray(np.searchsorted(sequence, values, side=op.side)).astype("int32")
    y = np.empty(values.shape, "int32")
    for at in np.ndindex(*values.shape[:-1]):
        y[at] = np.searchsorted(sequence[at], values[at], side=op.side)
    return y


@kernels.computes(Unique)
def unique(op: Unique, x: Array) -> tuple[Array, ...]:
    """NumPy's own of rows; order, length and shape as asked for."""
    axis = op.axis or 0
    parts = x.reshape(-1) if op.axis is None else x.swapaxes(0, axis)
    rows = parts.reshape(len(parts), -1)
    if rows.shape[1] == 1:
        rows = rows[:, 0]
    found, first, inverse, counts = np.unique(
        rows, return_index=True, return_inverse=True, return_counts=True, axis=0
    )
    inverse = inverse.reshape(-1)
    if not op.ascending:
        order = np.argsort(first, kind="stable")
        found, first, counts = found[order], first[order], counts[order]
        inverse = np.argsort(order, kind="stable")[inverse]
    found = found.reshape(-1, *parts.shape[1:])
    if op.size is not None:
        found = _fitted(found, op.size, op.fill)
        first, counts = _fitted(first, op.size, 1), _fitted(counts, op.size, 0)
    y = [found if op.axis is None else np.array(found.swapaxes(0, axis))]
    y += [first.astype("int32")] * op.index
    y += [inverse.reshape(x.shape if op.axis is None else -1).astype("int32")] * op.inverse
    return (*y, *([counts.astype("int32")] * op.counts))


def _fitted(x: Array, size: int, fill: float) -> Array:
    """Cut, or filled up, to a length."""
    padding = [(0, max(size - len(x), 0)), *[(0, 0)] * (x.ndim - 1)]
    return np.pad(x[:size], padding, constant_values=x.dtype.type(fill))
