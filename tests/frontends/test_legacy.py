"""Old files that no Keras of today writes, against what their own Keras answered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN
from layergraph.ir.graph import flatten
from support import assert_close

RECORDED = GOLDEN.parent / "recorded"
ARCHIVES = sorted(RECORDED.glob("*.keras"))


def assert_recorded(path: Path, beside: Path) -> None:
    with np.load(beside.with_suffix(".npz")) as arrays:
        inputs, wanted = (
            [arrays[f"{letter}{i}"] for i in range(sum(n[0] == letter for n in arrays.files))]
            for letter in "xy"
        )
    for optimize in (True, False):
        interpreter = lg.Interpreter(path, optimize=optimize)
        got = flatten(interpreter(*inputs), interpreter.graph.output_structure)
        for ours, keras in zip(got, wanted, strict=True):
            assert_close(ours, keras)


@pytest.mark.parametrize("path", ARCHIVES, ids=lambda p: p.stem)
def test_archives_of_tensorflow_2_12_to_2_15_and_keras_core(path: Path) -> None:
    """tests/recorded/archives.py says how they were made."""
    assert_recorded(path, path)
