"""Normalisation by stored or by fresh statistics."""

from __future__ import annotations

from dataclasses import dataclass

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType, broadcast_shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchNorm(Op):
    """``gamma * (x - moving_mean) / sqrt(moving_variance + epsilon) + beta``.

    Parameters, each ``(channels,)``: gamma and beta optional, moving_mean,
    moving_variance.
    Source: keras/src/layers/normalization/batch_normalization.py, Keras 3.15.

    Attributes:
        axis: axis of the channels, batch included, never negative.
        epsilon: added to the variance.
    """

    axis: int
    epsilon: float

    def infer(
        self,
        x: TensorType,
        *,
        gamma: TensorType | None = None,
        beta: TensorType | None = None,
        moving_mean: TensorType,
        moving_variance: TensorType,
    ) -> TensorType:
        """The type of ``x``."""
        if x.shape[self.axis] not in (None, moving_mean.shape[0]):
            raise ValueError(f"axis {self.axis} of {x} does not match {moving_mean}")
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNorm(Op):
    """Zero mean and unit variance over axes of each row, then scale and shift.

    Parameters: gamma and beta, of the sizes of the axes, both optional.
    Source: keras/src/layers/normalization/layer_normalization.py, Keras 3.15.

    Attributes:
        axis: axes normalised over, batch included, never negative.
        epsilon: added to the variance.
        rms_scaling: divide by the root of the mean square without centring, and
            leave the mean in place.
    """

    axis: tuple[int, ...]
    epsilon: float
    rms_scaling: bool = False

    def infer(
        self, x: TensorType, *, gamma: TensorType | None = None, beta: TensorType | None = None
    ) -> TensorType:
        """The type of ``x``."""
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNorm(Op):
    """Zero mean and unit variance of each group of channels of a row, then scale and shift.

    Parameters, each ``(channels,)``, optional: gamma, beta.
    Source: keras/src/layers/normalization/group_normalization.py, Keras 3.15.

    Attributes:
        groups: into how many groups the channels are split.
        axis: axis of the channels, batch included, never negative.
        epsilon: added to the variance.
    """

    groups: int
    axis: int
    epsilon: float

    def infer(
        self, x: TensorType, *, gamma: TensorType | None = None, beta: TensorType | None = None
    ) -> TensorType:
        """The type of ``x``."""
        size = x.shape[self.axis]
        if size is not None and size % self.groups:
            raise ValueError(f"{size} channels do not split into {self.groups} groups")
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitNorm(Op):
    """Each vector along some axes divided by its length.

    Source: keras/src/layers/normalization/unit_normalization.py, Keras 3.15.

    Attributes:
        axis: axes of the vector, batch included, never negative.
    """

    axis: tuple[int, ...]

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardize(Op):
    """``(x - mean) / deviation``, or back.

    Parameters, that broadcast with x: mean, deviation.
    Source: keras/src/layers/preprocessing/normalization.py, Keras 3.15.

    Attributes:
        invert: ``mean + x * deviation`` instead.
    """

    invert: bool = False

    def infer(self, x: TensorType, *, mean: TensorType, deviation: TensorType) -> TensorType:
        """The broadcast shape."""
        return x.with_shape(broadcast_shapes(x.shape, mean.shape, deviation.shape))
