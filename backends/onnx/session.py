"""Run a layer graph with onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from layergraph.backends.numpy.plan import States, Traced
from layergraph.backends.onnx.model import to_bytes
from layergraph.ir.errors import InputError, KernelError, LayerGraphError
from layergraph.ir.graph import Graph, Value
from layergraph.ir.op import Constant, Input
from layergraph.ir.types import HALVES, Array, strings


def onnxruntime_package() -> Any:
    """The package ``onnxruntime``.

    Raises:
        LayerGraphError: it is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise LayerGraphError(
            "backend='onnxruntime' needs the package onnxruntime, which is not installed: "
            "pip install 'layergraph[onnx]'"
        ) from None
    return onnxruntime


class Session:
    """An ONNX model in onnxruntime, called with arrays as layergraph has them.

    Args:
        model: a path, or the bytes of a model.
        providers: onnxruntime's execution providers, ``["CPUExecutionProvider"]`` by
            default.
        optimize: let onnxruntime optimise the graph.
        halves: the model has float16 within.

    Raises:
        LayerGraphError: onnxruntime is not installed, or does not take the model.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        providers: Sequence[Any] | None = None,
        *,
        optimize: bool = True,
        halves: bool = False,
    ) -> None:
        ort = onnxruntime_package()
        options = ort.SessionOptions()
        # It warns of shapes that it cannot infer; those that matter are errors.
        options.log_severity_level = 3
        levels = ort.GraphOptimizationLevel
        if not optimize:
            options.graph_optimization_level = levels.ORT_DISABLE_ALL
        elif halves:
            # Fusions of float16 products end the process in onnxruntime 1.32.
            options.graph_optimization_level = levels.ORT_ENABLE_BASIC
        given = model if isinstance(model, bytes) else os.fspath(model)
        try:
            self._session = ort.InferenceSession(
                given, options, providers=list(providers or ["CPUExecutionProvider"])
            )
        except Exception as error:
            spelled = " ".join(str(error).split())
            raise LayerGraphError(
                f"onnxruntime {ort.__version__} does not run this model: {spelled}; use "
                "backend='numpy', dtype='float32' if it computes in another, or a newer onnxruntime"
            ) from error
        self.inputs = [i.name for i in self._session.get_inputs()]
        self.outputs = [o.name for o in self._session.get_outputs()]

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """All outputs; each owns its memory.

        Raises:
            InputError: a text is no UTF-8.
            KernelError: onnxruntime failed.
        """
        given = {name: _given(feeds[name]) for name in self.inputs}
        try:
            found = self._session.run(None, given)
        except Exception as error:
            raise KernelError(f"onnxruntime failed: {' '.join(str(error).split())}") from error
        return [_taken(np.asarray(a)) for a in found]


def has_halves(graph: Graph) -> bool:
    """Whether a graph computes with floats of two bytes anywhere."""
    return any(type_.dtype in HALVES for node in graph for type_ in node.types)


def _given(array: Array) -> Array:
    """Text where we have bytes."""
    if array.dtype != object:
        return np.ascontiguousarray(array)
    out = np.empty(array.size, object)
    try:
        out[:] = [item.decode() for item in array.ravel().tolist()]
    except UnicodeDecodeError as error:
        raise InputError(f"onnxruntime takes texts of UTF-8 only: {error}") from None
    return out.reshape(array.shape)


def _taken(array: Array) -> Array:
    if array.dtype.kind in "OSU":
        return strings(array)
    return array if array.base is None and array.flags.writeable else array.copy()


class SessionPlan:
    """What ``Plan`` is to NumPy: computes chosen values of a graph.

    Args:
        graph: the graph to run.
        outputs: values wanted, in order; only what they need is exported.
        providers, optimize: as for ``Session``.
    """

    stateful = False

    def __init__(
        self,
        graph: Graph,
        outputs: Iterable[Value],
        providers: Sequence[Any] | None = None,
        *,
        optimize: bool = True,
    ) -> None:
        self.outputs = tuple(outputs)
        self._graph = graph
        self._options: dict[str, Any] = {
            "providers": providers,
            "optimize": optimize,
            "halves": has_halves(graph),
        }
        needed = graph.ancestors(v.node for v in self.outputs)
        self.feeds = {n: i for i, n in enumerate(graph.inputs) if n in needed}
        self._nodes = [
            n for n in graph if n.name in needed and not isinstance(n.op, (Input, Constant))
        ]
        # One value asked for twice is computed once.
        self._distinct = list(dict.fromkeys(self.outputs))
        self._session = Session(to_bytes(graph, self._distinct), **self._options)
        self._everything: Session | None = None

    def run(self, feeds: Mapping[str, Array], states: States | None = None) -> list[Array]:
        """The outputs, each owning its memory."""
        found = dict(zip(self._distinct, self._session.run(feeds), strict=True))
        seen: set[Value] = set()
        results = []
        for value in self.outputs:
            results.append(found[value].copy() if value in seen else found[value])
            seen.add(value)
        return results

    def walk(
        self, feeds: Mapping[str, Array], states: States | None = None
    ) -> Generator[Traced, None, list[Array]]:
        """Every node with its outputs; onnxruntime runs all at once, so times are not known."""
        values = [v for node in self._nodes for v in node.values]
        if self._everything is None:
            self._everything = Session(to_bytes(self._graph, values), **self._options)
        found = dict(zip(values, self._everything.run(feeds), strict=True))
        for node in self._nodes:
            yield Traced(node, tuple(found[v] for v in node.values), float("nan"))
        return self.run(feeds)
