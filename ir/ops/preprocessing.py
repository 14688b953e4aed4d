"""Turning numbers into categories, and categories into vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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


@dataclass(frozen=True, slots=True, kw_only=True)
class CountCategories(Op):
    """How often each category stands along an axis, or whether it does.

    Inputs: x, whole numbers; weights of the same shape, what each is counted as.
    Raises: InputError for a number that ``refuses`` names; others outside are
    counted nowhere.
    Source: keras/src/utils/numerical_utils.py ``encode_categorical_inputs``,
    Keras 3.15, and TensorFlow's ``tf.math.bincount``.

    Attributes:
        depth: number of categories, the size of the new last axis.
        binary: 1 for what stands there, instead of counts.
        axis: the axis that is counted along and vanishes.
        refuses: numbers that are an error.
        dtype: dtype of the result.
    """

    depth: int
    binary: bool = False
    axis: int = -1
    refuses: Literal["nothing", "negative", "outside"] = "nothing"
    dtype: str = "float32"

    def infer(self, x: TensorType, weights: TensorType | None = None) -> TensorType:
        """The shape of ``x`` without the axis, and the categories last."""
        axis = self.axis % x.rank
        return TensorType((*x.shape[:axis], *x.shape[axis + 1 :], self.depth), self.dtype)
