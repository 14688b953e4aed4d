"""Numeric preprocessing beside real Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from support import case, parity


def _layer(name: str, **options: Any) -> Any:
    return lambda k: getattr(k.layers, name)(**options)


BINS = {"bin_boundaries": [-1.0, 0.0, 1.5]}

KERAS = {"writers": ("keras",)}


def _normalized(k: Any) -> Any:
    layer = k.layers.Normalization(axis=(1, -1))
    layer.adapt(np.random.default_rng(0).normal(2, 3, (20, 2, 4, 3)).astype("float32"))
    return layer


def _adapted(k: Any, **options: Any) -> Any:
    layer = k.layers.Discretization(**options)
    layer.adapt(np.random.default_rng(0).normal(size=(300, 1)).astype("float32"))
    return layer


SCALES = [
    case("rescaling", _layer("Rescaling", scale=1 / 127.5, offset=-1.0), (6, 5, 3)),
    case("rescaling bytes", _layer("Rescaling", scale=1 / 255), (6, 5, 3), dtype="uint8"),
    case("rescaling channels", _layer("Rescaling", scale=[0.1, 0.2, 0.3], offset=[1.0, 2.0, 3.0]), (6, 5, 3)),
    # Neither Keras writes arrays to the JSON of an .h5 in a form it reads again.
    case("rescaling arrays", _layer("Rescaling", scale=np.array([0.1, 0.2, 0.3]), offset=np.array([[1.0], [2.0]])), (2, 3), containers=(".keras",)),
    case("normalization adapted", _layer("Normalization"), (6, 5)),
    case("normalization given", _layer("Normalization", axis=None, mean=2.0, variance=3.0), (6, 5)),
    case("normalization given channels", _layer("Normalization", mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0]), (6, 3)),
    case("normalization given one of all", _layer("Normalization", mean=2.0, variance=5.0), (6, 3)),
    case("normalization given rows", _layer("Normalization", axis=1, mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0]), (3, 4)),
    case("normalization given rows and channels", _layer("Normalization", axis=(-1, 1), mean=[[1.0, 2.0, 3.0], [0.5, 0.0, -2.0]], variance=[[4.0, 5.0, 6.0], [1.0, 2.0, 0.0]]), (2, 4, 3)),
    case("normalization given channels of two axes", _layer("Normalization", axis=(1, 3), mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0]), (2, 4, 3)),
    case("normalization adapted axes", _normalized, (2, 4, 3), weights=False),
    case("normalization adapted axis 1", _layer("Normalization", axis=1), (2, 4, 3)),
    case("normalization inverted", _layer("Normalization", invert=True), (6, 5), writers=("keras",)),
    case("normalization inverted given", _layer("Normalization", axis=1, invert=True, mean=[1.0, 2.0], variance=[4.0, 5.0]), (2, 5)),
    case("normalization of all", _layer("Normalization", axis=None), (6, 5)),
    case("normalization of integers", _layer("Normalization", mean=1.5, variance=3.0), (6, 5), dtype="int32"),
]  # fmt: skip

BINNED = [
    case("discretization", _layer("Discretization", **BINS), (6, 5)),
    case("discretization integers", _layer("Discretization", bin_boundaries=[2.5, 3.0, 7.0]), (6,), dtype="int32"),
    case("discretization doubles", _layer("Discretization", bin_boundaries=[0.1, 0.7]), (6,), dtype="float64", writers=("tf_keras",)),
    case("discretization nothing", _layer("Discretization", bin_boundaries=[]), (6,), writers=("tf_keras",)),
    case("discretization one hot", _layer("Discretization", output_mode="one_hot", **BINS), (1,)),
    case("discretization one hot of several", _layer("Discretization", output_mode="one_hot", **BINS), (6,), **KERAS),
    case("discretization multi hot", _layer("Discretization", output_mode="multi_hot", **BINS), (6,)),
    case("discretization multi hot of rank 3", _layer("Discretization", output_mode="multi_hot", **BINS), (6, 5), **KERAS),
    case("discretization count", _layer("Discretization", output_mode="count", **BINS), (6,)),
    case("discretization count of rank 3", _layer("Discretization", output_mode="count", **BINS), (6, 5), **KERAS),
    case("discretization adapted", lambda k: _adapted(k, num_bins=5), (6,), weights=False),
    case("discretization adapted one hot", lambda k: _adapted(k, num_bins=3, epsilon=0.05, output_mode="one_hot"), (1,), weights=False),
]  # fmt: skip

IDS = {"dtype": "int32"}

CATEGORIES = [
    case("category multi hot", _layer("CategoryEncoding", num_tokens=10), (4,), **IDS),
    case("category multi hot int64", _layer("CategoryEncoding", num_tokens=10), (4,), dtype="int64"),
    case("category multi hot of rank 3", _layer("CategoryEncoding", num_tokens=10), (4, 3), **KERAS, **IDS),
    case("category multi hot without axis", _layer("CategoryEncoding", num_tokens=10), (), batch0=False, **IDS),
    case("category beyond", _layer("CategoryEncoding", num_tokens=5), (4,), **KERAS, **IDS),
    case("category one hot beyond", _layer("CategoryEncoding", num_tokens=5, output_mode="one_hot"), (4,), **KERAS, **IDS),
    case("category one hot", _layer("CategoryEncoding", num_tokens=10, output_mode="one_hot"), (1,), **IDS),
    case("category one hot of several", _layer("CategoryEncoding", num_tokens=10, output_mode="one_hot"), (4,), **IDS, **KERAS),
    case("category count", _layer("CategoryEncoding", num_tokens=10, output_mode="count"), (4,), **IDS),
    case("category count of rank 3", _layer("CategoryEncoding", num_tokens=10, output_mode="count"), (4, 3), **IDS, **KERAS),
    case("category count float64", _layer("CategoryEncoding", num_tokens=10, output_mode="count", dtype="float64"), (4,), **IDS),
    case("category count int32", _layer("CategoryEncoding", num_tokens=10, output_mode="count", dtype="int32"), (4,), **IDS),
    case("category weights", lambda k, x, w: k.layers.CategoryEncoding(10, output_mode="count")(x, count_weights=w), [(4,), (4,)], dtype=("int32", "float32")),
    case("category weights of rank 3", lambda k, x, w: k.layers.CategoryEncoding(10, output_mode="count")(x, count_weights=w), [(4, 3), (4, 3)], dtype=("int32", "float32"), **KERAS),
    case("category sparse into dense", lambda k: [k.layers.CategoryEncoding(10, output_mode="count", sparse=True), k.layers.Dense(3)], (4,), writers=("tf_keras",), batch0=False, **IDS),
]  # fmt: skip


@parity([*SCALES, *BINNED, *CATEGORIES])
def test_preprocessing(run: Any) -> None:
    """Same as Keras."""
    run()
