"""Layers that rearrange elements."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.data_format import (
    channels_first,
    channels_last_input,
    to_last,
)
from layergraph.frontends.keras.layers.image import as_given, interpolation_of
from layergraph.frontends.keras.operands import axis_of, numbers
from layergraph.frontends.keras.registry import reads
from layergraph.ir.op import Op
from layergraph.ir.ops.shape import (
    BroadcastTo,
    Crop,
    ExpandDims,
    Flatten,
    NewShape,
    Pad,
    PadAll,
    Repeat,
    RepeatElements,
    Reshape,
    Squeeze,
    Tile,
    Transpose,
    Upsample,
)


@reads("Flatten")
def flatten(call: LayerCall) -> Tensor:
    """keras/src/layers/reshaping/flatten.py: channels go last first."""
    x = call.input()
    if channels_first(call) and len(x.shape) > 2:
        x = call.emit(to_last(len(x.shape) - 2), x, part="channels_last")
    return call.emit(Flatten(), x)


@reads("Reshape")
def reshape(call: LayerCall) -> Tensor:
    """keras/src/layers/reshaping/reshape.py."""
    target = call.config.take("target_shape")
    shape = tuple(-1 if d is None else d for d in target)
    if not all(isinstance(d, int) for d in shape) or shape.count(-1) > 1:
        raise call.refusal(f"target_shape={target!r} has more than one unknown dimension")
    return call.emit(Reshape(target_shape=shape), call.input())


@reads("Permute")
def permute(call: LayerCall) -> Tensor:
    """keras/src/layers/reshaping/permute.py: axes count from 1, batch stays."""
    return call.emit(Transpose(axes=(0, *call.config.ints("dims"))), call.input())


@reads("RepeatVector")
def repeat_vector(call: LayerCall) -> Tensor:
    """keras/src/layers/reshaping/repeat_vector.py."""
    return call.emit(Repeat(n=call.config.int("n")), call.input())


def _pairs(call: LayerCall, key: str, rank: int) -> tuple[tuple[int, int], ...]:
    """``3``, ``(1, 2)`` or ``((1, 2), (3, 4))`` as a pair an axis."""
    found: Any = call.config.take(key)
    if isinstance(found, int):
        return ((found, found),) * rank
    if rank == 1 and all(isinstance(v, int) for v in found):
        return (tuple(found),)
    return tuple((v, v) if isinstance(v, int) else tuple(v) for v in found)


def _spatial(call: LayerCall, op: Op, rank: int) -> Tensor:
    x, back = channels_last_input(call, rank)
    return call.emit(op, x, then=[back])


@reads("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def zero_padding(call: LayerCall) -> Tensor:
    """keras/src/layers/reshaping/zero_padding*.py."""
    rank = int(call.spec.class_name[-2])
    return _spatial(call, Pad(padding=_pairs(call, "padding", rank)), rank)


@reads("Cropping1D", "Cropping2D", "Cropping3D")
def cropping(call: LayerCall) -> Tensor:
    """keras/src/layers/reshaping/cropping*.py."""
    rank = int(call.spec.class_name[-2])
    return _spatial(call, Crop(cropping=_pairs(call, "cropping", rank)), rank)


@reads("UpSampling1D", "UpSampling2D", "UpSampling3D")
def up_sampling(call: LayerCall) -> Tensor:
    """keras/src/layers/reshaping/up_sampling*.py."""
    rank = int(call.spec.class_name[-2])
    kind = interpolation_of(call, "nearest")
    op = Upsample(size=call.config.ints("size", rank), interpolation=kind)
    x, back = channels_last_input(call, rank)
    floats = call.config.bool("float_output", False)
    steps = [] if floats else as_given(x.type.dtype, kind)
    return call.emit(op, x, then=[*steps, back])


# --- operations ------------------------------------------------------------------------


@reads("ops.Reshape", arguments=("x",))
def reshape_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Reshape``, batch included."""
    shape = numbers(call.config.take("newshape"))
    if not all(isinstance(d, int) or d is None for d in shape):
        raise call.refusal(f"newshape={shape!r} depends on a tensor, which is not supported")
    return call.emit(NewShape(shape=tuple(-1 if d is None else d for d in shape)), call.input())


@reads("ops.Ravel", arguments=("x",))
def ravel(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Ravel``."""
    return call.emit(NewShape(shape=(-1,)), call.input())


@reads("ops.Transpose", "ops.Swapaxes", "ops.Moveaxis", arguments=("x",))
def transpose_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Transpose`` and its kin."""
    x, kind = call.input(), call.spec.class_name
    axes = list(range(len(x.shape)))
    if kind == "Transpose":
        given = call.config.take("axes", None)
        axes = [a % len(axes) for a in given] if given is not None else axes[::-1]
    elif kind == "Swapaxes":
        a, b = (call.config.int(key) % len(axes) for key in ("axis1", "axis2"))
        axes[a], axes[b] = axes[b], axes[a]
    else:
        source, target = (
            [a % len(axes) for a in numbers(call.config.take(key))]
            for key in ("source", "destination")
        )
        axes = [a for a in axes if a not in source]
        for place, axis in sorted(zip(target, source, strict=True)):
            axes.insert(place, axis)
    return call.emit(Transpose(axes=tuple(axes)), x)


@reads("ops.ExpandDims", arguments=("x",))
def expand_dims(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``ExpandDims``."""
    x = call.input()
    axes = numbers(call.config.take("axis"))
    rank = len(x.shape) + len(axes)
    *inner, last = sorted(a % rank for a in axes)
    for axis in inner:
        x = call.emit(ExpandDims(axis=axis), x, part=f"axis_{axis}")
    return call.emit(ExpandDims(axis=last), x)


@reads("ops.Squeeze", arguments=("x",))
def squeeze(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Squeeze``."""
    axis = call.config.take("axis", None)
    return call.emit(Squeeze(axis=None if axis is None else numbers(axis)), call.input())


@reads("ops.BroadcastTo", arguments=("x",))
def broadcast_to(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``BroadcastTo``."""
    shape = numbers(call.config.take("shape"))
    if not all(isinstance(d, int) for d in shape):
        raise call.refusal(f"shape={shape!r} is not known before the model runs")
    return call.emit(BroadcastTo(shape=shape), call.input())


@reads("ops.Tile", arguments=("x",))
def tile(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Tile``."""
    return call.emit(Tile(repeats=numbers(call.config.take("repeats"))), call.input())


@reads("ops.Repeat", arguments=("x",))
def repeat(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Repeat``, every element as often."""
    x, repeats = call.input(), call.config.take("repeats")
    if not isinstance(repeats, int):
        raise call.refusal(f"repeats={repeats!r} is not one number, which is not supported yet")
    if call.config.take("axis", None) is None:
        x = call.emit(NewShape(shape=(-1,)), x, part="flat")
        return call.emit(RepeatElements(axis=0, repeats=repeats), x)
    return call.emit(RepeatElements(axis=axis_of(call, x), repeats=repeats), x)


@reads("ops.Pad", arguments=("x",))
def pad(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Pad``."""
    x, given = call.input(), call.config.take("pad_width")
    value = call.argument("constant_values")
    if isinstance(given, int):
        width = ((given, given),) * len(x.shape)
    elif all(isinstance(v, int) for v in given):
        width = (tuple(given) * (2 // len(given)),) * len(x.shape)
    else:
        width = tuple((*v, *v)[:2] if len(v) == 1 else tuple(v) for v in given)
        width = width * len(x.shape) if len(width) == 1 else width
    mode = call.config.choice("mode", ("constant", "reflect", "symmetric"), "constant")
    return call.emit(PadAll(pad_width=width, mode=mode, value=value or 0.0), x)
