"""Activations with parameters."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.activation import HardSigmoid, Softmax
from layergraph.ir.types import Array

kernels = Kernels()


@kernels.applies(Softmax)
def softmax(op: Softmax, x: Array, out: Array) -> None:
    """Shifted by the maximum, so that nothing overflows."""
    if not x.size:
        return
    np.subtract(x, x.max(axis=op.axis, keepdims=True), out=out)
    np.exp(out, out=out)
    out /= out.sum(axis=op.axis, keepdims=True)


@kernels.applies(HardSigmoid)
def hard_sigmoid(op: HardSigmoid, x: Array, out: Array) -> None:
    """A line, clipped."""
    np.multiply(x, op.slope, out=out)
    out += op.offset
    np.clip(out, 0, 1, out=out)
