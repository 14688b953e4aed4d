"""Golden files: written, read, checked; from the command line and by the pytest plugin."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN, RECORDING, copy_h5
from layergraph.tools import cli
from layergraph.tools.golden import FORMAT, Golden, check, record

CNN = GOLDEN / "cnn-keras3" / "model.h5"
SRC = GOLDEN.parents[1] / "src"


def spoilt(path: Path, target: Path) -> Path:
    """A model with another bias in its first layer that has one."""
    graph = lg.load(path)
    name = next(n.name for n in graph if "bias" in n.params)
    nodes = [
        replace(n, params={**n.params, "bias": n.params["bias"] + 0.01}) if n.name == name else n
        for n in graph
    ]
    lg.save(graph.replaced(nodes), target)
    return target


def test_every_kind_of_array_survives(tmp_path: Path) -> None:
    import ml_dtypes

    arrays = {
        "text": np.array([[b"a", b"", b"b\0"], [b"\xff", b"long", b""]], object),
        "complex": np.array([[1 + 2j, 3j]], np.complex64),
        "half": np.array([1.5, -2], ml_dtypes.bfloat16),
        "bool": np.array([[True], [False]]),
        "number": np.array(3, np.int64),
        "none": np.empty((0, 3), np.float32),
    }
    golden = Golden(inputs={}, nodes=arrays, outputs={}, rtol=1e-3)
    golden.write(tmp_path / "g.safetensors")
    back = Golden.read(tmp_path / "g.safetensors")
    assert list(back.nodes) == list(arrays)
    assert back.rtol == 1e-3
    for name, array in arrays.items():
        assert back.nodes[name].dtype == array.dtype
        assert back.nodes[name].shape == array.shape
        assert (back.nodes[name] == array).all()


def test_what_else_is_kept(tmp_path: Path) -> None:
    about = {"what": "two words", "made": {"seed": 7, "rows": [1, 2.5, None]}}
    path = tmp_path / "g.safetensors"
    record(CNN, path, about=about)
    assert Golden.read(path).about == about
    with pytest.raises(lg.InputError, match="JSON cannot hold what `about` says"):
        Golden(inputs={}, nodes={}, outputs={}, about={"array": np.ones(2)}).write(path)
    assert Golden.read(path).about == about


def test_files_without_anything_else_are_read(tmp_path: Path) -> None:
    """The first files of version 1 have no ``about``."""
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "g.safetensors"
    wanted = record(CNN, path)
    with safe_open(path, framework="np") as file:
        header = json.loads(file.metadata()[FORMAT])
    assert header["version"] == 1
    del header["about"]
    save_file(load_file(path), tmp_path / "old.safetensors", {FORMAT: json.dumps(header)})
    old = Golden.read(tmp_path / "old.safetensors")
    assert old.about == {}
    assert old.models == wanted.models
    assert check(CNN, old)


def test_record_and_check(tmp_path: Path) -> None:
    path = tmp_path / "cnn.safetensors"
    record(CNN, path)
    golden = Golden.read(path)
    assert list(golden.models) == ["model.h5"]
    assert golden.rtol is None
    assert golden.made_by["layergraph"] == lg.__version__
    assert "conv2d/conv" in golden.nodes
    report = check(CNN, path)
    assert report, report.conclusion()
    assert report.rows[-1].key == "output/0"
    bad = check(spoilt(CNN, tmp_path / "bad.lg"), path)
    assert bad.first is not None
    assert bad.first.key == "conv2d/conv"
    assert [row.key for row in bad.faults] == ["conv2d/conv"]
    wide = check(lg.load(CNN, dtype="float64"), path)
    assert "is float64" in wide.failure
    assert check(f"{CNN}@float64", path)
    record(f"{CNN}@float16", path)
    half = lg.load(CNN, dtype="float16")
    assert check(half, path)


def test_a_node_that_is_gone_is_a_failure(tmp_path: Path) -> None:
    golden = record(CNN)
    more = replace(golden, nodes={**golden.nodes, "gone": np.zeros(3)})
    report = check(CNN, more)
    assert not report
    assert report.failure == "Recorded, but not computed: gone."


def test_what_is_no_golden_file(tmp_path: Path) -> None:
    with pytest.raises(lg.FileFormatError, match=r"x\.safetensors: no such file$"):
        Golden.read(tmp_path / "x.safetensors")
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    with pytest.raises(lg.FileFormatError, match="damaged"):
        Golden.read(tmp_path / "x.safetensors")
    lg.save(lg.load(CNN), tmp_path / "y.safetensors")
    with pytest.raises(lg.FileFormatError, match="no golden one"):
        Golden.read(tmp_path / "y.safetensors")


def test_the_command(tmp_path: Path, capsys: Any) -> None:
    path = str(tmp_path / "g.safetensors")
    assert cli.main(["golden", "record", str(CNN), "-o", path, "--seed", "4"]) == 0
    assert "9 values" in capsys.readouterr().out
    assert cli.main(["golden", "check", str(CNN), path]) == 0
    assert "agree" in capsys.readouterr().out
    bad = str(spoilt(CNN, tmp_path / "bad.lg"))
    assert cli.main(["golden", "check", bad, path, "--html", str(tmp_path / "p.html")]) == 1
    out = capsys.readouterr().out
    assert "part at 'conv2d/conv'" in out
    assert "is not the file that was recorded (model.h5)" in out


TESTS = """
def test_kept(golden):
    golden("model.h5")
"""


def pytest_run(folder: Path, *arguments: str) -> tuple[int, str]:
    """pytest in a folder of its own, the plugin loaded as its entry point would."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "layergraph.tools.pytest_plugin",
               "-p", "no:cacheprovider", "-p", "no:randomly", *arguments]  # fmt: skip
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(SRC), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_fixture(tmp_path: Path) -> None:
    copy_h5(tmp_path)
    (tmp_path / "test_mine.py").write_text(TESTS, encoding="utf-8")
    status, out = pytest_run(tmp_path)
    assert status == 1
    assert "--layergraph-record" in out
    assert pytest_run(tmp_path, "--layergraph-record")[0] == 0
    assert (tmp_path / "golden" / "test_kept.safetensors").exists()
    assert pytest_run(tmp_path)[0] == 0
    spoilt(tmp_path / "model.h5", tmp_path / "bad.lg").replace(tmp_path / "model.h5")
    status, out = pytest_run(tmp_path)
    assert status == 1
    assert "read moved by 0.0" in out
    assert "by itself" in out


def test_a_folder_of_golden_files(tmp_path: Path) -> None:
    model = copy_h5(tmp_path)
    record(model, tmp_path / "golden.safetensors")
    status, out = pytest_run(tmp_path, "--layergraph-golden", ".")
    assert (status, "1 passed" in out) == (0, True), out
    spoilt(model, tmp_path / "bad.lg").replace(model)
    status, out = pytest_run(tmp_path, "--layergraph-golden", ".")
    assert status == 1
    assert "part at 'read'" in out
    assert "Traceback" not in out
    model.unlink()
    assert "a model that is not beside it" in pytest_run(tmp_path, "--layergraph-golden", ".")[1]


def test_the_goldens_of_the_repository(tmp_path: Path, capsys: Any) -> None:
    """They are golden files like any other: the command and the plugin check them."""
    folder = Path(shutil.copytree(GOLDEN / "dictionaries-keras3", tmp_path / "copy"))
    status, out = pytest_run(tmp_path, "--layergraph-golden", ".")
    assert (status, "2 passed" in out) == (0, True), out
    for model in ("model.h5", "model.keras"):
        assert cli.main(["golden", "check", str(folder / model), str(folder / RECORDING)]) == 0
        assert "not the file" not in capsys.readouterr().out
    bad = str(spoilt(folder / "model.h5", tmp_path / "bad.lg"))
    assert cli.main(["golden", "check", bad, str(folder / RECORDING)]) == 1
    assert "is not the file that was recorded (model.h5, model.keras)" in capsys.readouterr().out


@pytest.mark.live
def test_recorded_from_live_keras() -> None:
    pytest.importorskip("keras")
    path = GOLDEN / "several_inputs_and_outputs-keras3" / "model.keras"
    golden = record(f"{path}@keras")
    assert golden.made_by["writer"] == "keras"
    assert set(golden.nodes) == {"embedding", "read", "joined", "three", "two"}
    assert check(path, golden)
