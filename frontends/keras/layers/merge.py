"""Layers that combine several values, the masks they combine, and the operation nodes
Keras 3 writes for those masks into a Functional model."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.operands import constant, listed, numbers, operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Binary, Cast, Math, Unary, Where
from layergraph.ir.ops.merge import (
    Concatenate,
    Dot,
    Fill,
    Logical,
    Matmul,
    Merge,
    MergeKind,
    Replace,
    Stack,
)
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import BroadcastTo, ExpandDims, NewShape
from layergraph.ir.types import promote


@reads("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", masking="own")
def merge(call: LayerCall) -> Tensor:
    """keras/src/layers/merging/base_merge.py: missing axes go in after the batch."""
    values = call.inputs()
    rank = max(len(v.shape) for v in values)
    lifted = []
    for i, value in enumerate(values):
        for j in range(rank - len(value.shape)):
            value = call.emit(ExpandDims(axis=1), value, part=f"expand_{i}_{j}")
        lifted.append(value)
    rule = _mask_rule(call)
    kind = call.spec.class_name.lower()
    if kind == "multiply" and rule == "or":
        return _masked_product(call, values, lifted)
    if kind in ("maximum", "minimum") and rule == "or" and any(v.mask for v in values):
        return _masked_extreme(call, values, lifted, kind)
    return call.emit(Merge(kind=kind), *lifted).masked(_merged_mask(call, values, rule))  # type: ignore[arg-type]


def _mask_rule(call: LayerCall) -> str:
    """How masks combine: Keras 2 asks for all, and says so after the upgrade."""
    rule: str = call.config.choice("masks", ("and", "or"), "or")
    return rule


def _masked_product(call: LayerCall, values: list[Tensor], lifted: list[Tensor]) -> Tensor:
    """Masked elements count as 1, and as 0 where every input masks them.

    Source: keras/src/layers/merging/multiply.py, Keras 3.15; Keras 2 has no such rule.
    """
    factors, columns = [], []
    for i, (value, factor) in enumerate(zip(values, lifted, strict=True)):
        if value.mask is not None:
            columns.append(call.emit(ExpandDims(axis=-1), value.mask, part=f"mask_{i}"))
            factor = call.emit(Replace(value=1), factor, columns[-1], part=f"factor_{i}")
        factors.append(factor)
    if len(columns) < len(values):
        return call.emit(Merge(kind="multiply"), *factors)
    product = call.emit(Merge(kind="multiply"), *factors, part="product")
    union = call.emit(Logical(kind="or"), *columns, part="union")
    y = call.emit(Replace(value=0), product, union)
    return y.masked(call.emit(Reduce(kind="any", axis=(-1,)), union, part="mask").value)


def _masked_extreme(
    call: LayerCall, values: list[Tensor], lifted: list[Tensor], kind: Any
) -> Tensor:
    """A masked element gives way to the other value's.

    Source: keras/src/layers/merging/base_merge.py ``_apply_merge_op_and_or_mask``,
    Keras 3.15; Keras 2 has no such rule.
    """
    columns = [
        None if value.mask is None else call.emit(ExpandDims(axis=-1), value.mask, part=f"mask_{i}")
        for i, value in enumerate(values)
    ]
    y, shown = lifted[0], columns[0]
    for i, (x, column) in enumerate(zip(lifted[1:], columns[1:], strict=True), 1):
        if column is not None:
            x = call.emit(Where(), column, x, y, part=f"value_{i}")
        if shown is not None:
            y = call.emit(Where(), shown, y, x, part=f"so_far_{i}")
        both = shown is not None and column is not None
        shown = call.emit(Logical(kind="or"), shown, column, part=f"union_{i}") if both else None
        y = call.emit(Merge(kind=kind), y, x, part="" if i == len(lifted) - 1 else f"step_{i}")
    if shown is None:
        return y
    return y.masked(call.emit(Reduce(kind="any", axis=(-1,)), shown, part="mask").value)


def _merged_mask(call: LayerCall, values: list[Tensor], rule: str) -> Any:
    masks = [v.mask for v in values]
    given = [m for m in masks if m is not None]
    if not given or (rule == "or" and len(given) < len(masks)):
        return None
    if len(given) == 1:
        return given[0]
    return call.emit(Logical(kind=rule), *given, part="mask").value  # type: ignore[arg-type]


@reads("Concatenate", masking="own")
def concatenate(call: LayerCall) -> Tensor:
    """keras/src/layers/merging/concatenate.py."""
    values, axis, rule = call.inputs(), call.config.int("axis", -1), _mask_rule(call)
    y = call.emit(Concatenate(axis=axis), *values)
    if all(v.mask is None for v in values):
        return y
    parts = [_full_mask(call, i, v) for i, v in enumerate(values)]
    joined = call.emit(Concatenate(axis=axis), *parts, part="masks")
    kind = "any" if rule == "or" else "all"
    return y.masked(call.emit(Reduce(kind=kind, axis=(-1,)), joined, part="mask").value)  # type: ignore[arg-type]


def _full_mask(call: LayerCall, index: int, value: Tensor) -> Tensor:
    """A mask of the value's own shape; all true where there is none."""
    if value.mask is None:
        return call.emit(Fill(value=1, dtype="bool"), value, part=f"mask_{index}")
    if call.build.type_of(value.mask).rank == len(value.shape):
        return Tensor(value.mask, call.build.type_of(value.mask))
    column = call.emit(ExpandDims(axis=-1), value.mask, part=f"mask_{index}_column")
    like = call.emit(Fill(value=0, dtype="bool"), value, part=f"mask_{index}_like")
    return call.emit(Logical(kind="or"), column, like, part=f"mask_{index}")


@reads("Dot")
def dot(call: LayerCall) -> Tensor:
    """keras/src/layers/merging/dot.py."""
    first, second = call.inputs()
    given = call.config.take("axes")
    axes = given if isinstance(given, list) else [given, given]
    ranks = (len(first.shape), len(second.shape))
    a, b = (axis % rank for axis, rank in zip(axes, ranks, strict=True))
    op = Dot(axes=(a, b), normalize=call.config.bool("normalize", False))
    return call.emit(op, first, second)


@reads("Merge")
def cosine(call: LayerCall) -> Tensor:
    """keras/engine/topology.py ``Merge`` with mode "cos", Keras 1.2.2; other modes are layers.

    Products of two tensors over one axis of each, divided by the root of the products of each
    with itself; a new axis comes after the batch.
    """
    config = call.config
    if config.take("mode") != "cos":
        raise call.refusal(
            "its mode is Python code, and nothing from a model file is ever executed",
            f"say what it computes: load(path, layers={{{call.spec.name!r}: function}})",
        )
    config.ignore("mode_type", "concat_axis", "arguments")
    config.ignore(*(f"output_{key}{end}" for key in ("shape", "mask") for end in ("", "_type")))
    first, second = call.inputs()
    axes = config.ints("dot_axes", 2)
    op = Dot(axes=(axes[0] % len(first.shape), axes[1] % len(second.shape)))
    squares = [call.emit(op, x, x, part=f"square_{i}") for i, x in enumerate((first, second))]
    product = call.emit(Merge(kind="multiply"), *squares, part="squares")
    # Keras' sqrt takes negative numbers for zero.
    product = call.emit(Unary(kind="relu"), product, part="positive")
    root = call.emit(Math(kind="sqrt"), product, part="lengths")
    least = constant(call, "epsilon", np.asarray(1e-7, first.type.dtype))
    root = call.emit(Merge(kind="maximum"), root, least, part="divisor")
    dot_product = call.emit(op, first, second, part="product")
    y = call.emit(Binary(kind="divide"), dot_product, root, part="cosine")
    return call.emit(ExpandDims(axis=1), y)


# --- operations ------------------------------------------------------------------------

MERGED: dict[str, MergeKind] = {
    "Add": "add",
    "Subtract": "subtract",
    "Multiply": "multiply",
    "Maximum": "maximum",
    "Minimum": "minimum",
}


@reads(*(f"ops.{name}" for name in MERGED), arguments=("x1", "x2"))
def merge_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py, broadcasting by NumPy's rule; no masks."""
    return call.emit(Merge(kind=MERGED[call.spec.class_name]), *operands(call, "x1", "x2"))


@reads("ops.LogicalOr", "ops.LogicalAnd", arguments=("x1", "x2"))
def logical(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``LogicalOr`` and ``LogicalAnd``."""
    kind = "or" if call.spec.class_name == "LogicalOr" else "and"
    return call.emit(Logical(kind=kind), *operands(call, "x1", "x2"))  # type: ignore[arg-type]


FILLED = {"OnesLike": 1, "ZerosLike": 0, "EmptyLike": 0}


@reads(*(f"ops.{name}" for name in FILLED), arguments=("x",))
def like(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``OnesLike`` and its kin; TensorFlow's empty one holds 0."""
    (x,) = operands(call, "x")
    dtype = call.argument("dtype") or call.config.take("dtype", None) or x.type.dtype
    call.config.ignore("sparse")
    return call.emit(Fill(value=FILLED[call.spec.class_name], dtype=dtype), x)


@reads("ops.FullLike", arguments=("x", "fill_value"))
def full_like(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``FullLike``."""
    (x,), value = operands(call, "x"), call.argument("fill_value")
    dtype = call.argument("dtype") or call.config.take("dtype", None) or x.type.dtype
    if isinstance(value, (bool, int, float)):
        return call.emit(Fill(value=value, dtype=dtype), x)
    (filled,) = operands(call, "fill_value")
    filled = call.emit(Cast(dtype=dtype), filled, part="value")
    zeros = call.emit(Fill(value=0, dtype="bool"), x, part="nowhere")
    return call.emit(Where(), zeros, filled, filled)


@reads("ops.Full", arguments=("fill_value",))
def full(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Full``."""
    (value,) = operands(call, "fill_value")
    dtype = call.config.take("dtype", None) or "float32"
    shape = numbers(call.config.take("shape"))
    return call.emit(Cast(dtype=dtype), value, then=[BroadcastTo(shape=shape)])


def _lifted(call: LayerCall, name: str, x: Tensor, rank: int) -> Tensor:
    """With axes of size 1 as ``Dstack`` adds them: one in front, then behind."""
    for i in range(len(x.shape), rank):
        x = call.emit(ExpandDims(axis=0 if i < rank - 1 else -1), x, part=f"{name}_{i}")
    return x


@reads("ops.Concatenate", "ops.Hstack", "ops.Vstack", "ops.Dstack", arguments=("xs",))
def join(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Concatenate`` and its kin."""
    values, kind = listed(call, "xs"), call.spec.class_name
    if kind == "Dstack":
        values = [_lifted(call, f"x{i}", v, 3) for i, v in enumerate(values)]
        return call.emit(Concatenate(axis=2), *values)
    if kind == "Hstack":
        return call.emit(Concatenate(axis=int(len(values[0].shape) > 1)), *values)
    axis = call.config.int("axis", 0) if kind == "Concatenate" else 0
    return call.emit(Concatenate(axis=axis), *values)


@reads("ops.Stack", arguments=("x",))
def stack(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Stack``."""
    return call.emit(Stack(axis=call.config.int("axis", 0)), *listed(call, "x"))


@reads("ops.Append", arguments=("x1", "x2"))
def append(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Append``; both flat where the axis is null."""
    values, axis = operands(call, "x1", "x2", weak=False), call.config.take("axis", None)
    common = promote(*(v.type.dtype for v in values))
    values = [
        v if v.type.dtype == common else call.emit(Cast(dtype=common), v, part=f"cast_{i}")
        for i, v in enumerate(values, 1)
    ]
    if axis is None:
        flat = [call.emit(NewShape(shape=(-1,)), v, part=f"x{i}") for i, v in enumerate(values, 1)]
        return call.emit(Concatenate(axis=0), *flat)
    return call.emit(Concatenate(axis=call.config.int("axis")), *values)


@reads("ops.Matmul", arguments=("x1", "x2"))
def matmul(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Matmul``."""
    return call.emit(Matmul(), *operands(call, "x1", "x2", weak=False))
