"""Does a graph keep its own rules? Passes and builders are held to this."""

from __future__ import annotations

from collections.abc import Iterator

from layergraph.ir.build import infer_types
from layergraph.ir.errors import GraphError
from layergraph.ir.graph import Graph, Structure
from layergraph.ir.op import Input
from layergraph.ir.types import type_of


def validate(graph: Graph) -> None:
    """Check arity, roles, types, order and structure of a whole graph.

    What a ``Graph`` checks when it is made (unique names, inputs before their
    readers, existing outputs) is not repeated.

    Raises:
        GraphError: names the first node that breaks a rule, and the rule.
    """
    import networkx as nx

    if not nx.is_directed_acyclic_graph(graph.digraph):
        raise GraphError("the graph has a cycle")
    for node in graph:
        if isinstance(node.op, Input) and node.name not in graph.inputs:
            raise GraphError(f"node {node.name!r} is an Input the graph does not list")
        given = tuple(None if v is None else graph.type_of(v) for v in node.inputs)
        held = {role: type_of(array) for role, array in node.params.items()}
        types = infer_types(node.name, node.op, given, held)
        if types != node.types:
            stated, found = (", ".join(map(str, t)) for t in (node.types, types))
            raise GraphError(f"node {node.name!r} states types ({stated}), infers ({found})")
    _check_structure(graph.input_structure, len(graph.inputs), "input")
    _check_structure(graph.output_structure, len(graph.outputs), "output")


def _check_structure(structure: Structure, count: int, which: str) -> None:
    try:
        leaves = sorted(_leaves(structure))
    except TypeError:
        raise GraphError(f"the {which} structure {structure!r} is not nested indices") from None
    if leaves != list(range(count)):
        raise GraphError(f"the {which} structure {structure!r} does not number {count} {which}s")


def _leaves(structure: Structure) -> Iterator[int]:
    if isinstance(structure, int):
        yield structure
    else:
        parts = structure.values() if isinstance(structure, dict) else structure
        for part in parts:
            yield from _leaves(part)
