"""Graphs that compute in another float dtype, and bfloat16 with and without its package."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import layergraph as lg
from layergraph.ir.build import Builder
from layergraph.ir.narrow import rounded_to_bfloat16, rounded_to_float8
from layergraph.ir.ops.elementwise import Cast, Unary
from layergraph.ir.ops.linear import Dense
from layergraph.ir.passes.recast import recast
from layergraph.ir.types import TensorType, numpy_dtype, promote

X = np.linspace(-3, 3, 12, dtype="float64").reshape(3, 4)


def network(dtype: str = "float32") -> lg.Graph:
    """A layer that meets whole numbers, a cast and an activation."""
    build = Builder()
    x = build.input("x", TensorType((None, 4), dtype))
    kernel = np.linspace(-1, 1, 8).reshape(4, 2).astype(numpy_dtype(dtype))
    (y,) = build.add("dense", Dense(), [x], {"kernel": kernel})
    (whole,) = build.add("whole", Cast(dtype="int32"), [y])
    (back,) = build.add("back", Cast(dtype=dtype), [whole])
    (z,) = build.add("tanh", Unary(kind="tanh"), [y])
    return build.graph(outputs=[z, whole, back])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_every_float_changes_and_whole_numbers_stay(dtype: str) -> None:
    pytest.importorskip("ml_dtypes")
    graph = recast(network(), dtype)
    assert {node.name: node.types[0].dtype for node in graph} == {
        "x": dtype, "dense": dtype, "whole": "int32", "back": dtype, "tanh": dtype,
    }  # fmt: skip
    for optimize in (True, False):
        results = lg.Interpreter(network(), dtype=dtype, optimize=optimize)(X)
        assert [r.dtype.name for r in results] == [dtype, "int32", dtype]
        exact = np.tanh(X @ network()["dense"].params["kernel"].astype("float64"))
        digits = {"float16": 2**-10, "bfloat16": 2**-7, "float32": 2**-22, "float64": 2**-50}
        assert np.abs(results[0].astype("float64") - exact).max() <= 2 * digits[dtype]


def test_shared_parameters_stay_shared() -> None:
    build = Builder()
    x = build.input("x", TensorType((None, 4)))
    kernel = np.eye(4, dtype="float32")
    (y,) = build.add("one", Dense(), [x], {"kernel": kernel})
    (z,) = build.add("two", Dense(), [y], {"kernel": kernel})
    graph = recast(build.graph(outputs=[z]), "float64")
    assert graph["one"].params["kernel"] is graph["two"].params["kernel"]
    assert graph["one"].params["kernel"].dtype == np.float64


def test_no_such_dtype() -> None:
    with pytest.raises(lg.GraphError, match="no float dtype 'int32'"):
        recast(network(), "int32")


def test_halves_round_once_a_node() -> None:
    """A sum of many products in float16 would drift; in float32 it is the nearest half."""
    build = Builder()
    x = build.input("x", TensorType((None, 4096), "float16"))
    kernel = np.full((4096, 1), 0.01, "float16")
    (y,) = build.add("dense", Dense(), [x], {"kernel": kernel})
    ones = np.ones((1, 4096), "float16")
    found = lg.Interpreter(build.graph(outputs=[y]))(ones)
    assert found.dtype == np.float16
    assert found[0, 0] == np.float16(4096 * float(np.float16(0.01)))


def test_what_is_too_large_for_a_half_is_infinite() -> None:
    found = lg.Interpreter(network(), dtype="float16").run(["x"], {"x": X * 1e5})
    assert np.isinf(found[0]).any()


def test_an_ir_file_keeps_halves(tmp_path: Path) -> None:
    pytest.importorskip("ml_dtypes")
    for dtype in ("float16", "bfloat16"):
        graph = recast(network(), dtype)
        lg.save(graph, tmp_path / "half.lg")
        back = lg.load(tmp_path / "half.lg")
        assert back["dense"].params["kernel"].dtype.name == dtype
        assert str(back) == str(graph)
        assert lg.load(tmp_path / "half.lg", dtype="float32")["dense"].types[0].dtype == "float32"


def test_bfloat16_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(lg.UnsupportedError, match=r"pip install 'layergraph\[bfloat16\]'"):
        recast(network(), "bfloat16")


def test_narrow_floats_against_the_package_that_has_them() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    rng = np.random.default_rng(0)
    x = (rng.normal(0, 1, 4000) * 2.0 ** rng.integers(-14, 9, 4000)).astype("float32")
    x = np.concatenate([x, -x, np.float32([0, 2**-9, 2**-10, 1.5 * 2**-9, 464, 448, 1e9])])
    wanted = np.clip(x, -448, 448).astype(ml_dtypes.float8_e4m3fn).astype("float32")
    assert np.array_equal(rounded_to_float8(x), wanted)
    assert np.array_equal(rounded_to_bfloat16(x), x.astype(ml_dtypes.bfloat16).astype("float32"))


@pytest.mark.parametrize(
    ("one", "two", "common"),
    [
        ("float16", "bfloat16", "float32"),
        ("bfloat16", "int32", "bfloat16"),
        ("uint32", "int32", "int64"),
        ("uint8", "int8", "int16"),
    ],
)
def test_dtypes_meet(one: str, two: str, common: str) -> None:
    assert promote(one, two) == promote(two, one) == common
