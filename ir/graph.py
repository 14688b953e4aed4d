"""The layer graph: nodes, the values between them, and where the model came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from layergraph.ir.errors import GraphError
from layergraph.ir.op import Constant, Input, Op
from layergraph.ir.types import Array, TensorType

if TYPE_CHECKING:
    import networkx as nx

Structure: TypeAlias = "int | list[Structure] | dict[str, Structure]"
"""How a model nests its inputs or outputs: an index into the flat list, or a list
or dict of such. ``0`` is a single array, ``[0]`` a list holding one."""


class Value(NamedTuple):
    """One output of one node."""

    node: str
    # `tuple.index`, which nobody needs, gives way.
    index: int = 0  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.node if self.index == 0 else f"{self.node}#{self.index}"


class Source(NamedTuple):
    """The Keras layer a node stems from, in the user's own names."""

    layer: str
    class_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operator applied to values.

    Attributes:
        name: unique scoped name; ``encoder/lstm_1``, the second call of a
            shared layer ``lstm_1:1``, inner steps of a layer ``conv/kernel``.
        op: the operator with its attributes.
        inputs: values read, in the order of ``op.infer``; ``None`` for an
            optional input that is not given.
        params: arrays by role (``kernel``, ``bias``); nodes of a shared layer
            hold the same arrays.
        types: types of the outputs.
        sources: Keras layers this node computes, several after a fusion.
    """

    name: str
    op: Op
    inputs: tuple[Value | None, ...] = ()
    params: Mapping[str, Array] = field(default_factory=dict)
    types: tuple[TensorType, ...]
    sources: tuple[Source, ...] = ()

    @property
    def values(self) -> tuple[Value, ...]:
        """The node's outputs."""
        return tuple(Value(self.name, i) for i in range(len(self.types)))

    @property
    def arguments(self) -> tuple[Value, ...]:
        """The inputs that are given."""
        return tuple(v for v in self.inputs if v is not None)

    @property
    def parameter_count(self) -> int:
        """Number of weights held."""
        return sum(int(p.size) for p in self.params.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What wrote the model: numerics depend on it, and it is worth showing.

    Attributes:
        container: kind of file.
        keras_version: version string of the writer, empty when unknown.
        backend: Keras backend of the writer, empty when unknown.
        model: name of the model.
    """

    container: Literal["h5", "keras", "folder", "lg", "python"] = "python"
    keras_version: str = ""
    backend: str = ""
    model: str = ""


class Graph:
    """An immutable layer graph; nodes stand in an order in which they can run.

    Build one with ``layergraph.ir.build.Builder``; a pass makes a new graph.

    Args:
        nodes: nodes, every one after the nodes it reads.
        inputs: names of the ``Input`` nodes, in the model's order.
        outputs: values the model returns, flat.
        input_structure, output_structure: how the model nests them.
        origin: where the model came from.

    Raises:
        GraphError: duplicate names, or a node reads what is not before it.
    """

    def __init__(
        self,
        nodes: Iterable[Node],
        *,
        inputs: Iterable[str],
        outputs: Iterable[Value],
        input_structure: Structure | None = None,
        output_structure: Structure | None = None,
        origin: Origin | None = None,
    ) -> None:
        self.nodes: Mapping[str, Node] = MappingProxyType(_by_name(nodes))
        self.inputs: tuple[str, ...] = tuple(inputs)
        self.outputs: tuple[Value, ...] = tuple(outputs)
        self.input_structure = _structure(input_structure, len(self.inputs))
        self.output_structure = _structure(output_structure, len(self.outputs))
        self.origin = origin or Origin()
        for name in self.inputs:
            if name not in self.nodes or not isinstance(self.nodes[name].op, Input):
                raise GraphError(f"graph input {name!r} is not an Input node")
        for value in self.outputs:
            self.type_of(value)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def __contains__(self, name: object) -> bool:
        return name in self.nodes

    def __repr__(self) -> str:
        return f"<Graph {self.origin.model!r}: {len(self)} nodes>"

    def __str__(self) -> str:
        from layergraph.ir.text import graph_text

        return graph_text(self)

    def type_of(self, value: Value) -> TensorType:
        """Type of a value.

        Raises:
            GraphError: the graph has no such value.
        """
        node = self.nodes.get(value.node)
        if node is None or not 0 <= value.index < len(node.types):
            raise GraphError(f"the graph has no value {value}")
        return node.types[value.index]

    @cached_property
    def consumers(self) -> Mapping[Value, tuple[Node, ...]]:
        """Nodes that read each value, a node twice when it reads it twice."""
        found: dict[Value, list[Node]] = {v: [] for node in self for v in node.values}
        for node in self:
            for value in node.arguments:
                found[value].append(node)
        return {value: tuple(nodes) for value, nodes in found.items()}

    @cached_property
    def digraph(self) -> nx.MultiDiGraph[str]:
        """The graph as networkx sees it: one edge per use of a value.

        Node attribute ``node`` holds the ``Node``; an edge's key is the input
        slot it feeds and its ``index`` the output it carries. It is derived
        from the nodes and made when first asked for, because networkx costs
        more to import than a small model takes to run.
        """
        import networkx as nx

        digraph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        for node in self:
            digraph.add_node(node.name, node=node)
        for node in self:
            for slot, value in enumerate(node.inputs):
                if value is not None:
                    digraph.add_edge(value.node, node.name, key=slot, index=value.index)
        return digraph

    def ancestors(self, names: Iterable[str]) -> frozenset[str]:
        """The named nodes and all nodes they depend on."""
        needed: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in needed:
                needed.add(name)
                pending.extend(v.node for v in self.nodes[name].arguments)
        return frozenset(needed)

    def replaced(self, nodes: Iterable[Node], *, outputs: Iterable[Value] | None = None) -> Graph:
        """A graph of other nodes with the same inputs, structure and origin."""
        return Graph(
            nodes,
            inputs=self.inputs,
            outputs=self.outputs if outputs is None else outputs,
            input_structure=self.input_structure,
            output_structure=self.output_structure,
            origin=self.origin,
        )

    @property
    def parameters(self) -> dict[int, Array]:
        """Distinct parameter arrays by identity; shared layers count once."""
        return {id(p): p for node in self for p in node.params.values()}

    @property
    def layers(self) -> tuple[Node, ...]:
        """Nodes that compute something, without inputs and constants."""
        return tuple(n for n in self if not isinstance(n.op, (Input, Constant)))


def flatten(data: Any, structure: Structure) -> list[Any]:
    """Leaves of nested data in the order of a structure's indices.

    Raises:
        ValueError: the data is not nested as the structure says.
    """
    found: dict[int, Any] = {}
    _collect(data, structure, found)
    return [found[i] for i in range(len(found))]


def pack(leaves: list[Any], structure: Structure) -> Any:
    """Nest flat leaves as a structure says; the inverse of ``flatten``."""
    if isinstance(structure, int):
        return leaves[structure]
    if isinstance(structure, list):
        return [pack(leaves, s) for s in structure]
    return {k: pack(leaves, s) for k, s in structure.items()}


def _collect(data: Any, structure: Structure, found: dict[int, Any]) -> None:
    if isinstance(structure, int):
        found[structure] = data
    elif isinstance(structure, list):
        if not isinstance(data, (list, tuple)) or len(data) != len(structure):
            raise ValueError(f"expected a list of {len(structure)}")
        for item, part in zip(data, structure, strict=True):
            _collect(item, part, found)
    else:
        if not isinstance(data, Mapping) or set(data) != set(structure):
            raise ValueError(f"expected a dict with keys {', '.join(structure)}")
        for key, part in structure.items():
            _collect(data[key], part, found)


def _by_name(nodes: Iterable[Node]) -> dict[str, Node]:
    known: dict[str, Node] = {}
    for node in nodes:
        if node.name in known:
            raise GraphError(f"two nodes are called {node.name!r}")
        for value in node.arguments:
            source = known.get(value.node)
            if source is None:
                raise GraphError(f"node {node.name!r} reads {value}, which is not before it")
            if not 0 <= value.index < len(source.types):
                raise GraphError(f"node {node.name!r} reads {value}, an output that does not exist")
        known[node.name] = node
    return known


def _structure(given: Structure | None, count: int) -> Structure:
    if given is not None:
        return given
    return 0 if count == 1 else list(range(count))
