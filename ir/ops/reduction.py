"""Reductions over axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType, broadcast_shapes, promote, real_of

ReduceKind = Literal[
    "any", "all", "max", "min", "sum", "prod", "mean", "std", "var", "median", "logsumexp",
    "argmax", "argmin", "count_nonzero", "nanmax", "nanmin", "nansum", "nanmean",
    "nanprod", "nanstd", "nanvar", "nanargmax", "nanargmin",
]  # fmt: skip

WHOLE = ("argmax", "argmin", "nanargmax", "nanargmin", "count_nonzero")
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
        equal_zeros: to a place -0.0 is as good as 0.0, as TensorFlow's ``argmax`` has
            it; that of Keras 3 takes it for less.
    """

    kind: ReduceKind
    axis: tuple[int, ...]
    keepdims: bool = False
    equal_zeros: bool = False

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
        if x.is_complex and self.kind == "mean":
            return x.dtype
        if self.kind == "std":
            return promote(real_of(x.dtype), "float")
        if x.is_complex and self.kind == "nanmean":
            return "float32"
        if self.kind in FRACTIONAL:
            return promote(x.dtype, "float")
        if self.kind in ("sum", "prod", "nansum", "nanprod"):
            return _summed(x.dtype, self.kind)
        return x.dtype


def _summed(dtype: str, kind: str) -> str:
    """Small whole numbers widen; the product narrows what arithmetic narrows."""
    wide = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32",
            "uint16": "uint32"}.get(dtype, dtype)  # fmt: skip
    return promote(wide) if kind.endswith("prod") else wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Cumulate(Op):
    """Sums, products or logarithms of sums of all elements up to each along an axis.

    Source: keras/src/ops/numpy.py ``cumsum`` and ``cumprod``, Keras 3.15;
    tf.math.cumulative_logsumexp, TensorFlow 2.21.

    Attributes:
        kind: sum, product, or logarithm of the sum of exponentials.
        axis: the axis, negative from the end.
    """

    kind: Literal["sum", "prod", "logsumexp"]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff(Op):
    """Differences of neighbours along an axis; of truth values, whether they differ.

    Source: keras/src/backend/tensorflow/numpy.py ``diff``, Keras 3.15.

    Attributes:
        n: how often differences are taken.
        axis: the axis, never negative.
    """

    n: int = 1
    axis: int

    def infer(self, x: TensorType) -> TensorType:
        """The axis shorter by ``n``."""
        size = x.shape[self.axis]
        shorter = None if size is None else max(size - self.n, 0)
        return x.with_shape((*x.shape[: self.axis], shorter, *x.shape[self.axis + 1 :]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trapezoid(Op):
    """The area below a curve, by the trapezoidal rule.

    Inputs: y; x, the places of its values, that broadcasts with it, optional.
    Source: keras/src/backend/tensorflow/numpy.py ``trapezoid``, Keras 3.15.

    Attributes:
        dx: distance of neighbours where no x is given.
        axis: the axis, negative from the end.
    """

    dx: float = 1.0
    axis: int = -1

    def infer(self, y: TensorType, x: TensorType | None = None) -> TensorType:
        """The axis gone, floating."""
        axis = self.axis % y.rank
        shape = tuple(d for i, d in enumerate(y.shape) if i != axis)
        return TensorType(shape, promote(y.dtype, "float"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Average(Op):
    """The mean along axes, elements counted by their weights.

    Inputs: x; weights of its shape, or a vector along its one axis.
    Source: keras/src/backend/tensorflow/numpy.py ``average``, Keras 3.15.

    Attributes:
        axis: axes averaged over, never negative.
    """

    axis: tuple[int, ...]

    def infer(self, x: TensorType, weights: TensorType) -> TensorType:
        """The axes gone, floating."""
        shape = x.shape if x.rank != weights.rank else broadcast_shapes(x.shape, weights.shape)
        kept = tuple(d for i, d in enumerate(shape) if i not in self.axis)
        return TensorType(kept, promote(x.dtype, weights.dtype, "float"))
