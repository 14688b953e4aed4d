"""Turning numbers into categories."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.ir.ops.preprocessing import Digitize
from layergraph.ir.types import Array

kernels = Kernels()


@kernels.prepares(Digitize)
def digitize(op: Digitize) -> Kernel:
    """A binary search; boundaries are compared in float32, as TensorFlow does."""
    boundaries = np.asarray(op.boundaries, np.float32)

    def run(x: Array) -> Array:
        return np.searchsorted(boundaries, x.astype(np.float32), side="right").astype(op.dtype)

    return run
