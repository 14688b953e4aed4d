"""`layergraph inspect` and `layergraph check`: what is in a file, and can it be run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from layergraph.ir.graph import Graph, Node
from layergraph.ir.op import Constant, Input, attributes_text, op_to_json
from layergraph.ir.types import type_of
from layergraph.tools.screen import print_table

CONTAINERS = {
    "h5": "an HDF5 file",
    "keras": "a .keras archive",
    "folder": "an unzipped .keras folder",
    "lg": "an IR file",
    "python": "a graph built in Python",
}


def inspect(path: str, *, weights: str | None = None, as_json: bool, optimized: bool) -> int:
    """Print what a model file holds; returns the exit status.

    Args:
        path: any file ``layergraph.load`` reads.
        weights: file of the model's weights, where they stand apart.
        as_json: one JSON object instead of a table.
        optimized: show the graph after the passes an ``Interpreter`` applies.
    """
    from layergraph import Interpreter, load

    graph = load(path, weights=weights)
    if optimized:
        graph = Interpreter(graph).graph
    if as_json:
        print(json.dumps(as_data(path, graph), indent=1))
        return 0
    print(f"{path}: {headline(graph)}")
    for name in graph.inputs:
        print(f"input {name}: {graph[name].types[0]}")
    for value in graph.outputs:
        print(f"output {value}: {graph.type_of(value)}")
    print()
    columns = ("node", "operator", "output", "parameters", "layer")
    print_table(columns, [_row(node) for node in graph], right=["parameters"])
    print()
    print(totals(graph))
    return 0


def headline(graph: Graph) -> str:
    """What wrote the model, in one line."""
    origin = graph.origin
    writer = f"written by Keras {origin.keras_version}" if origin.keras_version else "saved"
    backend = f" ({origin.backend})" if origin.backend else ""
    name = f"model {origin.model!r}, " if origin.model else ""
    return f"{name}{writer}{backend} as {CONTAINERS[origin.container]}"


def totals(graph: Graph) -> str:
    """Nodes, weights and bytes; arrays that layers share count once."""
    arrays = graph.parameters.values()
    weights, size = sum(a.size for a in arrays), sum(a.nbytes for a in arrays)
    return f"{len(graph)} nodes, {weights:,} parameters, {_bytes(size)}"


def _bytes(size: int) -> str:
    amount, units = float(size), ["B", "KiB", "MiB", "GiB"]
    while amount >= 1024 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    return f"{size} B" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def _row(node: Node) -> tuple[str, ...]:
    operator = type(node.op).__name__
    if attributes := attributes_text(node.op):
        operator += "" if isinstance(node.op, Input) else f"({attributes})"
    layers = ", ".join(s.class_name for s in node.sources)
    types = ", ".join(map(str, node.types))
    return node.name, operator, types, f"{node.parameter_count:,}", layers


def as_data(path: str, graph: Graph) -> dict[str, Any]:
    """A graph as plain data, without its weights."""
    return {
        "file": path,
        "origin": {name: getattr(graph.origin, name) for name in type(graph.origin).__slots__},
        "inputs": {n: _type(graph[n].types[0]) for n in graph.inputs},
        "outputs": {str(v): _type(graph.type_of(v)) for v in graph.outputs},
        "nodes": [_node_data(node) for node in graph],
        "parameters": sum(int(a.size) for a in graph.parameters.values()),
        "bytes": sum(int(a.nbytes) for a in graph.parameters.values()),
        "layers": sum(not isinstance(n.op, (Input, Constant)) for n in graph),
    }


def _node_data(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        **op_to_json(node.op),
        "inputs": [None if v is None else str(v) for v in node.inputs],
        "parameters": {role: _type(type_of(array)) for role, array in node.params.items()},
        "outputs": [_type(t) for t in node.types],
        "sources": [{"layer": s.layer, "class_name": s.class_name} for s in node.sources],
    }


def _type(type_: Any) -> Mapping[str, Any]:
    return {"shape": list(type_.shape), "dtype": type_.dtype}


def check(path: str, *, weights: str | None = None, as_json: bool) -> int:
    """Print everything in a file that cannot be run; returns 1 if there is anything."""
    from layergraph import UnsupportedError, load

    items, nodes = [], 0
    try:
        nodes = len(load(path, weights=weights))
    except UnsupportedError as error:
        items = [asdict(item) for item in error.items]
    if as_json:
        print(json.dumps({"file": path, "supported": not items, "unsupported": items}, indent=1))
    elif items:
        columns = ("layer", "class_name", "reason", "remedy")
        print(f"{path}: {len(items)} not supported")
        print()
        print_table(columns, [[item[c] for c in columns] for item in items])
    else:
        print(f"{path}: everything is supported, {nodes} nodes")
    return 1 if items else 0
