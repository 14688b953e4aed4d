"""Activations that have parameters of their own or look at more than one element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layergraph.ir.op import Activation


@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax(Activation):
    """``exp(x) / sum(exp(x))`` over axes, shifted by the maximum.

    Source: keras/src/activations/activations.py ``softmax``, Keras 3.15.

    Attributes:
        axis: axes summed over; negative counts from the end.
    """

    axis: tuple[int, ...] = (-1,)


@dataclass(frozen=True, slots=True, kw_only=True)
class HardSigmoid(Activation):
    """``clip(slope * x + offset, 0, 1)``: 1/6 in Keras 3, 0.2 in Keras 1 and 2.

    Source: keras/src/backend/tensorflow/nn.py ``hard_sigmoid``, Keras 3.15;
    tf_keras/src/backend.py ``hard_sigmoid``, tf-keras 2.21.
    """

    pointwise: ClassVar[bool] = True

    slope: float = 1 / 6
    offset: float = 0.5
