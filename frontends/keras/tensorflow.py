"""Arguments of TensorFlow functions: tensors, numbers, and lists that mix both."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor, tensors_in
from layergraph.ir.ops.elementwise import Cast
from layergraph.ir.ops.merge import Stack
from layergraph.ir.types import DTYPES, Array

KINDS = {"b": "bool", "i": "int32", "u": "int32", "f": "float32"}
"""What TensorFlow makes of Python numbers by themselves."""


def tensors(call: LayerCall, *names: str) -> list[Tensor]:
    """Arguments by name, numbers and lists in the dtype of the first tensor among them."""
    found = [call.argument(name) for name in names]
    dtype = next((v.type.dtype for v in found if isinstance(v, Tensor)), None)
    return [tensor_of(call, value, name, dtype) for name, value in zip(names, found, strict=True)]


def tensor_of(call: LayerCall, value: Any, what: str, dtype: str | None = None) -> Tensor:
    """One argument as a tensor; a list that holds tensors is stacked, as TensorFlow does."""
    if isinstance(value, Tensor):
        return value
    if tensors_in(value):
        return stacked(call, listed(call, value, what), part=what)
    return call.constant(what, array_of(call, value, what, dtype))


def array_of(call: LayerCall, value: Any, what: str, dtype: str | None = None) -> Array:
    """A number, nested numbers or an array of the file as an array.

    Args:
        dtype: dtype of numbers without one; ``None`` for float32 or int32.
    """
    if isinstance(value, np.ndarray):
        return value
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in KINDS:
        raise call.refusal(f"{what}={str(value)[:60]!r} is no number and no array")
    return array.astype(dtype or KINDS[array.dtype.kind])


def listed(call: LayerCall, values: Any, what: str) -> list[Tensor]:
    """A list of tensors and numbers as tensors of the dtype of the tensors."""
    if isinstance(values, Tensor):
        return [values]
    dtype = next((t.type.dtype for t in tensors_in(values)), None)
    return [tensor_of(call, v, f"{what}_{i}", dtype) for i, v in enumerate(values)]


def stacked(call: LayerCall, values: list[Tensor], axis: int = 0, part: str = "") -> Tensor:
    """Values of one shape side by side along a new axis."""
    return call.emit(Stack(axis=axis), *values, part=part)


def dtype_of(call: LayerCall, name: str, default: str) -> str:
    """A dtype argument."""
    found = call.argument(name, default)
    if found not in DTYPES:
        raise call.refusal(f"{name}={found!r} is not a dtype that is supported")
    return str(found)


def as_dtype(call: LayerCall, x: Tensor, dtype: str, part: str) -> Tensor:
    """The tensor in a dtype."""
    return x if x.type.dtype == dtype else call.emit(Cast(dtype=dtype), x, part=part)
