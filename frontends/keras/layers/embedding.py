"""Embedding."""

from __future__ import annotations

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import NotEqual
from layergraph.ir.ops.embedding import Embedding


@reads("Embedding", masking="own")
def embedding(call: LayerCall) -> Tensor:
    """keras/src/layers/core/embedding.py."""
    x, config = call.input(), call.config
    config.ignore("input_length", "sparse")
    shape = (config.int("input_dim"), config.int("output_dim"))
    y = call.emit(Embedding(), x, params=call.weights(embeddings=shape))
    if not config.bool("mask_zero", False):
        return y
    return y.masked(call.emit(NotEqual(value=0), x, part="mask").value)
