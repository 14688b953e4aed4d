"""Models as scikit-learn estimators; needs the extra ``eval``.

The models are frozen: ``fit`` reads the file and learns nothing, so that they
stand in a ``Pipeline`` and go through ``cross_val_score`` as they are.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from layergraph.backends.numpy.interpreter import Interpreter
from layergraph.ir.errors import InputError
from layergraph.ir.graph import Graph
from layergraph.ir.types import STRING, Array
from layergraph.tools.evaluate import indices, probabilities, sklearn_metrics
from layergraph.tools.flat import flat
from layergraph.tools.rows import as_inputs

sklearn_metrics()  # a clear error where scikit-learn is missing

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin  # noqa: E402
from sklearn.utils.multiclass import check_classification_targets  # noqa: E402
from sklearn.utils.validation import (  # noqa: E402
    assert_all_finite,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

MODEL = "_lg"
"""Key under which a pickle holds a graph, as the bytes of an IR file."""


class _Frozen(BaseEstimator):  # type: ignore[misc, unused-ignore]
    """What all three are.

    Args:
        model: a file, or a graph.
        output: which output, by path (``0``, ``1``, a key), for models of several.
        batch_size: rows at a time.
    """

    def __init__(self, model: Any, *, output: str | None = None, batch_size: int = 32) -> None:
        self.model = model
        self.output = output
        self.batch_size = batch_size

    def fit(self, X: Any, y: Any = None) -> Any:  # noqa: N803
        """Read the model; nothing is learnt.

        Args:
            X: rows, to see that they fit.
            y: labels, which must be classes of the model.
        """
        rows = self._rows(X, reset=True)
        self._feeds(rows[:1])
        if y is not None:
            labels = np.asarray(y)
            check_consistent_length(rows, labels)
            if labels.ndim == 2 and labels.shape[1] == 1:
                column_or_1d(labels, warn=True)
            if labels.dtype.kind == "f":
                assert_all_finite(labels)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_clone__(self) -> Any:
        # Graphs are immutable, so clones share them.
        return type(self)(**self.get_params(deep=False))

    def __getstate__(self) -> dict[str, Any]:
        state = {k: v for k, v in self.__dict__.items() if k != "_interpreter"}
        if isinstance(self.model, Graph):
            from layergraph.api import save

            with TemporaryDirectory() as folder:
                path = Path(folder) / "model.lg"
                save(self.model, path)
                state["model"] = {MODEL: path.read_bytes()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        model = state.get("model")
        if isinstance(model, dict) and MODEL in model:
            from layergraph.api import load

            with TemporaryDirectory() as folder:
                path = Path(folder) / "model.lg"
                path.write_bytes(model[MODEL])
                graph = load(path)
                # Its arrays are mapped from a file that goes away with the folder.
                state = {**state, "model": _owned(graph)}
        self.__dict__.update(state)

    def _loaded(self) -> Interpreter:
        found: Interpreter | None = self.__dict__.get("_interpreter")
        if found is None or found.source is not self.model:
            if not isinstance(self.model, (Graph, str, os.PathLike)):
                raise InputError(
                    f"model must be a file or a graph, not {type(self.model).__name__}"
                )
            key = os.fspath(self.model) if not isinstance(self.model, Graph) else None
            if found is not None and key is not None and self.__dict__.get("_path") == key:
                return found
            found = self._interpreter = Interpreter(self.model)
            self._path = key
        return found

    def _rows(self, data: Any, *, reset: bool = False) -> Array:
        """Rows, checked as scikit-learn does."""
        types = self._loaded().inputs.values()
        found: Array = validate_data(
            self,
            data,
            reset=reset,
            allow_nd=True,
            dtype=None if any(t.dtype == STRING for t in types) else "numeric",
            # A model may well have been trained on batches of one row or of one column.
            ensure_min_samples=1,
        )
        return found

    def _feeds(self, array: Array) -> dict[str, Array]:
        graph = self._loaded().graph
        return as_inputs(graph, list(graph.inputs), array)

    def _outputs(self, data: Any) -> Array:
        array = self._rows(data)
        feeds = self._feeds(array)
        outputs = flat(self._loaded().predict(feeds, batch_size=self.batch_size))
        if self.output is None and len(outputs) > 1:
            raise InputError(f"choose one of the outputs {', '.join(outputs)}: output=...")
        if self.output is None:
            return next(iter(outputs.values()))
        if self.output not in outputs:
            raise InputError(f"there is no output {self.output!r}: {', '.join(outputs)}")
        return outputs[self.output]


class LayerGraphClassifier(ClassifierMixin, _Frozen):  # type: ignore[misc, unused-ignore]
    """A frozen model that tells classes apart.

    Args:
        model, output, batch_size: the model and how it is run.
        classes: labels of the classes, in the order of the model's outputs; their
            numbers without it.

    Attributes:
        classes_: the labels.
    """

    def __init__(
        self,
        model: Any,
        *,
        output: str | None = None,
        batch_size: int = 32,
        classes: Any = None,
    ) -> None:
        super().__init__(model, output=output, batch_size=batch_size)
        self.classes = classes

    def fit(self, X: Any, y: Any = None) -> LayerGraphClassifier:  # noqa: N803
        """Read the model; labels that it cannot give are an error."""
        super().fit(X, y)
        scores = self.predict_proba(np.asarray(X)[:1])
        if y is not None:
            check_classification_targets(y)
            names = None if self.classes is None else [str(c) for c in self.classes]
            labels = np.asarray(y)
            if labels.dtype == object and all(
                isinstance(v, (int, np.integer)) for v in labels.ravel().tolist()
            ):
                labels = labels.astype(np.int64)
            if names is not None:
                labels = labels.astype(str).astype(object)
            indices(labels, scores.shape[1], names)
        return self

    @property
    def classes_(self) -> Array:
        """The labels, in the order of ``predict_proba``'s columns."""
        if self.classes is not None:
            return np.asarray(self.classes)
        graph = self._loaded().source
        number = int(self.output) if self.output and self.output.isdigit() else 0
        width = graph.type_of(graph.outputs[number]).shape[-1] or 0
        return np.arange(max(width, 2))

    def predict_proba(self, X: Any) -> Array:  # noqa: N803
        """The model's scores, ``(rows, classes)``."""
        return probabilities(self._outputs(X))

    def predict(self, X: Any) -> Array:  # noqa: N803
        """The label of the largest score."""
        found: Array = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return found


class LayerGraphRegressor(RegressorMixin, _Frozen):  # type: ignore[misc, unused-ignore]
    """A frozen model that gives numbers."""

    def predict(self, X: Any) -> Array:  # noqa: N803
        """The model's numbers; one column is a plain row of numbers."""
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs


class LayerGraphTransformer(TransformerMixin, _Frozen):  # type: ignore[misc, unused-ignore]
    """A frozen model that makes features.

    Args:
        model, output, batch_size: the model and how it is run.
        node: take the value of this node instead of an output.
    """

    def __init__(
        self,
        model: Any,
        *,
        output: str | None = None,
        batch_size: int = 32,
        node: str | None = None,
    ) -> None:
        super().__init__(model, output=output, batch_size=batch_size)
        self.node = node

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Features come in the model's own dtype.
        tags.transformer_tags.preserves_dtype = []
        return tags

    def transform(self, X: Any) -> Array:  # noqa: N803
        """Features, flat: ``(rows, features)``."""
        if self.node is None:
            outputs = self._outputs(X)
        else:
            array = self._rows(X)
            starts = range(0, max(len(array), 1), self.batch_size)
            parts = [
                self._loaded().run([self.node], self._feeds(array[i : i + self.batch_size]))[0]
                for i in starts
            ]
            outputs = np.concatenate(parts)
        return outputs.reshape(len(outputs), -1)


def _owned(graph: Graph) -> Graph:
    from dataclasses import replace

    copies: dict[int, Array] = {}
    nodes = [
        replace(
            node,
            params={r: copies.setdefault(id(a), np.array(a)) for r, a in node.params.items()},
        )
        for node in graph
    ]
    return graph.replaced(nodes)
