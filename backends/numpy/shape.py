"""Rearranging elements; views wherever NumPy can give one."""

from __future__ import annotations

import math

import numpy as np

from layergraph.backends.numpy.scratch import empty
from layergraph.backends.numpy.table import Kernels
from layergraph.backends.numpy.threads import over_rows
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
    squeezed_axes,
)
from layergraph.ir.types import Array, numpy_dtype

kernels = Kernels()


@kernels.computes(Identity)
def identity(op: Identity, x: Array) -> Array:
    """The array itself."""
    return x


@kernels.computes(ExpandDims)
def expand_dims(op: ExpandDims, x: Array) -> Array:
    """A view with one more axis."""
    return np.expand_dims(x, op.axis)


@kernels.computes(Flatten)
def flatten(op: Flatten, x: Array) -> Array:
    """A view where the memory order allows."""
    return x.reshape(x.shape[0], -1 if x.size else int(np.prod(x.shape[1:])))


@kernels.computes(Reshape)
def reshape(op: Reshape, x: Array) -> Array:
    """A view where the memory order allows."""
    shape = op.target_shape
    if not x.size and -1 in shape:
        rest = -int(np.prod(shape))
        shape = tuple(int(np.prod(x.shape[1:])) // rest if d == -1 else d for d in shape)
    return x.reshape(x.shape[0], *shape)


@kernels.computes(Transpose)
def transpose(op: Transpose, x: Array) -> Array:
    """A view."""
    return x.transpose(op.axes)


@kernels.computes(Repeat)
def repeat(op: Repeat, x: Array) -> Array:
    """Rows repeated along a new axis."""
    return np.repeat(x[:, None], op.n, axis=1)


@kernels.computes(Pad)
def pad(op: Pad, x: Array) -> Array:
    """Zeros, with the input copied inside."""
    grown = [n + b + a for n, (b, a) in zip(x.shape[1:-1], op.padding, strict=True)]
    y = empty((x.shape[0], *grown, x.shape[-1]), x.dtype)
    inner = [slice(b, b + n) for n, (b, _) in zip(x.shape[1:-1], op.padding, strict=True)]

    def images(part: slice) -> None:
        target = y[part]
        for axis, within in enumerate(inner, 1):
            lead = (slice(None),) * axis
            target[(*lead, slice(0, within.start))] = 0
            target[(*lead, slice(within.stop, None))] = 0
        target[(slice(None), *inner)] = x[part]

    over_rows(images, len(x), math.prod(y.shape[1:]), 0.3)
    return y


@kernels.computes(Crop)
def crop(op: Crop, x: Array) -> Array:
    """A view."""
    kept = [slice(b, n - a) for n, (b, a) in zip(x.shape[1:-1], op.cropping, strict=True)]
    return x[(slice(None), *kept)]


@kernels.computes(Upsample)
def upsample(op: Upsample, x: Array) -> Array:
    """Axis by axis."""
    if not op.centred:
        x = x.astype("float32", copy=False)
        for axis, factor in enumerate(op.size, 1):
            x = _towards_next(x, axis, factor)
        return x
    if op.interpolation != "nearest":
        size = tuple(n * f for n, f in zip(x.shape[1:-1], op.size, strict=True))
        # Imported here: most models only repeat pixels, or do not resize at all.
        from layergraph.backends.numpy.image import resampled

        return resampled(x, size, op.interpolation)
    for axis, factor in enumerate(op.size, 1):
        if factor != 1:
            x = np.repeat(x, factor, axis)
    return x if x.base is None else x.copy()


def _towards_next(x: Array, axis: int, factor: int) -> Array:
    """Each element, then ``factor - 1`` on the way to the next; behind the last they stay."""
    following = np.minimum(np.arange(1, x.shape[axis] + 1), x.shape[axis] - 1)
    share = np.tile(np.arange(factor, dtype=x.dtype) / np.float32(factor), x.shape[axis])
    y = np.repeat(x, factor, axis)
    way = np.repeat(x.take(following, axis), factor, axis)
    way -= y
    way *= share.reshape(-1, *(1,) * (x.ndim - 1 - axis))
    y += way
    return y


@kernels.computes(RepeatElements)
def repeat_elements(op: RepeatElements, x: Array) -> Array:
    """One copy."""
    return np.repeat(x, op.repeats, axis=op.axis)


@kernels.computes(NewShape)
def new_shape(op: NewShape, x: Array) -> Array:
    """A view where the memory order allows."""
    return x.reshape(op.shape)


@kernels.computes(Squeeze)
def squeeze(op: Squeeze, x: Array) -> Array:
    """A view."""
    return x.squeeze(squeezed_axes(op, x.shape))


@kernels.computes(BroadcastTo)
def broadcast_to(op: BroadcastTo, x: Array) -> Array:
    """A copy, so that the result may be written to."""
    return np.array(np.broadcast_to(x, op.shape))


@kernels.computes(Tile)
def tile(op: Tile, x: Array) -> Array:
    """One copy."""
    return np.tile(x, op.repeats)


@kernels.computes(PadAll)
def pad_all(op: PadAll, x: Array, value: Array | None = None) -> Array:
    """NumPy's own."""
    if op.mode == "constant":
        filled = x.dtype.type(op.value) if value is None else value.astype(x.dtype)
        return np.pad(x, op.pad_width, constant_values=filled)
    return np.pad(x, op.pad_width, mode=op.mode)


@kernels.computes(Rearrange)
def rearrange(op: Rearrange, x: Array) -> Array:
    """A view split, transposed, and joined in one copy."""
    sizes = op.axes(x.shape)
    names = [n for group in op.source for n in group]
    order = [names.index(n) for group in op.target for n in group]
    split = x.reshape([sizes[n] or 0 for n in names])
    joined = [math.prod(sizes[n] or 0 for n in group) for group in op.target]
    return split.transpose(order).reshape(joined).copy()


@kernels.computes(View, halves=True)
def view(op: View, x: Array) -> Array:
    """NumPy's own, copied."""
    return np.ascontiguousarray(x).reshape(x.shape).view(numpy_dtype(op.dtype)).copy()


@kernels.computes(Size)
def size(op: Size, x: Array) -> Array:
    """The number itself."""
    return np.asarray(x.size, "int32")
