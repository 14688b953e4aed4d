"""Operators whose parameters are computed by the graph itself."""

from __future__ import annotations

from typing import Any

from layergraph.backends.numpy.table import Kernels, run
from layergraph.ir.ops.parameters import WithParameters, parted
from layergraph.ir.types import Array

kernels = Kernels()


@kernels.computes(WithParameters)
def with_parameters(op: WithParameters, *values: Array) -> Any:
    """The operator prepared afresh, because its parameters are new every time."""
    params, inputs = parted(op, values)
    return run(op.operator, params, inputs)
