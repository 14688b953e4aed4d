"""Values of a graph as ONNX knows them: each in one or several orders of its axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from layergraph.ir.types import Array, TensorType

Axes: TypeAlias = tuple[int, ...]


class View(NamedTuple):
    """A value with its axes in another order.

    Attributes:
        name: ONNX value.
        axes: the value's axis that stands at each place.
    """

    name: str
    axes: Axes


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value of the graph as ONNX knows it.

    Attributes:
        type: its type.
        views: ONNX values by order of axes; the first is the one it was made in.
        batched: whether its unknown first dimension is the batch.
        known: its array, where that does not depend on what the model is fed.
    """

    type: TensorType
    views: dict[Axes, str]
    batched: bool = False
    known: Array | None = None

    @property
    def rank(self) -> int:
        """Number of axes."""
        return self.type.rank

    @property
    def dtype(self) -> str:
        """Dtype of the elements."""
        return self.type.dtype

    @property
    def native(self) -> Axes:
        """The order of axes it was made in."""
        return next(iter(self.views))


Operand: TypeAlias = "str | Tensor | Array | np.generic | None"


def plain(rank: int) -> Axes:
    """The order of axes as the graph has them."""
    return tuple(range(rank))


def channels_first(rank: int) -> Axes:
    """Batch, channels, then the spatial axes."""
    return (0, rank - 1, *range(1, rank - 1)) if rank > 2 else plain(rank)


def permuted(type_: TensorType, axes: Axes) -> TensorType:
    """A type with its dimensions in an order."""
    return type_.with_shape(tuple(type_.shape[a] for a in axes))
