"""Files of keras.io 2.0 to 2.3 against the answers that these Kerases gave.

No tensorflow of today runs them, so their answers are recorded: tests/recorded/keras2.py says how.
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
from support import assert_close

FILES = sorted(RECORDED.glob("keras2??_*.h5"))
CODE = RECORDED / "keras224_code.h5"


@pytest.mark.parametrize("path", [p for p in FILES if p != CODE], ids=lambda p: p.stem)
def test_as_keras_2_answered(path: Path, tmp_path: Path) -> None:
    for optimize in (True, False):
        assert_as_recorded(lg.Interpreter(path, optimize=optimize), path)
    graph, (inputs, _) = lg.load(path), recording(path)
    for step in lg.Interpreter(graph, optimize=False).trace(*inputs):
        for type_, array in zip(step.node.types, step.outputs, strict=True):
            assert type_.accepts(array.shape), f"{step.name}: inferred {type_}, ran {array.shape}"
            assert type_.dtype == array.dtype.name
    lg.save(graph, tmp_path / "model.lg")
    assert_as_recorded(lg.Interpreter(tmp_path / "model.lg"), path)


def test_code_is_refused() -> None:
    with pytest.raises(lg.UnsupportedError, match=r"'squared' \(Lambda\).*Python code"):
        lg.load(CODE)


def test_bare_lists_of_layers() -> None:
    """Until 2.2.2 the config of a Sequential was a list; these files have them, nested too."""
    for stem in ("keras209_words", "keras216_words", "keras216_nested"):
        with h5py.File(RECORDED / f"{stem}.h5") as file:
            config = json.loads(file.attrs["model_config"])
        held = config["config"] if "words" in stem else config["config"]["layers"]
        inner = [entry for entry in held if entry["class_name"] == "Sequential"]
        assert inner
        assert all(isinstance(entry["config"], list) for entry in inner)


def test_gru_by_its_bias(tmp_path: Path) -> None:
    """A config that does not say ``reset_after``; the model of 2.2.4 has both kinds."""

    def unsaid(config: Any) -> Any:
        for entry in config["config"]["layers"]:
            entry["config"].pop("reset_after", None)
        return config

    path = RECORDED / "keras224_recurrent.h5"
    with h5py.File(path) as file:
        assert '"reset_after": true' in str(file.attrs["model_config"])
    assert_as_recorded(lg.Interpreter(edited(path, tmp_path / "model.h5", unsaid)), path)


def test_tf_keras_is_not_keras_io(tmp_path: Path) -> None:
    """What TensorFlow's Keras wrote as 2.2.4-tf does as that did: Bidirectional zeroes."""
    path = RECORDED / "keras224_bidirectional.h5"
    copy = edited(path, tmp_path / "model.h5", lambda config: config)
    with h5py.File(copy, "r+") as file:
        file.attrs["keras_version"] = file["model_weights"].attrs["keras_version"] = "2.2.4-tf"
    inputs, wanted = recording(path)
    outputs = lg.Interpreter(copy)(*inputs)
    masked = ~inputs[0].any(axis=-1)
    assert np.abs(wanted[2][masked]).max() > 0.01
    assert not outputs[2][masked].any()
    assert_close(outputs[2][~masked], wanted[2][~masked])
