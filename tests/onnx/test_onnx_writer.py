"""What is written: layers by name, transposes at the border, whole files or none."""

from __future__ import annotations

import sys
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN
from layergraph.backends.onnx.model import to_bytes, write
from layergraph.backends.onnx.session import Session
from layergraph.ir.build import Builder
from layergraph.ir.graph import Value
from layergraph.ir.ops.convolution import Conv
from layergraph.ir.ops.elementwise import Unary
from layergraph.ir.ops.linear import Dense
from layergraph.ir.ops.pooling import Pool
from layergraph.ir.ops.recurrent import LSTM
from layergraph.ir.ops.shape import Transpose
from layergraph.ir.types import TensorType
from layergraph.tools.cli import main
from layergraph.tools.convert import VerificationError, sample

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

RNG = np.random.default_rng(0)
CNN = GOLDEN / "cnn-keras3" / "model.keras"


def kinds(graph: lg.Graph) -> Counter[str]:
    model = onnx.load_from_string(to_bytes(graph, graph.outputs))
    return Counter(node.op_type for node in model.graph.node)


def weights(*shape: int) -> Any:
    return RNG.normal(size=shape).astype("float32")


def images(first: bool) -> lg.Graph:
    """Two convolutions and a pool; channels first as Keras' frontends read them."""
    builder = Builder()
    x = builder.input("x", TensorType((None, 3, 9, 8) if first else (None, 9, 8, 3)))
    conv = Conv(strides=(1, 1), dilation_rate=(1, 1), padding="same")
    for number, depth in enumerate((3, 4)):
        if first:
            x = builder.add(f"to{number}", Transpose(axes=(0, 2, 3, 1)), [x])[0]
        x = builder.add(f"conv{number}", conv, [x], {"kernel": weights(2, 3, depth, 4)})[0]
        if first:
            x = builder.add(f"back{number}", Transpose(axes=(0, 3, 1, 2)), [x])[0]
        x = builder.add(f"act{number}", Unary(kind="tanh"), [x])[0]
    if not first:
        pool = Pool(kind="average", pool_size=(2, 2), strides=(2, 2), padding="same")
        x = builder.add("pool", pool, [x])[0]
    return builder.graph(outputs=[x])


def test_channels_last_is_transposed_at_the_border_only() -> None:
    graph = images(first=False)
    assert kinds(graph) == {"Transpose": 2, "Conv": 2, "Tanh": 2, "AveragePool": 1}


def test_channels_first_needs_no_transpose() -> None:
    graph = images(first=True)
    assert kinds(graph) == {"Conv": 2, "Tanh": 2}
    feeds = sample(graph)
    (ours,), (theirs,) = (
        lg.Interpreter(graph, backend=b).run(None, feeds) for b in ("numpy", "onnxruntime")
    )
    assert np.allclose(ours, theirs, atol=1e-5)


def test_both_directions_are_one_node() -> None:
    found = kinds(lg.load(GOLDEN / "bidirectional_lstm-keras3" / "model.keras"))
    assert found["LSTM"] == 1


def test_any_node_by_name() -> None:
    graph = lg.load(CNN)
    ours, theirs = (lg.Interpreter(graph, backend=b) for b in ("numpy", "onnxruntime"))
    feeds = sample(graph)
    names = [node.name for node in graph.layers]
    for name, a, b in zip(names, ours.run(names, feeds), theirs.run(names, feeds), strict=True):
        assert a.shape == b.shape, name
        assert np.allclose(a, b, atol=1e-4), name
    with pytest.raises(lg.InputError, match="did you mean 'flatten'"):
        theirs.run(["flattn"], feeds)
    (x,) = feeds.values()
    traced = {step.name: step.outputs[0] for step in theirs.trace(x)}
    assert list(traced) == names
    assert np.allclose(traced["dense"], ours(x), atol=1e-5)


def test_large_weights_stand_beside(tmp_path: Path) -> None:
    graph = lg.load(CNN)
    target = tmp_path / "cnn.onnx"
    checked = []
    notes = write(graph, target, limit=1, check=checked.append)
    model, data = sorted(p.name for p in tmp_path.iterdir())
    assert model == "cnn.onnx"
    assert data.startswith("cnn.onnx.")
    assert data.endswith(".data")
    assert data in notes[-1]
    assert len(checked) == 1
    onnx.checker.check_model(str(target), full_check=True)
    feeds = sample(graph)
    assert np.allclose(Session(target).run(feeds)[0], lg.Interpreter(graph).run(None, feeds)[0],
                       atol=1e-5)  # fmt: skip
    assert target.stat().st_size < 8000


def test_weights_are_not_held_twice(tmp_path: Path) -> None:
    builder = Builder()
    x = builder.input("x", TensorType((None, 2048)))
    for number in range(4):
        x = builder.add(f"dense{number}", Dense(), [x], {"kernel": weights(2048, 2048)})[0]
    graph = builder.graph(outputs=[x])
    tracemalloc.start()
    write(graph, tmp_path / "m.onnx")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.5 * 4 * 2048 * 2048 * 4


def stateful(*names: str) -> lg.Graph:
    builder = Builder()
    x = builder.input("x", TensorType((2, 5, 3)))
    for name in names:
        params = {"kernel": weights(3, 12), "recurrent_kernel": weights(3, 12)}
        op = LSTM(activation=None, recurrent_activation=None, return_sequences=True, stateful=name)
        x = builder.add(name, op, [x], params)[0]
    return builder.graph(outputs=[x])


def test_everything_refused_is_listed() -> None:
    with pytest.raises(lg.UnsupportedError) as caught:
        to_bytes(stateful("one", "two"), [Value("two")])
    assert [item.layer for item in caught.value.items] == ["one", "two"]
    assert "stateful" in caught.value.items[0].reason


def test_bfloat16_is_refused_once() -> None:
    pytest.importorskip("ml_dtypes")
    with pytest.raises(lg.UnsupportedError, match=r"bfloat16.*--dtype float32") as caught:
        lg.Interpreter(CNN, dtype="bfloat16", backend="onnxruntime")
    assert len(caught.value.items) == 1


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package_is_named(package: str, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(lg.LayerGraphError, match=r"pip install 'layergraph\[onnx\]'"):
        lg.Interpreter(CNN, backend="onnxruntime")


def test_unknown_backends_and_providers() -> None:
    with pytest.raises(lg.InputError, match="numpy, onnxruntime"):
        lg.Interpreter(CNN, backend="torch")
    with pytest.raises(lg.InputError, match="backend='onnxruntime'"):
        lg.Interpreter(CNN, providers=["CPUExecutionProvider"])


def test_a_mismatch_is_not_put_in_place(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    target = tmp_path / "cnn.onnx"
    arguments = ["convert", str(CNN), str(target), "--verify"]
    run = Session.run
    monkeypatch.setattr(Session, "run", lambda self, feeds: [a + 1 for a in run(self, feeds)])
    assert main(arguments) == 1
    assert "does not verify as .onnx: output 'dense' differs by" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
    with pytest.raises(VerificationError):
        lg.convert(CNN, target, verify=True)
    monkeypatch.undo()
    assert main(arguments) == 0
    assert "output dense: largest difference" in capsys.readouterr().out


def test_on_the_command_line(tmp_path: Path, capsys: Any) -> None:
    target, data = tmp_path / "model", tmp_path / "x.npy"
    np.save(data, next(iter(sample(lg.load(CNN)).values())))
    convert = ["convert", str(CNN), str(target), "--to", "onnx", "--opset", "18"]
    assert main([*convert, "--verify", "--input", str(data)]) == 0
    assert onnx.load(target).opset_import[0].version == 18
    assert main(convert) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*convert[:-1], "99", "--overwrite"]) == 2
    assert "opset 99" in capsys.readouterr().err
    printed = []
    for backend in ("numpy", "onnxruntime"):
        assert main(["run", str(CNN), "--input", str(data), "--backend", backend]) == 0
        printed.append(np.loadtxt(capsys.readouterr().out.splitlines(), delimiter=","))
    assert np.allclose(*printed, atol=1e-5)
