"""Golden models through ONNX: what real Keras answered, without Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import layergraph as lg
from files import GOLDEN
from golden.compare import complaint, fed
from golden.structure import flat
from layergraph.ir.graph import flatten

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

RTOL = 1e-4
FILES = sorted(GOLDEN.glob("*/model.keras"))
OPSETS = (17, 18, 21)

each_file = pytest.mark.parametrize("file", FILES, ids=lambda path: path.parent.name)


def recorded(file: Path, what: str) -> dict[str, Any]:
    return load_file(file.with_name(f"{what}.safetensors"))


@each_file
def test_outputs_are_those_of_keras(file: Path) -> None:
    feeds, expected = recorded(file, "inputs"), recorded(file, "outputs")
    got = flat(lg.Interpreter(file, backend="onnxruntime")(fed(feeds)))
    assert set(got) == set(expected)
    for name, value in got.items():
        reason = complaint(value, expected[name], RTOL)
        assert not reason, f"output {name!r} {reason}"


@each_file
def test_batches_of_one_and_three(file: Path) -> None:
    graph = lg.load(file)
    ours, theirs = (lg.Interpreter(graph, backend=b) for b in ("numpy", "onnxruntime"))
    for rows in (1, 3):
        feeds = {n: np.resize(a, (rows, *a.shape[1:])) for n, a in recorded(file, "inputs").items()}
        structure = graph.output_structure
        pairs = zip(flatten(ours(fed(feeds)), structure), flatten(theirs(fed(feeds)), structure),
                    strict=True)  # fmt: skip
        for a, b in pairs:
            assert not complaint(b, a, RTOL)


@each_file
def test_files_pass_the_checker(file: Path, tmp_path: Path) -> None:
    """Names are Keras', the batch is free, and every opset is valid."""
    target = tmp_path / "model.onnx"
    for opset in OPSETS:
        graph = lg.convert(file, target, opset=opset, overwrite=True)
        onnx.checker.check_model(str(target), full_check=True)
        model = onnx.load(target)
        assert model.opset_import[0].version == opset
    assert [i.name for i in model.graph.input] == list(graph.inputs)
    assert [o.name for o in model.graph.output] == [str(v) for v in graph.outputs]
    for value in model.graph.input:
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch"
    named = {n.name for n in model.graph.node} | {n for m in model.graph.node for n in m.output}
    needed = graph.ancestors(v.node for v in graph.outputs)
    missing = [n.name for n in graph.layers if n.name in needed and n.name not in named]
    aliases = {"Identity", "Transpose"}
    assert {type(graph[name].op).__name__ for name in missing} <= aliases
