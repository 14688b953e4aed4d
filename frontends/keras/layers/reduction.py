"""Reductions."""

from __future__ import annotations

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.reduction import Reduce


@reads("Any", arguments=("x",))
def reduce(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py: every axis when none is named."""
    x, axis = call.input(), call.config.take("axis", None)
    if axis is None:
        axis = list(range(len(x.shape)))
    axes = tuple(axis) if isinstance(axis, list) else (axis,)
    return call.emit(Reduce(kind="any", axis=axes, keepdims=call.config.bool("keepdims", False)), x)
