"""Nodes run again on the other side's values: does a node err, or what enters it?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from layergraph.backends.numpy.scratch import Arena, computing
from layergraph.backends.numpy.table import Kernel, prepare
from layergraph.ir.graph import Graph, Node, Value
from layergraph.ir.op import Constant, Input
from layergraph.ir.types import STRING, Array, numpy_dtype


class Reruns:
    """Runs single nodes of a graph on values that come from elsewhere.

    Nodes whose values the other side does not have are run along: what a node
    is run on are the nearest values before it that both sides have. Values are
    held until the last node that needs them has been asked for.

    Args:
        graph: the graph.
        feeds: its inputs.
        shared: names of the values that both sides have.
        kernels: what is prepared already, by node.
    """

    def __init__(
        self,
        graph: Graph,
        feeds: Mapping[str, Array],
        shared: Iterable[str],
        kernels: Mapping[str, Kernel] | None = None,
    ) -> None:
        self._graph, self._feeds, self._kernels = graph, feeds, kernels or {}
        self._shared = set(shared)
        self._held: dict[str, Array] = {}
        self._borders = {name: self._border(name) for name in self._nodes()}
        self._uses = Counter(key for keys in self._borders.values() for key in keys)
        self._arena = Arena()
        self._last: tuple[str, tuple[Array, ...]] | None = None

    def _nodes(self) -> Iterable[str]:
        return [
            n.name for n in self._graph
            if not isinstance(n.op, (Input, Constant))
            and any(str(v) in self._shared for v in n.values)
        ]  # fmt: skip

    def entering(self, node: str) -> tuple[str, ...]:
        """The values that a node is run on; inputs of the model included."""
        return self._borders.get(node, ())

    def _border(self, name: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        pending, seen = list(reversed(self._graph[name].arguments)), set()
        while pending:
            value = pending.pop()
            if value in seen:
                continue
            seen.add(value)
            node = self._graph[value.node]
            if isinstance(node.op, Input) or str(value) in self._shared:
                found[str(value)] = None
            else:
                pending.extend(reversed(node.arguments))
        return tuple(found)

    def put(self, key: str, array: Array) -> None:
        """Hold a value of the other side, if a node will need it."""
        if self._uses[key] > 0:
            self._held[key] = np.array(array)

    def done(self, node: str) -> None:
        """Let go of what no later node needs."""
        for key in self._borders.get(node, ()):
            self._uses[key] -= 1
            if not self._uses[key]:
                self._held.pop(key, None)
        self._last = None

    def value(self, value: Value) -> Array | None:
        """What a node gives on the other side's values; ``None`` where it cannot run on them."""
        if self._last is None or self._last[0] != value.node:
            try:
                outputs = self._run(self._graph[value.node], {})
            except Exception:
                # The other side's values may not even fit: shapes differ there already.
                return None
            self._last = (value.node, outputs)
        return self._last[1][value.index]

    def _run(self, node: Node, known: dict[str, tuple[Array, ...]]) -> tuple[Array, ...]:
        if node.name in known:
            return known[node.name]
        arrays = [None if v is None else self._argument(v, known) for v in node.inputs]
        types = [None if v is None else self._graph.type_of(v) for v in node.inputs]
        kernel = self._kernels.get(node.name) or prepare(
            node.op, node.params, types, node.types, node=node.name
        )
        result: Any
        with computing(self._arena):
            if node.op.kept:
                result, _ = kernel(*arrays, kept=[None] * len(node.op.kept))
            else:
                result = kernel(*arrays)
        known[node.name] = result if type(result) is tuple else (result,)
        return known[node.name]

    def _argument(self, value: Value, known: dict[str, tuple[Array, ...]]) -> Array:
        node = self._graph[value.node]
        if isinstance(node.op, Input):
            return self._feeds[node.name]
        if isinstance(node.op, Constant):
            return node.params["value"]
        key = str(value)
        array = self._held[key] if key in self._shared else self._run(node, known)[value.index]
        dtype = self._graph.type_of(value).dtype
        return array if dtype == STRING else array.astype(numpy_dtype(dtype), copy=False)
