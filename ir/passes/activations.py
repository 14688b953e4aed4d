"""Activations computed by the operator before them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from layergraph.ir.graph import Graph, Node
from layergraph.ir.op import Activation
from layergraph.ir.passes.rewrite import both_sources, merged


def fuse_activation(graph: Graph) -> Graph:
    """Let a producer apply the activation to its result where that lies.

    Given: a convolution or Dense whose only reader is an activation that
    works on each row of the last axis by itself.
    Result: one node that bears the activation's name.
    """
    return merged(graph, _fused)


def _fused(producer: Node, reader: Node) -> Node | None:
    op: Any = producer.op
    if not (isinstance(reader.op, Activation) and reader.op.by_row and op.fuses_activation):
        return None
    if op.activation is not None:
        return None
    return replace(
        producer,
        name=reader.name,
        op=replace(op, activation=reader.op),
        types=reader.types,
        sources=both_sources(producer, reader),
    )
