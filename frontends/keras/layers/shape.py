"""Layers that rearrange elements."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.data_format import (
    channels_first,
    channels_last_input,
    to_last,
)
from layergraph.frontends.keras.registry import reads
from layergraph.ir.op import Op
from layergraph.ir.ops.shape import Crop, Flatten, Pad, Repeat, Reshape, Transpose, Upsample


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
    kind = call.config.text("interpolation", "nearest")
    if kind not in ("nearest", "bilinear"):
        raise call.refusal(
            f"interpolation={kind!r} is not supported yet", "use 'nearest' or 'bilinear'"
        )
    op = Upsample(size=call.config.ints("size", rank), interpolation=kind)  # type: ignore[arg-type]
    return _spatial(call, op, rank)
