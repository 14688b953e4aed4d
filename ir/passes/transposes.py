"""Transposes that undo each other, as every channels_first layer brings them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from layergraph.ir.graph import Graph, Node, Value
from layergraph.ir.op import Op
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.normalization import BatchNorm
from layergraph.ir.ops.shape import Transpose
from layergraph.ir.passes.identities import drop_identity
from layergraph.ir.passes.rewrite import rebuilt
from layergraph.ir.types import TensorType


def cancel_transposes(graph: Graph) -> Graph:
    """Join transposes that follow each other and drop those that cancel.

    Given: transposes with nothing between them, or only operators that work
    on each element by itself, batch norms, and merges all of whose inputs are
    transposed alike.
    Result: the operators in between run on the untransposed value, one
    transpose comes behind them, and pairs that give the identity are gone.
    """
    graph = _joined(graph)
    # A sunk transpose may meet others only after it is joined with those below it.
    while (sunk := _sunk(graph)) is not None:
        graph = _joined(sunk)
    return drop_identity(graph)


def _joined(graph: Graph) -> Graph:
    """Every transpose reads what its chain of transposes begins with, none twice."""
    done: dict[str, Node] = {}
    known: dict[tuple[Value | None, Op], Value] = {}
    moved: dict[Value, Value] = {}
    for node in graph:
        if isinstance(node.op, Transpose):
            node = _from_the_first(node, done)
            first = known.setdefault((node.inputs[0], node.op), Value(node.name))
            if first.node != node.name:
                moved[Value(node.name)] = first
        done[node.name] = node
    return rebuilt(graph, (n for n in done.values() if Value(n.name) not in moved), moved)


def _from_the_first(node: Node, done: Mapping[str, Node]) -> Node:
    above = done[node.arguments[0].node]
    if not (isinstance(node.op, Transpose) and isinstance(above.op, Transpose)):
        return node
    axes = tuple(above.op.axes[a] for a in node.op.axes)
    return replace(node, op=Transpose(axes=axes), inputs=above.inputs)


def _sunk(graph: Graph) -> Graph | None:
    """Operators that can run on untransposed values do; a transpose takes their name.

    ``None`` when there is no such operator.
    """
    done: dict[str, Node] = {}
    outputs = set(graph.outputs)
    for node in graph:
        above = [done[v.node] for v in node.arguments]
        op = _untransposed(node.op, above)
        alone = all(len(graph.consumers[v]) == 1 and v not in outputs for v in node.arguments)
        if op is None or not alone:
            done[node.name] = node
            continue
        axes = above[0].op.axes  # type: ignore[attr-defined]
        inner = replace(
            node,
            name=_free(graph, f"{node.name}/untransposed"),
            op=op,
            inputs=tuple(n.inputs[0] for n in above),
            types=(_back(node.types[0], axes),),
        )
        done[inner.name] = inner
        done[node.name] = replace(
            node, op=Transpose(axes=axes), inputs=(Value(inner.name),), params={}
        )
    return graph.replaced(done.values()) if len(done) > len(graph) else None


def _untransposed(op: Op, above: Sequence[Node]) -> Op | None:
    """The operator that does the same to what the transposes above it read."""
    orders = {n.op.axes if isinstance(n.op, Transpose) else None for n in above}
    if len(orders) != 1 or None in orders:
        return None
    (axes,) = orders
    if isinstance(op, BatchNorm) and axes is not None:
        return replace(op, axis=axes[op.axis])
    same_rank = len({n.types[0].rank for n in above}) == 1
    return op if op.pointwise or (isinstance(op, Merge) and same_rank) else None


def _back(type_: TensorType, axes: Sequence[int]) -> TensorType:
    shape: list[int | None] = [None] * len(axes)
    for at, axis in enumerate(axes):
        shape[axis] = type_.shape[at]
    return type_.with_shape(shape)


def _free(graph: Graph, name: str) -> str:
    while name in graph:
        name += "'"
    return name
