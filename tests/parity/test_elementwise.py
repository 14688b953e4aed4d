"""Layers that do nothing at inference, and Masking, beside real Keras."""

from __future__ import annotations

from typing import Any

from support import case, parity

SAME = {
    "Dropout": {"rate": 0.5},
    "SpatialDropout1D": {"rate": 0.5},
    "GaussianDropout": {"rate": 0.5},
    "GaussianNoise": {"stddev": 0.5},
    "AlphaDropout": {"rate": 0.5},
    "ActivityRegularization": {"l1": 0.1},
}

CASES = [
    *(
        case(f"{name}", lambda k, n=name, o=options: [k.layers.Masking(), getattr(k.layers, n)(**o), k.layers.GRU(3)], (6, 4), make="masked")
        for name, options in SAME.items()
    ),
    case("SpatialDropout2D", lambda k: k.layers.SpatialDropout2D(0.5), (6, 5, 4)),
    case("SpatialDropout3D", lambda k: k.layers.SpatialDropout3D(0.5), (6, 5, 4, 3)),
    case("Identity", lambda k: k.layers.Identity(), (6, 4), writers=("keras",)),
    case("masking zeroes the step", lambda k: k.layers.Masking(), (6, 4), make="masked"),
    case("masking by another value", lambda k: [k.layers.Masking(mask_value=0.0), k.layers.Dense(3), k.layers.SimpleRNN(2)], (6, 4), make="masked"),
]  # fmt: skip


@parity(CASES)
def test_elementwise(run: Any) -> None:
    """Same as Keras."""
    run()
