"""Combining several values into one."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.merge import Merge, MergeKind
from layergraph.ir.types import Array

kernels = Kernels()


def _average(values: tuple[Array, ...]) -> Array:
    total: Array = reduce(np.add, values)
    return total / total.dtype.type(len(values))


MERGES: dict[MergeKind, Callable[[tuple[Array, ...]], Array]] = {
    "add": lambda values: reduce(np.add, values),
    "subtract": lambda values: reduce(np.subtract, values),
    "multiply": lambda values: reduce(np.multiply, values),
    "average": _average,
    "maximum": lambda values: reduce(np.maximum, values),
    "minimum": lambda values: reduce(np.minimum, values),
}


@kernels.computes(Merge)
def merge(op: Merge, *values: Array) -> Array:
    """The table row of the operator's kind."""
    return MERGES[op.kind](values)
