"""Dense beside real Keras."""

from __future__ import annotations

from typing import Any

from support import case, parity

CASES = [
    case("plain", lambda k: k.layers.Dense(3), (5,)),
    case("no bias, tanh", lambda k: k.layers.Dense(3, use_bias=False, activation="tanh"), (5,)),
    case("softmax", lambda k: k.layers.Dense(7, activation="softmax"), (5,)),
    case("on rank 3", lambda k: k.layers.Dense(3, activation="relu"), (4, 5)),
    case("on rank 4", lambda k: k.layers.Dense(3), (4, 2, 5)),
    case("unknown middle", lambda k: k.layers.Dense(3), (4, 5), unknown=(0,)),
    case("deep", lambda k: [k.layers.Dense(6, activation="gelu"), k.layers.Dense(4, activation="elu"), k.layers.Dense(2)], (5,)),
    case("dropout between", lambda k: [k.layers.Dense(6), k.layers.Dropout(0.5), k.layers.Dense(2)], (5,)),
    case("einsum dense", lambda k: k.layers.EinsumDense("abc,cd->abd", output_shape=(None, 6), bias_axes="d"), (5, 4)),
    case("einsum dense two outputs", lambda k: k.layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 6), bias_axes="de", activation="relu"), (5, 4)),
    case("einsum dense ellipsis", lambda k: k.layers.EinsumDense("...x,xy->...y", output_shape=6, bias_axes="y"), (5, 4, 3)),
    case("einsum dense middle axis", lambda k: k.layers.EinsumDense("abc,bde->aecd", output_shape=(7, 4, 6), bias_axes="ed"), (5, 4)),
    case("einsum dense no bias", lambda k: k.layers.EinsumDense("ab,bc->ac", output_shape=6), (5,)),
    case("dense of whole numbers", lambda k, x: k.layers.Dense(3)(x), [(5, 4)], dtype="int32"),
]  # fmt: skip


@parity(CASES)
def test_linear(run: Any) -> None:
    """Same as Keras."""
    run()
