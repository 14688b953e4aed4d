"""Layers that round what they are given to few values while they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layergraph.ir.op import Activation, Op
from layergraph.ir.ops.linear import einsum_shape
from layergraph.ir.types import TensorType, promote


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizedEinsumDense(Op):
    """``einsum(equation, q, kernel) / (scale * kernel_scale) + bias``.

    ``q`` is ``x`` times ``scale``, rounded to whole numbers; the scale makes
    the largest element along the axes that are summed over ``high``.

    Inputs: x.
    Parameters: kernel, whole numbers or floats, of the shape its labels ask
    for; kernel_scale and bias, that broadcast with the result, optional.
    Source: keras/src/layers/core/dense.py and einsum_dense.py ``_int8_call``,
    keras/src/quantizers/quantizers.py ``abs_max_quantize``, Keras 3.15.

    Attributes:
        equation: labels of x, kernel and result.
        low, high: least and greatest value of ``q``.
        epsilon: added to the largest element.
        activation: set by the pass ``fuse_activation`` only.
    """

    fuses_activation: ClassVar[bool] = True

    equation: str
    low: int = -127
    high: int = 127
    epsilon: float = 1e-7
    activation: Activation | None = None

    def infer(
        self,
        x: TensorType,
        *,
        kernel: TensorType,
        kernel_scale: TensorType | None = None,
        bias: TensorType | None = None,
    ) -> TensorType:
        """The sizes of the result's labels."""
        if not x.is_float:
            raise ValueError(f"{x} is not of floats, which alone can be quantised")
        shape = einsum_shape(self.equation, [x.shape, kernel.shape])
        floats = [p.dtype for p in (kernel, kernel_scale, bias) if p is not None and p.is_float]
        return TensorType(shape, promote(x.dtype, *floats))


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundToFloat8(Op):
    """``x`` rounded to what float8_e4m3fn times a scale can be.

    Parameters: scale ``()``.
    Source: keras/src/quantizers/quantizers.py ``quantize_and_dequantize``, Keras 3.15.
    """

    def infer(self, x: TensorType, *, scale: TensorType) -> TensorType:
        """The type of ``x``."""
        return x
