"""Combining several values."""

from __future__ import annotations

from typing import Any

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.writer import Operand, Writer
from layergraph.ir.ops.merge import Concatenate, Dot, Fill, Logical, Matmul, Merge, Replace, Stack

spellings = Spellings()

FUNCTIONS = {
    "add": "math.add", "subtract": "math.subtract", "multiply": "math.multiply",
    "maximum": "math.maximum", "minimum": "math.minimum",
}  # fmt: skip


@spellings.spells(Merge)
def merge(w: Writer, op: Merge, *values: Operand) -> Any:
    """A layer where it computes the same, else operations."""
    if _is_layer(values) and (op.kind != "subtract" or len(values) == 2):
        return w.layer(op.kind.capitalize(), list(values), masking="drop")
    if op.kind not in FUNCTIONS:
        raise RefusedError(f"{op.kind} of these values is no layer of Keras")
    return _chain(w, op, values)


def _is_layer(values: tuple[Operand, ...]) -> bool:
    """Whether Keras' layer broadcasts as NumPy does, and finds no masks to heed."""
    if len(values) < 2 or not all(isinstance(v, Tensor) and v.mask is None for v in values):
        return False
    types = [v.type for v in values if isinstance(v, Tensor)]
    first = types[0]
    alike = all(t.rank == first.rank and t.dtype == first.dtype for t in types)
    return alike and first.is_float and first.rank > 0 and len({t.shape[0] for t in types}) == 1


def _chain(w: Writer, op: Merge, values: tuple[Operand, ...]) -> Any:
    found: Any = values[0]
    for i, value in enumerate(values[1:], 1):
        part = "" if i == len(values) - 1 else f"step_{i}"
        if w.keras3:
            found = w.op(op.kind.capitalize(), found, value, part=part)
        else:
            found = w.tf(FUNCTIONS[op.kind], found, y=value, part=part)
    return found


@spellings.spells(Concatenate)
def concatenate(w: Writer, op: Concatenate, *values: Operand) -> Any:
    """A layer where it computes the same, else an operation."""
    if _is_layer(values):
        return w.layer("Concatenate", list(values), axis=op.axis, masking="drop")
    if w.keras3:
        return w.op("Concatenate", list(values), axis=op.axis)
    return w.tf("concat", list(values), axis=op.axis)


for _op in (Dot, Fill, Logical, Matmul, Replace, Stack):
    spellings.refuses(_op, "it has no spelling in Keras yet")
