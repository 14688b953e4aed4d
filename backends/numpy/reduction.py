"""Reductions over axes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.reduction import Reduce, ReduceKind
from layergraph.ir.types import Array

kernels = Kernels()

REDUCTIONS: dict[ReduceKind, Callable[..., Array]] = {"any": np.any, "all": np.all}


@kernels.computes(Reduce)
def reduce(op: Reduce, x: Array) -> Array:
    """The table row of the operator's kind."""
    return REDUCTIONS[op.kind](x, axis=op.axis, keepdims=op.keepdims)
