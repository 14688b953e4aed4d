"""What a user should know about an ONNX model: what was left out, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from layergraph.backends.onnx.writer import Writer
from layergraph.ir.graph import Node
from layergraph.ir.op import Constant, Op
from layergraph.ir.ops.activation import HardSigmoid
from layergraph.ir.ops.embedding import Embedding
from layergraph.ir.ops.shape import Identity

MODELS = ("Functional", "Model", "Sequential")
"""Classes of models used as layers; the node of their name only marks where they end."""


def notes(writer: Writer, written: int) -> list[str]:
    """Sentences about a model that has been spelled.

    Args:
        writer: what spelled it.
        written: how many ONNX nodes it has.
    """
    nodes = [node for node in writer.graph if node.values[0] in writer.values]
    known = [
        n for n in nodes
        if not isinstance(n.op, Constant) and writer.values[n.values[0]].known is not None
    ]  # fmt: skip
    found = [f"{written} ONNX nodes, operator set {writer.opset}"]
    if idle := _classes(n for n in nodes if isinstance(n.op, Identity)):
        found.append(f"left out, as they do nothing when a model predicts: {idle}")
    if known:
        found.append(f"computed now, as no input changes them: {len(known)} nodes")
    if any(isinstance(n.op, Embedding) for n in nodes):
        found.append(
            "an index outside of an embedding's table, an error in Keras, is left to the runtime"
        )
    old = [n.name for n in nodes if any(_is_old_hard_sigmoid(op) for op in _ops(n.op))]
    if old:
        found.append(
            f"hard_sigmoid of {', '.join(old[:5])} is that of Keras 2, clip(0.2 x + 0.5, 0, 1), "
            "as in the source; Keras 3 has another"
        )
    return found


def _classes(nodes: Iterable[Node]) -> str:
    """Layers by class: ``2 Dropout, 1 Activation``."""
    counts = Counter(s.class_name for n in nodes for s in n.sources if s.class_name not in MODELS)
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _ops(op: Op) -> Iterable[Op]:
    """An operator and those among its attributes."""
    yield op
    held: Any = op
    for field in fields(held):
        value = getattr(op, field.name)
        if isinstance(value, Op):
            yield from _ops(value)


def _is_old_hard_sigmoid(op: Op) -> bool:
    return isinstance(op, HardSigmoid) and abs(op.slope - 0.2) < 1e-6
