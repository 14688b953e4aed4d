"""The benchmark suite: right answers only, reasons where there is no time, tables that add up."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN, recorded
from layergraph.tools import cli
from layergraph.tools.bench import worker
from layergraph.tools.bench.channel import OverdueError, Worker, missing_packages
from layergraph.tools.bench.engines import ENGINES
from layergraph.tools.bench.measure import Bench, Options, difference
from layergraph.tools.bench.models import MODELS, QUICK
from layergraph.tools.bench.report import goals, latencies, named, processes, write_page
from layergraph.tools.bench.results import Cell, Cold, Results
from layergraph.tools.bench.targets import SEED, TARGETS, verdicts, without

CNN = GOLDEN / "cnn-keras3" / "model.keras"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder as the builder leaves it, made without Keras."""
    folder = tmp_path / "cnn"
    folder.mkdir()
    shutil.copy(CNN, folder)
    golden = recorded(CNN)
    for stem, arrays in (("x", golden.inputs), ("y", golden.outputs)):
        (array,) = arrays.values()
        np.save(folder / f"{stem}1.npy", array)
    return folder


def options(**given: Any) -> Options:
    base: dict[str, Any] = {"models": (), "batches": (1,), "engines": ("layergraph",)}
    return Options(**(base | {"rounds": 2, "seconds": 0.02} | given))


def test_a_right_answer_has_a_time(model: Path, tmp_path: Path) -> None:
    results = Results()
    with Bench(options(), tmp_path, print) as bench:
        bench.measure("cnn", model, results)
    (cell,) = results.cells
    assert not cell.reason
    assert cell.minimum is not None
    assert cell.median is not None
    assert 0 < cell.minimum <= cell.median
    assert cell.runs >= 1
    assert cell.difference is not None
    assert cell.difference < 1e-5


def test_a_wrong_answer_has_none(model: Path, tmp_path: Path) -> None:
    np.save(model / "y1.npy", np.load(model / "y1.npy") * 1.001)
    results = Results()
    with Bench(options(), tmp_path, print) as bench:
        bench.measure("cnn", model, results)
    (cell,) = results.cells
    assert cell.reason == "wrong by 1e-03"
    assert cell.median is None


def test_what_cannot_run_says_why(model: Path, tmp_path: Path) -> None:
    (model / "model.keras").write_bytes(b"no model")
    results = Results()
    chosen = options(engines=("layergraph", "keras-jax"), jax_python="/nowhere/python")
    with Bench(chosen, tmp_path, print) as bench:
        assert bench.skipped["keras-jax"].startswith("/nowhere/python does not start")
        bench.measure("cnn", model, results)
    assert [cell.engine for cell in results.cells] == ["layergraph", "keras-jax"]
    assert results.cells[0].reason.startswith("FileFormatError")
    assert missing_packages(("numpy", "nosuchpackage")) == ["nosuchpackage"]


def test_a_run_over_its_limit_is_given_up(model: Path) -> None:
    process = Worker("layergraph.tools.bench.worker", ["layergraph"])
    process.ask("load", 60, folder=str(model))
    with pytest.raises(OverdueError, match="slower than 0 s"):
        process.ask("first", 1e-6, inputs=str(model / "x1.npy"), outputs=str(model / "o.npy"))
    assert not process.alive


def test_differences_are_relative_to_the_largest_value() -> None:
    want = np.array([[1.0, -4.0]], "float32")
    assert difference(want + np.float32(0.5), want) == 0.125
    assert difference(want[0], want) == float("inf")


def test_every_engine_has_a_loader() -> None:
    assert list(worker.LOADERS) == list(ENGINES)
    assert set(QUICK) <= set(MODELS)
    for target in TARGETS:
        assert set(target.models) <= set(MODELS)
        assert target.against in ENGINES


def test_inputs_are_seeded() -> None:
    for recipe in MODELS.values():
        x = recipe.inputs(2)
        assert x.shape == (2, *recipe.shape)
        assert np.array_equal(x, recipe.inputs(2))
        assert not np.array_equal(x[0], x[1])


def cell(model: str, engine: str, seconds: float | None, **more: Any) -> Cell:
    return Cell(
        **{"model": model, "batch": 1, "engine": engine, "median": seconds}
        | {"minimum": seconds, "runs": 9}
        | more
    )


def measured() -> Results:
    cells = [cell(name, "layergraph", 1e-3) for name in SEED]
    cells += [cell(name, "tf-function", 3e-3) for name in SEED[:3]]
    cells += [cell("seed_gru", "tf-function", 1.5e-3)]
    cells += [
        cell("seed_cnn", "onnx-reference", None, runs=0, reason="slower than 30 s", limit=30.0),
        cell("seed_rnn", "onnx-reference", None, runs=0, reason="no operator"),
    ]
    cold = [
        Cold(model="seed_cnn", engine="layergraph", seconds=0.25, peak=50.0, runs=3),
        Cold(model="seed_cnn", engine="tf-function", seconds=4.0, peak=700.0, runs=3),
    ]
    made = {
        "date": "today", "processor": "CPU", "cores": 2, "memory_gib": 16, "system": "Linux",
        "python": "3.12", "load": 1.5, "versions": {"numpy": "2"}, "skipped": {},
        "options": {"rounds": 5, "seconds": 1.0},
    }  # fmt: skip
    return Results(made, cells, cold)


def test_targets_are_judged() -> None:
    found = {(v.target.what, v.target.least): v for v in verdicts(measured())}
    latency = found["tf.function, batch 1", 2.0]
    assert latency.text == "missed: seed_gru"
    assert str(latency.ratios["seed_cnn"]) == "3.00"
    assert found["tf.function, batch 1", 1.0].text == "not measured"
    assert found["cold start, TensorFlow", 8.0].text == "met"
    assert found["peak memory, TensorFlow", 2.0].text == "not measured: ResNet50"
    reference = found["ONNX reference, batch 1", 5.0]
    # A run given up shows that the ratio is larger; what cannot run counts for nothing.
    assert str(reference.ratios["seed_cnn"]) == ">30000"
    assert reference.reasons == {"seed_rnn": "no operator"}
    assert "seed_rnn" not in reference.unknown
    assert "seed_lstm" in reference.unknown


def test_tables(tmp_path: Path) -> None:
    results = measured()
    columns, rows = latencies(results)
    assert columns == ["model", "batch", "layergraph", "tf.function", "ONNX reference"]
    assert rows[0] == ["seed_cnn", "1", "1.00 ms", "3.00 ms (3.00)", "slower than 30 s (>30000)"]
    assert processes(results)[1][1] == ["seed_cnn", "TensorFlow", "4.00 s (16.0)", "700 MiB (14.0)"]
    assert len(goals(results)[1]) == len(TARGETS)
    assert goals(results)[1][0] == [
        "tf.function, batch 1",
        "seed_cnn, seed_rnn, seed_lstm, seed_gru",
        "2",
        "seed_cnn 3.00, seed_rnn 3.00, seed_lstm 3.00, seed_gru 1.50",
        "missed: seed_gru",
    ]
    assert named(tuple(MODELS)) == "all"
    assert named(without(SEED)) == "all but seed_cnn, seed_rnn, seed_lstm, seed_gru"
    write_page(results, tmp_path / "page.md", tmp_path / "images" / "plot.png")
    page = (tmp_path / "page.md").read_text("utf-8")
    assert "(images/plot.png)" in page
    assert "| seed_cnn | 1 | **1.00 ms** | 3.00 ms (3.00) |" in page
    assert "The machine was busy" in page


def test_results_are_kept_whole(tmp_path: Path) -> None:
    results = measured()
    results.save(tmp_path / "b.json")
    assert Results.read(tmp_path / "b.json") == results
    (tmp_path / "b.json").write_text("{}")
    with pytest.raises(lg.InputError, match="holds no benchmark"):
        Results.read(tmp_path / "b.json")


@pytest.mark.parametrize("what", ["model", "engine"])
def test_unknown_names_are_named(what: str, capsys: Any) -> None:
    assert cli.main(["bench", f"--{what}s", "nope"]) == 2
    assert f"there is no {what} 'nope'; there are" in capsys.readouterr().err


def test_a_quick_benchmark(tmp_path: Path, capsys: Any) -> None:
    """The whole of it on five models; times are whatever they are."""
    pytest.importorskip("tensorflow")
    pytest.importorskip("onnxruntime")
    pytest.importorskip("matplotlib")
    files = {kind: tmp_path / f"bench.{kind}" for kind in ("json", "png", "md")}
    arguments = ["--json", str(files["json"]), "--plot", str(files["png"])]
    assert cli.main(["bench", "--quick", *arguments, "--markdown", str(files["md"])]) == 0
    results = Results.read(files["json"])
    assert [row for row, _ in results.rows()] == list(QUICK)
    assert results.engines() == ["layergraph", "tf-function", "onnxruntime"]
    for found in results.cells:
        assert not found.reason, f"{found.engine} on {found.model}: {found.reason}"
        assert found.median
    printed = capsys.readouterr().out
    assert all(name in printed for name in QUICK)
    assert files["png"].stat().st_size > 1000
    before = files["md"].read_text("utf-8")
    again = ["bench", "--read", str(files["json"]), "--plot", str(files["png"])]
    assert cli.main([*again, "--markdown", str(files["md"])]) == 0
    assert files["md"].read_text("utf-8") == before
