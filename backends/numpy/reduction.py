"""Reductions over axes."""

from __future__ import annotations

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.reduction import AnyTrue
from layergraph.ir.types import Array

kernels = Kernels()


@kernels.computes(AnyTrue)
def any_true(op: AnyTrue, x: Array) -> Array:
    """``any`` along the axis."""
    return x.any(axis=op.axis)
