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
from files import GOLDEN
from layergraph.ir.graph import flatten
from support import assert_close

RECORDED = GOLDEN.parent / "recorded"
FILES = sorted(RECORDED.glob("keras1_*.h5"))


def recording(path: Path) -> tuple[list[Any], list[Any]]:
    """Inputs and outputs beside a model file."""
    with np.load(path.with_suffix(".npz")) as arrays:
        return tuple(  # type: ignore[return-value]
            [arrays[f"{letter}{i}"] for i in range(sum(n[0] == letter for n in arrays.files))]
            for letter in "xy"
        )


def assert_as_recorded(interpreter: lg.Interpreter, path: Path) -> None:
    inputs, wanted = recording(path)
    got = flatten(interpreter(*inputs), interpreter.graph.output_structure)
    assert len(got) == len(wanted)
    for name, ours, keras in zip(interpreter.outputs, got, wanted, strict=True):
        try:
            assert_close(ours, keras)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


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


def edited(path: Path, target: Path, change: Any) -> Path:
    """A copy of a file with another model config."""
    target.write_bytes(path.read_bytes())
    with h5py.File(target, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        file.attrs["model_config"] = json.dumps(change(config)).encode()
    return target


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
        if layer["class_name"] == "Convolution2D":
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
        ("images_last", full, "padding='full'"),
        ("images_first", mixed, "dim_ordering"),
        ("merges", coded, "Python code"),
    ],
)
def test_refused(file: str, change: Any, message: str, tmp_path: Path) -> None:
    path = edited(RECORDED / f"keras1_{file}.h5", tmp_path / "model.h5", change)
    with pytest.raises(lg.UnsupportedError, match=message):
        lg.load(path)
