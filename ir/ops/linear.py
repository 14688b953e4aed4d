"""Linear maps over the last axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layergraph.ir.op import Activation, Op
from layergraph.ir.types import TensorType, promote


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense(Op):
    """``activation(x @ kernel + bias)`` over the last axis.

    Inputs: x ``(..., in)``.
    Parameters: kernel ``(in, units)``, bias ``(units,)`` optional.
    Output: ``(..., units)``.
    Source: keras/src/layers/core/dense.py ``Dense.call``, Keras 3.15.

    Attributes:
        activation: fused activation, set by the pass ``fuse_activation`` only.
    """

    fuses_activation: ClassVar[bool] = True

    activation: Activation | None = None

    def infer(
        self, x: TensorType, *, kernel: TensorType, bias: TensorType | None = None
    ) -> TensorType:
        """``(..., units)``."""
        if x.shape[-1] is not None and x.shape[-1] != kernel.shape[0]:
            raise ValueError(f"last axis is {x.shape[-1]}, the kernel expects {kernel.shape[0]}")
        if bias is not None and bias.shape != kernel.shape[1:]:
            raise ValueError(f"bias {bias.shape} does not match kernel {kernel.shape}")
        return TensorType((*x.shape[:-1], kernel.shape[1]), promote(x.dtype, kernel.dtype))
