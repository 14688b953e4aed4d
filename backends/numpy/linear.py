"""Linear maps over the last axis."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.table import Kernel, Kernels, in_place
from layergraph.ir.ops.linear import Dense
from layergraph.ir.types import Array

kernels = Kernels()


@kernels.prepares(Dense)
def dense(op: Dense, *, kernel: Array, bias: Array | None = None) -> Kernel:
    """One GEMM over all leading axes, bias and activation applied where it lies."""
    kernel = np.ascontiguousarray(kernel)
    activate = in_place(op.activation)

    def run(x: Array) -> Array:
        rows = x.reshape(-1, kernel.shape[0])
        y = rows @ kernel
        if bias is not None:
            y += bias
        y = y.reshape(*x.shape[:-1], kernel.shape[1])
        if activate is not None:
            activate(y)
        return y

    return run
