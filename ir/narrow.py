"""Rounding to floats narrower than NumPy's, without a package that has them."""

from __future__ import annotations

import numpy as np

from layergraph.ir.types import Array

FLOAT8_MAX = 448.0
"""The largest float8_e4m3fn."""


def rounded_to_float8(x: Array) -> Array:
    """The nearest values float8_e4m3fn has, ties to even; larger ones become its largest.

    Three bits follow the first one; the smallest normal number is 2 ** -6, and
    below it the step stays 2 ** -9.
    Source: keras/src/quantizers/quantizers.py ``quantize_and_dequantize``, Keras 3.15.
    """
    _, exponent = np.frexp(x)
    step = np.ldexp(x.dtype.type(1), np.maximum(exponent, -5) - 4)
    y: Array = np.clip(np.rint(x / step) * step, -FLOAT8_MAX, FLOAT8_MAX)
    return y.astype(x.dtype, copy=False)


def rounded_to_bfloat16(x: Array) -> Array:
    """The nearest values bfloat16 has, ties to even, as float32."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    half = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return ((bits + half) & np.uint32(0xFFFF0000)).view(np.float32).reshape(x.shape)
