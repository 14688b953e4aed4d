"""Linear maps and products of tensors."""

from __future__ import annotations

from typing import Any

from layergraph.backends.keras.activation import absorbed
from layergraph.backends.keras.convolution import stored
from layergraph.backends.keras.model import Stored, Tensor
from layergraph.backends.keras.table import Spellings
from layergraph.backends.keras.writer import Writer
from layergraph.ir.ops.linear import Dense
from layergraph.ir.types import Array

spellings = Spellings()


@spellings.spells(Dense)
def dense(w: Writer, op: Dense, x: Tensor, *, kernel: Array, bias: Array | None = None) -> Any:
    """Dense."""
    return w.layer(
        "Dense", w.tensor(x), arrays=[Stored("kernel", kernel), stored("bias", bias)],
        units=kernel.shape[1], use_bias=bias is not None, activation=absorbed(w),
    )  # fmt: skip
