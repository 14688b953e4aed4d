"""Which operators keep the batch as their first axis."""

from __future__ import annotations

from layergraph.ir.op import Op, family_of
from layergraph.ir.ops.merge import Concatenate, Stack
from layergraph.ir.ops.recurrent import FoldTime
from layergraph.ir.ops.shape import Transpose

BATCHED = frozenset(
    "activation attention convolution embedding elementwise image normalization pooling "
    "preprocessing recurrent".split()
)
"""Families whose outputs are rows of the batch when their inputs are."""

ALSO_BATCHED = frozenset(
    "Dense EinsumDense Merge Logical Dot Matmul Replace Identity Flatten Reshape Repeat Pad Crop "
    "Upsample".split()
)
"""Other operators of which that is true."""


def keeps_rows(op: Op) -> bool:
    """Whether the first axis of the output is the batch when that of an input is."""
    if isinstance(op, (Concatenate, Stack)):
        return op.axis != 0
    if isinstance(op, FoldTime):
        return False
    if isinstance(op, Transpose):
        return op.axes[0] == 0
    return family_of(type(op)) in BATCHED or type(op).__name__ in ALSO_BATCHED
