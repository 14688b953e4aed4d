"""Pooling over windows and over whole axes, channels last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType
from layergraph.ir.windows import Padding, output_sizes

PoolKind = Literal["max", "average"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool(Op):
    """Largest or mean element of each window; padding never counts.

    Inputs: x ``(batch, *spatial, channels)``.
    Output: ``(batch, *windows, channels)``.
    Source: keras/src/layers/pooling/base_pooling.py, Keras 3.15.

    Attributes:
        kind: what is kept of a window.
        pool_size, strides: one number a spatial axis.
        padding: ``same`` puts the odd element behind.
    """

    kind: PoolKind
    pool_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Padding = "valid"

    def infer(self, x: TensorType) -> TensorType:
        """``(batch, *windows, channels)``."""
        ones = (1,) * len(self.pool_size)
        windows = output_sizes(x.shape[1:-1], self.pool_size, self.strides, self.padding, ones)
        return x.with_shape((x.shape[0], *windows, x.shape[-1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptivePool(Op):
    """Largest or mean element of windows that share an axis out evenly.

    Window i of an axis of n elements begins at ``floor(i * n / size)`` and ends
    before ``ceil((i + 1) * n / size)``, but is never shorter than
    ``ceil(n / size)``.

    Inputs: x ``(batch, *spatial, channels)``.
    Output: ``(batch, *output_size, channels)``.
    Source: keras/src/backend/tensorflow/nn.py ``adaptive_average_pool`` and
    ``_compute_static_gather_indices``, Keras 3.15.

    Attributes:
        kind: what is kept of a window.
        output_size: windows along each spatial axis.
    """

    kind: PoolKind
    output_size: tuple[int, ...]

    def infer(self, x: TensorType) -> TensorType:
        """``(batch, *output_size, channels)``."""
        if x.rank != len(self.output_size) + 2:
            raise ValueError(f"{len(self.output_size)} spatial axes expected, not {x.rank - 2}")
        return x.with_shape((x.shape[0], *self.output_size, x.shape[-1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalPool(Op):
    """Largest or mean element over all spatial axes.

    Inputs: x ``(batch, *spatial, channels)``; mask ``(batch, time)`` optional:
    the mean then is over the steps it keeps.
    Output: ``(batch, channels)``, or with axes of size 1 kept.
    Source: keras/src/layers/pooling/global_average_pooling1d.py and
    base_global_pooling.py, Keras 3.15.

    Attributes:
        kind: what is kept.
        keepdims: keep the spatial axes with size 1.
    """

    kind: PoolKind
    keepdims: bool = False

    def infer(self, x: TensorType, mask: TensorType | None = None) -> TensorType:
        """``(batch, channels)``."""
        kept = (1,) * (x.rank - 2) if self.keepdims else ()
        return x.with_shape((x.shape[0], *kept, x.shape[-1]))
