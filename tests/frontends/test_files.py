"""Files that cannot be read: one typed error each, which names the cause and the way out."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import layergraph as lg
from files import copy_h5, copy_keras, reconfigured, rezipped, unzipped


def refuses(path: Path, *words: str, error: type[Exception] = lg.FileFormatError) -> None:
    """Loading gives one sentence that names the file and has the words."""
    with pytest.raises(error) as caught:
        lg.load(path)
    message = str(caught.value)
    assert message.startswith(str(path)), message
    assert "\n" not in message
    for word in words:
        assert word in message, f"{word!r} is not in: {message}"


def test_content_decides_not_the_extension(tmp_path: Path) -> None:
    path = copy_h5(tmp_path).rename(tmp_path / "model.keras")
    assert lg.load(path).origin.container == "h5"
    (tmp_path / "other").mkdir()
    path = copy_keras(tmp_path / "other").rename(tmp_path / "model.bin")
    assert lg.load(path).origin.container == "keras"


def test_folder(tmp_path: Path) -> None:
    folder = unzipped(tmp_path)
    graph = lg.load(folder)
    assert graph.origin.container == "folder"
    assert len(graph) == len(lg.load(copy_keras(tmp_path)))


def test_missing(tmp_path: Path) -> None:
    refuses(tmp_path / "nope.h5", "no such file", "check the path")


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.h5").touch()
    refuses(tmp_path / "empty.h5", "empty")


def test_fifo_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refuses(tmp_path / "pipe", "neither a file nor a folder")


def test_random_bytes(tmp_path: Path) -> None:
    (tmp_path / "noise.h5").write_bytes(np.random.default_rng(0).bytes(5000))
    refuses(tmp_path / "noise.h5", "not")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"version https://git-lfs.github.com\n", ["LFS", "git lfs pull"], id="LFS"),
        pytest.param(pickle.dumps({"a": 1}), ["pickle", "ever unpickled"], id="pickle"),
        pytest.param(b"<!DOCTYPE html><html>", ["web page", "download"], id="web page"),
        pytest.param(b"\x20\x00\x00\x00TFL3", ["TensorFlow Lite"], id="tflite"),
        pytest.param(b"\x1f\x8b\x08", ["gzip", "unpack"], id="gzip"),
        pytest.param(b'{"class_name": "Sequential"}', ["architecture"], id="architecture"),
        pytest.param(b"\x93NUMPY", ["NumPy array"], id="npy"),
    ],
)  # fmt: skip
def test_other_kinds_are_named(tmp_path: Path, data: bytes, words: list[str]) -> None:
    (tmp_path / "model.h5").write_bytes(data)
    refuses(tmp_path / "model.h5", *words)


@pytest.mark.parametrize("keep", [8, 100, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("copy", [copy_h5, copy_keras])
def test_cut_off(tmp_path: Path, copy: Any, keep: float) -> None:
    path = copy(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep > 1 else keep * len(data))])
    refuses(path, "fetch the file again")


def test_weights_only(tmp_path: Path) -> None:
    path = copy_h5(tmp_path)
    with h5py.File(path, "r+") as file:
        del file.attrs["model_config"]
    refuses(path, "weights")


def test_config_without_weights(tmp_path: Path) -> None:
    path = copy_h5(tmp_path)
    with h5py.File(path, "r+") as file:
        del file["model_weights"]
    refuses(path, "no weights")


def test_weight_of_another_shape(tmp_path: Path) -> None:
    path = copy_h5(tmp_path)

    def more_units(config: dict[str, Any]) -> None:
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "LSTM":
                layer["config"]["units"] = 5

    refuses(reconfigured(path, more_units), "read", "(3, 20)", "(3, 16)")


def test_weights_of_another_model(tmp_path: Path) -> None:
    path = copy_h5(tmp_path)
    with h5py.File(path, "r+") as file:
        file["model_weights"].create_group("stranger").attrs["weight_names"] = [b"s/kernel:0"]
        file["model_weights/stranger"].create_dataset("s/kernel:0", data=np.ones(3, "f4"))
        names = list(file["model_weights"].attrs["layer_names"])
        file["model_weights"].attrs["layer_names"] = [*names, "stranger"]
    refuses(path, "stranger")


def test_missing_array(tmp_path: Path) -> None:
    path = copy_h5(tmp_path)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/read"]
        group.attrs["weight_names"] = list(group.attrs["weight_names"])[:2]
    refuses(path, "read", "2", "3")


def test_config_is_not_json(tmp_path: Path) -> None:
    refuses(rezipped(tmp_path, config_json=b"{"), "config.json", "not JSON")


def test_config_is_not_a_model(tmp_path: Path) -> None:
    refuses(rezipped(tmp_path, config_json=b"[]"), "no model")


def test_archive_without_metadata(tmp_path: Path) -> None:
    folder = unzipped(tmp_path)
    (folder / "metadata.json").unlink()
    refuses(folder, "metadata.json", "version")


def unsupported(path: Path, *words: str) -> tuple[Any, ...]:
    with pytest.raises(lg.UnsupportedError) as caught:
        lg.load(path)
    message = str(caught.value)
    for word in (str(path), *words):
        assert word in message, f"{word!r} is not in: {message}"
    return caught.value.items


def test_every_unknown_layer_is_listed_at_once(tmp_path: Path) -> None:
    def strange(config: dict[str, Any]) -> None:
        for layer in config["config"]["layers"]:
            if layer["class_name"] in ("LSTM", "Concatenate"):
                layer["class_name"] = "Strange" + layer["class_name"]

    path = reconfigured(copy_h5(tmp_path), strange)
    items = unsupported(path, "StrangeLSTM", "StrangeConcatenate")
    assert {(i.layer, i.class_name) for i in items} == {
        ("read", "StrangeLSTM"),
        ("joined", "StrangeConcatenate"),
    }


def test_lambda_is_not_run(tmp_path: Path) -> None:
    def with_lambda(config: dict[str, Any]) -> None:
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "LSTM":
                layer["class_name"] = "Lambda"
                layer["config"] = {"name": "read", "function": ["4wEAAAAAAAAA", None, None]}

    (item,) = unsupported(reconfigured(copy_h5(tmp_path), with_lambda), "'read'", "Lambda")
    assert "ever executed" in item.reason
    assert item.remedy == "say what it computes: load(path, layers={'read': function})"


def test_subclassed_model(tmp_path: Path) -> None:
    config = {"class_name": "MyModel", "module": "my.code", "config": {"units": 3}}
    path = rezipped(tmp_path, config_json=json.dumps(config).encode())
    (item,) = unsupported(path, "MyModel", "subclassed")
    assert "keras.Model(inputs, model(inputs))" in item.remedy


def test_module_of_the_file_is_not_imported(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def custom(config: dict[str, Any]) -> None:
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "LSTM":
                layer.update(class_name="Evil", module="evil", registered_name="evil>Evil")

    unsupported(reconfigured(copy_h5(tmp_path), custom), "evil", "custom class")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"dimension_separator": "/"}, ["dimension_separator='/'"], id="unknown"),
        pytest.param({"activation": "my_function"}, ["activation='my_function'"], id="activation"),
        pytest.param({"dtype": "strange16"}, ["strange16"], id="policy"),
        pytest.param({"units": "many"}, ["units='many'", "whole number"], id="wrong kind"),
    ],
)  # fmt: skip
def test_options(tmp_path: Path, options: dict[str, Any], words: list[str]) -> None:
    def change(config: dict[str, Any]) -> None:
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "LSTM":
                layer["config"].update(options)

    unsupported(reconfigured(copy_h5(tmp_path), change), "'read' (LSTM)", *words)


def test_call_with_training(tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "LSTM":
                layer["inbound_nodes"][0][0][3]["training"] = True
                layer["config"]["dropout"] = 0.5

    unsupported(reconfigured(copy_h5(tmp_path), change), "training=True")


def test_sparse_input(tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][0]["config"]["sparse"] = True

    unsupported(reconfigured(copy_h5(tmp_path), change), "sparse", "dense")


def test_layers_that_wait_for_each_other(tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        layers = {layer["name"]: layer for layer in config["config"]["layers"]}
        layers["embedding"]["inbound_nodes"] = [[["read", 0, 0, {}]]]

    refuses(reconfigured(copy_h5(tmp_path), change), "wait for each other")


def test_connection_that_does_not_fit(tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][0]["config"]["batch_input_shape"] = [None, 6, 2]

    refuses(reconfigured(copy_h5(tmp_path), change), "'read' (LSTM)", "does not fit")
