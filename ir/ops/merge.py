"""Combining several values into one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType, broadcast_shapes, promote

MergeKind = Literal["add", "subtract", "multiply", "average", "maximum", "minimum"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge(Op):
    """Combine values element by element, broadcasting by NumPy's rule.

    Source: keras/src/layers/merging/*.py, Keras 3.15.

    Attributes:
        kind: how the elements combine.
    """

    kind: MergeKind

    def infer(self, *values: TensorType) -> TensorType:
        """The broadcast shape."""
        dtype = promote(*(v.dtype for v in values))
        return TensorType(broadcast_shapes(*(v.shape for v in values)), dtype)
