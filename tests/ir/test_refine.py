"""Sizes that the caller knows and the model does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN
from layergraph.ir.build import Builder
from layergraph.ir.check import validate
from layergraph.ir.ops.linear import Dense
from layergraph.ir.ops.shape import Flatten, Reshape
from layergraph.ir.refine import refined
from layergraph.ir.types import TensorType
from layergraph.tools.convert import sample

GRAPHS = sorted(p for p in GOLDEN.glob("*/model.*") if p.suffix in (".keras", ".h5"))


def flat() -> lg.Graph:
    """A Dense on a flattened image of unknown height."""
    build = Builder()
    x = build.input("image", TensorType((None, None, 3)))
    (flat,) = build.add("flat", Flatten(), [x])
    kernel = np.ones((12, 5), "float32")
    (dense,) = build.add("dense", Dense(), [flat], {"kernel": kernel})
    (rows,) = build.add("rows", Reshape(target_shape=(-1, 2, 3)), [x])
    return build.graph(outputs=[dense, rows])


@pytest.mark.parametrize("path", GRAPHS, ids=lambda p: f"{p.parent.name}{p.suffix}")
def test_a_fixed_batch_computes_the_same(path: Any) -> None:
    graph = lg.load(path)
    fixed = refined(graph, batch=3)
    validate(fixed)
    for value in fixed.outputs:
        assert fixed.type_of(value).shape[0] == 3
    feeds = sample(graph)
    wanted, found = (lg.Interpreter(g).run(None, feeds) for g in (graph, fixed))
    assert all(np.array_equal(a, b) for a, b in zip(wanted, found, strict=True))
    assert [n.name for n in fixed] == [n.name for n in graph]


def test_sizes_reach_every_node() -> None:
    graph = flat()
    assert str(graph["rows"].types[0]) == "float32[?, ?, 2, 3]"
    found = refined(graph, {"image": (None, 4, None)})
    assert str(found["flat"].types[0]) == "float32[?, 12]"
    assert str(found["rows"].types[0]) == "float32[?, 2, 2, 3]"
    assert str(graph["flat"].types[0]) == "float32[?, ?]"
    both = refined(graph, {"image": (None, 4, 3)}, batch=2)
    assert str(both["rows"].types[0]) == "float32[2, 2, 2, 3]"


@pytest.mark.parametrize(
    ("shapes", "batch", "said"),
    [
        ({"image": (None, 4, 5)}, None, r"input 'image' is \(\?, \?, 3\), which \(\?, 4, 5\)"),
        ({"image": (None, 4)}, None, "contradicts"),
        ({"image": (7, 4, 3)}, 8, "contradicts"),
        ({"image": (None, 0, 3)}, None, "at least 1"),
        ({"imag": (None, 4, 3)}, None, "did you mean 'image'"),
        ({"image": (None, 5, 3)}, None, "'dense'.*15"),
    ],
)
def test_what_contradicts_is_one_error(shapes: Any, batch: Any, said: str) -> None:
    with pytest.raises(lg.GraphError, match=said):
        refined(flat(), shapes, batch=batch)
