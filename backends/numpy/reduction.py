"""Reductions over axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.reduction import WHOLE, Cumulate, Reduce, ReduceKind, Sort, TopK
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
}  # fmt: skip


@kernels.computes(Reduce)
def reduce(op: Reduce, x: Array) -> Array:
    """The table row of the operator's kind, in the dtype Keras gives."""
    wanted = op.infer(type_of(x)).dtype
    if x.dtype != wanted and op.kind not in ("any", "all", *WHOLE):
        x = x.astype(wanted)
    with np.errstate(all="ignore"):
        y = np.asarray(REDUCTIONS[op.kind](x, axis=op.axis, keepdims=op.keepdims))
    return y.astype(wanted, copy=False)


@kernels.computes(Cumulate)
def cumulate(op: Cumulate, x: Array) -> Array:
    """NumPy's own, in the dtype of the input."""
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
    places = np.argsort(-x, axis=-1, kind="stable")[..., : op.k]
    return np.take_along_axis(x, places, axis=-1), places.astype("int32")
