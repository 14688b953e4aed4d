"""Keras files made by others, with the answers of the Keras that belongs to them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from layergraph.ir.types import Array
from layergraph.tools.flat import flat
from study.datasets import ROOT

MODELS = Path(os.environ.get("LAYERGRAPH_MODELS") or ROOT.parent / "shared" / "models")
FOLDERS = sorted(path.parent for path in MODELS.glob("*/*/case.json"))
# Relative to the largest value of the output.
RTOL = 1e-5
# Recordings that cannot be the answers of the file beside them.
WRONG = {
    "modelimport__keras__examples__simple_lstm__simple_lstm_tf_keras_2_model": "recorded outputs "
    "reach 94; the file's Dense weights allow at most 30, and live tf-keras answers as we do",
}


def case(folder: Path) -> Any:
    """A folder as a row of the test; a wrong recording must go on failing."""
    reason = WRONG.get(folder.name, "")
    marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
    return pytest.param(folder, id=folder.name, marks=marks)


def numbered(arrays: Any, letter: str) -> list[Array]:
    """The arrays `x0, x1, ...` or `y0, y1, ...` of an io.npz."""
    return [
        arrays[f"{letter}{number}"]
        for number in range(sum(name[0] == letter for name in arrays.files))
    ]


def answers(interpreter: lg.Interpreter, inputs: list[Array]) -> list[Array]:
    """Outputs for all rows; in batches of the size that the file fixes, if it does."""
    first = next(iter(interpreter.inputs.values())).shape[0]
    size = first or len(inputs[0])
    parts = [
        list(flat(interpreter(*(array[start : start + size] for array in inputs))).values())
        for start in range(0, len(inputs[0]), size)
    ]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


@pytest.mark.parametrize("folder", [case(folder) for folder in FOLDERS])
def test_answers_as_recorded(folder: Path) -> None:
    model = next(folder.glob("model.*"))
    with np.load(folder / "io.npz") as arrays:
        inputs, expected = numbered(arrays, "x"), numbered(arrays, "y")
    got = answers(lg.Interpreter(model), inputs)
    assert len(got) == len(expected)
    for number, (ours, theirs) in enumerate(zip(got, expected, strict=True)):
        assert ours.shape == theirs.shape
        difference = float(np.abs(ours.astype(np.float64) - theirs).max())
        assert difference <= RTOL * float(np.abs(theirs).max()), (
            f"output {number} differs by {difference:.3g}"
        )


@pytest.mark.skipif(bool(FOLDERS), reason="the models are there")
def test_models_are_there() -> None:
    pytest.skip(
        f"{MODELS} holds no models; set LAYERGRAPH_MODELS to the folder of third-party Keras files"
    )
