"""Operators whose parameters are computed by the graph itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from layergraph.ir.op import Op, signature
from layergraph.ir.types import TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class WithParameters(Op):
    """Another operator that reads its parameters from values of the graph.

    ``keras.ops.conv(x, kernel)`` takes a kernel that may itself be computed;
    a ``Conv`` holds its kernel as an array. The pass ``bind_parameters`` makes
    the plain operator of it where all parameters are constants.

    Inputs: one a parameter role of ``roles``, then those of the operator.
    Output: the operator's.
    Source: keras/src/ops/nn.py ``conv``, ``batch_normalization``, Keras 3.15.

    Attributes:
        operator: the operator.
        roles: its parameters that are inputs, in order.
    """

    operator: Op
    roles: tuple[str, ...]

    def infer(self, *values: TensorType) -> TensorType | tuple[TensorType, ...]:
        """What the operator gives for these parameters."""
        params, inputs = parted(self, values)
        if unknown := set(params) - set(signature(type(self.operator)).params):
            raise ValueError(
                f"{type(self.operator).__name__} has no parameter {sorted(unknown)[0]!r}"
            )
        return self.operator.infer(*inputs, **params)


def parted(op: WithParameters, values: tuple[Any, ...]) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """Parameters by role, and the inputs of the operator."""
    count = len(op.roles)
    if len(values) < count:
        raise ValueError(f"{count} parameters are wanted, {len(values)} values given")
    return dict(zip(op.roles, values[:count], strict=True)), values[count:]
