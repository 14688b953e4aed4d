"""Reductions over axes."""

from __future__ import annotations

from dataclasses import dataclass

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyTrue(Op):
    """Whether any element along an axis is true.

    Source: keras/src/ops/numpy.py ``any``, Keras 3.15.

    Attributes:
        axis: axis that goes away; negative counts from the end.
    """

    axis: int

    def infer(self, x: TensorType) -> TensorType:
        """The other axes, boolean."""
        axis = self.axis % x.rank
        return TensorType((*x.shape[:axis], *x.shape[axis + 1 :]), "bool")
