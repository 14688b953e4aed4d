"""Operations whose weights are arguments: constants of the file, or values of the graph."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.operands import as_array, constant
from layergraph.ir.op import Op
from layergraph.ir.ops.parameters import WithParameters
from layergraph.ir.types import Shape


def emit_with(
    call: LayerCall, op: Op, x: Tensor, *, part: str = "", then: Any = (), **params: Any
) -> Tensor:
    """Add a node whose parameters are call arguments; ``None`` ones are absent.

    Args:
        params: a tensor, an array or numbers by role.
    """
    given = {role: value for role, value in params.items() if value is not None}
    if not any(isinstance(value, Tensor) for value in given.values()):
        arrays = {role: as_array(call, value) for role, value in given.items()}
        return call.emit(op, x, params=arrays, part=part, then=then)
    values = [tensor_of(call, role, value) for role, value in given.items()]
    return call.emit(
        WithParameters(operator=op, roles=tuple(given)), *values, x, part=part, then=then
    )


def tensor_of(call: LayerCall, role: str, value: Any) -> Tensor:
    """A parameter as a value of the graph."""
    return value if isinstance(value, Tensor) else constant(call, role, as_array(call, value))


def shape_of(call: LayerCall, value: Any) -> Shape:
    """Shape of an argument, tensor or not."""
    return value.shape if isinstance(value, Tensor) else as_array(call, value).shape
