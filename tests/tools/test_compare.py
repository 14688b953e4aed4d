"""Comparisons: what agrees, what parts, and where the report puts the blame."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN
from layergraph.backends.numpy.interpreter import Interpreter
from layergraph.ir.build import Builder
from layergraph.ir.graph import Graph, Node
from layergraph.ir.ops.linear import Dense
from layergraph.ir.types import TensorType
from layergraph.tools import cli
from layergraph.tools.comparison import figures, sides
from layergraph.tools.comparison.draws import drawn
from layergraph.tools.comparison.figures import measured
from layergraph.tools.comparison.layout import drawing
from layergraph.tools.comparison.sides import Shelf, Table, split

CNN = str(GOLDEN / "cnn-keras3" / "model.h5")
LSTM = str(GOLDEN / "lstm-tfkeras" / "model.keras")


def changed(graph: Graph, name: str, **params: Any) -> Graph:
    """A graph with other parameters in one node."""

    def swap(node: Node) -> Node:
        return replace(node, params={**node.params, **params}) if node.name == name else node

    return graph.replaced(swap(node) for node in graph)


def plain(graph: Graph) -> Interpreter:
    return Interpreter(graph, optimize=False)


def chain(count: int, scale: float = 1.0) -> Graph:
    """Layers that each multiply by a rotation, and by a number near 1."""
    build = Builder()
    x = build.input("x", TensorType((None, 4)))
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((4, 4)))[0]
    for number in range(count):
        kernel = (scale * turn).astype(np.float32)
        (x,) = build.add(f"layer_{number}", Dense(), [x], {"kernel": kernel})
    return build.graph(outputs=[x])


@pytest.mark.parametrize("options", ["", "@plain", "@float64", "@plain+float64", "@float16"])
@pytest.mark.parametrize("model", [CNN, LSTM], ids=["cnn", "lstm"])
def test_a_model_agrees_with_itself(model: str, options: str) -> None:
    report = lg.compare(model, model + options)
    assert report, report.conclusion()
    assert report.verdict == "agree"
    assert report.rows[-1].key == "dense"


def test_a_fault_is_named_with_what_enters_it() -> None:
    good = lg.load(CNN)
    kernel = good["conv2d_1/conv"].params["kernel"]
    bad = changed(good, "conv2d_1/conv", kernel=kernel.swapaxes(0, 1).copy())
    report = lg.compare(plain(bad), plain(good))
    assert not report
    assert report.verdict == "fault"
    assert report.first is not None
    assert report.first.key == "conv2d_1/conv"
    assert report.first.entering == ("max_pooling2d",)
    assert [row.key for row in report.faults] == ["conv2d_1/conv"]
    assert {r.status for r in report.rows[report.rows.index(report.first) + 1 :]} == {"follows"}
    said = report.conclusion()
    assert "part at 'conv2d_1/conv', layer conv2d_1 (Conv2D)" in said
    assert "Into it go max_pooling2d (0 off)" in said
    assert "A fault of this node" in said
    assert said in str(report)


def test_two_faults_are_both_named() -> None:
    """The second is found although all that enters it is wrong already."""
    good = lg.load(CNN)
    bad = good
    for name in ("conv2d/conv", "dense/dense"):
        bad = changed(bad, name, bias=good[name].params["bias"][::-1].copy())
    report = lg.compare(plain(bad), plain(good))
    assert [row.key for row in report.faults] == ["conv2d/conv", "dense/dense"]
    assert "On equal inputs also differ: 'dense/dense'" in report.conclusion()


def test_small_errors_that_add_up_are_drift() -> None:
    report = lg.compare(plain(chain(12, 1 + 4e-6)), plain(chain(12)))
    assert report.verdict == "drift"
    assert not report.faults
    assert report.first is not None
    assert report.first.key == "layer_2"
    assert "Drift: no node computes anything else" in report.conclusion()


def test_without_a_graph_a_jump_is_a_fault_and_a_slope_is_drift() -> None:
    good = {f"n{i}": np.arange(1, 7, dtype=np.float64) for i in range(5)}
    jump = {k: v * (1 + (1e-3 if k > "n2" else 1e-7)) for k, v in good.items()}
    slope = {f"n{i}": good["n0"] * (1 + 10 ** (i - 7.0)) for i in range(5)}
    report = lg.compare(jump, good)
    assert [(r.key, r.status) for r in report.parted] == [("n3", "fault"), ("n4", "follows")]
    assert lg.compare(slope, good).verdict == "drift"


def test_another_shape_stops_the_walk_at_the_node() -> None:
    build = Builder()
    x = build.input("x", TensorType((None, 4)))
    (x,) = build.add("first", Dense(), [x], {"kernel": np.ones((4, 3), np.float32)})
    (x,) = build.add("second", Dense(), [x], {"kernel": np.ones((3, 2), np.float32)})
    good = build.graph(outputs=[x])
    bad = changed(good, "first", kernel=np.ones((4, 5), np.float32))
    report = lg.compare(plain(bad), plain(good))
    assert report.culprit is not None
    assert report.culprit.key == "first"
    assert "could not go on" in report.failure
    assert "float32[3, 5] where float32[3, 3] is expected" in report.conclusion()


def test_fused_nodes_are_run_as_one() -> None:
    """The optimised side has no node for what it fused; its node is run on the plain inputs."""
    good = lg.load(CNN)
    bad = changed(good, "conv2d/conv", bias=good["conv2d/conv"].params["bias"] + 1)
    report = lg.compare(Interpreter(bad), plain(good))
    assert report.first is not None
    assert report.first.key == "conv2d"
    assert [row.key for row in report.faults] == ["conv2d"]
    assert "conv2d/conv" in report.only_b


@pytest.mark.parametrize(
    ("a", "b", "absolute", "parts"),
    [
        pytest.param([1.0, np.nan], [1.0, np.nan], 0.0, False, id="NaN where NaN is"),
        pytest.param([1.0, np.nan], [1.0, 2.0], np.inf, True, id="NaN where a number is"),
        pytest.param([np.inf, 1.0], [np.inf, 1.0], 0.0, False, id="infinite both"),
        pytest.param([np.inf, 1.0], [-np.inf, 1.0], np.inf, True, id="infinities of two signs"),
        pytest.param([4.0, 0.0], [4.0, 3.9e-5], 3.9e-5, False, id="within the largest value"),
        pytest.param([4.0, 0.0], [4.0, 4.1e-5], 4.1e-5, True, id="beyond it"),
        pytest.param([True, False], [True, True], 1.0, True, id="truth values"),
        pytest.param([10**6], [10**6 + 1], 1.0, True, id="whole numbers are not rounded"),
        pytest.param([2**60], [2**60 + 1], 1.0, True, id="beyond what float64 tells apart"),
        pytest.param([1], [1.0], 0.0, True, id="whole and float"),
        pytest.param([b"a"], [b"b"], 1.0, True, id="text"),
        pytest.param([1j], [1.0], 2**0.5, True, id="complex"),
        pytest.param([], [], 0.0, False, id="nothing"),
    ],
)
def test_figures(a: list[Any], b: list[Any], absolute: float, parts: bool) -> None:
    text = a and isinstance(a[0], bytes)
    x, y = (np.array(v, object) if text else np.array(v) for v in (a, b))
    found = measured(x, y)
    assert found.absolute == pytest.approx(absolute)
    assert found.parts() is parts


def test_figures_are_those_of_the_whole_however_it_is_cut(monkeypatch: Any) -> None:
    random = np.random.default_rng(0)
    a = random.standard_normal((5, 7)).astype(np.float32)
    b = a + random.standard_normal((5, 7)).astype(np.float32) * 1e-3
    whole = measured(a, b)
    monkeypatch.setattr("layergraph.tools.comparison.figures.CHUNK", 4)
    cut = measured(a, b)
    assert cut.place == whole.place
    assert (cut.absolute, cut.largest) == (whole.absolute, whole.largest)
    x, y = a.astype(np.float64), b.astype(np.float64)
    cosine = 1 - np.vdot(x, y) / np.linalg.norm(x) / np.linalg.norm(y)
    assert cut.cosine == pytest.approx(cosine, rel=1e-2)


def test_inputs_drawn_fit_the_model() -> None:
    feeds = drawn(lg.load(LSTM), seed=1)
    ((name, ids),) = feeds.items()
    assert 0 <= ids.min() <= ids.max() < 600
    assert (ids[0, -5:] == 0).all()
    assert (drawn(lg.load(LSTM), seed=1)[name] == ids).all()
    assert (drawn(lg.load(LSTM), seed=2)[name] != ids).any()


def test_tables_of_arrays(tmp_path: Path) -> None:
    """Names as ``layergraph run`` writes them: a dot for the slash."""
    interpreter = plain(lg.load(CNN))
    x = drawn(interpreter.graph)["input_layer"]
    arrays = {step.name.replace("/", "."): step.outputs[0].copy() for step in interpreter.trace(x)}
    np.savez(tmp_path / "run.npz", input_layer=x, **arrays)
    report = lg.compare(f"{CNN}@plain", tmp_path / "run.npz")
    assert report, report.conclusion()
    assert len(report.rows) == 9
    assert not report.only_a + report.only_b
    np.savez(tmp_path / "bare.npz", **arrays)
    with pytest.raises(lg.InputError, match="does not say what inputs"):
        lg.compare(CNN, tmp_path / "bare.npz")
    assert lg.compare(CNN, tmp_path / "bare.npz", x)


def test_options() -> None:
    assert split("model.h5") == ("model.h5", set())
    assert split("a@b/model.h5@plain+float64") == ("a@b/model.h5", {"plain", "float64"})
    with pytest.raises(lg.InputError, match="no option 'fast'"):
        split("model.h5@fast")


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        pytest.param("nothing.h5", CNN, "no such file", id="missing"),
        pytest.param(CNN, LSTM, "expects int32", id="other inputs"),
        pytest.param(f"{CNN}@float32+float64", CNN, "choose one", id="two dtypes"),
        pytest.param(3, CNN, "cannot compare int", id="a number"),
        pytest.param({"nothing": 1.0}, {"else": 1.0}, "no node of the same name", id="names"),
    ],
)
def test_what_cannot_be_compared(a: Any, b: Any, says: str) -> None:
    with pytest.raises(lg.LayerGraphError, match=says):
        lg.compare(a, b, {"input_layer": np.zeros((1, 32, 32, 3))} if b == LSTM else None)


def test_many_values_wait_on_the_disk(monkeypatch: Any) -> None:
    monkeypatch.setattr(sides, "HELD", 100)
    shelf = Shelf()
    arrays = {str(i): np.full((3, 4), i, np.float32) for i in range(5)}
    for name, array in arrays.items():
        shelf.put(name, array)
    assert all((shelf.pop(name) == arrays[name]).all() for name in reversed(list(shelf)))


ROWS, DEPTH = 1 << 14, 40
VALUE = ROWS * 4 * 4
"""Bytes of each value of a deep and narrow model: together they are ten times what may be held."""


def peak(run: Callable[[], Any]) -> int:
    """Bytes held at most, NumPy's arrays included."""
    run()  # What is imported and planned once does not count.
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("scale", [1.0, 1.001], ids=["equal", "every-node-run-again"])
def test_values_are_dropped_once_compared(scale: float) -> None:
    x = np.random.default_rng(0).standard_normal((ROWS, 4)).astype(np.float32)
    a, b = plain(chain(DEPTH, scale)), plain(chain(DEPTH))
    assert len(lg.compare(a, b, x).rows) == DEPTH
    assert peak(lambda: lg.compare(a, b, x)) < 12 * VALUE


@pytest.mark.live
def test_values_of_keras_wait_on_the_disk(tmp_path: Path, monkeypatch: Any) -> None:
    keras = pytest.importorskip("keras", exc_type=ImportError)
    monkeypatch.setattr(sides, "HELD", 4 * VALUE)
    x = np.random.default_rng(0).standard_normal((ROWS, 4)).astype(np.float32)
    dense = keras.layers.Dense
    model = keras.Sequential([keras.Input((4,)), *(dense(4) for _ in range(DEPTH))])
    model.save(tmp_path / "deep.keras")
    ours = Interpreter(tmp_path / "deep.keras")
    assert len(lg.compare(ours, model, x).rows) == DEPTH
    assert peak(lambda: lg.compare(ours, model, x)) < 12 * VALUE


def test_only_what_is_matched_is_kept_of_keras(monkeypatch: Any) -> None:
    """Of layers whose steps a pass has fused there is nothing to compare with."""
    keras = pytest.importorskip("keras", exc_type=ImportError)
    kept: list[str] = []
    put = Shelf.put
    monkeypatch.setattr(Shelf, "put", lambda self, k, a: (kept.append(k), put(self, k, a))[1])
    model = keras.Sequential([
        keras.Input((5, 5, 2)), keras.layers.Conv2D(3, 2, name="conv", use_bias=False),
        keras.layers.BatchNormalization(name="norm"), keras.layers.ReLU(name="relu"),
    ])  # fmt: skip
    other = Table("t", {"relu": np.zeros((1, 4, 4, 3), np.float32)})
    report = lg.compare(other, model, np.ones((1, 5, 5, 2), np.float32))
    assert kept == ["relu"]
    assert set(report.only_b) == {"conv", "norm"}


FLOATS = [np.nan, np.inf, -np.inf, -7.0, 3.0, 3.5, 1e-30, -1e200, 1e200]


@pytest.mark.parametrize("number", range(60))
def test_figures_are_those_of_the_definition(number: int, monkeypatch: Any) -> None:
    random = np.random.default_rng(number)
    usual = random.random() * 2
    a, b = (
        np.where(random.random(21) < usual, random.standard_normal(21), random.choice(FLOATS, 21))
        for _ in "ab"
    )
    monkeypatch.setattr(figures, "CHUNK", int(random.integers(1, 9)))
    found = measured(a, b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    finite = np.isfinite(a) & np.isfinite(b)
    difference = np.abs(np.subtract(a, b, where=finite, out=np.full(a.shape, np.inf)))
    apart = np.where(same, 0, difference)
    assert found.absolute == apart.max()
    assert found.place == (apart.argmax(),)
    assert found.largest == np.abs(b[np.isfinite(b)]).max(initial=0)
    assert found.nans == (np.isnan(a).sum(), np.isnan(b).sum())
    assert found.infs == (np.isinf(a).sum(), np.isinf(b).sum())


def test_the_command(tmp_path: Path, capsys: Any) -> None:
    good = lg.load(CNN)
    bad = changed(good, "dense/dense", bias=good["dense/dense"].params["bias"] + 1e-3)
    lg.save(bad, tmp_path / "bad.lg")
    assert cli.main(["compare", CNN, f"{CNN}@float64"]) == 0
    assert "agree: 6 values compared" in capsys.readouterr().out
    page = tmp_path / "page.html"
    arguments = ["compare", f"{tmp_path}/bad.lg@plain", f"{CNN}@plain", "--html", str(page)]
    assert cli.main(arguments) == 1
    assert "part at 'dense/dense'" in capsys.readouterr().out
    assert cli.main([*arguments, "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["verdict"], data["first"], data["faults"]) == (
        "fault", "dense/dense", ["dense/dense"],
    )  # fmt: skip
    assert cli.main([*arguments, "--rtol", "0.1"]) == 0


def test_the_page_stands_alone(tmp_path: Path) -> None:
    report = lg.compare(f"{CNN}@plain", f"{CNN}@float64", histograms=True)
    report.save_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    for outside in ("http://", "https://", "src=", "@import", "url(//"):
        assert outside not in page.replace("http://www.w3.org/2000/svg", "")
    text = page.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    data = json.loads(text)
    assert list(data["rows"]) == [row.key for row in report.rows]
    assert sum(data["rows"]["dense"]["bars"]["a"]) == 30
    # A node for each of the graph, coloured; the fused ones are grey.
    assert page.count('<g class="node') == 10
    assert page.count('fill="#d9d9d9"') == 10 - len(report.rows)


def test_a_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    lg.compare(CNN, f"{CNN}@float64").save_plot(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes()[:4] == b"\x89PNG"


def test_a_drawing_has_no_node_upon_another() -> None:
    nodes = [str(i) for i in range(60)]
    random = np.random.default_rng(0)
    edges = [(str(random.integers(max(0, i - 9), i)), str(i)) for i in range(1, 60)]
    edges += [(str(random.integers(0, i)), str(i)) for i in range(2, 60, 3)]
    found = drawing(nodes, edges, node_width=100, node_height=30)
    by_layer: dict[float, list[float]] = {}
    for x, y in found.centres.values():
        assert 50 <= x <= found.width - 50
        assert 15 <= y <= found.height - 15
        by_layer.setdefault(y, []).append(x)
    for places in by_layer.values():
        assert (np.diff(sorted(places)) >= 100).all()
    for a, b, points in found.edges:
        assert points[0] == found.centres[a]
        assert points[-1] == found.centres[b]
        assert (np.diff([y for _, y in points]) > 0).all()


def test_onnxruntime() -> None:
    """A fault is put down to the node although NumPy cannot run onnxruntime's nodes again."""
    pytest.importorskip("onnxruntime")
    report = lg.compare(f"{LSTM}@plain", f"{LSTM}@onnxruntime")
    assert report, report.conclusion()
    assert report.row("lstm").own is not None
    good = lg.load(LSTM)
    bad = changed(good, "lstm", bias=good["lstm"].params["bias"][::-1].copy())
    report = lg.compare(Interpreter(bad, backend="onnxruntime"), plain(good))
    assert [row.key for row in report.faults] == ["lstm"]


@pytest.mark.live
@pytest.mark.parametrize(
    ("folder", "keras"), [("nested_shared-keras3", "keras"), ("encoder_decoder-tfkeras", "tfkeras")]
)
def test_live_keras(folder: str, keras: str) -> None:
    pytest.importorskip({"keras": "keras", "tfkeras": "tf_keras"}[keras])
    path = str(GOLDEN / folder / "model.keras")
    report = lg.compare(f"{path}@plain", f"{path}@{keras}")
    assert report, report.conclusion()
    assert len(report.rows) >= 4
    assert not report.only_b
    assert all(row.own is not None for row in report.rows)
    graph = lg.load(path)
    name = next(n.name for n in graph if "kernel" in n.params)
    bad = changed(graph, name, kernel=graph[name].params["kernel"] * 1.01)
    report = lg.compare(plain(bad), f"{path}@{keras}")
    assert report.first is not None
    assert report.first.key == name.removesuffix("/conv")
    assert report.first.status == "fault"
