"""What is known of many values: quantiles, counts, correlation, distinct values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import Shape, TensorType, promote


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile(Op):
    """The value that a part of all values along some axes lies below.

    Inputs: x; q, parts between 0 and 1, of any shape, whose axes come first in
    the output.
    Source: keras/src/backend/tensorflow/numpy.py ``quantile`` and
    ``nanquantile``, Keras 3.15.

    Attributes:
        axis: axes reduced, never negative; ``None`` for all.
        method: which value, where the place falls between two.
        keepdims: keep the axes with size 1.
        skip_nan: NaN does not count; else it makes the result NaN.
    """

    axis: tuple[int, ...] | None = None
    method: Literal["linear", "lower", "higher", "midpoint", "nearest"] = "linear"
    keepdims: bool = False
    skip_nan: bool = False

    def infer(self, x: TensorType, q: TensorType) -> TensorType:
        """The axes of q, then those of x that are kept; floating."""
        axes = range(x.rank) if self.axis is None else self.axis
        if self.keepdims:
            rest: Shape = tuple(1 if i in axes else d for i, d in enumerate(x.shape))
        else:
            rest = tuple(d for i, d in enumerate(x.shape) if i not in axes)
        return TensorType((*q.shape, *rest), promote(x.dtype, "float"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram(Op):
    """How many elements of a vector fall into each of several equal bins.

    Outputs: the counts; the ``bins + 1`` edges; both of the dtype of x.
    Source: keras/src/backend/tensorflow/numpy.py ``histogram``, Keras 3.15.

    Attributes:
        bins: how many.
        range: the first and the last edge, ``None`` for the smallest and the
            largest element. What is outside is not counted.
    """

    bins: int
    range: tuple[float, float] | None = None

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        """``(bins,)`` and ``(bins + 1,)``."""
        return x.with_shape((self.bins,)), x.with_shape((self.bins + 1,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bincount(Op):
    """How often each number from 0 on occurs in a vector, or in each row of a matrix.

    Inputs: x, whole numbers; weights of the same shape, optional.
    Source: keras/src/backend/tensorflow/numpy.py ``bincount``, Keras 3.15.

    Attributes:
        minlength: the least length of the result.
    """

    minlength: int = 0

    def infer(self, x: TensorType, weights: TensorType | None = None) -> TensorType:
        """The largest number says how long the last axis is."""
        dtype = "int32" if weights is None else promote(x.dtype, weights.dtype)
        return TensorType((*x.shape[:-1], None), dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrcoef(Op):
    """Coefficients of correlation between the rows of a matrix.

    Of int64, Keras on TensorFlow takes the whole part of the mean; so does this.
    Source: keras/src/backend/tensorflow/numpy.py ``corrcoef``, Keras 3.15.
    """

    def infer(self, x: TensorType) -> TensorType:
        """``(rows, rows)``, floating; int64 gives float64. A number has NaN, in float32."""
        if not x.rank:
            return TensorType((), "float32")
        if x.rank != 2:
            raise ValueError(f"expects a matrix, got {x}")
        dtype = "float64" if x.dtype == "int64" else promote(x.dtype, "float")
        return TensorType((x.shape[0], x.shape[0]), dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlate(Op):
    """Sums of products of two vectors, one moved along the other.

    Source: keras/src/backend/tensorflow/numpy.py ``correlate``, Keras 3.15.

    Attributes:
        mode: every overlap, the middle of them, or those that are complete.
    """

    mode: Literal["full", "same", "valid"] = "valid"

    def infer(self, x1: TensorType, x2: TensorType) -> TensorType:
        """A vector, floating; int64 gives float64."""
        (n,), (m,) = x1.shape, x2.shape
        size = None
        if n is not None and m is not None:
            size = {"full": n + m - 1, "same": max(n, m), "valid": max(n - m + 1, 0)}[self.mode]
        dtype = promote(x1.dtype, x2.dtype)
        if dtype not in ("float16", "float64"):
            dtype = "float64" if dtype == "int64" else "float32"
        return TensorType((size,), dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSorted(Op):
    """The place in an ascending vector at which each value keeps it ascending.

    Inputs: the vector and the values, of any shape; or as many vectors as there are
    rows of values, ``(..., n)`` and ``(..., values)``.
    Source: keras/src/backend/tensorflow/numpy.py ``searchsorted`` and
    ``digitize``, Keras 3.15.

    Attributes:
        side: before or behind equal elements.
    """

    side: Literal["left", "right"] = "left"

    def infer(self, sequence: TensorType, values: TensorType) -> TensorType:
        """int32 of the shape of the values."""
        if sequence.rank != 1 and (sequence.rank != values.rank or not values.rank):
            raise ValueError(f"expects a vector to search in, or one a row, got {sequence}")
        return values.with_dtype("int32")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique(Op):
    """The distinct elements, or the distinct parts along an axis.

    Outputs, those that are asked for: the elements; where each occurs first;
    for each element of x its place among them; how often each occurs.
    Source: keras/src/backend/tensorflow/numpy.py ``unique``, Keras 3.15.

    Attributes:
        axis: the axis, never negative; ``None`` for all elements.
        ascending: in ascending order, else in that of first occurrence.
        index, inverse, counts: which outputs follow the elements.
        size: exact length of the results, ``None`` for as many as there are.
        fill: what the elements are filled up with.
    """

    axis: int | None = None
    ascending: bool = True
    index: bool = False
    inverse: bool = False
    counts: bool = False
    size: int | None = None
    fill: float = 0

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        """Lengths are unknown without ``size``."""
        numbers = TensorType((self.size,), "int32")
        shape: Shape = (self.size,)
        inverse = x.shape
        if self.axis is not None:
            shape = tuple(self.size if i == self.axis else d for i, d in enumerate(x.shape))
            inverse = (x.shape[self.axis],)
        found = [x.with_shape(shape)]
        found += [numbers] * self.index
        found += [TensorType(inverse, "int32")] * self.inverse
        return (*found, *([numbers] * self.counts))
