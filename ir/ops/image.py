"""Operators on images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize(Op):
    """The spatial axes brought to a size, channels last.

    Source: tf.image.resize with half-pixel centres, TensorFlow 2.21, which
    keras/src/layers/preprocessing/image_preprocessing/resizing.py, Keras 3.15, calls.

    Attributes:
        size: new size of each spatial axis.
        interpolation: ``nearest`` takes the element whose cell the centre lies
            in, ``bilinear`` interpolates between centres.
    """

    size: tuple[int, ...]
    interpolation: Literal["nearest", "bilinear"] = "bilinear"

    def infer(self, x: TensorType) -> TensorType:
        """The spatial axes replaced."""
        return x.with_shape((x.shape[0], *self.size, x.shape[-1]))
