"""``layergraph evaluate``: predictions held against labels; needs the extra ``eval``."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from layergraph.backends.numpy.feeds import batches_joined
from layergraph.ir.errors import InputError, Unsupported, UnsupportedError
from layergraph.ir.graph import Graph
from layergraph.ir.types import Array
from layergraph.tools.comparison.sides import Npz, Side, Table, side, split
from layergraph.tools.golden import outputs_of
from layergraph.tools.rows import as_inputs
from layergraph.tools.screen import print_table, tracked

Metric: TypeAlias = Callable[[Any, Array, Array, Array], float]


def sklearn_metrics() -> Any:
    """The module ``sklearn.metrics``.

    Raises:
        UnsupportedError: scikit-learn is not installed.
    """
    try:
        import sklearn.metrics
    except ImportError as error:
        what = Unsupported(
            "evaluate", "scikit-learn", "it is not installed", "pip install 'layergraph[eval]'"
        )
        raise UnsupportedError([what]) from error
    return sklearn.metrics


def _averaged(name: str, average: str) -> Metric:
    def score(m: Any, y: Array, predicted: Array, outputs: Array) -> float:
        return float(getattr(m, name)(y, predicted, average=average, zero_division=0))

    return score


CLASSES: dict[str, Metric] = {
    "accuracy": lambda m, y, p, o: float(m.accuracy_score(y, p)),
    "balanced_accuracy": lambda m, y, p, o: float(m.balanced_accuracy_score(y, p)),
    "macro_f1": _averaged("f1_score", "macro"),
    "weighted_f1": _averaged("f1_score", "weighted"),
    "macro_precision": _averaged("precision_score", "macro"),
    "macro_recall": _averaged("recall_score", "macro"),
    "kappa": lambda m, y, p, o: float(m.cohen_kappa_score(y, p)),
    "matthews": lambda m, y, p, o: float(m.matthews_corrcoef(y, p)),
    "log_loss": lambda m, y, p, o: float(m.log_loss(y, o, labels=np.arange(o.shape[1]))),
}
"""Metrics of classes, from true and predicted indices and probabilities ``(rows, classes)``."""

NUMBERS: dict[str, Metric] = {
    "mse": lambda m, y, p, o: float(m.mean_squared_error(y, o)),
    "mae": lambda m, y, p, o: float(m.mean_absolute_error(y, o)),
    "r2": lambda m, y, p, o: float(m.r2_score(y, o)),
}
"""Metrics of numbers, from true values and outputs."""


@dataclass(frozen=True)
class Evaluation:
    """How well one side predicts.

    Attributes:
        name: the side's.
        metrics: values by metric.
        outputs: what the model returned.
        predicted: indices of the classes; empty for numbers.
        report: scikit-learn's classification report; empty for numbers.
        confusion: rows true, columns predicted; empty for numbers.
    """

    name: str
    metrics: Mapping[str, float]
    outputs: Array
    predicted: Array
    report: str
    confusion: Array


def evaluate(
    model: Any,
    inputs: Mapping[str, Array],
    labels: Array,
    metrics: Sequence[str] = ("accuracy", "macro_f1"),
    *,
    classes: Sequence[str] | None = None,
    output: str | None = None,
    batch_size: int = 32,
) -> Evaluation:
    """Predict all rows and measure.

    Args:
        model: what ``layergraph.compare`` takes as a side that runs.
        inputs: arrays by input name.
        labels: class indices, class names, one-hot rows; or numbers.
        metrics: names out of ``CLASSES``, or out of ``NUMBERS``.
        classes: names of the classes, in the order of the model's outputs; without
            them labels that are texts count in alphabetical order.
        output: which output, by path (``0``, ``1``, a key), for models of several.
        batch_size: rows at a time.

    Raises:
        InputError: no such metric, or labels and outputs do not go together.
    """
    found = side(model)
    if isinstance(found, Table):
        raise InputError(f"{found.name}: arrays cannot be run; pass a model")
    of_numbers = bool(metrics) and set(metrics) <= set(NUMBERS)
    if unknown := [m for m in metrics if m not in (NUMBERS if of_numbers else CLASSES)]:
        raise InputError(
            f"there is no metric {unknown[0]!r} to go with the others; of classes there are "
            f"{', '.join(CLASSES)}, of numbers {', '.join(NUMBERS)}"
        )
    module = sklearn_metrics()
    outputs = _predicted(found, inputs, output, batch_size)
    if len(outputs) != len(labels):
        raise InputError(f"{len(labels)} labels for {len(outputs)} predictions")
    if of_numbers:
        flat = outputs.reshape(len(outputs), -1)
        values = {m: NUMBERS[m](module, labels.reshape(flat.shape), flat, flat) for m in metrics}
        return Evaluation(found.name, values, outputs, np.empty(0), "", np.empty((0, 0)))
    scores = probabilities(outputs)
    true = indices(labels, scores.shape[1], classes)
    predicted = scores.argmax(axis=1)
    names = list(classes or _names(labels) or map(str, range(scores.shape[1])))
    every = np.arange(len(names))
    return Evaluation(
        found.name,
        {m: CLASSES[m](module, true, predicted, scores) for m in metrics},
        outputs,
        predicted,
        module.classification_report(
            true, predicted, labels=every, target_names=names, digits=4, zero_division=0
        ),
        module.confusion_matrix(true, predicted, labels=every),
    )


def probabilities(outputs: Array) -> Array:
    """Scores ``(rows, classes)``; a single column is that of the second of two classes.

    Raises:
        InputError: the outputs are no row of numbers each.
    """
    if outputs.ndim == 1:
        outputs = outputs[:, None]
    if outputs.ndim != 2:
        raise InputError(f"classes need one row of scores a row, the model gives {outputs.shape}")
    if outputs.shape[1] == 1:
        return np.concatenate([1 - outputs, outputs], axis=1)
    return outputs


def indices(labels: Array, count: int, classes: Sequence[str] | None = None) -> Array:
    """Labels as indices of classes.

    Raises:
        InputError: a label is no class of the model.
    """
    if labels.ndim == 2 and labels.shape[1] == count > 1:
        hot: Array = labels.argmax(axis=1)
        return hot
    labels = labels.reshape(len(labels))
    if labels.dtype.kind in "biuf":
        found = labels.astype(np.int64)
        if (found != labels).any() or found.min(initial=0) < 0 or found.max(initial=0) >= count:
            raise InputError(f"labels must be class indices from 0 to {count - 1}, or names")
        return found
    names = list(classes or _names(labels))
    if len(names) != count:
        raise InputError(
            f"the model tells {count} classes apart, the labels name {len(names)}; "
            "pass their names in order (--classes)"
        )
    places = {name: i for i, name in enumerate(names)}
    texts = [_text(label) for label in labels.tolist()]
    if missing := sorted(set(texts) - set(places)):
        raise InputError(f"label {missing[0]!r} is none of the classes {', '.join(names)}")
    return np.array([places[text] for text in texts], np.int64)


def _names(labels: Array) -> list[str]:
    if labels.dtype.kind in "biuf":
        return []
    return sorted({_text(label) for label in labels.ravel().tolist()})


def _text(label: Any) -> str:
    return label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)


def _predicted(
    found: Side, inputs: Mapping[str, Array], output: str | None, batch_size: int
) -> Array:
    rows = min((len(a) for a in inputs.values()), default=0)
    parts = []
    for start in tracked(range(0, max(rows, 1), batch_size), f"predicting, {found.name}"):
        outputs = outputs_of(found, {n: a[start : start + batch_size] for n, a in inputs.items()})
        if output is None and len(outputs) > 1:
            raise InputError(f"choose one of the outputs {', '.join(outputs)} (--output)")
        if output is not None and output not in outputs:
            raise InputError(f"there is no output {output!r}; there are {', '.join(outputs)}")
        parts.append(outputs[output] if output else next(iter(outputs.values())))
    return batches_joined(parts)


def read_table(path: str, labels: str, graph: Graph) -> tuple[dict[str, Array], Array]:
    """Inputs and labels from a file.

    An ``.npz`` file holds one array an input, by name (any name for a lone
    input). Of a table (``.parquet``, ``.csv`` with a heading) the labels are one
    column; columns named as the inputs are those, otherwise all other columns
    are the features in order.

    Raises:
        InputError: the file cannot be read or lacks something.
    """
    kind = Path(path).suffix.lower()
    readers = {".npz": Npz, ".parquet": _parquet, ".csv": _csv}
    if kind not in readers:
        raise InputError(f"{path}: cannot read {kind or 'it'}; use {', '.join(readers)}")
    columns: dict[str, Array] = dict(readers[kind](path))
    if labels not in columns:
        raise InputError(f"{path} has no {labels!r}; it has {', '.join(columns)}")
    y = columns.pop(labels)
    names = list(graph.inputs)
    if set(names) <= set(columns):
        return {n: as_inputs(graph, [n], columns[n])[n] for n in names}, y
    if kind == ".npz":
        if len(columns) == len(names) == 1:
            return as_inputs(graph, names, next(iter(columns.values()))), y
        raise InputError(
            f"{path} holds {', '.join(columns)}; the model's inputs are {', '.join(names)}"
        )
    return as_inputs(graph, names, np.stack(list(columns.values()), axis=1)), y


def _csv(path: str) -> dict[str, Array]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        heading, *rows = list(csv.reader(file))
    columns = {name: [row[i] for row in rows] for i, name in enumerate(heading)}
    return {name: _typed(cells) for name, cells in columns.items()}


def _typed(cells: list[str]) -> Array:
    for dtype in (np.int64, np.float64):
        try:
            return np.array(cells).astype(dtype)
        except ValueError:
            continue
    return np.array(cells, object)


def _parquet(path: str) -> dict[str, Array]:
    try:
        import pyarrow.parquet
    except ImportError as error:
        what = Unsupported(path, "parquet", "pyarrow is not installed", "pip install pyarrow")
        raise UnsupportedError([what]) from error
    table = pyarrow.parquet.read_table(path)
    return {
        name: np.array(column.to_pylist())
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def run(parsed: argparse.Namespace) -> int:
    """Evaluate, beside another engine if asked, and print."""
    path, _ = split(parsed.model)
    found = side(parsed.model)
    if found.graph is None:
        raise InputError(f"{parsed.model}: pass the model file, and --against for Keras")
    inputs, labels = read_table(parsed.data, parsed.labels, found.graph)
    metrics = [name.strip() for name in parsed.metrics.split(",") if name.strip()]
    classes = parsed.classes.split(",") if parsed.classes else None
    models = [found, *([side(f"{path}@{parsed.against}")] if parsed.against else [])]
    results = [
        evaluate(
            model, inputs, labels, metrics,
            classes=classes, output=parsed.output, batch_size=parsed.batch_size,
        )
        for model in models
    ]  # fmt: skip
    if parsed.json:
        print(json.dumps([_data(result) for result in results], indent=1))
    else:
        _print(results, metrics)
    return 0


def _data(result: Evaluation) -> dict[str, Any]:
    return {
        "model": result.name,
        "rows": len(result.outputs),
        "metrics": dict(result.metrics),
        "confusion": result.confusion.tolist(),
    }


def _print(results: Sequence[Evaluation], metrics: Sequence[str]) -> None:
    for result in results:
        if result.report:
            print(f"{result.name}\n\n{result.report}\nconfusion, rows true, columns predicted")
            print(f"{result.confusion}\n")
    cells = [[m, *(repr(r.metrics[m]) for r in results)] for m in metrics]
    names = [r.name for r in results]
    print_table(["metric", *names], cells, right=names)
    if len(results) == 2:
        a, b = results
        largest = float(np.abs(a.outputs.astype(np.float64) - b.outputs).max(initial=0.0))
        same = int((a.predicted == b.predicted).sum())
        equal = f"{same} of {len(a.outputs)} predictions are equal, " if a.report else ""
        print(f"\n{equal}outputs differ by at most {largest:.2g}")
