"""Predictions held against labels, and models as scikit-learn estimators."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN
from layergraph.ir.build import Builder
from layergraph.ir.graph import Graph
from layergraph.ir.ops.activation import Softmax
from layergraph.ir.ops.linear import Dense
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.types import TensorType
from layergraph.tools import cli

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from layergraph.tools.estimator import (
    LayerGraphClassifier,
    LayerGraphRegressor,
    LayerGraphTransformer,
)
from layergraph.tools.evaluate import evaluate, indices, probabilities

LSTM = GOLDEN / "lstm-keras3" / "model.h5"
TWO = GOLDEN / "several_inputs_and_outputs-keras3" / "model.keras"


@pytest.fixture
def rows() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Token ids, and labels that are right most of the time."""
    random = np.random.default_rng(0)
    x = random.integers(0, 600, (40, 80)).astype(np.int32)
    y = lg.Interpreter(LSTM)(x).argmax(axis=1)
    return x, np.where(random.random(40) < 0.2, (y + 1) % 3, y)


def softmax_of(width: int | None, classes: int = 3) -> Graph:
    build = Builder()
    x = build.input("x", TensorType((None, width)))
    if width is not None:
        kernel = np.random.default_rng(1).standard_normal((width, classes)).astype(np.float32)
        (x,) = build.add("dense", Dense(), [x], {"kernel": kernel})
    (x,) = build.add("softmax", Softmax(), [x])
    return build.graph(outputs=[x])


def test_metrics_are_scikit_learns(rows: Any) -> None:
    x, y = rows
    found = evaluate(str(LSTM), {"input_layer": x}, y, batch_size=7)
    predicted = lg.Interpreter(LSTM)(x).argmax(axis=1)
    assert found.metrics == {
        "accuracy": accuracy_score(y, predicted),
        "macro_f1": f1_score(y, predicted, average="macro"),
    }
    assert found.confusion.sum() == 40
    assert (found.predicted == predicted).all()


def test_metrics_of_numbers() -> None:
    x = np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)
    graph = softmax_of(4)
    y = lg.Interpreter(graph)(x)
    assert evaluate(graph, {"x": x}, y + 0.5, ["mse", "mae"]).metrics == pytest.approx(
        {"mse": 0.25, "mae": 0.5}
    )


def test_labels_and_scores() -> None:
    assert indices(np.eye(3)[[2, 0]], 3).tolist() == [2, 0]
    assert indices(np.array(["b", "a", "b"]), 2).tolist() == [1, 0, 1]
    assert indices(np.array(["b", "a"], object), 2, ["b", "a"]).tolist() == [0, 1]
    assert probabilities(np.array([[0.25], [1.0]])).tolist() == [[0.75, 0.25], [0, 1]]
    with pytest.raises(lg.InputError, match="class indices from 0 to 1"):
        indices(np.array([0, 2]), 2)
    with pytest.raises(lg.InputError, match="'c' is none of the classes a, b"):
        indices(np.array(["c"]), 2, ["a", "b"])


def test_tables(rows: Any, tmp_path: Path, capsys: Any) -> None:
    """The same rows from each kind of file."""
    x, y = rows
    np.savez(tmp_path / "d.npz", words=x, label=y)
    names = [f"w{i}" for i in range(80)]
    with (tmp_path / "d.csv").open("w", encoding="utf-8") as file:
        print("label", *names, sep=",", file=file)
        for label, row in zip(y, x, strict=True):
            print("abc"[label], *row, sep=",", file=file)
    kinds = [["d.npz"], ["d.csv", "--classes", "a,b,c"]]
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        pass
    else:
        pq.write_table(pa.table({"label": y, "input_layer": list(x)}), tmp_path / "d.parquet")
        kinds.append(["d.parquet"])
    found = []
    for name, *more in kinds:
        arguments = ["evaluate", str(LSTM), "--data", str(tmp_path / name), "--labels", "label"]
        assert cli.main([*arguments, *more, "--against", "float64", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert all(f[0]["metrics"] == found[0][0]["metrics"] for f in found)
    assert found[0][0]["metrics"] == found[0][1]["metrics"]
    cli.main([*arguments, "--against", "plain", "--metrics", "accuracy,kappa"])
    out = capsys.readouterr().out
    assert "precision" in out
    assert "40 of 40 predictions are equal" in out


def test_refusals(rows: Any, tmp_path: Path) -> None:
    x, y = rows
    with pytest.raises(lg.InputError, match="no metric 'f2'"):
        evaluate(str(LSTM), {"input_layer": x}, y, ["f2"])
    with pytest.raises(lg.InputError, match="choose one of the outputs 0, 1, 2"):
        evaluate(str(TWO), {"words": x[:, :6] % 9, "numbers": x[:, :5].astype("f4")}, y)
    with pytest.raises(lg.InputError, match="3 labels for 40"):
        evaluate(str(LSTM), {"input_layer": x}, y[:3])


def test_the_classifier(rows: Any) -> None:
    x, y = rows
    model = LayerGraphClassifier(str(LSTM), classes=["neg", "neu", "pos"])
    texts = np.array(["neg", "neu", "pos"])[y]
    right = accuracy_score(y, lg.Interpreter(LSTM)(x).argmax(axis=1))
    assert model.fit(x, texts).score(x, texts) == right
    assert model.predict_proba(x).shape == (40, 3)
    assert model.get_params() == {
        "model": str(LSTM), "output": None, "batch_size": 32, "classes": ["neg", "neu", "pos"],
    }  # fmt: skip
    scores = cross_val_score(make_pipeline(FunctionTransformer(), clone(model)), x, texts, cv=4)
    assert scores.mean() == pytest.approx(right)
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict(x) == model.predict(x)).all()
    with pytest.raises(lg.InputError, match="none of the classes"):
        model.fit(x, np.array(["neg", "nix"] * 20))


def test_a_graph_is_pickled_whole() -> None:
    model = LayerGraphClassifier(softmax_of(4))
    x = np.random.default_rng(0).standard_normal((5, 4))
    again = pickle.loads(pickle.dumps(model.fit(x)))
    assert (again.predict_proba(x) == model.predict_proba(x)).all()
    assert clone(model).model is model.model
    model.set_params(model=softmax_of(4, 5))
    assert model.predict_proba(x).shape == (5, 5)


def test_the_regressor_and_the_transformer() -> None:
    random = np.random.default_rng(0)
    x = np.concatenate([random.integers(0, 9, (30, 6)), random.standard_normal((30, 5))], axis=1)
    two = lg.Interpreter(TWO)({"words": x[:, :6], "numbers": x[:, 6:]})[0]
    regressor = LayerGraphRegressor(str(TWO), output="0")
    np.testing.assert_allclose(regressor.fit(x).predict(x), two, rtol=1e-5)
    assert regressor.score(x, two) == pytest.approx(1)
    features = LayerGraphTransformer(str(TWO), node="joined")
    assert features.fit_transform(x).shape == (30, 9)
    labels = (two[:, 0] > np.median(two[:, 0])).astype(int)
    pipeline = make_pipeline(features, LogisticRegression(max_iter=2000, C=100))
    assert cross_val_score(pipeline, x, labels, cv=3).mean() > 0.8


def of_any_width(path: Path, width: int) -> str:
    """A model that takes rows of any length, as the checks have them."""
    build = Builder()
    x = build.input("x", TensorType((None, None)))
    (x,) = build.add("mean", Reduce(kind="mean", axis=(-1,), keepdims=True), [x])
    if width > 1:
        kernel = np.linspace(-1, 1, width, dtype=np.float32)[None]
        (x,) = build.add("dense", Dense(), [x], {"kernel": kernel})
        (x,) = build.add("softmax", Softmax(), [x])
    lg.save(build.graph(outputs=[x]), path)
    return str(path)


UNFITTED = "a frozen model needs no fit"
UNLEARNT = "classes are the model's own, not those of the data"
OTHER_DATA = "the check wants a good score on its data, which no model was trained on"
CANNOT: dict[str, dict[str, str]] = {
    "LayerGraphTransformer": {
        "check_transformers_unfitted": UNFITTED,
        "check_fit_check_is_fitted": UNFITTED,
    },
    "LayerGraphRegressor": {
        "check_regressors_train": OTHER_DATA,
        "check_estimators_unfitted": UNFITTED,
        "check_fit_check_is_fitted": UNFITTED,
    },
    "LayerGraphClassifier": {
        "check_estimators_unfitted": UNFITTED,
        "check_fit_check_is_fitted": UNFITTED,
        "check_classifiers_one_label": UNLEARNT,
        "check_classifiers_classes": UNLEARNT,
        "check_dtype_object": UNLEARNT,
        "check_classifiers_train": OTHER_DATA,
    },
}
"""Checks of scikit-learn that cannot pass, and why."""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("kind", "width"),
    [(LayerGraphTransformer, 3), (LayerGraphClassifier, 3), (LayerGraphRegressor, 1)],
)
def test_scikit_learns_own_checks(kind: Any, width: int, tmp_path: Path) -> None:
    estimator = kind(of_any_width(tmp_path / "model.lg", width))
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert set(failed) <= set(CANNOT[kind.__name__]), failed
    assert sum(r["status"] == "passed" for r in results) >= 40
