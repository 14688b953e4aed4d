"""Values known before any input arrives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from layergraph.ir.graph import Graph, Node, Value
from layergraph.ir.op import Constant, Input, Op
from layergraph.ir.passes.rewrite import pruned
from layergraph.ir.types import Array, product

Evaluate: TypeAlias = Callable[[Op, Mapping[str, Array], Sequence["Array | None"]], Array]
"""Computes the only output of an operator from its parameters and input arrays."""

MAX_ELEMENTS = 1 << 22
"""Larger results are computed when they are needed; a file must not fill memory at load."""


def fold_constants(graph: Graph, evaluate: Evaluate) -> Graph:
    """Compute what depends on constants only.

    Given: a node with one output, all of whose inputs are constants.
    Result: a constant of the same name.
    """
    done: dict[str, Node] = {}
    for node in graph:
        done[node.name] = _folded(node, done, evaluate) if _is_known(node, done) else node
    return pruned(graph.replaced(done.values()))


def _is_known(node: Node, done: Mapping[str, Node]) -> bool:
    if isinstance(node.op, (Input, Constant)) or not node.arguments or len(node.types) != 1:
        return False
    if node.op.kept:
        return False
    size = product(node.types[0].shape)
    small = size is not None and size <= MAX_ELEMENTS
    return small and all(isinstance(done[v.node].op, Constant) for v in node.arguments)


def _folded(node: Node, done: Mapping[str, Node], evaluate: Evaluate) -> Node:
    def held(value: Value | None) -> Array | None:
        return None if value is None else done[value.node].params["value"]

    result = evaluate(node.op, node.params, [held(v) for v in node.inputs])
    return replace(node, op=Constant(), inputs=(), params={"value": result})
