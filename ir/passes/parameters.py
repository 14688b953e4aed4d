"""Parameters that turned out to be constants."""

from __future__ import annotations

from dataclasses import replace

from layergraph.ir.graph import Graph, Node
from layergraph.ir.op import Constant
from layergraph.ir.ops.parameters import WithParameters
from layergraph.ir.passes.rewrite import pruned


def bind_parameters(graph: Graph) -> Graph:
    """Hold constant parameters in the node that reads them.

    Given: an operator that reads all its parameters from constants.
    Result: the plain operator with these arrays as parameters, which is
    prepared once instead of at every run.
    """
    return pruned(graph.replaced([_bound(node, graph) for node in graph]))


def _bound(node: Node, graph: Graph) -> Node:
    if not isinstance(node.op, WithParameters):
        return node
    count = len(node.op.roles)
    makers = [graph[v.node] for v in node.inputs[:count] if v is not None]
    if len(makers) < count or not all(isinstance(m.op, Constant) for m in makers):
        return node
    held = {role: m.params["value"] for role, m in zip(node.op.roles, makers, strict=True)}
    return replace(node, op=node.op.operator, inputs=node.inputs[count:], params=held)
