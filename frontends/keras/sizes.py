"""Whole numbers a model computes from shapes: known, or tensors of the graph.

``tf.reshape(x, [tf.shape(x)[0], 20])`` holds its shape in tensors. What of them
the types already tell is told here, so that only what is unknown before the run
stays a tensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.ir.build import Builder
from layergraph.ir.graph import Node, Value
from layergraph.ir.op import Constant
from layergraph.ir.ops.dynamic import ShapeOf
from layergraph.ir.ops.elementwise import Binary, Cast
from layergraph.ir.ops.indexing import Slice, Split
from layergraph.ir.ops.merge import Concatenate, Merge, Stack
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import ExpandDims, Identity, NewShape, Squeeze
from layergraph.ir.types import Array

Size: TypeAlias = "int | Tensor"
"""A number, or the tensor without axes that holds it."""

LONGEST = 64
"""Numbers of a vector that may describe a shape."""

ARITHMETIC: dict[str, Any] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "maximum": np.maximum,
    "minimum": np.minimum, "floor_divide": np.floor_divide, "mod": np.mod, "divide": np.divide,
    "sum": np.sum, "prod": np.prod, "max": np.max, "min": np.min,
}  # fmt: skip


def traced(build: Builder, value: Value) -> Array | None:
    """What is known of a small value: floats, NaN for an unknown number.

    ``None`` when it stems from anything but shapes and constants.
    """
    type_ = build.type_of(value)
    if type_.rank > 1 or (type_.rank == 1 and not 0 <= (type_.shape[0] or 0) <= LONGEST):
        return None
    node = build.node(value.node)
    if isinstance(node.op, Constant):
        array = node.params["value"]
        return array.astype("float64") if array.dtype.kind in "iuf" else None
    if isinstance(node.op, ShapeOf):
        assert node.inputs[0] is not None
        shape = build.type_of(node.inputs[0]).shape
        return np.array([np.nan if d is None else d for d in shape], "float64")
    inputs = [None if v is None else traced(build, v) for v in node.inputs]
    known = [i for i in inputs if i is not None]
    if not known or len(known) < len(inputs):
        return None
    with np.errstate(all="ignore"):
        return _computed(node, known, value.index)


def _computed(node: Node, inputs: list[Array], output: int) -> Array | None:
    op, x = node.op, inputs[0]
    if isinstance(op, (Identity, Cast)):
        whole = isinstance(op, Cast) and "int" in op.dtype
        return np.trunc(x) if whole else x
    if isinstance(op, Slice):
        return np.asarray(x[op.index])
    if isinstance(op, Split):
        part = np.split(x, op.at)[output]
        return part[0] if op.squeeze else part
    if isinstance(op, Stack):
        return np.stack(inputs, op.axis)
    if isinstance(op, Concatenate):
        return np.concatenate(inputs)
    if isinstance(op, (ExpandDims, NewShape, Squeeze)):
        return x.reshape([d or 0 for d in node.types[0].shape])
    if isinstance(op, Reduce) and op.kind in ARITHMETIC:
        return np.asarray(ARITHMETIC[op.kind](x, axis=op.axis, keepdims=op.keepdims))
    if isinstance(op, (Merge, Binary)) and op.kind in ARITHMETIC and len(inputs) == 2:
        return np.asarray(ARITHMETIC[op.kind](*inputs))
    return None


def sizes(call: LayerCall, value: Any, what: str) -> list[Size]:
    """The numbers of an argument: a list of numbers and tensors, or a vector.

    Args:
        value: the argument.
        what: its name, for errors.
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Tensor):
        return _elements(call, value, what)
    items = value if isinstance(value, (list, tuple)) else [value]
    return [size(call, item, what) for item in items]


def size(call: LayerCall, value: Any, what: str) -> Size:
    """One number of an argument."""
    if isinstance(value, Tensor):
        known = traced(call.build, value.value)
        if known is not None and known.size == 1 and np.isfinite(known).all():
            return int(known.reshape(-1)[0])
        if value.shape:
            raise call.refusal(f"{what} holds a tensor of shape {value.shape} for a number")
        return value
    if isinstance(value, (int, float, np.number)) and int(value) == value:
        return int(value)
    raise call.refusal(f"{what} holds {str(value)[:40]!r} where a whole number was expected")


def _elements(call: LayerCall, vector: Tensor, what: str) -> list[Size]:
    if not vector.shape:
        return [size(call, vector, what)]
    count = vector.shape[0]
    if len(vector.shape) != 1 or count is None:
        raise call.refusal(f"{what} is a tensor of shape {vector.shape}, a known length is needed")
    known = traced(call.build, vector.value)
    found: list[Size] = []
    for i in range(count):
        if known is not None and np.isfinite(known[i]):
            found.append(int(known[i]))
        else:
            found.append(call.emit(Slice(key=(i,)), vector, part=f"{what}_{i}"))
    return found


def parted(found: Sequence[Size]) -> tuple[tuple[int | None, ...], list[Tensor]]:
    """Numbers as an operator's attribute has them, and the inputs it reads the rest from."""
    numbers = tuple(None if isinstance(s, Tensor) else s for s in found)
    return numbers, [s for s in found if isinstance(s, Tensor)]


def whole(call: LayerCall, value: Any, what: str) -> int:
    """One number that must be known before the model runs."""
    found = size(call, value, what)
    if isinstance(found, Tensor):
        raise call.refusal(f"{what} is known only when the model runs, which is not supported")
    return found


def wholes(call: LayerCall, value: Any, what: str) -> tuple[int, ...]:
    """Numbers that must be known before the model runs."""
    return tuple(whole(call, s, what) for s in sizes(call, value, what))
