"""Dense beside real Keras."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import layergraph as lg
from support import assert_close, case, keras_of, parity

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


@pytest.mark.live
@pytest.mark.parametrize("threshold", [None, 0.3, 0.0])
@pytest.mark.parametrize("use_bias", [True, False])
def test_ternary_dense(threshold: float | None, use_bias: bool, tmp_path: Path) -> None:
    """No released Keras has the layer; its formula, in float64, is the definition's."""
    keras = keras_of("keras")
    options = {"use_bias": use_bias, "activation": "tanh", "name": "ternary"}
    model = keras.Sequential([keras.layers.Input((4, 5)), keras.layers.Dense(3, **options)])
    rng = np.random.default_rng(0)
    weights = [rng.normal(0, 0.5, w.shape).astype("float32") for w in model.get_weights()]
    model.set_weights(weights)
    model.save(tmp_path / "dense.keras")
    path = tmp_path / "ternary.keras"
    with zipfile.ZipFile(tmp_path / "dense.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                (layer,) = (d for d in config["config"]["layers"] if d["class_name"] == "Dense")
                layer["class_name"] = "TernaryDense"
                layer["config"].pop("quantization_config", None)
                layer["config"]["threshold"] = threshold
                data = json.dumps(config).encode()
            new.writestr(name, data)
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        for i, array in enumerate(weights):
            file[f"layers/ternary_dense/vars/{i}"] = array
    _replace(path, "model.weights.h5", path.with_suffix(".h5").read_bytes())
    kernel = weights[0].astype("float64")
    mean = np.abs(kernel).mean()
    bound, factor = (0.5 * mean, mean) if threshold is None else (threshold, 1.0)
    x = rng.normal(0, 1, (2, 4, 5)).astype("float32")
    y = x @ (np.sign(kernel) * (np.abs(kernel) > bound)) * factor
    y = np.tanh(y + weights[1] if use_bias else y).astype("float32")
    assert_close(lg.Interpreter(path)(x), y)


def _replace(path: Path, member: str, data: bytes) -> None:
    """One member of an archive in place of another."""
    with zipfile.ZipFile(path) as archive:
        kept = {n: archive.read(n) for n in archive.namelist() if n != member}
    with zipfile.ZipFile(path, "w") as archive:
        for name, held in {**kept, member: data}.items():
            archive.writestr(name, held)
