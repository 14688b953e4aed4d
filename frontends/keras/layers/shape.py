"""Layers that rearrange elements."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.data_format import (
    channels_first,
    channels_last_input,
    to_last,
)
from layergraph.frontends.keras.operands import axis_of, constant, numbers, operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.op import Op
from layergraph.ir.ops.shape import (
    BroadcastTo,
    Crop,
    ExpandDims,
    Flatten,
    Identity,
    NewShape,
    Pad,
    PadAll,
    Rearrange,
    Repeat,
    RepeatElements,
    Reshape,
    Size,
    Squeeze,
    Tile,
    Transpose,
    Upsample,
    View,
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
    # Imported here: most models with layers of this family hold no images.
    from layergraph.frontends.keras.layers.image import as_given, interpolation_of

    kind = interpolation_of(call, "nearest")
    centred = call.config.bool("centred", True) or kind == "nearest"
    op = Upsample(size=call.config.ints("size", rank), interpolation=kind, centred=centred)
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
    """keras/src/ops/numpy.py ``Repeat``."""
    (x,), given = operands(call, "x"), call.config.take("repeats")
    repeats = tuple(given) if isinstance(given, list) else call.config.int("repeats")
    if call.config.take("axis", None) is None:
        x = call.emit(NewShape(shape=(-1,)), x, part="flat")
        return call.emit(RepeatElements(axis=0, repeats=repeats), x)
    return call.emit(RepeatElements(axis=axis_of(call, x), repeats=repeats), x)


@reads("ops.Pad", arguments=("x", "constant_values"))
def pad(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Pad``."""
    (x,), given = operands(call, "x"), call.config.take("pad_width")
    if isinstance(given, int):
        width = ((given, given),) * len(x.shape)
    elif all(isinstance(v, int) for v in given):
        width = (tuple(given) * (2 // len(given)),) * len(x.shape)
    else:
        width = tuple((*v, *v)[:2] if len(v) == 1 else tuple(v) for v in given)
        width = width * len(x.shape) if len(width) == 1 else width
    mode = call.config.choice("mode", ("constant", "reflect", "symmetric"), "constant")
    value = call.argument("constant_values")
    if value is None or isinstance(value, (bool, int, float)):
        return call.emit(PadAll(pad_width=width, mode=mode, value=value or 0.0), x)
    return call.emit(PadAll(pad_width=width, mode=mode), x, *operands(call, "constant_values"))


@reads("ops.Rearrange", arguments=("tensor", "pattern"))
def rearrange(call: LayerCall) -> Tensor:
    """keras/src/ops/einops.py ``Rearrange``."""
    x, pattern = call.input(), call.argument("pattern")
    sides = pattern.split("->") if isinstance(pattern, str) else []
    if len(sides) != 2:
        raise call.refusal(f"pattern={pattern!r} has no two sides")
    source, target = (
        tuple(tuple(re.findall(r"\w+", axis)) for axis in re.findall(r"\w+|\(.*?\)", side))
        for side in sides
    )
    sizes = {name: call.argument(name) for name in call.arguments if name not in FIXED}
    if not all(isinstance(size, int) for size in sizes.values()):
        raise call.refusal(f"the sizes {sizes} are not all numbers")
    named = tuple((name, size) for name, size in sizes.items() if any(name in s for s in source))
    return call.emit(Rearrange(source=source, target=target, sizes=named), x)


FIXED = ("tensor", "pattern")
"""Arguments of ``Rearrange`` that are not the size of an axis."""


@reads("ops.View", arguments=("x",))
def view(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``View``."""
    (x,) = operands(call, "x")
    dtype = call.config.take("dtype", None) or x.type.dtype
    return call.emit(View(dtype=dtype), x)


@reads("ops.Size", arguments=("x",))
def size(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Size``."""
    return call.emit(Size(), *operands(call, "x"))


@reads("ops.Ndim", arguments=("x",))
def ndim(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Ndim``: a Python number, which NumPy takes for int64."""
    (x,) = operands(call, "x")
    return call.emit(Identity(), constant(call, "rank", np.asarray(len(x.shape), "int64")))
