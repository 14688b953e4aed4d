"""What passes share: redirecting values, merging two nodes into one, dropping the unused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from layergraph.ir.graph import Graph, Node, Source, Value
from layergraph.ir.op import Input


def rebuilt(graph: Graph, nodes: Iterable[Node], moved: Mapping[Value, Value]) -> Graph:
    """A graph of other nodes in which readers of a moved value read its new place.

    Nodes no output depends on are dropped; inputs stay.
    """

    def place(value: Value) -> Value:
        while value in moved:
            value = moved[value]
        return value

    kept = [
        replace(node, inputs=tuple(None if v is None else place(v) for v in node.inputs))
        if any(v in moved for v in node.arguments)
        else node
        for node in nodes
    ]
    outputs = [place(v) for v in graph.outputs]
    return pruned(graph.replaced(kept, outputs=outputs))


def pruned(graph: Graph) -> Graph:
    """The graph without nodes that no output depends on; inputs stay."""
    needed = graph.ancestors(v.node for v in graph.outputs)
    return graph.replaced(n for n in graph if n.name in needed or isinstance(n.op, Input))


def merged(graph: Graph, merge: Callable[[Node, Node], Node | None]) -> Graph:
    """Merge nodes into the one node that reads them.

    Args:
        graph: any graph.
        merge: called with a producer and the only reader of its only output;
            gives the node that replaces both, under the reader's name, or
            ``None`` to leave them. A merged node may be a producer again.
    """
    outputs = set(graph.outputs)
    done: dict[str, Node] = {}
    for reader in graph:
        producer = _only_producer(graph, reader, done, outputs)
        found = merge(producer, reader) if producer is not None else None
        if found is not None and producer is not None:
            del done[producer.name]
        done[reader.name] = found or reader
    return graph.replaced(done.values())


def _only_producer(
    graph: Graph, reader: Node, done: Mapping[str, Node], outputs: set[Value]
) -> Node | None:
    if len(reader.arguments) != 1:
        return None
    (value,) = reader.arguments
    alone = len(graph.consumers[value]) == 1 and value not in outputs
    producer = done[value.node]
    return producer if alone and len(producer.types) == 1 else None


def both_sources(first: Node, second: Node) -> tuple[Source, ...]:
    """Layers of two nodes, each once."""
    return tuple(dict.fromkeys((*first.sources, *second.sources)))
