"""Reductions over axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType

ReduceKind = Literal[
    "any", "all", "max", "min", "sum", "prod", "mean", "std", "var", "median", "logsumexp",
    "argmax", "argmin", "count_nonzero", "nanmax", "nanmin", "nansum", "nanmean",
    "nanprod", "nanstd", "nanvar",
]  # fmt: skip

WHOLE = ("argmax", "argmin", "count_nonzero")
FRACTIONAL = ("mean", "std", "var", "median", "logsumexp", "nanmean", "nanstd",
              "nanvar")  # fmt: skip


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
        return TensorType(shape, self._dtype(x))

    def _dtype(self, x: TensorType) -> str:
        if self.kind in ("any", "all"):
            return "bool"
        if self.kind in WHOLE:
            return "int32"
        if not x.is_float and self.kind in FRACTIONAL:
            return "float32"
        if self.kind in ("sum", "prod", "nansum", "nanprod"):
            return {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32",
                    "uint16": "uint32"}.get(x.dtype, x.dtype)  # fmt: skip
        return x.dtype


@dataclass(frozen=True, slots=True, kw_only=True)
class Cumulate(Op):
    """Sums or products of all elements up to each along an axis.

    Source: keras/src/ops/numpy.py ``cumsum`` and ``cumprod``, Keras 3.15.

    Attributes:
        kind: sum or product.
        axis: the axis, negative from the end.
    """

    kind: Literal["sum", "prod"]
    axis: int

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        return x.with_dtype("int32") if x.dtype == "bool" else x


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort(Op):
    """Elements of an axis in ascending order, or the places they come from.

    Source: keras/src/ops/numpy.py ``sort`` and ``argsort``, Keras 3.15.

    Attributes:
        axis: the axis, negative from the end.
        places: give places, int32, instead of elements.
    """

    axis: int = -1
    places: bool = False

    def infer(self, x: TensorType) -> TensorType:
        """The shape of ``x``."""
        return x.with_dtype("int32") if self.places else x


@dataclass(frozen=True, slots=True, kw_only=True)
class TopK(Op):
    """The largest elements of the last axis, descending, and their places.

    Outputs: elements; places, int32.
    Source: keras/src/ops/math.py ``top_k``, Keras 3.15.

    Attributes:
        k: how many.
    """

    k: int

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        """``(..., k)`` twice."""
        kept = x.with_shape((*x.shape[:-1], self.k))
        return kept, kept.with_dtype("int32")
