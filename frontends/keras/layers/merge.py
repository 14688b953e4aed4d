"""Layers that combine several values, the masks they combine, and the operation nodes
Keras 3 writes for those masks into a Functional model."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Cast
from layergraph.ir.ops.merge import Concatenate, Dot, Fill, Logical, Merge, Replace
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import ExpandDims, Identity


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


@reads("LogicalOr", "LogicalAnd", arguments=("x1", "x2"))
def logical(call: LayerCall) -> Tensor:
    """``keras.ops.logical_or`` and ``logical_and``."""
    second = call.argument("x2")
    if not isinstance(second, Tensor):
        raise call.refusal("it combines a tensor with a number, which is not supported yet")
    kind = "or" if call.spec.class_name == "LogicalOr" else "and"
    return call.emit(Logical(kind=kind), call.input(), second)  # type: ignore[arg-type]


@reads("OnesLike", "ZerosLike", arguments=("x",))
def like(call: LayerCall) -> Tensor:
    """``keras.ops.ones_like`` and ``zeros_like``."""
    value = 1 if call.spec.class_name == "OnesLike" else 0
    dtype = call.argument("dtype") or call.config.take("dtype", None) or call.input().type.dtype
    call.config.ignore("sparse")
    return call.emit(Fill(value=value, dtype=dtype), call.input())


@reads("ExpandDims", arguments=("x",))
def expand_dims(call: LayerCall) -> Tensor:
    """``keras.ops.expand_dims``."""
    return call.emit(ExpandDims(axis=call.config.int("axis")), call.input())


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


@reads("ConvertToTensor", masking="pass", arguments=("x",))
def convert_to_tensor(call: LayerCall) -> Tensor:
    """``keras.ops.convert_to_tensor`` of what is a tensor already."""
    dtype = call.argument("dtype") or call.config.take("dtype", None)
    call.config.ignore("sparse", "ragged")
    return call.emit(Cast(dtype=dtype) if dtype else Identity(), call.input())
