"""A graph as text: one line a node, readable and stable enough to compare."""

from __future__ import annotations

from collections.abc import Iterator

from layergraph.ir.graph import Graph, Node
from layergraph.ir.op import Input
from layergraph.ir.types import type_of


def graph_text(graph: Graph) -> str:
    """The graph line by line, in running order.

    Example:

        >>> from layergraph.ir.build import Builder
        >>> from layergraph.ir.ops.elementwise import Unary
        >>> from layergraph.ir.types import TensorType
        >>> build = Builder()
        >>> x = build.input("x", TensorType((None, 3)))
        >>> y, = build.add("y", Unary(kind="tanh"), [x])
        >>> print(graph_text(build.graph(outputs=[y])))
        graph (x) -> (y)
          x: float32[?, 3] = input
          y: float32[?, 3] = Unary(kind='tanh')(x)
    """
    return "\n".join(_lines(graph))


def _lines(graph: Graph) -> Iterator[str]:
    model = f" {graph.origin.model!r}" if graph.origin.model else ""
    outputs = ", ".join(map(str, graph.outputs))
    yield f"graph{model} ({', '.join(graph.inputs)}) -> ({outputs})"
    for node in graph:
        yield f"  {node.name}: {', '.join(map(str, node.types))} = {_right_side(node)}"


def _right_side(node: Node) -> str:
    if isinstance(node.op, Input):
        return "input"
    values = ["none" if v is None else str(v) for v in node.inputs]
    params = [f"{role}: {type_of(array)}" for role, array in node.params.items()]
    return f"{node.op}({', '.join(values + params)})"
