"""Choosing elements by place: operation nodes only."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.operands import axis_of, numbers, operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Cast
from layergraph.ir.ops.indexing import Flip, OneHot, Roll, Slice, Split, Take, Triangle
from layergraph.ir.ops.shape import NewShape


@reads("ops.GetItem", arguments=("x", "key"))
def get_item(call: LayerCall) -> Tensor:
    """``x[key]``: keras/src/ops/numpy.py ``GetItem``."""
    return call.emit(Slice(key=_key(call, call.argument("key"))), call.input())


def _key(call: LayerCall, data: Any) -> tuple[Any, ...]:
    """An index as ``Slice`` has it."""
    found: list[Any] = []
    for entry in data if isinstance(data, (list, tuple)) else [data]:
        if isinstance(entry, slice):
            found.append((entry.start, entry.stop, entry.step))
        elif entry is None or entry is ...:
            found.append("new" if entry is None else "...")
        elif isinstance(entry, int) and not isinstance(entry, bool):
            found.append(entry)
        else:
            raise call.refusal(f"an index of {str(entry)[:40]!r} is not supported yet")
    flat = [v for e in found for v in (e if isinstance(e, tuple) else ())]
    if not all(v is None or isinstance(v, int) for v in flat):
        raise call.refusal("a slice whose ends are tensors is not supported")
    return tuple(found)


@reads("ops.Flip", "ops.Fliplr", "ops.Flipud", arguments=("x",))
def flip(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Flip``."""
    fixed = {"Fliplr": (1,), "Flipud": (0,)}.get(call.spec.class_name)
    axis = call.config.take("axis", None) if fixed is None else fixed
    return call.emit(Flip(axis=None if axis is None else numbers(axis)), call.input())


@reads("ops.Roll", arguments=("x",))
def roll(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Roll``."""
    axis = call.config.take("axis", None)
    shift = numbers(call.config.take("shift"))
    op = Roll(shift=shift, axis=None if axis is None else numbers(axis))
    return call.emit(op, call.input())


@reads("ops.Take", arguments=("x", "indices"))
def take(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Take``."""
    x, indices = operands(call, "x", "indices")
    if indices.type.is_float:
        indices = call.emit(Cast(dtype="int32"), indices, part="whole")
    if call.config.take("axis", None) is None:
        return call.emit(Take(axis=0), call.emit(NewShape(shape=(-1,)), x, part="flat"), indices)
    return call.emit(Take(axis=axis_of(call, x)), x, indices)


@reads("ops.Split", arguments=("x",))
def split(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/numpy.py ``Split``."""
    x, given = call.input(), call.config.take("indices_or_sections")
    axis = axis_of(call, x, default=0)
    if isinstance(given, int):
        size = x.shape[axis]
        if size is None or size % given:
            raise call.refusal(f"{size} elements do not split into {given} equal parts")
        given = [size // given * i for i in range(1, given)]
    return list(call.emit_all(Split(at=tuple(given), axis=axis), x))


@reads("ops.Unstack", arguments=("x",))
def unstack(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/core.py ``Unstack``."""
    x = call.input()
    axis = axis_of(call, x, default=0)
    size = call.config.take("num", None) or x.shape[axis]
    if size is None:
        raise call.refusal("the number of parts is not known before the model runs")
    return list(call.emit_all(Split(at=tuple(range(1, size)), axis=axis, squeeze=True), x))


@reads("ops.OneHot", arguments=("x",))
def one_hot(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``OneHot``."""
    if call.config.bool("sparse", False):
        raise call.refusal("sparse=True is not supported", "save the model with sparse=False")
    op = OneHot(
        num_classes=call.config.int("num_classes"),
        axis=call.config.int("axis", -1),
        dtype=call.config.take("dtype", None) or "float32",
    )
    return call.emit(op, call.input())


@reads("ops.Tril", "ops.Triu", arguments=("x",))
def triangle(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Tril`` and ``Triu``."""
    op = Triangle(upper=call.spec.class_name == "Triu", k=call.config.int("k", 0))
    return call.emit(op, call.input())
