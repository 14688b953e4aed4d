"""The golden models as ONNX files: what real Keras answered, in onnxruntime."""

from __future__ import annotations

from pathlib import Path

import pytest

import layergraph as lg
from files import GOLDEN, recorded
from golden.compare import fed
from layergraph.backends.onnx.model import to_bytes
from layergraph.tools.flat import flat
from support import assert_close

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

FILES = sorted(p for p in GOLDEN.glob("*/model.*") if p.suffix in (".keras", ".h5"))
RTOL = 1e-4


@pytest.mark.parametrize("file", FILES, ids=lambda p: f"{p.parent.name}{p.suffix}")
def test_onnxruntime_answers_as_keras_did(file: Path) -> None:
    graph = lg.load(file)
    written = onnx.load_from_string(to_bytes(graph, graph.outputs))
    onnx.checker.check_model(written, full_check=True)
    golden = recorded(file)
    run = lg.Interpreter(graph, backend="onnxruntime")
    rows = min(a.shape[0] for a in golden.inputs.values())
    for batch in sorted({1, min(3, rows), rows}):
        found = flat(run(fed({name: a[:batch] for name, a in golden.inputs.items()})))
        for name, wanted in golden.outputs.items():
            assert_close(found[name], wanted[:batch], RTOL)
