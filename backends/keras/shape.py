"""Rearranging elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import as_dtype
from layergraph.backends.keras.writer import Operand, Writer
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
from layergraph.ir.types import numpy_dtype

spellings = Spellings()


@spellings.spells(Identity)
def identity(w: Writer, op: Identity, x: Tensor) -> Any:
    """A layer that does nothing, so that its name stays."""
    if w.keras3:
        return w.layer("Identity", w.tensor(x))
    return w.layer("Activation", w.tensor(x), activation="linear")


@spellings.spells(Flatten)
def flatten(w: Writer, op: Flatten, x: Tensor) -> Any:
    """Flatten."""
    return w.layer("Flatten", w.tensor(x), data_format="channels_last", masking="drop")


@spellings.spells(Reshape)
def reshape(w: Writer, op: Reshape, x: Tensor) -> Any:
    """Reshape."""
    return w.layer("Reshape", w.tensor(x), target_shape=list(op.target_shape), masking="drop")


@spellings.spells(Transpose)
def transpose(w: Writer, op: Transpose, x: Tensor) -> Any:
    """Permute where the batch stays in front, else an operation."""
    x = w.tensor(x)
    if op.axes[0] == 0 and len(op.axes) > 1:
        return w.layer("Permute", x, dims=list(op.axes[1:]), masking="drop")
    if w.keras3:
        return w.op("Transpose", x, axes=list(op.axes))
    return w.tf("transpose", x, perm=list(op.axes))


@spellings.spells(ExpandDims)
def expand_dims(w: Writer, op: ExpandDims, x: Tensor) -> Any:
    """An operation."""
    if w.keras3:
        return w.op("ExpandDims", w.tensor(x), axis=op.axis)
    return w.tf("expand_dims", w.tensor(x), axis=op.axis)


@spellings.spells(Squeeze)
def squeeze(w: Writer, op: Squeeze, x: Tensor) -> Any:
    """An operation."""
    x = w.tensor(x)
    axis: Any = None if op.axis is None else list(op.axis)
    if w.keras3:
        return w.op("Squeeze", x, axis=axis[0] if axis and len(axis) == 1 else axis)
    return w.tf("squeeze", x, axis=axis)


@spellings.spells(NewShape)
def new_shape(w: Writer, op: NewShape, x: Tensor) -> Any:
    """An operation."""
    if w.keras3:
        return w.op("Reshape", w.tensor(x), newshape=list(op.shape))
    return w.tf("reshape", w.tensor(x), shape=list(op.shape))


@spellings.spells(Repeat)
def repeat(w: Writer, op: Repeat, x: Tensor) -> Any:
    """RepeatVector."""
    return w.layer("RepeatVector", w.tensor(x), n=op.n, masking="drop")


@spellings.spells(RepeatElements)
def repeat_elements(w: Writer, op: RepeatElements, x: Tensor) -> Any:
    """An operation."""
    times: Any = list(op.repeats) if isinstance(op.repeats, tuple) else op.repeats
    if w.keras3:
        return w.op("Repeat", w.tensor(x), repeats=times, axis=op.axis)
    return w.tf("repeat", w.tensor(x), repeats=times, axis=op.axis)


@spellings.spells(BroadcastTo)
def broadcast_to(w: Writer, op: BroadcastTo, x: Tensor) -> Any:
    """An operation."""
    if w.keras3:
        return w.op("BroadcastTo", w.tensor(x), shape=list(op.shape))
    return w.tf("broadcast_to", w.tensor(x), shape=list(op.shape))


@spellings.spells(Tile)
def tile(w: Writer, op: Tile, x: Tensor) -> Any:
    """An operation; TensorFlow's wants a number for every axis."""
    x, times = w.tensor(x), list(op.repeats)
    if w.keras3:
        return w.op("Tile", x, repeats=times)
    if len(times) > x.rank:
        types = x.type.with_shape((1,) * (len(times) - x.rank) + x.shape)
        for i in range(len(times) - x.rank):
            shape = (1,) * (i + 1) + x.shape
            x = w.tf("expand_dims", x, axis=0, types=types.with_shape(shape), part=f"axis_{i}")
    return w.tf("tile", x, multiples=[1] * (x.rank - len(times)) + times)


@spellings.spells(PadAll)
def pad_all(w: Writer, op: PadAll, x: Operand, value: Operand | None = None) -> Any:
    """An operation."""
    x, width = w.tensor(x), [list(pair) for pair in op.pad_width]
    given: Any = value if value is not None else op.value
    if not x.type.is_float and isinstance(given, float):
        given = int(given)
    if w.keras3:
        if op.mode != "constant":
            return w.op("Pad", x, pad_width=width, mode=op.mode)
        return w.op("Pad", x, pad_width=width, mode=op.mode, kwargs={"constant_values": given})
    if isinstance(given, Tensor):
        raise RefusedError("TensorFlow pads with a known number")
    number = np.asarray(given).item()
    return w.tf("pad", x, paddings=width, mode=op.mode.upper(), constant_values=number)


@spellings.spells(Rearrange)
def rearrange(w: Writer, op: Rearrange, x: Tensor) -> Any:
    """``rearrange`` of Keras 3; for Keras 2 the steps it is made of."""
    x = w.tensor(x)
    if w.keras3:
        sides = [
            " ".join(group[0] if len(group) == 1 else f"({' '.join(group)})" for group in side)
            for side in (op.source, op.target)
        ]
        return w.op("Rearrange", x, " -> ".join(sides), kwargs=dict(op.sizes))
    sizes = op.axes(x.shape)
    names = [name for group in op.source for name in group]
    split = [sizes[name] for name in names]
    target = [name for group in op.target for name in group]
    joined = list(w.node.types[0].shape)
    if split.count(None) > 1 or joined.count(None) > 1:
        raise RefusedError("more than one of its sizes is not known")
    types = x.type.with_shape(split)
    shape = [-1 if n is None else n for n in split]
    x = w.tf("reshape", x, shape=shape, types=types, part="split")
    order = [names.index(name) for name in target]
    types = types.with_shape([split[i] for i in order])
    x = w.tf("transpose", x, perm=order, types=types, part="order")
    return w.tf("reshape", x, shape=[-1 if n is None else n for n in joined])


@spellings.spells(View)
def view(w: Writer, op: View, x: Tensor) -> Any:
    """``view`` of Keras 3, ``bitcast`` of TensorFlow where sizes agree."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("View", x, dtype=op.dtype)
    if numpy_dtype(x.dtype).itemsize != numpy_dtype(op.dtype).itemsize:
        raise RefusedError("TensorFlow's bitcast makes another axis of what sizes differ by")
    return w.tf("bitcast", x, type=op.dtype)


@spellings.spells(Size)
def size(w: Writer, op: Size, x: Tensor) -> Any:
    """An operation."""
    return w.op("Size", w.tensor(x)) if w.keras3 else w.tf("size", w.tensor(x))


def _spatial(w: Writer, name: str, x: Tensor, rank: int, **config: Any) -> Any:
    if not 1 <= rank <= 3:
        raise RefusedError(f"there is no {name} of {rank} spatial axes")
    return w.layer(f"{name}{rank}D", w.tensor(x), masking="drop", **config)


def _pairs(pairs: tuple[tuple[int, int], ...]) -> list[Any]:
    return list(pairs[0]) if len(pairs) == 1 else [list(pair) for pair in pairs]


@spellings.spells(Pad)
def pad(w: Writer, op: Pad, x: Tensor) -> Any:
    """ZeroPadding1D, ZeroPadding2D, ZeroPadding3D."""
    return _spatial(w, "ZeroPadding", x, len(op.padding), padding=_pairs(op.padding))


@spellings.spells(Crop)
def crop(w: Writer, op: Crop, x: Tensor) -> Any:
    """Cropping1D, Cropping2D, Cropping3D."""
    return _spatial(w, "Cropping", x, len(op.cropping), cropping=_pairs(op.cropping))


UPSAMPLING = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area")
"""What Keras 3 resamples by: keras/src/backend/tensorflow/image.py ``resize``, Keras 3.15."""


@spellings.spells(Upsample)
def upsample(w: Writer, op: Upsample, x: Tensor) -> Any:
    """UpSampling1D, UpSampling2D, UpSampling3D."""
    rank = len(op.size)
    config: dict[str, Any] = {"size": list(op.size) if rank > 1 else op.size[0]}
    if rank == 2:
        config["interpolation"] = op.interpolation
    elif op.interpolation != "nearest":
        raise RefusedError(f"UpSampling{rank}D repeats elements, and has no {op.interpolation}")
    if not op.centred and op.interpolation != "nearest":
        raise RefusedError("it resizes as TensorFlow 1 did, from the corner of each cell")
    if w.keras3 and op.interpolation not in UPSAMPLING:
        raise RefusedError(f"UpSampling2D has no interpolation {op.interpolation}")
    if w.keras3 and op.interpolation != "nearest" and not w.tensor(x).type.is_float:
        raise RefusedError(f"UpSampling2D of {w.tensor(x).type.dtype} gives no float32")
    if w.keras3:
        # Keras 2 gives float32 of any float, and Keras 3 the dtype that the layer computes in.
        x = w.tensor(as_dtype(w, x, w.node.types[0].dtype))
    return _spatial(w, "UpSampling", x, rank, **config)
