"""Functions of one element, and of two: a row each."""

from __future__ import annotations

from typing import Any

from layergraph.backends.keras.activation import activation
from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import Spellings
from layergraph.backends.keras.writer import Writer
from layergraph.ir.ops.elementwise import Cast, NotEqual, Unary

spellings = Spellings()

spellings.spells(Unary)(activation)


@spellings.spells(Cast)
def cast(w: Writer, op: Cast, x: Tensor) -> Any:
    """An operation."""
    name = "Cast" if w.keras3 else "cast"
    return (w.op if w.keras3 else w.tf)(name, w.tensor(x), dtype=op.dtype)


@spellings.spells(NotEqual)
def not_equal(w: Writer, op: NotEqual, x: Tensor) -> Any:
    """An operation."""
    x = w.tensor(x)
    value = op.value if x.type.is_float else int(op.value)
    if w.keras3:
        return w.op("NotEqual", x, value)
    return w.tf("math.not_equal", x, y=value)
