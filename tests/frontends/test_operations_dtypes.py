"""Dtypes of operations beside real Keras: promotion, Python numbers, complex numbers."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import layergraph as lg
from layergraph.ir.build import Builder
from layergraph.ir.ops.merge import Merge
from layergraph.ir.types import COMPLEX, DTYPES, promote
from support import keras_of

PYTHON = {"int": int, "float": float}
NUMBERS = [name for name in dict.fromkeys([*DTYPES, "bfloat16"]) if name != "string"]


@pytest.mark.live
def test_every_pair_of_dtypes_promotes_as_in_keras() -> None:
    result_type = keras_of("keras").backend.result_type
    names = {*NUMBERS, *PYTHON}
    for pair in itertools.product(sorted(names), repeat=2):
        wanted = result_type(*(PYTHON.get(name, name) for name in pair))
        assert promote(*pair) == wanted, pair


@pytest.mark.live
def test_triples_and_single_dtypes_promote_as_in_keras() -> None:
    result_type = keras_of("keras").backend.result_type
    names = list(NUMBERS)
    for several in [(n,) for n in names] + list(itertools.combinations(names, 3)):
        assert promote(*several) == result_type(*several), several


@pytest.mark.parametrize("dtype", COMPLEX)
def test_complex_constants_survive_the_ir_file(dtype: str, tmp_path: Path) -> None:
    build = Builder()
    values = [np.array(2 + 3j, dtype), np.array([[1j, -2], [0, 1 - 1j]], dtype)[:, ::-1]]
    scalar, matrix = (build.constant(f"c{i}", v) for i, v in enumerate(values))
    (y,) = build.add("y", Merge(kind="multiply"), [scalar, matrix])
    lg.save(build.graph(outputs=[y]), tmp_path / "model.lg")
    back = lg.load(tmp_path / "model.lg")
    assert [back[n].params["value"].dtype.name for n in ("c0", "c1")] == [dtype, dtype]
    assert np.array_equal(lg.Interpreter(back)(), values[0] * values[1])
