"""Combining several values into one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import FLOATS, TensorType, broadcast_shapes, joined, promote

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
        """The broadcast shape; the average of whole numbers is none."""
        dtype = promote(*(v.dtype for v in values))
        if self.kind == "average" and dtype not in (*FLOATS, "complex64", "complex128"):
            dtype = "float64" if dtype in ("int32", "int64", "uint32", "uint64") else "float32"
        return TensorType(broadcast_shapes(*(v.shape for v in values)), dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concatenate(Op):
    """Values one after the other along an axis.

    Source: keras/src/layers/merging/concatenate.py, Keras 3.15.

    Attributes:
        axis: axis they are joined along, batch included; negative from the end.
    """

    axis: int

    def infer(self, *values: TensorType) -> TensorType:
        """The sizes along the axis added up."""
        first = values[0]
        axis = self.axis % first.rank
        if any(v.rank != first.rank for v in values):
            raise ValueError("values of different rank do not concatenate")
        sizes = [v.shape[axis] for v in values]
        total = None if None in sizes else sum(s or 0 for s in sizes)
        shape: list[int | None] = []
        for i, dims in enumerate(zip(*(v.shape for v in values), strict=True)):
            known = {d for d in dims if d is not None}
            if i != axis and len(known) > 1:
                raise ValueError(f"axis {i} has sizes {sorted(known)}")
            shape.append(total if i == axis else next(iter(known), None))
        return TensorType(tuple(shape), joined(*(v.dtype for v in values)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Logical(Op):
    """Truth of all or of any of several boolean values, element by element.

    Source: keras/src/layers/merging/base_merge.py ``compute_mask``: Keras 3.15
    asks for any, tf-keras 2.21 for all.

    Attributes:
        kind: ``and`` or ``or``.
    """

    kind: Literal["and", "or"]

    def infer(self, *values: TensorType) -> TensorType:
        """Booleans of the broadcast shape."""
        return TensorType(broadcast_shapes(*(v.shape for v in values)), "bool")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill(Op):
    """An array like another, all of one value.

    Source: keras/src/ops/numpy.py ``ones_like`` and ``zeros_like``, Keras 3.15.

    Attributes:
        value: the value.
        dtype: dtype of the result.
    """

    value: float
    dtype: str

    def infer(self, x: TensorType) -> TensorType:
        """The shape of ``x``."""
        return x.with_dtype(self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace(Op):
    """``x`` where the mask is true, one value elsewhere.

    Inputs: x; mask, boolean, that broadcasts with it.
    Source: keras/src/ops/numpy.py ``where``, Keras 3.15.

    Attributes:
        value: what stands where the mask is false.
    """

    value: float

    def infer(self, x: TensorType, mask: TensorType) -> TensorType:
        """The broadcast shape, the dtype of ``x``."""
        return x.with_shape(broadcast_shapes(x.shape, mask.shape))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot(Op):
    """Products of two values summed over one axis of each, row by row of the batch.

    Inputs: x1 and x2, batch first.
    Output: the other axes of x1, then those of x2; ``(batch, 1)`` when there
    are none.
    Source: keras/src/layers/merging/dot.py ``batch_dot`` and ``Dot``, Keras 3.15.

    Attributes:
        axes: the axis of x1 and that of x2, batch included, never negative.
        normalize: divide both by their length along the axis first.
    """

    axes: tuple[int, int]
    normalize: bool = False

    def infer(self, x1: TensorType, x2: TensorType) -> TensorType:
        """See above."""
        sizes = {x1.shape[self.axes[0]], x2.shape[self.axes[1]]} - {None}
        if len(sizes) > 1:
            raise ValueError(f"the axes {self.axes} have sizes {sorted(s or 0 for s in sizes)}")
        rest = [
            d
            for x, axis in zip((x1, x2), self.axes, strict=True)
            for i, d in enumerate(x.shape)
            if i not in (0, axis)
        ]
        return TensorType((x1.shape[0], *(rest or [1])), promote(x1.dtype, x2.dtype))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack(Op):
    """Values of one shape side by side along a new axis.

    Source: keras/src/ops/numpy.py ``stack``, Keras 3.15.

    Attributes:
        axis: where the axis stands in the output, negative from the end.
    """

    axis: int = 0

    def infer(self, *values: TensorType) -> TensorType:
        """The common shape with the axis inserted."""
        shape = broadcast_shapes(*(v.shape for v in values))
        axis = self.axis % (len(shape) + 1)
        dtype = joined(*(v.dtype for v in values))
        return TensorType((*shape[:axis], len(values), *shape[axis:]), dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matmul(Op):
    """Matrix product of the last two axes, broadcast over the others.

    Source: keras/src/ops/numpy.py ``matmul``, Keras 3.15.
    """

    def infer(self, x1: TensorType, x2: TensorType) -> TensorType:
        """NumPy's rule, vectors included."""
        rows = x1.shape[-2:-1]
        columns = x2.shape[-1:] if x2.rank > 1 else ()
        inner = x2.shape[-2] if x2.rank > 1 else x2.shape[0]
        if None not in (x1.shape[-1], inner) and x1.shape[-1] != inner:
            raise ValueError(f"{x1.shape[-1]} columns do not meet {inner} rows")
        batch = broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
        dtype = promote(x1.dtype, x2.dtype)
        if x1.dtype == x2.dtype == "int8" and 1 not in (x1.rank, x2.rank):
            dtype = "int32"
        return TensorType((*batch, *rows, *columns), dtype)
