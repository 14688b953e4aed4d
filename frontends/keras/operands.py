"""Arguments of operation nodes: tensors, or numbers that become constants."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.ir.graph import Source
from layergraph.ir.types import FLOATS, INTEGERS, Array

DEFAULTS = {bool: "bool", int: "int32", float: "float32"}


def operands(call: LayerCall, *names: str) -> list[Tensor]:
    """Arguments by name, numbers in the dtype Keras gives them beside the tensors.

    A Python number takes the dtype of the tensor it meets, unless it has
    fractions and the tensor has none.
    Source: keras/src/backend/common/dtypes.py ``result_type``, Keras 3.15.
    """
    found = [call.argument(name) for name in names]
    dtypes = [v.type.dtype for v in found if isinstance(v, Tensor)]
    return [
        value if isinstance(value, Tensor) else constant(call, name, as_array(call, value, dtypes))
        for name, value in zip(names, found, strict=True)
    ]


def constant(call: LayerCall, name: str, array: Array) -> Tensor:
    """A constant of this call."""
    source = Source(call.layer.name, call.spec.class_name)
    value = call.build.constant(f"{call.name}/{name}", array, [source])
    return Tensor(value, call.build.type_of(value))


def as_array(call: LayerCall, value: Any, dtypes: list[str]) -> Array:
    """A number, nested numbers or an array of the file as an array."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, (bool, int, float)):
        return np.asarray(value, _weak(type(value), dtypes))
    if isinstance(value, list):
        try:
            array = np.asarray(value)
        except ValueError:
            array = np.asarray(None)
        if array.dtype.kind in "biuf":
            kind: Any = {"b": bool, "f": float}.get(array.dtype.kind, int)
            return array.astype(DEFAULTS[kind])
    raise call.refusal(f"it is called with {str(value)[:60]!r}, where a tensor was expected")


def _weak(kind: Any, dtypes: list[str]) -> str:
    for group in (FLOATS, INTEGERS):
        if kind is float and group is INTEGERS:
            break
        if dtype := next((d for d in dtypes if d in group), None):
            return dtype
    return DEFAULTS[kind]


def axis_of(call: LayerCall, x: Tensor, key: str = "axis", default: Any = None) -> int:
    """The one axis an option names, never negative."""
    axis = call.config.take(key, default)
    if not isinstance(axis, int):
        raise call.refusal(f"{key}={axis!r} is not supported yet, name one axis")
    return axis % max(len(x.shape), 1)


def numbers(value: Any) -> tuple[int, ...]:
    """One number or several, as several."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)
