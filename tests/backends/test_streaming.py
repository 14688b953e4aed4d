"""Predicting rows that do not fit into memory: the same numbers, little memory, whole files."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN, recorded
from layergraph.backends.numpy import progress as progress_module
from layergraph.backends.numpy.progress import lines
from layergraph.backends.numpy.streaming import forget
from layergraph.ir.build import Builder
from layergraph.ir.ops.activation import ReLU
from layergraph.ir.types import TensorType
from layergraph.tools import cli

CNN = GOLDEN / "cnn-tfkeras" / "model.h5"
TWO = GOLDEN / "several_inputs_and_outputs-keras3" / "model.keras"


@pytest.fixture(scope="module")
def cnn() -> lg.Interpreter:
    return lg.Interpreter(CNN)


@pytest.fixture
def images(tmp_path: Path) -> Any:
    """Seven images in a mapped file."""
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((7, 32, 32, 3), np.float32))
    return np.load(tmp_path / "x.npy", mmap_mode="r")


def test_a_file_of_predictions(cnn: lg.Interpreter, images: Any, tmp_path: Path) -> None:
    path = tmp_path / "y.npy"
    found = cnn.predict(images, batch_size=3, out=path)
    want = cnn.predict(images, batch_size=3)
    assert isinstance(found, np.memmap)
    assert np.array_equal(found, want)
    assert np.array_equal(np.load(path), want)
    assert sorted(os.listdir(tmp_path)) == ["x.npy", "y.npy"]


@pytest.mark.parametrize("rows", [0, 1, 4, 7])
def test_any_number_of_rows(cnn: lg.Interpreter, images: Any, tmp_path: Path, rows: int) -> None:
    found = cnn.predict(images[:rows], batch_size=4, out=str(tmp_path / "y.npy"))
    assert found.shape == (rows, 10)
    assert found.dtype == np.float32
    assert np.array_equal(np.load(tmp_path / "y.npy"), found)
    np.testing.assert_allclose(found, cnn(np.array(images[:rows])), atol=1e-6)


def test_an_array_is_filled(cnn: lg.Interpreter, images: Any, tmp_path: Path) -> None:
    want = cnn.predict(images, batch_size=2)
    out = np.lib.format.open_memmap(tmp_path / "y.npy", "w+", np.float64, (7, 10))
    assert cnn.predict(images, batch_size=2, out=out) is out
    out.flush()
    assert np.array_equal(np.load(tmp_path / "y.npy"), want)
    for shape, words in (((8, 10), "has 8 rows, the predictions 7"), ((6, 10), "rows 6 to 7 are")):
        with pytest.raises(lg.InputError, match=words):
            cnn.predict(images, batch_size=1, out=np.empty(shape, np.float32))
    with pytest.raises(lg.InputError, match="make it for all rows"):
        cnn.predict(images, out=np.empty((7, 10), np.int32))


def test_outputs_go_where_they_are_sent(tmp_path: Path) -> None:
    interp, feeds = lg.Interpreter(TWO), recorded(TWO).inputs
    want = interp(feeds)
    first, second, third = interp.outputs
    array = np.empty(want[1].shape, np.float32)
    path = tmp_path / "y.npy"
    got = interp.predict(feeds, batch_size=1, out={second: array, first: path, third: None})
    assert got[1] is array
    for found, right in zip((np.load(path), array, got[2]), want, strict=True):
        np.testing.assert_allclose(found, right, atol=1e-6)
    for wrong, words in (
        (tmp_path / "z.npy", "the model has 3 outputs"),
        ({first: array}, "out has"),
        ([array], "out has 1 entries"),
        ([None, array, 5], "a path or an array is expected"),
        ([tmp_path / "z.csv", array, None], "streamed to .npy files only"),
    ):
        with pytest.raises(lg.InputError, match=words):
            interp.predict(feeds, out=wrong)


def test_batches_come_one_by_one(cnn: lg.Interpreter, images: Any) -> None:
    parts = [part for (part,) in cnn.stream(images, batch_size=3)]
    assert [len(part) for part in parts] == [3, 3, 1]
    assert np.array_equal(np.concatenate(parts), cnn.predict(images, batch_size=3))
    with pytest.raises(lg.InputError, match="batch_size is 0"):
        cnn.predict(images, batch_size=0)


def test_a_failure_leaves_the_old_file(cnn: lg.Interpreter, images: Any, tmp_path: Path) -> None:
    (tmp_path / "y.npy").write_text("precious")
    whole = np.array(images, np.float64)
    broken = cnn._run

    def fails(plan: Any, feeds: Any) -> Any:
        if np.array_equal(feeds["input_1"], whole[4:6].astype(np.float32)):
            raise KeyboardInterrupt
        return broken(plan, feeds)

    other = lg.Interpreter(CNN)
    other._run = fails  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        other.predict(whole, batch_size=2, out=tmp_path / "y.npy")
    assert (tmp_path / "y.npy").read_text() == "precious"
    assert sorted(os.listdir(tmp_path)) == ["x.npy", "y.npy"]


def test_numbers_are_cast_by_the_batch() -> None:
    """Ids kept as float64 are no ids when one is a fraction, wherever it stands."""
    interp = lg.Interpreter(GOLDEN / "lstm-keras3" / "model.keras")
    (type_,) = interp.inputs.values()
    ids = np.random.default_rng(0).integers(1, 50, (6, *type_.shape[1:]))  # type: ignore[arg-type]
    want = interp(ids)
    np.testing.assert_allclose(interp.predict(ids.astype(float), batch_size=4), want, atol=1e-6)
    wrong = ids.astype(float)
    wrong[5, 3] += 0.5
    with pytest.raises(lg.InputError, match="cannot hold"):
        interp.predict(wrong, batch_size=4)
    with pytest.raises(lg.InputError, match="expects"):
        interp.predict(np.zeros((6, *type_.shape[1:]), "datetime64[s]"))  # type: ignore[arg-type]


def test_threads_predict_side_by_side(cnn: lg.Interpreter, images: Any) -> None:
    want, got = cnn.predict(images, batch_size=2), [Any] * 4

    def work(i: int) -> None:
        got[i] = cnn.predict(images, batch_size=2)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(one, want) for one in got)


def test_what_is_written_to_a_private_mapping_stays(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 5000), np.float32))
    private = np.load(tmp_path / "x.npy", mmap_mode="c")
    private[...] = 3
    forget(private)
    assert (private == 3).all()
    shared = np.load(tmp_path / "x.npy", mmap_mode="r+")
    shared[1:3] = 5
    forget(shared[1:3])
    assert (np.asarray(shared)[1:3] == 5).all()
    assert (np.load(tmp_path / "x.npy")[1:3] == 5).all()


MEMORY = """
import resource, sys
import numpy as np
import layergraph as lg
from layergraph.tools import cli

model, x, y = sys.argv[1:]
interp = lg.Interpreter(model)
interp(np.zeros((64, 16384), "float32"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert cli.main(["run", model, "--input", x, "--output", y, "--batch-size", "64"]) == 0
rows = np.load(x, mmap_mode="r")
out = np.lib.format.open_memmap(y + "2.npy", "w+", "float32", rows.shape)
lg.Interpreter(model).predict(rows, batch_size=64, out=out)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="pages are let go of on Linux only")
def test_memory_stays_bounded(tmp_path: Path) -> None:
    """600 MB of float64 in, 300 MB of float32 out, to a file and to an array: 150 MiB suffice."""
    build = Builder()
    x = build.input("x", TensorType((None, 16384)))
    (y,) = build.add("y", ReLU(), [x])
    lg.save(build.graph(outputs=[y]), tmp_path / "m.lg")
    shape = (600_000_000 // 8 // 16384, 16384)
    np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float64, shape).flush()
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *(str(tmp_path / n) for n in ("m.lg", "x.npy", "y.npy"))],
        capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(lg.__file__).parents[1])}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) < 150
    assert np.load(tmp_path / "y.npy", mmap_mode="r").shape == shape
    for file in tmp_path.iterdir():
        file.unlink()


def test_lines_of_progress(capsys: Any) -> None:
    times = iter((0.0, 1.0, 4.0, 6.0, 7.0, 12.0))
    advance = lines(100, "predicting", every=5.0, clock=lambda: next(times))
    for _ in range(5):
        advance(10)
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "predicting: 30 of 100 rows, 5.0 a second, 14 s left",
        "predicting: 50 of 100 rows, 4.2 a second, 12 s left",
    ]


def test_a_bar_on_a_terminal(
    cnn: lg.Interpreter, images: Any, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setattr(progress_module.sys.stderr, "isatty", lambda: True)
    want = cnn.predict(images, batch_size=2)
    assert np.array_equal(cnn.predict(images, batch_size=2, progress=True), want)
    captured = capsys.readouterr()
    assert captured.out == ""


def test_run_streams_csv_too(tmp_path: Path, images: Any, capsys: Any) -> None:
    command = ["run", str(CNN), "--input", str(tmp_path / "x.npy"), "--batch-size", "3"]
    assert cli.main([*command, "--output", str(tmp_path / "y.csv")]) == 0
    assert "dense float32[7, 10]" in capsys.readouterr().out
    assert cli.main(command) == 0
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "y.csv").read_text()
    got = np.array([line.split(",") for line in printed.splitlines()], np.float32)
    assert np.array_equal(got, lg.Interpreter(CNN).predict(images, batch_size=3))
