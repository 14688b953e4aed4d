"""Nodes that hand their input on unchanged."""

from __future__ import annotations

from layergraph.ir.graph import Graph, Value
from layergraph.ir.op import Op
from layergraph.ir.ops.elementwise import Cast
from layergraph.ir.ops.shape import Identity, Transpose
from layergraph.ir.passes.rewrite import rebuilt
from layergraph.ir.types import TensorType


def drop_identity(graph: Graph) -> Graph:
    """Remove nodes that change nothing.

    Given: dropout at inference, casts to the dtype a value has, transposes
    that keep the order.
    Result: their readers read what they read.
    """
    moved: dict[Value, Value] = {}
    for node in graph:
        if len(node.arguments) == 1 and _changes_nothing(node.op, graph.type_of(node.arguments[0])):
            moved[Value(node.name)] = node.arguments[0]
    return rebuilt(graph, (n for n in graph if Value(n.name) not in moved), moved)


def _changes_nothing(op: Op, given: TensorType) -> bool:
    if isinstance(op, Cast):
        return op.dtype == given.dtype
    if isinstance(op, Transpose):
        return op.axes == tuple(range(len(op.axes)))
    return isinstance(op, Identity)
