"""Activations: names in an option, and layers of their own."""

from __future__ import annotations

from typing import get_args

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.spec import LayerSpec
from layergraph.ir.op import Activation
from layergraph.ir.ops.activation import HardSigmoid, Softmax
from layergraph.ir.ops.elementwise import Unary, UnaryKind
from layergraph.ir.ops.shape import Identity

NAMED: dict[str, Activation] = {
    **{kind: Unary(kind=kind) for kind in get_args(UnaryKind)},
    "swish": Unary(kind="silu"),
    "softmax": Softmax(),
    "hard_sigmoid": HardSigmoid(),
}


def activation(call: LayerCall, key: str, default: str = "linear") -> Activation | None:
    """The operator of an activation option; ``None`` for linear."""
    found = call.config.take(key, default)
    if found is None or found == "linear":
        return None
    if isinstance(found, str) and found in NAMED:
        return NAMED[found]
    if isinstance(found, LayerSpec) and found.class_name == "HardSigmoid":
        return HardSigmoid(**found.config)
    shown = found.class_name if isinstance(found, LayerSpec) else found
    raise call.refusal(f"{key}={shown!r} is not an activation of Keras")


@reads("Activation", masking="pass")
def activation_layer(call: LayerCall) -> Tensor:
    """keras/src/layers/activations/activation.py."""
    return call.emit(activation(call, "activation") or Identity(), call.input())
