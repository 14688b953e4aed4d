"""Golden models written for the other Keras: what the first one answered, it answers too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN, recorded
from golden.compare import complaint
from layergraph.ir.graph import flatten
from rewriting import answers, leaves, rewritten, same_graph

RTOL = 1e-5
QUICK = (
    "activations", "attention", "bidirectional_merges", "cnn", "dictionaries", "lstm",
    "masking_functional", "nested_shared", "several_inputs_and_outputs",
)  # fmt: skip
"""Models that every run of the tests converts; the others take `-m slow`."""


def files() -> list[Any]:
    """Golden models, each in the container of its Keras."""
    found = [*sorted(GOLDEN.glob("*-tfkeras/model.h5")),
             *sorted(GOLDEN.glob("*-keras3/model.keras"))]  # fmt: skip
    return [
        pytest.param(
            path,
            id=path.parent.name,
            marks=() if path.parent.name.startswith(QUICK) else pytest.mark.slow,
        )
        for path in found
    ]


OTHER = {".h5": ".keras", ".keras": ".h5"}

LOOSER = {"activations": 1e-4}
"""GELU far below zero is what is left of two numbers near 1, and Kerases differ there."""

each_file = pytest.mark.parametrize("file", files())


@pytest.mark.live
@each_file
def test_the_other_keras_answers_the_same(file: Path, tmp_path: Path) -> None:
    graph, golden = lg.load(file), recorded(file)
    target = tmp_path / f"model{OTHER[file.suffix]}"
    back = rewritten(graph, target)
    home = rewritten(back.graph, tmp_path / f"home{file.suffix}")
    first = graph if back.alike and home.alike else back.graph
    for found in (back.graph, home.graph):
        assert not (difference := same_graph(first, found)), difference
    feeds: dict[str, Any] = dict(zip(graph.inputs, golden.inputs.values(), strict=True))
    feeds = {name: golden.inputs.get(name, array) for name, array in feeds.items()}
    rtol = LOOSER.get(file.parent.name.partition("-")[0], RTOL)
    expected = list(golden.outputs.values())
    for rows in (1, None):
        given = {n: a if rows is None else np.resize(a, (rows, *a.shape[1:]))
                 for n, a in feeds.items()}  # fmt: skip
        ours = lg.Interpreter(graph)(given if len(given) > 1 else next(iter(given.values())))
        wanted = expected if rows is None else flatten(ours, graph.output_structure)
        found = answers(target, given, graph)
        for value, want in zip(found, wanted if rows else leaves(wanted), strict=True):
            assert not (reason := complaint(value, want, rtol)), reason


@each_file
def test_the_same_keras_reads_back_the_same_graph(file: Path, tmp_path: Path) -> None:
    graph = lg.load(file)
    back = rewritten(graph, tmp_path / f"model{file.suffix}")
    assert back.alike
    assert not (difference := same_graph(graph, back.graph)), difference
