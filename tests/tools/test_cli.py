"""The command line: plain when piped, one sentence on stderr, exit status 0, 1 or 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN, copy_h5, reconfigured, recorded
from layergraph.ir.foreign import REGISTERED
from layergraph.tools import cli
from layergraph.tools.demo import model_path

CNN = GOLDEN / "cnn-tfkeras" / "model.h5"
TWO = GOLDEN / "several_inputs_and_outputs-keras3" / "model.keras"


def test_inspect(capsys: Any) -> None:
    assert cli.main(["inspect", str(CNN)]) == 0
    out = capsys.readouterr().out
    assert "written by Keras 2.21.0 (tensorflow) as an HDF5 file" in out
    assert "output dense: float32[?, 10]" in out
    (row,) = [line for line in out.splitlines() if line.startswith("dense/dense")]
    assert row.split() == ["dense/dense", "Dense", "float32[?,", "10]", "15,690", "Dense"]
    assert out.splitlines()[-1] == "10 nodes, 20,778 parameters, 81.2 KiB"
    assert "\x1b" not in out
    assert not any(line.endswith(" ") for line in out.splitlines())


def test_inspect_optimized(capsys: Any) -> None:
    cli.main(["inspect", "--optimized", str(CNN)])
    assert "Dense(activation=Softmax())" in capsys.readouterr().out


def test_inspect_json(capsys: Any) -> None:
    assert cli.main(["inspect", "--json", str(TWO)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["origin"]["keras_version"].startswith("3")
    assert list(data["inputs"]) == ["words", "numbers"]
    lstm = next(n for n in data["nodes"] if n["op"] == "recurrent.LSTM")
    assert lstm["sources"] == [{"layer": "read", "class_name": "LSTM"}]
    assert lstm["parameters"]["kernel"] == {"shape": [3, 16], "dtype": "float32"}
    assert data["parameters"] == sum(a.size for a in lg.load(TWO).parameters.values())


def strange(config: dict[str, Any]) -> None:
    for layer in config["config"]["layers"]:
        if layer["class_name"] in ("LSTM", "Concatenate"):
            layer["class_name"] = "Strange" + layer["class_name"]


def test_check(tmp_path: Path, capsys: Any) -> None:
    assert cli.main(["check", str(CNN)]) == 0
    assert "everything is supported, 10 nodes" in capsys.readouterr().out
    path = reconfigured(copy_h5(tmp_path), strange)
    assert cli.main(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert "2 not supported" in out
    for word in ("read", "StrangeLSTM", "joined", "StrangeConcatenate", "reason", "remedy"):
        assert word in out


def test_check_json(tmp_path: Path, capsys: Any) -> None:
    path = reconfigured(copy_h5(tmp_path), strange)
    assert cli.main(["check", "--json", str(path)]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["supported"] is False
    assert {i["layer"] for i in data["unsupported"]} == {"read", "joined"}
    assert set(data["unsupported"][0]) == {"layer", "class_name", "reason", "remedy"}


def test_convert_and_run(tmp_path: Path, capsys: Any) -> None:
    target, source, output = (str(tmp_path / n) for n in ("cnn.lg", "x.npy", "y.npy"))
    x = np.random.default_rng(0).random((70, 32, 32, 3), np.float32)
    np.save(source, x)
    assert cli.main(["convert", str(CNN), target]) == 0
    assert "10 nodes" in capsys.readouterr().out
    assert cli.main(["run", target, "--input", source, "--output", output]) == 0
    assert "dense float32[70, 10]" in capsys.readouterr().out
    np.testing.assert_allclose(np.load(output), lg.Interpreter(CNN)(x), atol=1e-5)
    assert sorted(os.listdir(tmp_path)) == ["cnn.lg", "x.npy", "y.npy"]


@pytest.mark.parametrize("heading", [True, False])
def test_csv(tmp_path: Path, capsys: Any, heading: bool) -> None:
    """A row is one example in row-major order; the printed digits are the value."""
    model = GOLDEN / "lstm-tfkeras" / "model.h5"
    interp = lg.Interpreter(model)
    (type_,) = interp.inputs.values()
    x = np.random.default_rng(0).integers(0, 50, (5, *type_.shape[1:]))  # type: ignore[arg-type]
    lines = [",".join(map(str, row)) for row in x.tolist()]
    text = "\n".join([",".join(f"w{i}" for i in range(x.shape[1])), *lines] if heading else lines)
    (tmp_path / "x.csv").write_text("\ufeff" + text, encoding="utf-8")
    assert cli.main(["run", str(model), "--input", str(tmp_path / "x.csv")]) == 0
    got = [[float(v) for v in line.split(",")] for line in capsys.readouterr().out.splitlines()]
    assert np.array_equal(np.array(got, np.float32), interp(x.astype("float32")))


def test_csv_of_images_is_reshaped(tmp_path: Path, capsys: Any) -> None:
    x = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    np.savetxt(tmp_path / "x.csv", x.reshape(2, -1), delimiter=",")
    assert cli.main(["run", str(CNN), "--input", str(tmp_path / "x.csv")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_several_inputs_and_outputs(tmp_path: Path, capsys: Any) -> None:
    feeds = recorded(TWO).inputs
    np.savez(tmp_path / "x.npz", **feeds)
    command = ["run", str(TWO), "--input", str(tmp_path / "x.npz")]
    assert cli.main(command) == 2
    assert "--output with a .npz file" in capsys.readouterr().err
    assert cli.main([*command, "--output", str(tmp_path / "y.npz")]) == 0
    interp = lg.Interpreter(TWO)
    with np.load(tmp_path / "y.npz") as got:
        assert list(got) == list(interp.outputs)
        for name, want in zip(got, interp(feeds), strict=True):
            np.testing.assert_allclose(got[name], want, atol=1e-5)


def complaint(capsys: Any, *arguments: Any) -> str:
    """The one line that a command which fails leaves on stderr."""
    assert cli.main([str(a) for a in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines: list[str] = captured.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("layergraph: ")
    return lines[0]


def test_complaints(tmp_path: Path, capsys: Any) -> None:
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}]), allow_pickle=True)
    np.save(tmp_path / "flat.npy", np.zeros((2, 7)))
    (tmp_path / "words.csv").write_text("1,2\nx,y\n")
    two = reconfigured(copy_h5(tmp_path), strange)
    for words, arguments in {
        "no such file": ["inspect", tmp_path / "nope"],
        "cannot write .pt": ["convert", CNN, tmp_path / "x.pt"],
        "2 things are not supported": ["inspect", two],
        "not a readable .npy file": ["run", CNN, "--input", tmp_path / "objects.npy"],
        "float32[?, 32, 32, 3]": ["run", CNN, "--input", tmp_path / "flat.npy"],
        "cannot read .txt": ["run", CNN, "--input", "x.txt"],
        "not a readable .csv": ["run", CNN, "--input", tmp_path / "words.csv"],
        "numpy.savez": ["run", TWO, "--input", tmp_path / "flat.npy", "--output", "y.npz"],
    }.items():
        assert words in complaint(capsys, *arguments), arguments


def test_an_existing_target_is_kept(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "x.lg").write_text("precious")
    assert "--overwrite" in complaint(capsys, "convert", CNN, tmp_path / "x.lg")
    assert (tmp_path / "x.lg").read_text() == "precious"
    assert cli.main(["convert", str(CNN), str(tmp_path / "x.lg"), "--overwrite"]) == 0


def test_bugs_show_no_traceback(monkeypatch: Any, capsys: Any) -> None:
    def broken(path: str, **options: Any) -> Any:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("layergraph.load", broken, raising=False)
    assert "internal error, please report it" in complaint(capsys, "inspect", CNN)
    monkeypatch.setenv(cli.DEBUG, "1")
    with pytest.raises(ZeroDivisionError):
        cli.main(["inspect", str(CNN)])


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["run", "x"], ["run", "x", "--batch-size", "0"]]
)
def test_bad_usage(arguments: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: layergraph" in capsys.readouterr().err


def test_demo(capsys: Any) -> None:
    assert cli.main(["demo"]) == 0
    out = capsys.readouterr().out
    assert "Equal predictions: 256 of 256" in out
    assert "The predictions agree." in out


def test_demo_sees_a_difference(monkeypatch: Any, capsys: Any) -> None:
    from layergraph.tools import demo

    good = demo.measure()
    monkeypatch.setattr(demo, "measure", lambda: good._replace(got=good.got + np.float32(1e-3)))
    assert cli.main(["demo"]) == 1
    assert "DIFFER" in capsys.readouterr().out


# --- as a process ----------------------------------------------------------------------


def process(*arguments: str, **options: Any) -> Any:
    command = [sys.executable, "-m", "layergraph", *arguments]
    # As in a clone that is not installed.
    path = os.pathsep.join([str(GOLDEN.parents[1] / "src"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, capture_output=True, text=True, env=environment, **options)


def test_exit_status_of_the_process(tmp_path: Path) -> None:
    assert process("check", str(model_path())).returncode == 0
    bad = process("check", str(tmp_path / "nope"))
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "Traceback" not in bad.stderr


def test_a_reader_that_leaves_early() -> None:
    shell = f"{sys.executable} -m layergraph inspect --json {CNN} | head -1"
    path = str(GOLDEN.parents[1] / "src")
    done = subprocess.run(
        shell, shell=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_tables_on_a_terminal() -> None:
    """A terminal gets rich's table, folded to its width."""
    import pty

    reader, writer = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "layergraph", "inspect", str(CNN)],
        stdout=writer,
        env={**os.environ, "PYTHONPATH": str(GOLDEN.parents[1] / "src"), "COLUMNS": "100"},
    )
    os.close(writer)
    text = b""
    try:
        while part := os.read(reader, 4096):
            text += part
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(reader)
    assert done.wait() == 0
    assert "─" in text.decode()
    assert b"20,778 parameters" in text


def test_predicting_needs_neither_networkx_nor_rich_nor_tensorflow(tmp_path: Path) -> None:
    """What a request handler pays for."""
    code = (
        "import sys, numpy as np, layergraph as lg\n"
        f"lg.Interpreter({str(model_path())!r})(np.zeros((1, 32, 32, 3), 'f4'))\n"
        "print([m for m in ('networkx', 'rich', 'tensorflow', 'keras', 'torch', 'sklearn')"
        " if m in sys.modules])"
    )
    path = str(GOLDEN.parents[1] / "src")
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.stdout == "[]\n"


def test_layers_of_the_user(tmp_path: Path, capsys: Any) -> None:
    def strange_flatten(config: dict[str, Any]) -> None:
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "Flatten":
                layer["class_name"] = "mine>Gone"

    path = reconfigured(copy_h5(tmp_path, "cnn-tfkeras"), strange_flatten)
    assert cli.main(["check", str(path)]) == 1
    assert "layers={'mine>Gone': function}" in capsys.readouterr().out
    mine = tmp_path / "mine.py"
    mine.write_text(
        "import layergraph as lg\nlg.register('mine>Gone', lambda x: x.reshape(len(x), -1))\n"
    )
    try:
        assert cli.main(["check", str(path), "--layers", str(mine)]) == 0
    finally:
        REGISTERED.clear()
    mine.write_text("import nowhere\n")
    assert cli.main(["check", str(path), "--layers", str(mine)]) == 2
    assert "cannot be imported (ModuleNotFoundError: No module named 'nowhere')" in (
        capsys.readouterr().err
    )
