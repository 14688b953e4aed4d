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
]  # fmt: skip


@parity(CASES)
def test_linear(run: Any) -> None:
    """Same as Keras."""
    run()
