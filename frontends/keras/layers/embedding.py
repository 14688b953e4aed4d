"""Embedding."""

from __future__ import annotations

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.ir.op import Op
from layergraph.ir.ops.elementwise import Cast, NotEqual, Scale, Unary
from layergraph.ir.ops.embedding import Embedding
from layergraph.ir.ops.linear import Dense
from layergraph.ir.types import FLOATS, Array


@reads("Embedding", masking="own")
def embedding(call: LayerCall) -> Tensor:
    """keras/src/layers/core/embedding.py."""
    x, config = call.input(), call.config
    config.ignore("input_length", "sparse")
    shape = (config.int("input_dim"), config.int("output_dim"))
    return _looked_up(call, x, call.weights(embeddings=shape)["embeddings"])


@reads("ReversibleEmbedding", masking="own", arguments=("inputs", "reverse"))
def reversible_embedding(call: LayerCall) -> Tensor:
    """keras/src/layers/core/reversible_embedding.py."""
    x, config = call.input(), call.config
    rows, width = config.int("input_dim"), config.int("output_dim")
    tied = config.bool("tie_weights", True)
    arrays = call.weights(
        embeddings=(rows, width), reverse_embeddings=None if tied else (width, rows)
    )
    dtype = config.take("reverse_dtype", None)
    cap = config.optional_float("logit_soft_cap")
    if not call.argument("reverse", False):
        return _looked_up(call, x, arrays["embeddings"])
    config.ignore("mask_zero")
    kernel = arrays["embeddings"].T if tied else arrays["reverse_embeddings"]
    if dtype is not None:
        if dtype not in FLOATS:
            raise call.refusal(f"reverse_dtype={dtype!r} is not supported", "leave it out")
        kernel = kernel.astype(dtype)
        x = call.emit(Cast(dtype=dtype), x, part="cast")
    capped: list[Op] = []
    if cap is not None:
        capped = [Scale(factor=1 / cap), Unary(kind="tanh"), Scale(factor=cap)]
    return call.emit(Dense(), x, params={"kernel": kernel}, then=capped)


def _looked_up(call: LayerCall, x: Tensor, embeddings: Array) -> Tensor:
    y = call.emit(Embedding(), x, params={"embeddings": embeddings})
    if not call.config.bool("mask_zero", False):
        return y
    return y.masked(call.emit(NotEqual(value=0), x, part="mask").value)
