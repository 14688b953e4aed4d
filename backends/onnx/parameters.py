"""Operators whose parameters are computed by the graph itself."""

from __future__ import annotations

from typing import Any

from layergraph.backends.onnx.table import RefusedError, Spellings, entry_of
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.parameters import WithParameters, parted

spellings = Spellings()


@spellings.spells(WithParameters)
def with_parameters(w: Writer, op: WithParameters, *values: Tensor) -> Any:
    """The operator itself, where what it reads is known when the file is written."""
    params, inputs = parted(op, values)
    if missing := [role for role, value in params.items() if value.known is None]:
        raise RefusedError(f"a {missing[0]} that is computed while the model runs")
    held = {role: value.known for role, value in params.items()}
    return entry_of(op.operator).spell(w, op.operator, *inputs, **held)
