"""Dense."""

from __future__ import annotations

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.activation import activation
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.linear import Dense


@reads("Dense", masking="pass")
def dense(call: LayerCall) -> Tensor:
    """keras/src/layers/core/dense.py."""
    x, config = call.input(), call.config
    units = config.int("units")
    bias = (units,) if config.bool("use_bias", True) else None
    params = call.weights(kernel=(x.shape[-1], units), bias=bias)
    return call.emit(Dense(), x, params=params, then=[activation(call, "activation")])
