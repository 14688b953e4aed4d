"""Reductions: operation nodes only."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.operands import operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Cast
from layergraph.ir.ops.reduction import Cumulate, Reduce, ReduceKind, Sort, TopK
from layergraph.ir.ops.shape import NewShape

REDUCED: dict[str, ReduceKind] = {
    "All": "all", "Any": "any", "Amax": "max", "Amin": "min", "Max": "max", "Min": "min",
    "Sum": "sum", "Prod": "prod", "Mean": "mean", "Std": "std", "Var": "var", "Median": "median",
    "Logsumexp": "logsumexp", "Argmax": "argmax", "Argmin": "argmin",
    "CountNonzero": "count_nonzero", "Nanmax": "nanmax", "Nanmin": "nanmin", "Nansum": "nansum",
    "Nanmean": "nanmean", "Nanprod": "nanprod", "Nanstd": "nanstd", "Nanvar": "nanvar",
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
    if call.config.take("initial", None) is not None or call.config.take("dtype", None):
        raise call.refusal("an initial value or a dtype is not supported yet")
    op = Reduce(
        kind=REDUCED[call.spec.class_name],
        axis=axes_of(call, x),
        keepdims=call.config.bool("keepdims", False),
    )
    # TensorFlow's argmax gives int64, Keras' int32.
    whole = call.config.take("whole", None)
    return call.emit(op, x, then=[Cast(dtype=whole) if whole else None])


@reads("ops.Moments", arguments=("x",))
def moments(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/nn.py ``Moments``: mean and variance."""
    x, keepdims = call.input(), call.config.bool("keepdims", False)
    call.config.ignore("synchronized")
    axes = axes_of(call, x, "axes")
    mean = call.emit(Reduce(kind="mean", axis=axes, keepdims=keepdims), x, part="mean")
    return [mean, call.emit(Reduce(kind="var", axis=axes, keepdims=keepdims), x)]


@reads("ops.Cumsum", "ops.Cumprod", arguments=("x",))
def cumulate(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Cumsum`` and ``Cumprod``."""
    x, axis = call.input(), call.config.take("axis", None)
    if call.config.take("dtype", None):
        raise call.refusal("a dtype is not supported yet")
    if axis is None:
        x, axis = call.emit(NewShape(shape=(-1,)), x, part="flat"), 0
    kind: Any = "sum" if call.spec.class_name == "Cumsum" else "prod"
    return call.emit(Cumulate(kind=kind, axis=axis), x)


@reads("ops.Sort", "ops.Argsort", arguments=("x",))
def sort(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Sort`` and ``Argsort``."""
    op = Sort(axis=call.config.int("axis", -1), places=call.spec.class_name == "Argsort")
    return call.emit(op, call.input())


@reads("ops.TopK", arguments=("x",))
def top_k(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/math.py ``TopK``."""
    call.config.ignore("sorted")
    return list(call.emit_all(TopK(k=call.config.int("k")), call.input()))
