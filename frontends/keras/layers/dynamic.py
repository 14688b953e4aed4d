"""TensorFlow functions of shapes and places, which may be known only when the model runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import Size, parted, size, sizes, whole, wholes
from layergraph.frontends.keras.tensorflow import dtype_of, listed, stacked, tensors
from layergraph.ir.ops.dynamic import (
    Choose,
    DynamicBroadcast,
    DynamicPad,
    DynamicReshape,
    DynamicTile,
    Places,
    Range,
    ShapeOf,
    StridedSlice,
)
from layergraph.ir.ops.elementwise import Binary, Cast, Where
from layergraph.ir.ops.indexing import OneHot, Slice, Split
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import BroadcastTo, ExpandDims, NewShape, PadAll, Tile

# --- shapes ----------------------------------------------------------------------------


@reads("tf.Shape", arguments=("input",))
def shape(call: LayerCall) -> Tensor:
    """tf.shape."""
    (x,) = tensors(call, "input")
    dtype: Any = dtype_of(call, "out_type", "int32")
    call.argument("optimize")
    return call.emit(ShapeOf(dtype=dtype), x)


@reads("tf.Size", arguments=("input",))
def element_count(call: LayerCall) -> Tensor:
    """tf.size."""
    (x,) = tensors(call, "input")
    dtype: Any = dtype_of(call, "out_type", "int32")
    call.argument("optimize")
    found = call.emit(ShapeOf(dtype=dtype), x, part="shape")
    return call.emit(Reduce(kind="prod", axis=(0,)), found)


@reads("tf.Rank", arguments=("input",))
def rank(call: LayerCall) -> Tensor:
    """tf.rank, which the types tell."""
    (x,) = tensors(call, "input")
    call.argument("optimize")
    return call.constant("", np.array(len(x.shape), "int32"))


@reads("tf.Reshape", arguments=("tensor",))
def reshape(call: LayerCall) -> Tensor:
    """tf.reshape."""
    (x,) = tensors(call, "tensor")
    return reshaped(call, x, sizes(call, call.argument("shape", []), "shape"))


def reshaped(call: LayerCall, x: Tensor, found: Sequence[Size], part: str = "") -> Tensor:
    """The tensor in another shape."""
    shape, numbers = parted(found)
    if not numbers:
        return call.emit(NewShape(shape=tuple(d or 0 for d in shape)), x, part=part)
    if len(numbers) == 1 and -1 not in shape and 0 not in shape:
        # The only number that is not known is what is left.
        known = tuple(-1 if d is None else d for d in shape)
        return call.emit(NewShape(shape=known), x, part=part)
    return call.emit(DynamicReshape(shape=shape), x, *numbers, part=part)


@reads("tf.BroadcastTo", arguments=("input",))
def broadcast_to(call: LayerCall) -> Tensor:
    """tf.broadcast_to."""
    (x,) = tensors(call, "input")
    return broadcast(call, x, sizes(call, call.argument("shape", []), "shape"))


def broadcast(call: LayerCall, x: Tensor, found: Sequence[Size]) -> Tensor:
    """The tensor repeated to a shape."""
    shape, numbers = parted(found)
    if not numbers:
        return call.emit(BroadcastTo(shape=tuple(d or 0 for d in shape)), x)
    return call.emit(DynamicBroadcast(shape=shape), x, *numbers)


@reads("tf.Tile", arguments=("input",))
def tile(call: LayerCall) -> Tensor:
    """tf.tile."""
    (x,) = tensors(call, "input")
    repeats, numbers = parted(sizes(call, call.argument("multiples", []), "multiples"))
    if not numbers:
        return call.emit(Tile(repeats=tuple(n or 0 for n in repeats)), x)
    return call.emit(DynamicTile(repeats=repeats), x, *numbers)


@reads("tf.Fill", "tf.Zeros", "tf.Ones", arguments=("dims",))
def fill(call: LayerCall) -> Tensor:
    """tf.fill, tf.zeros, tf.ones."""
    found = sizes(call, call.argument("dims", []), "shape")
    call.argument("layout")
    if call.spec.class_name == "Fill":
        (value,) = tensors(call, "value")
    else:
        dtype = dtype_of(call, "dtype", "float32")
        value = call.constant("value", np.array(call.spec.class_name == "Ones", dtype))
    return broadcast(call, value, found)


@reads("tf.Range", arguments=("start",))
def range_(call: LayerCall) -> Tensor:
    """tf.range; with one number, it counts from 0 to that."""
    start, stop = call.argument("start", 0), call.argument("limit")
    step = call.argument("delta", 1)
    if stop is None:
        start, stop = 0, start
    wanted = call.argument("dtype")
    given = [v.type.dtype for v in (start, stop, step) if isinstance(v, Tensor)]
    order = ("int32", "int64", "float16", "float32", "float64")
    plain = "float32" if any(isinstance(v, float) for v in (start, stop, step)) else "int32"
    dtype = str(wanted or max([*given, plain], key=lambda d: order.index(d) if d in order else 9))
    if not any(isinstance(v, Tensor) for v in (start, stop, step)):
        return call.constant("", np.arange(start, stop, step).astype(dtype))
    return counted(call, start, stop, step, dtype)


def counted(
    call: LayerCall, start: Any, stop: Any, step: Any, dtype: str, part: str = ""
) -> Tensor:
    """Numbers in order, from and to numbers or tensors."""
    found = []
    for name, value in (("start", start), ("stop", stop), ("step", step)):
        if not isinstance(value, Tensor):
            value = call.constant(f"{part}{name}", np.array(value, dtype))
        elif value.type.dtype != dtype:
            value = call.emit(Cast(dtype=dtype), value, part=f"{part}{name}")
        found.append(value)
    return call.emit(Range(), *found, part=part)


@reads("tf.Pad", arguments=("tensor",))
def pad(call: LayerCall) -> Tensor:
    """tf.pad."""
    (x,) = tensors(call, "tensor")
    given = call.argument("paddings")
    pairs = given if isinstance(given, (list, tuple)) else None
    if pairs is None:
        raise call.refusal("paddings as one tensor are not supported, give pairs of numbers")
    flat = [n for pair in pairs for n in sizes(call, pair, "paddings")]
    mode: Any = str(call.argument("mode", "constant")).lower()
    value = call.argument("constant_values", 0)
    if not isinstance(value, (int, float)):
        raise call.refusal("padding with a tensor is not supported")
    width, numbers = parted(flat)
    if numbers:
        return call.emit(DynamicPad(pad_width=width, mode=mode, value=value), x, *numbers)
    known = [n or 0 for n in width]
    op = PadAll(pad_width=tuple(zip(known[::2], known[1::2], strict=True)), mode=mode, value=value)
    return call.emit(op, x)


# --- parts -----------------------------------------------------------------------------


def part_of(call: LayerCall, x: Tensor, key: list[Any]) -> Tensor:
    """``x[key]``, where numbers may be tensors."""
    numbers: list[Tensor] = []

    def entry(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(None if v is None else entry(v) for v in value)
        if isinstance(value, Tensor):
            numbers.append(value)
            return "?"
        return value

    found = tuple(entry(value) for value in key)
    if numbers:
        return call.emit(StridedSlice(key=found), x, *numbers)
    return call.emit(Slice(key=found), x)


@reads("tf.GetItem", arguments=("x",))
def get_item(call: LayerCall) -> Tensor:
    """``x[slice_spec]``: slices are dicts, ``...`` is the text ``Ellipsis``."""
    (x,) = tensors(call, "x")
    spec = call.argument("slice_spec")
    if isinstance(spec, Tensor) and spec.type.dtype == "bool":
        return call.emit(Choose(), x, spec)
    key: list[Any] = []
    for item in spec if isinstance(spec, list) else [spec]:
        if isinstance(item, dict) and set(item) <= {"start", "stop", "step"}:
            ends = [item.get(k) for k in ("start", "stop", "step")]
            key.append(tuple(None if e is None else size(call, e, "slice") for e in ends))
        elif item is None:
            key.append("new")
        elif item in ("Ellipsis", {"class_name": "__ellipsis__"}):
            key.append("...")
        else:
            key.append(size(call, item, "index"))
    return part_of(call, x, key)


@reads("tf.StridedSlice", arguments=("input_",))
def strided_slice(call: LayerCall) -> Tensor:
    """tf.strided_slice: bit i of a mask speaks of entry i."""
    (x,) = tensors(call, "input_")
    begin, end = (sizes(call, call.argument(n), n) for n in ("begin", "end"))
    steps = sizes(call, call.argument("strides", [1] * len(begin)), "strides")
    masks = {
        name: int(call.argument(f"{name}_mask", 0))
        for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    }
    key: list[Any] = []
    for i, (start, stop, step) in enumerate(zip(begin, end, steps, strict=True)):
        on = {name for name, mask in masks.items() if mask >> i & 1}
        if "ellipsis" in on:
            key.append("...")
        elif "new_axis" in on:
            key.append("new")
        elif "shrink_axis" in on:
            key.append(start)
        else:
            ends = (None if "begin" in on else start, None if "end" in on else stop)
            key.append((*ends, step))
    return part_of(call, x, key)


@reads("tf.Slice", arguments=("input_",))
def slice_(call: LayerCall) -> Tensor:
    """tf.slice: a place and a size an axis; -1 is all that is left."""
    (x,) = tensors(call, "input_")
    begin, lengths = (sizes(call, call.argument(n), n) for n in ("begin", "size"))
    key: list[Any] = []
    for i, (start, length) in enumerate(zip(begin, lengths, strict=True)):
        if length == -1:
            key.append((start, None, None))
        elif isinstance(start, Tensor) or isinstance(length, Tensor):
            key.append((start, _sum(call, start, length, f"end_{i}"), None))
        else:
            key.append((start, start + length, None))
    return part_of(call, x, key)


def _sum(call: LayerCall, first: Size, second: Size, part: str) -> Tensor:
    both = [
        v if isinstance(v, Tensor) else call.constant(f"{part}_{j}", np.array(v, "int32"))
        for j, v in enumerate((first, second))
    ]
    return call.emit(Merge(kind="add"), *both, part=part)


@reads("tf.Split", arguments=("value",))
def split(call: LayerCall) -> list[Tensor]:
    """tf.split: into equal parts, or of given sizes of which one may be -1."""
    (x,) = tensors(call, "value")
    given = call.argument("num_or_size_splits")
    axis = whole(call, call.argument("axis", 0), "axis") % len(x.shape)
    call.argument("num")
    length = x.shape[axis]
    if isinstance(given, int):
        if length is None:
            return list(call.emit_all(Split(sections=given, axis=axis), x))
        if length % given:
            raise call.refusal(f"{length} elements do not split into {given} equal parts")
        parts: tuple[int, ...] = (length // given,) * given
    else:
        parts = wholes(call, given, "num_or_size_splits")
    if -1 in parts:
        # What is behind the part of unknown size counts from the end.
        place = parts.index(-1)
        before = [sum(parts[: i + 1]) for i in range(place)]
        behind = [-sum(parts[i:]) for i in range(place + 1, len(parts))]
        if length is not None:
            behind = [length + n for n in behind]
        return list(call.emit_all(Split(at=(*before, *behind), axis=axis), x))
    at = tuple(sum(parts[: i + 1]) for i in range(len(parts) - 1))
    return list(call.emit_all(Split(at=at, axis=axis), x))


@reads("tf.Unstack", arguments=("value",))
def unstack(call: LayerCall) -> list[Tensor]:
    """tf.unstack."""
    (x,) = tensors(call, "value")
    axis = whole(call, call.argument("axis", 0), "axis") % len(x.shape)
    count = call.argument("num") or x.shape[axis]
    if count is None:
        raise call.refusal("the number of parts is not known before the model runs")
    return list(call.emit_all(Split(at=tuple(range(1, count)), axis=axis, squeeze=True), x))


# --- choices ---------------------------------------------------------------------------


@reads("tf.Where", arguments=("condition",))
def where(call: LayerCall) -> Tensor:
    """tf.where: a choice, or with one argument the places that are true."""
    (condition,) = tensors(call, "condition")
    if call.argument("x") is None:
        return call.emit(Places(), condition)
    x, y = tensors(call, "x", "y")
    if call.argument("rows", False) and len(condition.shape) == 1 < len(x.shape):
        # The operation of TensorFlow 1: a condition a row.
        column = NewShape(shape=(-1, *(1,) * (len(x.shape) - 1)))
        condition = call.emit(column, condition, part="column")
    return call.emit(Where(), condition, x, y)


@reads("tf.BooleanMask", arguments=("tensor",))
def boolean_mask(call: LayerCall) -> Tensor:
    """tf.boolean_mask."""
    (x,), (mask,) = tensors(call, "tensor"), tensors(call, "keep")
    axis = whole(call, call.argument("axis", 0), "axis") % len(x.shape)
    return call.emit(Choose(axis=axis), x, mask)


@reads("tf.OneHot", arguments=("indices",))
def one_hot(call: LayerCall) -> Tensor:
    """tf.one_hot."""
    (x,) = tensors(call, "indices")
    depth = size(call, call.argument("depth"), "depth")
    axis = whole(call, call.argument("axis", -1), "axis")
    on, off = call.argument("on_value", 1), call.argument("off_value", 0)
    dtype = call.argument("dtype")
    if dtype is None:
        given = [v.type.dtype for v in (on, off) if isinstance(v, Tensor)]
        written = call.argument("on_value") is not None or call.argument("off_value") is not None
        whole_ = written and not any(isinstance(v, float) for v in (on, off))
        dtype = given[0] if given else "int32" if whole_ else "float32"
    if isinstance(depth, int) and (on, off) == (1, 0):
        return call.emit(OneHot(num_classes=depth, axis=axis, dtype=dtype), x)
    if isinstance(depth, int):
        hit = call.emit(OneHot(num_classes=depth, axis=axis, dtype="bool"), x, part="hit")
    else:
        hit = _hits(call, x, depth, axis % (len(x.shape) + 1))
    ends = [
        v if isinstance(v, Tensor) else call.constant(name, np.array(v, dtype))
        for name, v in (("on", on), ("off", off))
    ]
    return call.emit(Where(), hit, *ends)


def _hits(call: LayerCall, x: Tensor, depth: Tensor, axis: int) -> Tensor:
    """Which of the numbers up to an unknown one each index is."""
    places = counted(call, 0, depth, 1, x.type.dtype, "places")
    behind = len(x.shape) - axis
    places = call.emit(NewShape(shape=(-1, *(1,) * behind)), places, part="column")
    wide = call.emit(ExpandDims(axis=axis), x, part="wide")
    return call.emit(Binary(kind="equal"), wide, places, part="hit")


@reads("tf.SequenceMask", arguments=("lengths",))
def sequence_mask(call: LayerCall) -> Tensor:
    """tf.sequence_mask: true before each length."""
    (lengths,) = tensors(call, "lengths")
    longest, dtype = call.argument("maxlen"), dtype_of(call, "dtype", "bool")
    if longest is None:
        every = tuple(range(len(lengths.shape)))
        longest = call.emit(Reduce(kind="max", axis=every), lengths, part="longest")
    places = counted(call, 0, longest, 1, lengths.type.dtype, "places")
    wide = call.emit(ExpandDims(axis=-1), lengths, part="wide")
    then = [Cast(dtype=dtype)] if dtype != "bool" else []
    return call.emit(Binary(kind="less"), places, wide, then=then)


@reads("tf.Pack", arguments=("values",))
def pack(call: LayerCall) -> Tensor:
    """tf.stack and tf.convert_to_tensor: values side by side, numbers among them."""
    axis = whole(call, call.argument("axis", 0), "axis")
    return stacked(call, listed(call, call.argument("values"), "value"), axis)
