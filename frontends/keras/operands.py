"""Arguments of operation nodes: tensors, or numbers that become constants."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.ir.types import Array, promote

DEFAULTS = {bool: "bool", int: "int32", float: "float32"}


def operands(call: LayerCall, *names: str, weak: bool = True) -> list[Tensor]:
    """Arguments by name, numbers in the dtype Keras gives them beside the tensors.

    Args:
        weak: a Python number takes the dtype of the tensor it meets, unless it is of a
            higher kind (``int32`` with ``2.5``); else it is float32 or int32 by itself.
            Each function of Keras has its own way.

    Source: keras/src/backend/common/dtypes.py ``result_type``, Keras 3.15.
    """
    found = [call.argument(name) for name in names]
    if call.spec.of_tensorflow:
        from layergraph.frontends.keras.tensorflow import tensors

        return tensors(call, *names)
    dtypes = [dtype_of(call, v) for v in found if not isinstance(v, (bool, int, float))]
    kinds = [type(v).__name__ for v in found if isinstance(v, (bool, int, float))]
    common = promote(*dtypes, *kinds) if weak and kinds else None
    return [
        value if isinstance(value, Tensor) else constant(call, name, as_array(call, value, common))
        for name, value in zip(names, found, strict=True)
    ]


def dtype_of(call: LayerCall, value: Any) -> str:
    """Dtype of an argument, tensor or not."""
    return value.type.dtype if isinstance(value, Tensor) else as_array(call, value).dtype.name


def listed(call: LayerCall, name: str) -> list[Tensor]:
    """An argument that is a list of tensors and arrays."""
    values = call.argument(name)
    if isinstance(values, Tensor):
        raise call.refusal("it is called on one tensor in place of a list")
    return [
        v if isinstance(v, Tensor) else constant(call, f"{name}_{i}", as_array(call, v))
        for i, v in enumerate(values)
    ]


def constant(call: LayerCall, name: str, array: Array) -> Tensor:
    """A constant of this call."""
    return call.constant(name, array)


def as_array(call: LayerCall, value: Any, dtype: str | None = None) -> Array:
    """A number, nested numbers or an array of the file as an array.

    Args:
        dtype: dtype of a Python number; ``None`` for float32 or int32.
    """
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, (bool, int, float)):
        return np.asarray(value).astype(dtype or DEFAULTS[type(value)])
    if isinstance(value, list):
        try:
            array = np.asarray(value)
        except ValueError:
            array = np.asarray(None)
        if array.dtype.kind in "biuf":
            kind: Any = {"b": bool, "f": float}.get(array.dtype.kind, int)
            return array.astype(DEFAULTS[kind])
    raise call.refusal(f"it is called with {str(value)[:60]!r}, where a tensor was expected")


def axis_of(call: LayerCall, x: Tensor, key: str = "axis", default: Any = None) -> int:
    """The one axis an option names, never negative."""
    axis = call.config.take(key, default)
    if not isinstance(axis, int):
        raise call.refusal(f"{key}={axis!r} is not supported yet, name one axis")
    return axis % max(len(x.shape), 1)


def numbers(value: Any) -> tuple[int, ...]:
    """One number or several, as several."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)
