"""Numeric preprocessing beside real Keras."""

from __future__ import annotations

from typing import Any

from support import case, parity


def _layer(name: str, **options: Any) -> Any:
    return lambda k: getattr(k.layers, name)(**options)


BINS = {"bin_boundaries": [-1.0, 0.0, 1.5]}

CASES = [
    case("rescaling", _layer("Rescaling", scale=1 / 127.5, offset=-1.0), (6, 5, 3)),
    case("rescaling bytes", _layer("Rescaling", scale=1 / 255), (6, 5, 3), dtype="uint8"),
    case("rescaling channels", _layer("Rescaling", scale=[0.1, 0.2, 0.3], offset=[1.0, 2.0, 3.0]), (6, 5, 3)),
    case("normalization adapted", _layer("Normalization"), (6, 5)),
    case("normalization given", _layer("Normalization", axis=None, mean=2.0, variance=3.0), (6, 5)),
    case("normalization given channels", _layer("Normalization", mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0]), (6, 3)),
    case("normalization inverted", _layer("Normalization", invert=True), (6, 5), writers=("keras",)),
    case("normalization of all", _layer("Normalization", axis=None), (6, 5)),
    case("discretization", _layer("Discretization", **BINS), (6, 5)),
    case("discretization one hot", _layer("Discretization", output_mode="one_hot", **BINS), (1,)),
    case("discretization multi hot", _layer("Discretization", output_mode="multi_hot", **BINS), (6,)),
    case("discretization count", _layer("Discretization", output_mode="count", **BINS), (6,)),
    case("category multi hot", _layer("CategoryEncoding", num_tokens=10), (4,), dtype="int32"),
    case("category one hot", _layer("CategoryEncoding", num_tokens=10, output_mode="one_hot"), (1,), dtype="int32"),
    case("category one hot of several", _layer("CategoryEncoding", num_tokens=10, output_mode="one_hot"), (4,), dtype="int32", writers=("keras",)),
    case("category count", _layer("CategoryEncoding", num_tokens=10, output_mode="count"), (4,), dtype="int32"),
]  # fmt: skip


@parity(CASES)
def test_preprocessing(run: Any) -> None:
    """Same as Keras."""
    run()
