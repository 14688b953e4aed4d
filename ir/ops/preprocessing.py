"""Turning numbers into categories."""

from __future__ import annotations

from dataclasses import dataclass

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class Digitize(Op):
    """Number of boundaries that are not above each element.

    Source: keras/src/layers/preprocessing/discretization.py, Keras 3.15.

    Attributes:
        boundaries: in ascending order.
        dtype: dtype of the result.
    """

    boundaries: tuple[float, ...]
    dtype: str = "int32"

    def infer(self, x: TensorType) -> TensorType:
        """The shape of ``x``."""
        return x.with_dtype(self.dtype)
