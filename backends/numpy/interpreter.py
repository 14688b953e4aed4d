"""Run a layer graph with NumPy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layergraph.backends.numpy.feeds import from_call, from_names
from layergraph.backends.numpy.plan import Plan, Traced
from layergraph.backends.numpy.table import Kernel, evaluate
from layergraph.ir.errors import InputError
from layergraph.ir.graph import Graph, Value, pack
from layergraph.ir.types import Array, TensorType

if TYPE_CHECKING:
    from layergraph.backends.numpy.profile import Profile


class Interpreter:
    """Executes a graph node by node; plans once, runs many times.

    One interpreter serves many threads: nothing on it changes with a run
    except caches whose entries are interchangeable.

    Call tree::

        __call__ / run / predict
            feeds.from_call / from_names     check and cast inputs
            Plan.walk                        the one run loop
                kernel(*arrays)              prepared closure of a node
        trace / profile                      observe the same loop

    Args:
        graph: a graph, or the path of any file ``layergraph.load`` reads.
        optimize: apply the default passes first; ``False`` runs the graph
            exactly as read; names out of ``layergraph.ir.passes.DEFAULT``
            apply those alone.
        layers: as for ``layergraph.load``, when ``graph`` is a path.

    Example:

        >>> import numpy as np, layergraph as lg
        >>> from layergraph.tools.demo import model_path
        >>> interp = lg.Interpreter(model_path())
        >>> interp(np.zeros((2, 32, 32, 3), "float32")).shape
        (2, 10)
    """

    def __init__(
        self,
        graph: Graph | str | os.PathLike[str],
        *,
        optimize: bool | Sequence[str] = True,
        layers: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(graph, Graph):
            from layergraph import load

            graph = load(graph, layers=layers)
        self.source = graph
        """The graph as given."""
        self.graph = graph
        """The graph that runs, after passes."""
        if optimize:
            from layergraph.ir import passes

            names = passes.DEFAULT if optimize is True else optimize
            self.graph = passes.optimize(graph, names, evaluate=evaluate)
        self._kernels: dict[int, dict[str, Kernel]] = {id(self.graph): {}, id(self.source): {}}
        self._plan = self._planned(self.graph, self.graph.outputs)
        self._plans: dict[tuple[str, ...], Plan] = {}

    @property
    def inputs(self) -> dict[str, TensorType]:
        """Names and types of the inputs, in order."""
        return {name: self.graph.type_of(Value(name)) for name in self.graph.inputs}

    @property
    def outputs(self) -> dict[str, TensorType]:
        """Names and types of the outputs, in order."""
        return {str(v): self.source.type_of(v) for v in self.source.outputs}

    def __call__(self, *args: Any) -> Any:
        """Predictions, nested as the Keras model returns them.

        Args:
            *args: an array an input, in order; or one dict by input name; or
                one list or dict nested as the model's inputs are.

        Raises:
            InputError: the arrays do not fit; says how they should look.
        """
        return pack(self._plan.run(from_call(self.graph, args)), self.graph.output_structure)

    def run(self, output_names: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Array]:
        """Values of named nodes; onnxruntime's calling convention.

        Args:
            output_names: names of any nodes (``lstm#1`` for a node's second
                output), or ``None`` for the model's outputs. Only what they
                depend on is computed.
            feeds: arrays by input name.

        Raises:
            InputError: no such node, or the feeds do not fit.
        """
        plan = self._plan if output_names is None else self._plan_for(tuple(output_names))
        return plan.run(from_names(self.graph, feeds, plan.feeds))

    def trace(self, *args: Any) -> Iterator[Traced]:
        """Run node by node; yields each node with its outputs and time.

        Args:
            *args: as for a call.
        """
        yield from self._plan.walk(from_call(self.graph, args))

    def profile(self, *args: Any, repeat: int = 10) -> Profile:
        """Time each node over several runs.

        Args:
            *args: as for a call.
            repeat: number of runs after one warm-up.
        """
        from layergraph.backends.numpy.profile import profile

        feeds = from_call(self.graph, args)
        return profile(lambda: self._plan.walk(feeds), repeat)

    def predict(self, *args: Any, batch_size: int = 32) -> Any:
        """The same as a call in batches, so that memory stays bounded.

        Args:
            *args: as for a call; all rows at once.
            batch_size: rows a step.
        """
        import numpy as np

        feeds = from_call(self.graph, args)
        rows = min((a.shape[0] for a in feeds.values()), default=0)
        parts = [
            self._plan.run({n: a[i : i + batch_size] for n, a in feeds.items()})
            for i in range(0, max(rows, 1), batch_size)
        ]
        joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
        return pack(joined, self.graph.output_structure)

    def _planned(self, graph: Graph, outputs: Sequence[Value]) -> Plan:
        return Plan(graph, outputs, self._kernels[id(graph)])

    def _plan_for(self, names: tuple[str, ...]) -> Plan:
        if names not in self._plans:
            values = [self._value(name) for name in names]
            # Passes keep the outputs in place, under whatever name.
            placed = dict(zip(self.source.outputs, self.graph.outputs, strict=True))
            found = [placed.get(v, v) for v in values]
            if all(v.node in self.graph for v in found):
                self._plans[names] = self._planned(self.graph, found)
            else:
                # A value that a pass has fused away is computed from the graph as read.
                self._plans[names] = self._planned(self.source, values)
        return self._plans[names]

    def _value(self, name: str) -> Value:
        node, _, index = name.rpartition("#")
        value = Value(node, int(index)) if node and index.isdigit() else Value(name)
        found = self.source.nodes.get(value.node)
        if found is None or value.index >= len(found.types):
            from difflib import get_close_matches

            near = get_close_matches(name, list(self.source.nodes), 1)
            hint = f"did you mean {near[0]!r}?" if near else "`layergraph inspect` lists the names"
            raise InputError(f"the graph has no node {name!r}; {hint}")
        return value
