"""Files of Keras 1.2.2 against the answers that real Keras 1.2.2 gave.

No tensorflow of today runs it, so its answers are recorded: tests/recorded/keras1.py says how.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import layergraph as lg
from recordings import RECORDED, assert_as_recorded, edited, recording
from support import assert_close, keras_of

FILES = sorted(RECORDED.glob("keras1_*.h5"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
@pytest.mark.parametrize("optimize", [True, False], ids=["optimized", "plain"])
def test_as_keras_1_answered(path: Path, optimize: bool) -> None:
    assert_as_recorded(lg.Interpreter(path, optimize=optimize), path)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_inferred_types_and_ir_file(path: Path, tmp_path: Path) -> None:
    graph, (inputs, _) = lg.load(path), recording(path)
    for step in lg.Interpreter(graph, optimize=False).trace(*inputs):
        for type_, array in zip(step.node.types, step.outputs, strict=True):
            assert type_.accepts(array.shape), f"{step.name}: inferred {type_}, ran {array.shape}"
            assert type_.dtype == array.dtype.name
    lg.save(graph, tmp_path / "model.lg")
    assert_as_recorded(lg.Interpreter(tmp_path / "model.lg"), path)


def test_entries_of_keras_0(tmp_path: Path) -> None:
    """Before 1.0 an entry of a Sequential was its options, the class under ``name``."""

    def older(config: Any) -> Any:
        for i, entry in enumerate(config["config"]):
            options = dict(entry["config"])
            own = options.pop("name")
            config["config"][i] = {**options, "name": entry["class_name"], "custom_name": own}
        return config

    path = RECORDED / "keras1_words.h5"
    assert_as_recorded(lg.Interpreter(edited(path, tmp_path / "old.h5", older)), path)


def test_kernels_of_keras_1_1(tmp_path: Path) -> None:
    """Convolution1D stored ``(filters, channels, length, 1)`` before Keras 1.2."""
    path, old = RECORDED / "keras1_sequences.h5", tmp_path / "old.h5"
    old.write_bytes(path.read_bytes())
    with h5py.File(old, "r+") as file:
        for layer, group in file["model_weights"].items():
            if "convolution1d" in layer:
                name = group.attrs["weight_names"][0]
                kernel = group[name][()].transpose(3, 2, 0, 1)
                del group[name]
                group[name] = kernel
    assert_as_recorded(lg.Interpreter(old), path)


def full(config: Any) -> Any:
    for layer in config["config"]["layers"]:
        if layer["class_name"] in ("Convolution2D", "AtrousConvolution2D"):
            layer["config"]["border_mode"] = "full"
    return config


@pytest.mark.live
def test_full_borders_of_theano(tmp_path: Path) -> None:
    """No Theano runs today: ``full`` is by definition ``valid`` among enough zeros."""
    layers = keras_of("tf_keras").layers
    path = RECORDED / "keras1_images_last.h5"
    (x,), _ = recording(path)
    outputs = lg.Interpreter(edited(path, tmp_path / "full.h5", full))(x)
    with h5py.File(path) as file:
        listed = json.loads(file.attrs["model_config"])["config"]
        configs = {entry["name"]: entry["config"] for entry in listed["layers"]}
        for (name, *_), ours in zip(listed["output_layers"][:3], outputs, strict=False):
            config = configs[name]
            group = file["model_weights"][config["name"]]
            kernel, *bias = (group[name][()] for name in group.attrs["weight_names"])
            rate = config.get("atrous_rate", [1, 1])
            pads = [(n - 1) * r for n, r in zip(kernel.shape, rate, strict=False)]
            layer = layers.Conv2D(
                kernel.shape[-1], kernel.shape[:2], config["subsample"], dilation_rate=rate,
                activation=config["activation"], use_bias=bool(bias),
            )  # fmt: skip
            padded = layers.ZeroPadding2D(tuple(pads))(x)
            layer.build(padded.shape)
            layer.set_weights([kernel, *bias])
            assert_close(ours, np.asarray(layer(padded)))


def graph(config: Any) -> Any:
    return {"class_name": "Graph", "config": {"nodes": {}, "input_config": [], "node_config": []}}


def full_pooling(config: Any) -> Any:
    for layer in config["config"]["layers"]:
        if layer["class_name"] == "MaxPooling2D":
            layer["config"]["border_mode"] = "full"
    return config


def mixed(config: Any) -> Any:
    layers = [entry for entry in config["config"]["layers"] if "Conv" in entry["class_name"]]
    layers[0]["config"]["dim_ordering"] = "tf"
    return config


def coded(config: Any) -> Any:
    for layer in config["config"]["layers"]:
        if layer["class_name"] == "Merge":
            layer["config"].update(mode=["4wAAAA==", None, None], mode_type="lambda")
    return config


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("images_last", full_pooling, "padding='full'"),
        ("core", graph, r"Graph.*Keras 1\.0"),
        ("images_first", mixed, "dim_ordering"),
        ("merges", coded, "Python code"),
    ],
)
def test_refused(file: str, change: Any, message: str, tmp_path: Path) -> None:
    path = edited(RECORDED / f"keras1_{file}.h5", tmp_path / "model.h5", change)
    with pytest.raises(lg.UnsupportedError, match=message):
        lg.load(path)
