"""Embedding beside real Keras, and the index that is outside the table."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from layergraph.ir.build import Builder
from layergraph.ir.ops.embedding import Embedding
from layergraph.ir.types import TensorType
from support import case, parity


def _reversed(k: Any, x: Any, **options: Any) -> Any:
    """Looks rows up and projects back onto them."""
    layer = k.layers.ReversibleEmbedding(10, 4, **options)
    y = layer(x)
    return [layer(k.layers.GRU(4, return_sequences=True)(y), reverse=True), y]


CASES = [
    case("reversible", _reversed, (7,), dtype="int32", writers=("keras",)),
    case("reversible, untied, capped, masked", partial(_reversed, tie_weights=False, logit_soft_cap=1.5, mask_zero=True), (7,), dtype="int32", writers=("keras",)),
    case("reversible in float16", partial(_reversed, reverse_dtype="float16"), (7,), dtype="int32", writers=("keras",), rtol=2e-3),  # two float16 products
    case("int ids", lambda k: k.layers.Embedding(10, 4), (7,), dtype="int32"),
    case("float ids", lambda k: k.layers.Embedding(10, 4), (7,), make="ids"),
    case("matrix of ids", lambda k: k.layers.Embedding(10, 4), (7, 3), dtype="int32"),
    case("mask into lstm", lambda k: [k.layers.Embedding(10, 4, mask_zero=True), k.layers.LSTM(3)], (7,), dtype="int32"),
    case("mask into mean", lambda k: [k.layers.Embedding(10, 4, mask_zero=True), k.layers.GlobalAveragePooling1D()], (7,), dtype="int32"),
    case("mask through dropout and dense", lambda k: [k.layers.Embedding(10, 4, mask_zero=True), k.layers.Dropout(0.2), k.layers.Dense(3), k.layers.GRU(2, return_sequences=True)], (7,), dtype="int32"),
]  # fmt: skip


@parity(CASES)
def test_embedding(run: Any) -> None:
    """Same as Keras."""
    run()


@pytest.mark.parametrize("index", [-1, 3, 100])
def test_an_index_outside_the_table_is_refused(index: int) -> None:
    """Neither wrapped nor clipped: the ids were made for another model."""
    build = Builder()
    x = build.input("x", TensorType((None, 2), "int32"))
    (y,) = build.add("y", Embedding(), [x], {"embeddings": np.ones((3, 4), "float32")})
    interp = lg.Interpreter(build.graph(outputs=[y]), optimize=False)
    with pytest.raises(lg.InputError, match=f"asked for row {index}"):
        interp(np.array([[0, index]]))
