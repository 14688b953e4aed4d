"""Answers of old Kerases, recorded beside their model files: tests/recorded/*.py say how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import layergraph as lg
from files import GOLDEN
from layergraph.ir.graph import flatten
from support import assert_close

RECORDED = GOLDEN.parent / "recorded"


def recording(path: Path) -> tuple[list[Any], list[Any]]:
    """Inputs and outputs beside a model file."""
    with np.load(path.with_suffix(".npz")) as arrays:
        return tuple(  # type: ignore[return-value]
            [arrays[f"{letter}{i}"] for i in range(sum(n[0] == letter for n in arrays.files))]
            for letter in "xy"
        )


def assert_as_recorded(interpreter: lg.Interpreter, path: Path) -> None:
    """Every output is as Keras answered."""
    inputs, wanted = recording(path)
    got = flatten(interpreter(*inputs), interpreter.graph.output_structure)
    assert len(got) == len(wanted)
    for name, ours, keras in zip(interpreter.outputs, got, wanted, strict=True):
        try:
            assert_close(ours, keras)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


def edited(path: Path, target: Path, change: Any) -> Path:
    """A copy of a file with another model config."""
    target.write_bytes(path.read_bytes())
    with h5py.File(target, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        file.attrs["model_config"] = json.dumps(change(config)).encode()
    return target
