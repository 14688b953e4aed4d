"""Normalisation beside real Keras."""

from __future__ import annotations

from typing import Any

from support import case, parity

CASES = [
    case("batch norm", lambda k: k.layers.BatchNormalization(), (5, 4)),
    case("batch norm images", lambda k: k.layers.BatchNormalization(epsilon=1e-2), (6, 5, 4)),
    case("batch norm first axis", lambda k: k.layers.BatchNormalization(axis=1), (6, 5, 4)),
    case("batch norm no scale", lambda k: k.layers.BatchNormalization(scale=False), (4,)),
    case("batch norm no center", lambda k: k.layers.BatchNormalization(center=False), (4,)),
    case("batch norm frozen", lambda k: k.layers.BatchNormalization(trainable=False), (4,)),
    case("conv, batch norm, relu", lambda k: [k.layers.Conv2D(4, 3, use_bias=False), k.layers.BatchNormalization(), k.layers.ReLU()], (7, 6, 3)),
    case("dense, batch norm", lambda k: [k.layers.Dense(4), k.layers.BatchNormalization()], (5,)),
    case("layer norm", lambda k: k.layers.LayerNormalization(), (5, 4)),
    case("layer norm two axes", lambda k: k.layers.LayerNormalization(axis=[1, 2], epsilon=1e-2), (5, 4)),
    case("layer norm first axis", lambda k: k.layers.LayerNormalization(axis=1), (5, 4)),
    case("layer norm plain", lambda k: k.layers.LayerNormalization(scale=False, center=False), (5, 4)),
]  # fmt: skip


@parity(CASES)
def test_normalization(run: Any) -> None:
    """Same as Keras."""
    run()
