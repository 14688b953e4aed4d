"""Reductions over axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.reduction import (
    WHOLE,
    Average,
    Cumulate,
    Diff,
    Reduce,
    ReduceKind,
    Sort,
    TopK,
    Trapezoid,
)
from layergraph.ir.types import Array, type_of

kernels = Kernels()


def _logsumexp(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    top = x.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    total = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return np.asarray(total if keepdims else total.squeeze(axis))


def _one_axis(function: Callable[..., Array]) -> Callable[..., Array]:
    """Functions that know one axis, or all of them."""

    def run(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
        if len(axis) == 1:
            return np.asarray(function(x, axis=axis[0], keepdims=keepdims))
        if len(axis) != x.ndim:
            raise ValueError(f"one axis or all, not {axis}")
        return np.asarray(function(x, axis=None, keepdims=keepdims))

    return run


PLACES = ("argmax", "argmin", "nanargmax", "nanargmin")


def _ordered_zeros(x: Array) -> Array:
    """With -0.0 below 0.0, as Keras orders them in ``argmax`` and ``argmin``."""
    if x.dtype.kind != "f":
        return x
    negative = np.signbit(x) & (x == 0)
    if not negative.any():
        return x
    return np.where(negative, -np.finfo("float32").tiny, x.astype(np.result_type(x, "float32")))


def _place_among_numbers(function: Callable[..., Array], worst: float) -> Callable[..., Array]:
    """The place without regard to NaN; -1 where there is nothing else."""
    find = _one_axis(function)

    def run(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
        if x.dtype.kind != "f":
            return find(x, axis, keepdims)
        missing = np.isnan(x)
        found = find(np.where(missing, x.dtype.type(worst), x), axis, keepdims)
        return np.where(missing.all(axis=axis, keepdims=keepdims), -1, found)

    return run


REDUCTIONS: dict[ReduceKind, Callable[..., Any]] = {
    **{
        kind: getattr(np, kind)
        for kind in (
            "any", "all", "max", "min", "sum", "prod", "mean", "std", "var", "median",
            "count_nonzero", "nanmax", "nanmin", "nansum", "nanmean", "nanprod", "nanstd",
            "nanvar",
        )
    },
    "logsumexp": _logsumexp,
    "argmax": _one_axis(np.argmax),
    "argmin": _one_axis(np.argmin),
    "nanargmax": _place_among_numbers(np.argmax, -np.inf),
    "nanargmin": _place_among_numbers(np.argmin, np.inf),
}  # fmt: skip


@kernels.computes(Reduce)
def reduce(op: Reduce, x: Array) -> Array:
    """The table row of the operator's kind, in the dtype Keras gives."""
    wanted = op.infer(type_of(x)).dtype
    plain = x.dtype.kind == "c" and op.kind in ("std", "var")
    if x.dtype != wanted and not plain and op.kind not in ("any", "all", *WHOLE):
        x = (x.real if x.dtype.kind == "c" and wanted[0] != "c" else x).astype(wanted)
    if op.kind in PLACES and not op.equal_zeros:
        x = _ordered_zeros(x)
    with np.errstate(all="ignore"):
        y = np.asarray(REDUCTIONS[op.kind](x, axis=op.axis, keepdims=op.keepdims))
    return y.astype(wanted, copy=False)


@kernels.computes(Cumulate)
def cumulate(op: Cumulate, x: Array) -> Array:
    """NumPy's own, in the dtype of the input."""
    if op.kind == "logsumexp":
        return np.asarray(np.logaddexp.accumulate(x, axis=op.axis))
    dtype = "int32" if x.dtype == bool else x.dtype
    function = np.cumsum if op.kind == "sum" else np.cumprod
    return np.asarray(function(x, axis=op.axis, dtype=dtype))


@kernels.computes(Sort)
def sort(op: Sort, x: Array) -> Array:
    """Equal elements keep their order."""
    if op.places:
        return np.argsort(x, axis=op.axis, kind="stable").astype("int32")
    return np.sort(x, axis=op.axis)


@kernels.computes(TopK)
def top_k(op: TopK, x: Array) -> tuple[Array, Array]:
    """Of equal elements the first comes first."""
    places = np.argsort(-x if x.dtype.kind == "f" else ~x, axis=-1, kind="stable")[..., : op.k]
    return np.take_along_axis(x, places, axis=-1), places.astype("int32")


@kernels.computes(Diff)
def diff(op: Diff, x: Array) -> Array:
    """NumPy's own."""
    return np.array(np.diff(x, n=op.n, axis=op.axis))


@kernels.computes(Trapezoid)
def trapezoid(op: Trapezoid, y: Array, x: Array | None = None) -> Array:
    """Mean heights times widths, summed."""
    y = np.moveaxis(y.astype(op.infer(type_of(y)).dtype, copy=False), op.axis, -1)
    heights = (y[..., 1:] + y[..., :-1]) * y.dtype.type(0.5)
    if x is None:
        return np.asarray((heights * y.dtype.type(op.dx)).sum(axis=-1))
    widths = np.moveaxis(np.diff(x.astype(y.dtype), axis=op.axis), op.axis, -1)
    return np.asarray((heights * widths).sum(axis=-1))


@kernels.computes(Average)
def average(op: Average, x: Array, weights: Array) -> Array:
    """Weighted sum by sum of weights."""
    dtype = op.infer(type_of(x), type_of(weights)).dtype
    x, weights = x.astype(dtype, copy=False), weights.astype(dtype, copy=False)
    if x.ndim == weights.ndim:
        total = weights.sum(axis=op.axis)
    else:
        total = weights.sum()
        weights = weights.reshape([-1 if i in op.axis else 1 for i in range(x.ndim)])
    with np.errstate(all="ignore"):
        return np.asarray((x * weights).sum(axis=op.axis) / total)
