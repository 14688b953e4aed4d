"""Activations that have parameters of their own or look at more than one element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layergraph.ir.op import Activation, Op
from layergraph.ir.types import TensorType


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSoftmax(Activation):
    """``x - log(sum(exp(x)))`` over one axis.

    Source: keras/src/activations/activations.py ``log_softmax``, Keras 3.15.

    Attributes:
        axis: axis summed over; ``None`` for all, the batch included.
    """

    axis: int | None = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparsemax(Activation):
    """``max(x - tau, 0)`` with a threshold tau that leaves few elements above 0.

    The threshold is Keras': ``(S - 1) / k`` where S adds up the cumulative
    sums of the k largest elements, while Martins and Astudillo (2016) take the
    last of those sums. So the result need not add up to 1.
    Source: keras/src/backend/tensorflow/nn.py ``sparsemax``, Keras 3.15.

    Attributes:
        axis: axis of the vectors.
    """

    axis: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReLU(Activation):
    """``x`` above the threshold, capped; ``negative_slope * (x - threshold)`` below.

    Source: keras/src/layers/activations/relu.py, Keras 3.15.
    """

    pointwise: ClassVar[bool] = True

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakyReLU(Activation):
    """``x`` above zero, ``negative_slope * x`` below.

    Source: keras/src/layers/activations/leaky_relu.py, Keras 3.15: the layer's
    default is 0.3, the function's 0.2.
    """

    pointwise: ClassVar[bool] = True

    negative_slope: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ELU(Activation):
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below.

    Source: keras/src/layers/activations/elu.py, Keras 3.15.
    """

    pointwise: ClassVar[bool] = True

    alpha: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CELU(Activation):
    """``x`` above zero, ``alpha * (exp(x / alpha) - 1)`` below.

    Source: keras/src/activations/activations.py ``celu``, Keras 3.15.
    """

    pointwise: ClassVar[bool] = True

    alpha: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GELU(Activation):
    """``x * Phi(x)``, by the error function or by its tanh approximation.

    Source: keras/src/activations/activations.py ``gelu``, Keras 3.15.
    """

    pointwise: ClassVar[bool] = True

    approximate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HardShrink(Activation):
    """``x`` where ``|x|`` exceeds the threshold, else 0.

    Source: keras/src/activations/activations.py ``hard_shrink``, Keras 3.15.
    """

    pointwise: ClassVar[bool] = True

    threshold: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftShrink(Activation):
    """``x`` moved towards 0 by the threshold, and 0 within it.

    Source: keras/src/activations/activations.py ``soft_shrink``, Keras 3.15.
    """

    pointwise: ClassVar[bool] = True

    threshold: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold(Activation):
    """``x`` above the threshold, else ``value``: Keras 2's ThresholdedReLU.

    Source: tf_keras/src/layers/activation/thresholded_relu.py, tf-keras 2.21.
    """

    pointwise: ClassVar[bool] = True

    threshold: float
    value: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Squareplus(Activation):
    """``(x + sqrt(x^2 + b)) / 2``.

    Source: keras/src/activations/activations.py ``squareplus``, Keras 3.15.
    """

    pointwise: ClassVar[bool] = True

    b: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PReLU(Op):
    """``x`` above zero, ``alpha * x`` below, with a learned slope.

    Parameters: alpha, of the input's shape without batch, 1 along shared axes.
    Source: keras/src/layers/activations/prelu.py, Keras 3.15.
    """

    def infer(self, x: TensorType, *, alpha: TensorType) -> TensorType:
        """The type of ``x``."""
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class ParametricSoftplus(Op):
    """``alpha * log(1 + exp(beta * x))`` with learned alpha and beta.

    Parameters: alpha and beta, that broadcast with the input without batch.
    Source: keras/layers/advanced_activations.py, Keras 1.2.2; later Kerases lack it.
    """

    def infer(self, x: TensorType, *, alpha: TensorType, beta: TensorType) -> TensorType:
        """The type of ``x``."""
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class SReLU(Op):
    """Three straight pieces: ``x`` between two learned thresholds, learned slopes outside.

    Parameters: left, the lower threshold; width, whose magnitude is how far
    the upper one is above it; left_slope and right_slope. All broadcast with
    the input without batch.
    Source: keras/layers/advanced_activations.py, Keras 1.2.2; later Kerases lack it.
    """

    def infer(
        self,
        x: TensorType,
        *,
        left: TensorType,
        left_slope: TensorType,
        width: TensorType,
        right_slope: TensorType,
    ) -> TensorType:
        """The type of ``x``."""
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class GLU(Op):
    """One half of an axis times the sigmoid of the other.

    Source: keras/src/activations/activations.py ``glu``, Keras 3.15.

    Attributes:
        axis: the axis that is halved.
    """

    axis: int = -1

    def infer(self, x: TensorType) -> TensorType:
        """Half the axis."""
        axis = self.axis % x.rank
        size = x.shape[axis]
        half = None if size is None else size // 2
        return x.with_shape((*x.shape[:axis], half, *x.shape[axis + 1 :]))
