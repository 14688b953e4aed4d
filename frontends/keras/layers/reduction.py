"""Reductions: operation nodes only."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.operands import as_array, axis_of, constant, operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Cast, Clip, Math, NanToNum
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.reduction import (
    Average,
    Cumulate,
    Diff,
    Reduce,
    ReduceKind,
    Sort,
    TopK,
    Trapezoid,
)
from layergraph.ir.ops.shape import NewShape
from layergraph.ir.types import promote

REDUCED: dict[str, ReduceKind] = {
    "All": "all", "Any": "any", "Amax": "max", "Amin": "min", "Max": "max", "Min": "min",
    "Sum": "sum", "Prod": "prod", "Mean": "mean", "Std": "std", "Var": "var", "Median": "median",
    "Logsumexp": "logsumexp", "Argmax": "argmax", "Argmin": "argmin",
    "CountNonzero": "count_nonzero", "Nanmax": "nanmax", "Nanmin": "nanmin", "Nansum": "nansum",
    "Nanmean": "nanmean", "Nanprod": "nanprod", "Nanstd": "nanstd", "Nanvar": "nanvar",
    "Nanargmax": "nanargmax", "Nanargmin": "nanargmin",
}  # fmt: skip


def axes_of(call: LayerCall, x: Tensor, key: str = "axis") -> tuple[int, ...]:
    """The axes an option names; all when it is null."""
    axis = call.config.take(key, None)
    if axis is None:
        return tuple(range(len(x.shape)))
    return tuple(axis) if isinstance(axis, list) else (axis,)


@reads(*(f"ops.{name}" for name in REDUCED), arguments=("x",))
def reduce(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Sum`` and its kin."""
    (x,) = operands(call, "x")
    kind, keepdims = REDUCED[call.spec.class_name], call.config.bool("keepdims", False)
    op = Reduce(kind=kind, axis=axes_of(call, x), keepdims=keepdims)
    # TensorFlow's argmax gives int64, Keras' int32.
    dtype = call.config.take("whole", None)
    if kind == "prod" and call.config.take("dtype", None) is not None:
        # Whatever dtype is named, Keras on TensorFlow then multiplies in the input's.
        dtype = x.type.dtype
    initial = call.config.take("initial", None)
    if initial is None:
        return call.emit(op, x, then=[Cast(dtype=dtype) if dtype else None])
    found = call.emit(op, x, part="values")
    bound = constant(call, "initial", np.asarray(initial).astype(x.type.dtype))
    merge = Merge(kind="maximum" if kind == "max" else "minimum")
    narrowed = x.type.dtype if promote(x.type.dtype) != x.type.dtype else None
    return call.emit(merge, found, bound, then=[Cast(dtype=narrowed) if narrowed else None])


@reads("ops.Moments", arguments=("x",))
def moments(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/nn.py ``Moments``: mean and variance."""
    x, keepdims = call.input(), call.config.bool("keepdims", False)
    call.config.ignore("synchronized")
    axes, dtype = axes_of(call, x, "axes"), x.type.dtype
    if not x.type.is_float:
        return _whole_moments(call, x, axes, keepdims)
    # What float16 cannot hold on the way, and clipped to what it can in the end.
    wide = call.emit(Cast(dtype="float32"), x, part="wide") if dtype == "float16" else x
    found = []
    for kind in ("mean", "var"):
        y = call.emit(Reduce(kind=kind, axis=axes, keepdims=keepdims), wide, part=kind)
        if dtype == "float16":
            y = call.emit(Clip(low=-65504.0, high=65504.0), y, part=f"{kind}_clipped")
            y = call.emit(Cast(dtype=dtype), y, part=f"{kind}_cast")
        found.append(y)
    return found


def _whole_moments(
    call: LayerCall, x: Tensor, axes: tuple[int, ...], keepdims: bool
) -> list[Tensor]:
    """Of whole numbers: both rounded towards zero, the variance about a rounded mean."""

    def mean_of(y: Tensor, part: str, keep: bool) -> Tensor:
        fraction = call.emit(Reduce(kind="mean", axis=axes, keepdims=keep), y, part=part)
        return call.emit(Cast(dtype=x.type.dtype), fraction, part=f"{part}_whole")

    centre = mean_of(x, "centre", True)
    difference = call.emit(Merge(kind="subtract"), x, centre, part="difference")
    squares = call.emit(Math(kind="square"), difference, part="squares")
    return [mean_of(x, "mean", keepdims), mean_of(squares, "var", keepdims)]


@reads("ops.Cumsum", "ops.Cumprod", "ops.Nancumsum", "ops.Nancumprod", arguments=("x",))
def cumulate(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Cumsum`` and its kin."""
    (x,), name = operands(call, "x"), call.spec.class_name
    kind: Any = "sum" if name.endswith("sum") else "prod"
    if name.startswith("Nan") and x.type.is_float:
        x = call.emit(NanToNum(nan=float(kind == "prod")), x, part="numbers")
    dtype = call.config.take("dtype", None)
    if dtype is not None and dtype != x.type.dtype:
        x = call.emit(Cast(dtype=dtype), x, part="cast")
    x, axis = _along(call, x, None)
    return call.emit(Cumulate(kind=kind, axis=axis), x)


def _along(call: LayerCall, x: Tensor, default: int | None) -> tuple[Tensor, int]:
    """The value and its one axis; flat where the axis is null."""
    axis = call.config.take("axis", default)
    if axis is None:
        return call.emit(NewShape(shape=(-1,)), x, part="flat"), 0
    return x, axis_of(call, x, default=default)


@reads("ops.Sort", "ops.Argsort", arguments=("x",))
def sort(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Sort`` and ``Argsort``."""
    (x,) = operands(call, "x")
    x, axis = _along(call, x, -1)
    return call.emit(Sort(axis=axis, places=call.spec.class_name == "Argsort"), x)


@reads("ops.Diff", arguments=("a",))
def diff(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Diff``."""
    (x,) = operands(call, "a")
    return call.emit(Diff(n=call.config.int("n", 1), axis=axis_of(call, x, default=-1)), x)


@reads("ops.Ptp", arguments=("x",))
def peak_to_peak(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Ptp``: the largest less the smallest."""
    (x,) = operands(call, "x")
    axis, keepdims = axes_of(call, x), call.config.bool("keepdims", False)
    top, bottom = (
        call.emit(Reduce(kind=kind, axis=axis, keepdims=keepdims), x, part=kind)
        for kind in ("max", "min")
    )
    return call.emit(Merge(kind="subtract"), top, bottom)


@reads("ops.Trapezoid", arguments=("y",))
def trapezoid(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Trapezoid``."""
    (y,), places = operands(call, "y"), call.config.take("x", None)
    op = Trapezoid(dx=call.config.float("dx", 1.0), axis=call.config.int("axis", -1))
    x = None if places is None else constant(call, "x", as_array(call, places))
    return call.emit(op, y, x)


@reads("ops.Average", arguments=("x", "weights"))
def average(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Average``."""
    (x,) = operands(call, "x")
    axes = tuple(a % len(x.shape) for a in axes_of(call, x))
    if call.argument("weights") is None:
        return call.emit(Reduce(kind="mean", axis=axes), x)
    return call.emit(Average(axis=axes), x, *operands(call, "weights"))


@reads("ops.TopK", arguments=("x",))
def top_k(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/math.py ``TopK``."""
    call.config.ignore("sorted")
    return list(call.emit_all(TopK(k=call.config.int("k")), call.input()))
