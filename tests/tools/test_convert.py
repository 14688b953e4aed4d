"""`layergraph convert`: what it prints and checks, and that no half file is ever seen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN
from layergraph.backends.onnx.model import write
from layergraph.backends.onnx.session import Session
from layergraph.ir import writing
from layergraph.ir.build import Builder
from layergraph.ir.ops.activation import HardSigmoid
from layergraph.ir.ops.linear import Dense
from layergraph.ir.types import TensorType
from layergraph.tools.cli import main
from layergraph.tools.convert import sample

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

CNN = str(GOLDEN / "cnn-keras3" / "model.keras")
MASKED = str(GOLDEN / "masks_in_the_middle-keras3" / "model.keras")


def dense(size: int, value: float = 1.0, depth: int = 1) -> lg.Graph:
    """Layers that multiply by a number; several arrays, so that they could be mixed up."""
    build = Builder()
    x = build.input("x", TensorType((None, size)))
    for number in range(depth):
        kernel = np.eye(size, dtype="float32") * np.float32(value)
        (x,) = build.add(f"dense{number}", Dense(), [x], {"kernel": kernel})
    return build.graph(outputs=[x])


def listed(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


# --- options ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["onnx", "lg"])
def test_a_fixed_batch_and_shape(kind: str, tmp_path: Path, capsys: Any) -> None:
    target = tmp_path / f"m.{kind}"
    assert main(["convert", CNN, str(target), "--batch", "4", "--verify"]) == 0
    printed = capsys.readouterr().out
    shape = "4, " + ", ".join(map(str, lg.load(CNN)[lg.load(CNN).inputs[0]].types[0].shape[1:]))
    assert f"float32[{shape}]" in printed
    if kind == "lg":
        assert lg.load(target)[lg.load(target).inputs[0]].types[0].shape[0] == 4
    else:
        found = onnx.load(target)
        assert found.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 4
        assert found.graph.output[0].type.tensor_type.shape.dim[0].dim_value == 4
        onnx.checker.check_model(found, full_check=True)
    name = lg.load(CNN).inputs[0]
    same = ["convert", CNN, str(target), "--overwrite", "--input-shape", f"{name}={shape}"]
    assert main(same) == 0
    assert main([*same[:-1], f"{name}=?,5,{shape.split(', ', 2)[2]}"]) == 2
    error = capsys.readouterr().err
    assert "contradicts" in error
    assert CNN in error
    with pytest.raises(SystemExit):
        main([*same[:-1], "nothing"])
    assert "NAME=SIZE" in capsys.readouterr().err


def test_what_it_did_is_printed(tmp_path: Path, capsys: Any) -> None:
    target = tmp_path / "m.onnx"
    assert main(["convert", MASKED, str(target), "--verify"]) == 0
    printed = capsys.readouterr().out.splitlines()
    graph = lg.load(MASKED)
    weights = sum(a.size for a in graph.parameters.values())
    assert printed[0] == (
        f"{target}: {len(graph)} nodes, {weights:,} parameters, {target.stat().st_size:,} bytes"
    )
    assert f"input {graph.inputs[0]}: int32[?, 9]" in printed
    said = "\n".join(printed)
    assert "left out, as they do nothing when a model predicts: 1 Dropout" in said
    assert "an index outside of an embedding's table" in said
    assert "operator set 20" in said


def test_a_hard_sigmoid_of_keras_2_is_told(tmp_path: Path) -> None:
    build = Builder()
    x = build.input("x", TensorType((None, 3)))
    (y,) = build.add("gate", HardSigmoid(slope=0.2), [x])
    said = write(build.graph(outputs=[y]), tmp_path / "m.onnx")
    assert any("gate" in note and "Keras 2" in note for note in said)


def test_a_part_of_a_model(tmp_path: Path, capsys: Any) -> None:
    target = tmp_path / "part.onnx"
    layers = ["--inputs", "simple_rnn", "--outputs", "gru,lstm"]
    assert main(["convert", MASKED, str(target), *layers, "--verify"]) == 0
    assert "input embedding/mask: bool[?, 9]" in capsys.readouterr().out
    assert Session(target).inputs == ["simple_rnn", "embedding/mask"]
    assert Session(target).outputs == ["gru", "lstm"]
    assert main(["convert", MASKED, str(target), "--inputs", "gru_7", "--overwrite"]) == 2
    assert "no layer 'gru_7'; did you mean 'gru'" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["onnx", "lg"])
def test_two_files_that_make_the_model(kind: str, tmp_path: Path, capsys: Any) -> None:
    graph = lg.load(MASKED)
    assert lg.convert(MASKED, tmp_path / f"m.{kind}", split="gru", verify=True).inputs
    assert listed(tmp_path) == [f"m.head.{kind}", f"m.tail.{kind}"]
    again = ["convert", MASKED, str(tmp_path / f"m.{kind}"), "--split", "gru"]
    assert main(again) == 2
    assert "m.head" in capsys.readouterr().err
    feeds = sample(graph)
    wanted = lg.Interpreter(graph).run(None, feeds)
    if kind == "lg":
        head, tail = (lg.Interpreter(tmp_path / f"m.{side}.lg") for side in ("head", "tail"))
        assert main(["inspect", str(tmp_path / "m.tail.lg")]) == 0
        assert "input gru: float32[?, 9, 4]" in capsys.readouterr().out
        found = tail(*head(*feeds.values()))
    else:
        head, tail = (Session(tmp_path / f"m.{side}.onnx") for side in ("head", "tail"))
        (found,) = tail.run(dict(zip(tail.inputs, head.run(feeds), strict=True)))
    assert np.allclose(found, wanted[0], atol=1e-5)


def test_neither_half_stands_alone(tmp_path: Path, monkeypatch: Any) -> None:
    run = Session.run
    monkeypatch.setattr(Session, "run", lambda self, feeds: [a * 2 for a in run(self, feeds)])
    with pytest.raises(lg.LayerGraphError, match="differs"):
        lg.convert(CNN, tmp_path / "m.onnx", split="flatten", verify=True)
    assert not listed(tmp_path)


def test_halves_are_held_to_their_tolerance(tmp_path: Path, capsys: Any) -> None:
    target = tmp_path / "m.onnx"
    assert main(["convert", CNN, str(target), "--dtype", "float16", "--verify"]) == 0
    printed = capsys.readouterr().out
    assert "from the source in its own dtype" in printed
    apart = float(printed.split(" from the source")[0].rsplit(" ", 1)[1])
    assert 1e-6 < apart < 2e-2
    kinds = {t.data_type for t in onnx.load(target).graph.initializer}
    assert onnx.TensorProto.FLOAT16 in kinds
    assert onnx.TensorProto.FLOAT not in kinds


def test_a_graph_is_a_source(tmp_path: Path) -> None:
    lg.convert(dense(3), tmp_path / "m.onnx", verify=True, dtype="float64")
    with pytest.raises(lg.GraphError, match=r"^the model has no layer 'no'"):
        lg.convert(dense(3), tmp_path / "n.onnx", outputs="no")


def test_samples_reach_the_whole_table() -> None:
    graph = lg.load(MASKED)
    (name,) = graph.inputs
    rows = graph["embedding"].params["embeddings"].shape[0]
    drawn = sample(graph, rows=50)[name]
    assert 1 < drawn.max() < rows


# --- whole files or none ---------------------------------------------------------------

WRITES: dict[str, tuple[Any, str, int]] = {
    "onnx": (writing.Draft, "write", 2),
    "lg": (writing.Draft, "write", 2),
    "h5": (h5py.Group, "__setitem__", 2),
    "keras": (zipfile.ZipFile, "write", 1),
}
"""What writes pieces of each kind of file, and after how many some are in the file."""

KINDS = list(WRITES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_midway_leaves_the_old_file(
    kind: str, error: BaseException, tmp_path: Path, monkeypatch: Any
) -> None:
    target = tmp_path / f"m.{kind}"
    lg.convert(dense(4), target)
    before = target.read_bytes()
    owner, method, count = WRITES[kind]
    write_ = getattr(owner, method)
    calls = []

    def full(self: Any, *piece: Any) -> None:
        write_(self, *piece)
        calls.append(1)
        if len(calls) == count:
            raise error

    monkeypatch.setattr(owner, method, full)
    with pytest.raises((lg.FileFormatError, KeyboardInterrupt)) as caught:
        lg.convert(dense(4, 2, depth=3), target, overwrite=True)
    if isinstance(error, OSError):
        assert "No space left" in str(caught.value)
    assert target.read_bytes() == before
    assert listed(tmp_path) == [target.name]


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_leaves_the_old_file(kind: str, tmp_path: Path) -> None:
    """The system itself refuses to write on, here beyond a size."""
    target = tmp_path / f"m.{kind}"
    lg.convert(dense(4), target)
    before = target.read_bytes()
    program = (
        "import resource, sys, layergraph as lg; sys.path.insert(0, sys.argv[2]);"
        "from test_convert import dense; graph = dense(300);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "lg.convert(graph, sys.argv[1], overwrite=True)"
    )
    done = started(program, target)
    assert "FileFormatError" in str(done.communicate()[1])
    assert target.read_bytes() == before
    assert listed(tmp_path) == [target.name]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_leaves_the_old_file(kind: str, tmp_path: Path) -> None:
    target = tmp_path / f"m.{kind}"
    lg.convert(dense(4), target)
    before = target.read_bytes()
    program = (
        "import sys, time; sys.path.insert(0, sys.argv[2]);"
        "import layergraph as lg; from test_convert import dense, WRITES;"
        f"owner, method, _ = WRITES[{kind!r}]; write = getattr(owner, method)\n"
        "def slow(self, *piece):\n"
        "    write(self, *piece); print('half', flush=True); time.sleep(60)\n"
        "setattr(owner, method, slow); lg.convert(dense(300), sys.argv[1], overwrite=True)"
    )
    killed = started(program, target)
    assert killed.stdout is not None
    assert killed.stdout.readline() == "half\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert target.read_bytes() == before
    if hasattr(os, "O_TMPFILE"):
        assert listed(tmp_path) == [target.name]


def started(program: str, target: Path) -> subprocess.Popen[str]:
    paths = os.pathsep.join([*sys.path, str(Path(__file__).parent)])
    return subprocess.Popen(
        [sys.executable, "-c", program, str(target), str(Path(__file__).parent)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_named_drafts_do_as_well(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(writing, "_nameless", lambda folder: None)
    for kind in KINDS:
        lg.convert(dense(4), tmp_path / f"m.{kind}", verify=True)
    assert listed(tmp_path) == sorted(f"m.{kind}" for kind in KINDS)
    monkeypatch.setattr(writing.Draft, "write", lambda self, data: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        lg.convert(dense(4, 2), tmp_path / "m.onnx", overwrite=True)
    assert listed(tmp_path) == sorted(f"m.{kind}" for kind in KINDS)
    assert Session(tmp_path / "m.onnx").run({"x": np.ones((1, 4), "float32")})[0].max() == 1


# --- a model and the file of its weights -----------------------------------------------


def test_a_pair_is_replaced_as_one(tmp_path: Path) -> None:
    target = tmp_path / "m.onnx"
    ones = {"x": np.ones((1, 64), "float32")}
    for value in (1.0, 2.0, 2.0, 3.0):
        write(dense(64, value, depth=2), target, limit=1)
        model, data = listed(tmp_path)
        assert model == "m.onnx"
        assert Session(target).run(ones)[0][0, 0] == value**2
        onnx.checker.check_model(str(target), full_check=True)
    write(dense(64, 4.0), target)
    assert listed(tmp_path) == ["m.onnx"]
    (tmp_path / "m.onnx.of-mine.data").touch()
    write(dense(64, 4.0), target)
    assert listed(tmp_path) == ["m.onnx", "m.onnx.of-mine.data"]
    assert data.endswith(".data")


def test_a_pair_that_fails_leaves_the_old_pair(tmp_path: Path) -> None:
    target = tmp_path / "m.onnx"
    write(dense(64, 2.0), target, limit=1)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    def refuse(path: Path) -> None:
        assert Session(path).run({"x": np.ones((1, 64), "float32")})[0][0, 0] == 3
        # The old pair is whole while the new one is tried.
        assert Session(target).run({"x": np.ones((1, 64), "float32")})[0][0, 0] == 2
        raise lg.LayerGraphError("no")

    with pytest.raises(lg.LayerGraphError, match=r"^no$"):
        write(dense(64, 3.0), target, limit=1, check=refuse)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_reader_meets_one_pair_or_the_other(tmp_path: Path) -> None:
    target = tmp_path / "m.onnx"
    write(dense(256, 1.0, depth=4), target, limit=1)
    program = (
        "import sys; sys.path.insert(0, sys.argv[2]); from test_convert import dense, write\n"
        "for turn in range(30):\n"
        "    write(dense(256, 1.0 + turn % 2, depth=4), sys.argv[1], limit=1)"
    )
    writer = started(program, target)
    seen, said = set(), set()
    ones = {"x": np.ones((1, 256), "float32")}
    while writer.poll() is None:
        try:
            seen.add(float(Session(target).run(ones)[0][0, 0]))
        except lg.LayerGraphError as error:
            # The model was read just before it and its weights were replaced.
            said.add("data" in str(error))
        time.sleep(0.01)
    printed = writer.communicate()[1]
    assert writer.returncode == 0, printed
    assert seen == {1.0, 16.0}
    assert said <= {True}


@pytest.mark.skipif(sys.platform != "linux", reason="the most a process held is read from /proc")
@pytest.mark.parametrize("kind", ["keras", "lg"])
def test_weights_are_in_memory_once(kind: str, tmp_path: Path) -> None:
    """200 MB of weights: the most a process holds, its imports included, is far from twice that."""
    source, held = tmp_path / f"m.{kind}", 2 * 5000 * 5000 * 4
    lg.convert(dense(5000, depth=2), source)
    # ``ru_maxrss`` would count this process' memory too, which the child begins with.
    program = (
        "import sys; from layergraph.tools.cli import main; failed = main(sys.argv[1:])\n"
        "print(*(s for s in open('/proc/self/status') if s.startswith('VmHWM:')))\n"
        "sys.exit(failed)"
    )
    command = [sys.executable, "-c", program, "convert", str(source), str(tmp_path / "m.onnx")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert (tmp_path / "m.onnx").stat().st_size > held
    assert int(done.stdout.rpartition("VmHWM:")[2].split()[0]) * 1024 < 2 * held
