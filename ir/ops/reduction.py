"""Reductions over axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType

ReduceKind = Literal["any", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduce(Op):
    """One value for all elements along some axes.

    Source: keras/src/ops/numpy.py, Keras 3.15; each kind carries the name of
    the Keras function.

    Attributes:
        kind: how the elements combine.
        axis: axes reduced, negative from the end.
        keepdims: keep them with size 1.
    """

    kind: ReduceKind
    axis: tuple[int, ...]
    keepdims: bool = False

    def infer(self, x: TensorType) -> TensorType:
        """The axes gone, or 1."""
        axes = {a % x.rank for a in self.axis}
        if self.keepdims:
            shape = tuple(1 if i in axes else d for i, d in enumerate(x.shape))
        else:
            shape = tuple(d for i, d in enumerate(x.shape) if i not in axes)
        return TensorType(shape, "bool")
