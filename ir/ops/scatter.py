"""Writing to computed places and adding up by number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter(Op):
    """Zeros with values added at places.

    Inputs: indices ``(..., depth)``, whole numbers not below 0; values
    ``(..., *shape[depth:])``.
    Source: keras/src/backend/tensorflow/core.py ``scatter``, Keras 3.15.

    Attributes:
        shape: all dimensions of the result.
    """

    shape: tuple[int, ...]

    def infer(self, indices: TensorType, values: TensorType) -> TensorType:
        """The shape, the dtype of the values."""
        return values.with_shape(self.shape)


Reduction = Literal["replace", "add", "max", "min", "mul"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScatterUpdate(Op):
    """``x`` with other values at places.

    Inputs: x; indices ``(count, depth)``; updates ``(count, *x.shape[depth:])``.
    Source: keras/src/backend/tensorflow/core.py ``scatter_update``, Keras 3.15.

    Attributes:
        reduction: how a new value meets the old one and others of the same
            place; ``replace`` leaves the last.
    """

    reduction: Reduction = "replace"

    def infer(self, x: TensorType, indices: TensorType, updates: TensorType) -> TensorType:
        """The type of ``x``."""
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicSlice(Op):
    """A part of ``x`` that begins at a computed place.

    Inputs: x; start, a whole number an axis.
    Source: keras/src/backend/tensorflow/core.py ``slice``, Keras 3.15.

    Attributes:
        size: elements of each axis; -1 for all that follow.
    """

    size: tuple[int, ...]

    def infer(self, x: TensorType, start: TensorType) -> TensorType:
        """The sizes, unknown where all that follow are taken."""
        if len(self.size) != x.rank:
            raise ValueError(f"{len(self.size)} sizes do not fit {x.rank} axes")
        return x.with_shape(tuple(None if n == -1 else n for n in self.size))


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceUpdate(Op):
    """``x`` with a block written at a computed place, moved so far that it fits.

    Inputs: x; start, a whole number an axis; updates, the block.
    Source: keras/src/backend/tensorflow/core.py ``slice_update``, Keras 3.15,
    which is XLA's ``DynamicUpdateSlice``.
    """

    def infer(self, x: TensorType, start: TensorType, updates: TensorType) -> TensorType:
        """The type of ``x``."""
        if x.rank != updates.rank:
            raise ValueError(f"a block of {updates.rank} axes does not fit {x.rank} axes")
        return x


SegmentKind = Literal["sum", "prod", "max", "min"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(Op):
    """Rows that bear the same number combined into one.

    Inputs: data ``(rows, ...)``; ids ``(rows,)``; where it is computed, how many
    segments, ``()``. Rows with a number below 0 count nowhere.
    Output: ``(segments, ...)``.
    Source: keras/src/backend/tensorflow/math.py ``segment_sum`` and its kin,
    Keras 3.15.

    Attributes:
        kind: how rows combine.
        count: how many segments; ``None`` for the number that is read, and where none
            is for the largest number and one more, but for a sum as many as there are
            different numbers.
        sorted: the numbers ascend. A segment without rows then is 0, or 1 for a
            product; else the smallest number for ``max``, the largest for ``min``.
    """

    kind: SegmentKind
    count: int | None = None
    sorted: bool = False

    def infer(
        self, data: TensorType, ids: TensorType, count: TensorType | None = None
    ) -> TensorType:
        """``(segments, ...)``."""
        if ids.rank != 1:
            raise ValueError(f"one number a row is expected, not {ids}")
        if count is not None and (self.count is not None or count.rank):
            raise ValueError(f"one number of segments is expected, not {self.count} and {count}")
        return data.with_shape((self.count, *data.shape[1:]))
