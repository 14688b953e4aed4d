"""A model file written anew for the other Keras, and held against what it was.

``rewritten`` writes a graph and reads it back; ``same_graph`` says whether two graphs
are isomorphic: nodes equal in operator and parameters, edges in slot and output,
whatever their names; ``answers`` runs the file in the live Keras it is for.

Before graphs are compared, what a file may say otherwise without computing otherwise
is taken out (``normalised``): identities, nodes that no output needs, parameters that
are constants (``drop_identity``, ``bind_parameters``), casts to the dtype a value
already has, numbers that ``NotEqual`` holds and ``Binary`` reads, and names, those of
kept states included.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

import layergraph as lg
from layergraph.backends.targets import TARGETS
from layergraph.ir.graph import Graph, Node, Value, flatten
from layergraph.ir.op import Constant, Input, Op
from layergraph.ir.ops.elementwise import Binary, Cast, NotEqual
from layergraph.ir.passes import bind_parameters, drop_identity
from layergraph.ir.passes.rewrite import rebuilt
from support import keras_of

KERAS = {".keras": "keras", ".h5": "tf_keras"}
"""Which Keras a written file is for, by its extension."""


def rewritten(graph: Graph, target: Path, layers: Mapping[str, Any] | None = None) -> Graph:
    """Write a graph, and read the file; the extension says for which Keras."""
    TARGETS[target.suffix[1:]].write(graph, target)
    return lg.load(target, layers=layers)


def answers(path: Path, feeds: Mapping[str, Any], graph: Graph) -> list[Any]:
    """Outputs of a file in its live Keras, flat as the graph's."""
    model = live(path)
    given = flatten_inputs(graph, feeds)
    return leaves(model(given, training=False))


def live(path: Path) -> Any:
    """The model in the Keras that its extension says, loaded as anyone would."""
    keras = keras_of(KERAS[path.suffix])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras.backend.clear_session()
        return keras.models.load_model(path)


def flatten_inputs(graph: Graph, feeds: Mapping[str, Any]) -> Any:
    """Arrays by name, nested as the model takes them."""
    from layergraph.ir.graph import pack

    return pack([feeds[name] for name in graph.inputs], graph.input_structure)


def leaves(data: Any) -> list[Any]:
    """What a live model returned, flat; dicts by key."""
    if isinstance(data, dict):
        return [leaf for key in sorted(data) for leaf in leaves(data[key])]
    if isinstance(data, (list, tuple)):
        return [leaf for value in data for leaf in leaves(value)]
    return [np.asarray(data)]


def same_graph(first: Graph, second: Graph) -> str:
    """Empty when two graphs are isomorphic, else the first thing that tells them apart."""
    one, two = (labelled(normalised(g)) for g in (first, second))
    if nx.is_isomorphic(one, two, node_match=_same, edge_match=_same_edges):
        return ""
    kinds = [sorted(str(data["what"])[:100] for _, data in g.nodes(data=True)) for g in (one, two)]
    missing = [k for k in kinds[0] if kinds[0].count(k) != kinds[1].count(k)]
    added = [k for k in kinds[1] if kinds[0].count(k) != kinds[1].count(k)]
    return f"lost {missing[:6]}, gained {added[:6]}" if missing or added else "wired otherwise"


def normalised(graph: Graph) -> Graph:
    """See the module's docstring."""
    graph = bind_parameters(drop_identity(graph))
    moved = {
        node.values[0]: node.arguments[0]
        for node in graph
        if isinstance(node.op, Cast) and graph.type_of(node.arguments[0]).dtype == node.op.dtype
    }
    kept = [_compared(n, graph) for n in graph if Value(n.name) not in moved]
    return rebuilt(graph, kept, moved)


def _compared(node: Node, graph: Graph) -> Node:
    """``x != number`` in one spelling."""
    if node.op != Binary(kind="not_equal"):
        return node
    _, y = (graph[v.node] for v in node.arguments)
    if not isinstance(y.op, Constant) or y.params["value"].size != 1:
        return node
    return replace(
        node, op=NotEqual(value=y.params["value"].item()), inputs=node.inputs[:1], params={}
    )


def labelled(graph: Graph) -> nx.MultiDiGraph[Any]:
    """The graph with what each node is, and nodes that mark inputs and outputs by number.

    The label of a node says what it computes from, all the way up, so that searching
    for an isomorphism never has to guess.
    """
    found = graph.digraph.copy()
    labels: dict[str, Any] = {}
    for node in graph:
        read = tuple(None if v is None else (labels[v.node], v.index) for v in node.inputs)
        what = _what(node, graph)
        labels[node.name] = hash((what, read))
        found.nodes[node.name].update(label=labels[node.name], what=what[0])
    for i, value in enumerate(graph.outputs):
        found.add_node(("output", i), label=i, what="output")
        found.add_edge(value.node, ("output", i), key=0, index=value.index)
    return found


def _what(node: Node, graph: Graph) -> tuple[Any, ...]:
    """Operator and parameters."""
    if isinstance(node.op, Input):
        return (f"input {graph.inputs.index(node.name)} {node.op}", ())
    arrays = tuple(
        (role, array.shape, array.dtype.name, array.tobytes())
        for role, array in sorted(node.params.items())
    )
    return (str(_unnamed(node.op)), arrays)


def _unnamed(op: Op) -> Op:
    """The operator without the name under which states are kept."""
    changes: dict[str, Any] = {"value": float(op.value)} if isinstance(op, NotEqual) else {}
    for field in fields(op):
        value = getattr(op, field.name)
        if isinstance(value, Op):
            changes[field.name] = _unnamed(value)
        elif field.name == "stateful":
            changes[field.name] = "kept" if value else ""
    return replace(op, **changes) if changes else op


def _same(one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    return bool(one["label"] == two["label"])


def _same_edges(one: Mapping[Any, Any], two: Mapping[Any, Any]) -> bool:
    return {k: d["index"] for k, d in one.items()} == {k: d["index"] for k, d in two.items()}


__all__ = ["answers", "flatten", "leaves", "live", "rewritten", "same_graph"]
