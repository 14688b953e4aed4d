"""Numbers in regular order: sequences, grids, powers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType, broadcast_shapes, product, promote


@dataclass(frozen=True, slots=True, kw_only=True)
class Linspace(Op):
    """Numbers from start to stop at equal steps, or powers of such.

    Inputs: start and stop, that broadcast.
    Outputs: the numbers; with ``step`` the step too.
    Source: keras/src/backend/tensorflow/numpy.py ``linspace``, ``logspace`` and
    ``geomspace``, Keras 3.15.

    Attributes:
        num: how many.
        axis: where they stand in the output, negative from the end.
        endpoint: stop is the last of them.
        dtype: dtype of the output, ``None`` for the common floating one.
        step: give the step.
        spacing: ``linear``; ``log`` for powers of the base; ``geometric`` for equal
            quotients.
        base: the base.
    """

    num: int
    axis: int = 0
    endpoint: bool = True
    dtype: str | None = None
    step: bool = False
    spacing: Literal["linear", "log", "geometric"] = "linear"
    base: float = 10

    def infer(self, start: TensorType, stop: TensorType) -> TensorType | tuple[TensorType, ...]:
        """The broadcast shape with the axis inserted."""
        shape = broadcast_shapes(start.shape, stop.shape)
        axis = self.axis % (len(shape) + 1)
        dtype = self.dtype or promote(start.dtype, stop.dtype, "float")
        if self.spacing == "geometric":
            dtype = self.dtype or "float32"
        numbers = TensorType((*shape[:axis], self.num, *shape[axis:]), dtype)
        return (numbers, TensorType(shape, dtype)) if self.step else numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Meshgrid(Op):
    """Each value spread over a grid with an axis a value; values are flattened.

    Source: keras/src/backend/tensorflow/numpy.py ``meshgrid``, Keras 3.15.

    Attributes:
        indexing: ``ij`` for axes in the order of the values, ``xy`` with the first
            two exchanged.
    """

    indexing: Literal["xy", "ij"] = "xy"

    def infer(self, *values: TensorType) -> tuple[TensorType, ...]:
        """One grid a value."""
        shape = [product(v.shape) for v in values]
        if self.indexing == "xy":
            shape[:2] = shape[1::-1]
        return tuple(v.with_shape(shape) for v in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vander(Op):
    """Powers of a vector's elements, a row an element.

    Source: keras/src/backend/tensorflow/numpy.py ``vander``, Keras 3.15.

    Attributes:
        count: how many powers, ``None`` for as many as there are elements.
        increasing: the lowest power comes first.
    """

    count: int | None = None
    increasing: bool = False

    def infer(self, x: TensorType) -> TensorType:
        """``(n, count)``."""
        (size,) = x.shape
        return TensorType((size, size if self.count is None else self.count), promote(x.dtype))
