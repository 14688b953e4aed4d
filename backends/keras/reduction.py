"""Reductions."""

from __future__ import annotations

from typing import Any

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.writer import Writer
from layergraph.ir.ops.reduction import Reduce

spellings = Spellings()


@spellings.spells(Reduce)
def reduce(w: Writer, op: Reduce, x: Tensor) -> Any:
    """An operation."""
    if op.kind not in ("any", "all", "sum", "mean", "max", "min", "prod"):
        raise RefusedError("it has no spelling in Keras yet")
    axis = None if op.axis is None else list(op.axis)
    if w.keras3:
        return w.op(op.kind.capitalize(), w.tensor(x), axis=axis, keepdims=op.keepdims)
    return w.tf(f"math.reduce_{op.kind}", w.tensor(x), axis=axis, keepdims=op.keepdims)
