"""Reductions."""

from __future__ import annotations

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.reduction import AnyTrue


@reads("Any", arguments=("x",))
def any_true(call: LayerCall) -> Tensor:
    """``keras.ops.any`` over one axis: how Keras 3 writes a mask."""
    axis = call.config.take("axis", None)
    if call.config.bool("keepdims", False) or not (isinstance(axis, int) or len(axis or ()) == 1):
        raise call.refusal(f"only one axis without keepdims is supported, found axis={axis!r}")
    return call.emit(AnyTrue(axis=axis if isinstance(axis, int) else axis[0]), call.input())
