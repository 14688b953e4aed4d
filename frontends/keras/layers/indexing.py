"""Choosing elements by place: operation nodes only."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.operands import axis_of, numbers, operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Cast
from layergraph.ir.ops.indexing import (
    ArgPartition,
    Diag,
    Diagonal,
    Flip,
    Nonzero,
    OneHot,
    Roll,
    Rot90,
    Slice,
    Split,
    Take,
    TakeAlongAxis,
    Triangle,
    UnravelIndex,
)
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import Identity, NewShape


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


PARTED = {"Vsplit": 0, "Hsplit": 1, "Dsplit": 2}


@reads(
    "ops.Split", "ops.ArraySplit", *(f"ops.{name}" for name in PARTED), arguments=("x",)
)  # fmt: skip
def split(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/numpy.py ``Split`` and its kin."""
    (x,), given = operands(call, "x"), call.config.take("indices_or_sections")
    axis = PARTED.get(call.spec.class_name)
    if axis is None:
        axis = axis_of(call, x, default=0)
    axis = min(axis, len(x.shape) - 1) if call.spec.class_name == "Hsplit" else axis
    if isinstance(given, int):
        op = Split(axis=axis, sections=given, uneven=call.spec.class_name == "ArraySplit")
    else:
        op = Split(axis=axis, at=tuple(given))
    return list(call.emit_all(op, x))


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


@reads("ops.TakeAlongAxis", arguments=("x", "indices"))
def take_along_axis(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``TakeAlongAxis``; of the flat value where the axis is null."""
    x, indices = operands(call, "x", "indices", weak=False)
    if call.config.take("axis", None) is None:
        x = call.emit(NewShape(shape=(-1,)), x, part="flat")
        return call.emit(TakeAlongAxis(axis=0), x, indices)
    return call.emit(TakeAlongAxis(axis=axis_of(call, x)), x, indices)


@reads("ops.Nonzero", arguments=("x",))
def nonzero(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/numpy.py ``Nonzero``."""
    return list(call.emit_all(Nonzero(), *operands(call, "x")))


@reads("ops.UnravelIndex", arguments=("indices",))
def unravel_index(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/numpy.py ``UnravelIndex``."""
    op = UnravelIndex(shape=numbers(call.config.take("shape")))
    return list(call.emit_all(op, *operands(call, "indices")))


@reads("ops.Argpartition", arguments=("x",))
def argpartition(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Argpartition``; TensorFlow has it of vectors only."""
    (x,), axis = operands(call, "x"), call.config.take("axis", -1)
    if axis is None:
        x = call.emit(NewShape(shape=(-1,)), x, part="flat")
    elif len(x.shape) != 1:
        raise call.refusal("Keras on TensorFlow computes it of vectors only")
    return call.emit(ArgPartition(kth=call.config.int("kth")), x)


@reads("ops.Diagonal", "ops.Trace", arguments=("x",))
def diagonal(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Diagonal``, ``Trace``: its sum."""
    (x,) = operands(call, "x")
    axes = tuple(call.config.int(f"axis{i}", i - 1) % len(x.shape) for i in (1, 2))
    op = Diagonal(offset=call.config.int("offset", 0), axes=(axes[0], axes[1]))
    is_sum = call.spec.class_name == "Trace"
    return call.emit(op, x, then=[Reduce(kind="sum", axis=(-1,)) if is_sum else None])


@reads("ops.Diag", "ops.Diagflat", arguments=("x",))
def diag(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Diag``: of a vector a matrix, of a matrix its diagonal."""
    (x,), k = operands(call, "x"), call.config.int("k", 0)
    if call.spec.class_name == "Diagflat":
        x = call.emit(NewShape(shape=(-1,)), x, part="flat")
    return call.emit(Diag(k=k) if len(x.shape) == 1 else Diagonal(offset=k), x)


@reads("ops.Rot90", arguments=("array",))
def rot90(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Rot90``: quarter turns, from the first axis to the second."""
    (x,), turns = operands(call, "array"), call.config.int("k", 1) % 4
    a, b = (axis % len(x.shape) for axis in call.config.ints("axes", 2, (0, 1)))
    return call.emit(Rot90(turns=turns, axes=(a, b)) if turns else Identity(), x)


@reads("ops.MultiHot", arguments=("inputs",))
def multi_hot(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``MultiHot``: one-hot rows of an example joined."""
    if call.config.bool("sparse", False):
        raise call.refusal("sparse=True is not supported", "save the model with sparse=False")
    x, dtype = call.input(), call.config.take("dtype", None) or "float32"
    op = OneHot(
        num_classes=call.config.int("num_classes"), axis=call.config.int("axis", -1), dtype=dtype
    )
    rows = call.emit(op, x, part="rows")
    axis = 1 if len(x.shape) > 1 else 0
    return call.emit(Reduce(kind="any" if dtype == "bool" else "max", axis=(axis,)), rows)
