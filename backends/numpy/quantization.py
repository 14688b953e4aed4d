"""Quantised products: whole numbers multiplied as floats, which hold them exactly."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.linear import product_of
from layergraph.backends.numpy.scratch import Specialised
from layergraph.backends.numpy.table import Kernel, Kernels, in_place
from layergraph.ir.narrow import rounded_to_float8
from layergraph.ir.ops.linear import einsum_labels
from layergraph.ir.ops.quantization import QuantizedEinsumDense, RoundToFloat8
from layergraph.ir.types import HALVES, Array

kernels = Kernels()

EXACT_FLOAT32 = 1 << 24
"""Whole numbers up to this are exact in float32."""


@kernels.prepares(QuantizedEinsumDense, halves=True)
def quantized_einsum_dense(
    op: QuantizedEinsumDense,
    *,
    kernel: Array,
    kernel_scale: Array | None = None,
    bias: Array | None = None,
) -> Kernel:
    """A float GEMM, float64 where a sum of products could exceed what float32 holds.

    NumPy's product of int8 matrices is a slow loop. Scales are computed in the
    dtype of ``x``, halves included, so that every element rounds as in Keras.
    """
    activate = in_place(op.activation)

    def make(shape: tuple[int, ...]) -> Kernel:
        terms, output = einsum_labels(op.equation, [len(shape), kernel.ndim])
        summed = tuple(i for i, c in enumerate(terms[0]) if c not in output)
        wide = kernel.astype(np.float32)
        if kernel.dtype.kind == "i":
            count = int(np.prod([shape[i] for i in summed]))
            largest = max(-op.low, op.high) * 128 * count
            wide = wide if largest <= EXACT_FLOAT32 else kernel.astype(np.float64)
        elif kernel.dtype == np.float64:
            wide = kernel
        multiply = product_of(op.equation, (shape, kernel.shape))
        order = [terms[0].index(c) for c in output if c in terms[0]]
        sizes = [shape[terms[0].index(c)] if c in terms[0] else 1 for c in output]

        def run(x: Array) -> Array:
            number = x.dtype.type
            top = np.abs(x).max(axis=summed, keepdims=True)
            scale = number(op.high) / (top + number(op.epsilon))
            q = np.clip(np.rint(x * scale), number(op.low), number(op.high))
            y = np.ascontiguousarray(multiply(q.astype(wide.dtype), wide)).astype(x.dtype)
            scale = scale.squeeze(summed).transpose(_ranks(order)).reshape(sizes)
            y /= scale if kernel_scale is None else scale * kernel_scale
            if bias is not None:
                y += bias
            return y if activate is None else _activated(y)

        def _activated(y: Array) -> Array:
            assert activate is not None
            floats = y.astype(np.float32) if y.dtype.name in HALVES else y
            activate(floats)
            return floats.astype(y.dtype, copy=False)

        return run

    return Specialised(make)


def _ranks(order: list[int]) -> list[int]:
    """The same order, counted among the axes that are left."""
    return [sorted(order).index(i) for i in order]


@kernels.computes(RoundToFloat8)
def round_to_float8(op: RoundToFloat8, x: Array, *, scale: Array) -> Array:
    """Divided by the scale, rounded, multiplied by it."""
    return np.asarray(rounded_to_float8(x / scale) * scale)
