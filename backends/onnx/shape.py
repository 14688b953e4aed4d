"""Rearranging elements: reshape, permute, pad, crop, repeat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layergraph.backends.onnx.image import resized
from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Axes, Tensor, View
from layergraph.backends.onnx.writer import Writer
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
    squeezed_axes,
)
from layergraph.ir.ops.shape import (
    View as ViewAs,
)

spellings = Spellings()


@spellings.spells(Identity, follows=True)
def identity(w: Writer, op: Identity, x: Tensor) -> str:
    """The value itself."""
    return w.name_of(x)


@spellings.spells(ExpandDims)
def expand_dims(w: Writer, op: ExpandDims, x: Tensor) -> str:
    """A node."""
    name: str = w.op("Unsqueeze", x, w.ints(op.axis))
    return name


@spellings.spells(Flatten)
def flatten(w: Writer, op: Flatten, x: Tensor) -> str:
    """A node, in the plain order of axes."""
    name: str = w.op("Flatten", x, axis=1)
    return name


@spellings.spells(Reshape)
def reshape(w: Writer, op: Reshape, x: Tensor) -> str:
    """The batch kept, other sizes as far as they are known."""
    dims = [t if d is None else d for t, d in zip(op.target_shape, w.type.shape[1:], strict=True)]
    if 0 in dims:
        return w.reshape(x, w.size(x, 0), *dims)
    return w.reshape(x, 0, *dims)


@spellings.spells(Transpose)
def transpose(w: Writer, op: Transpose, x: Tensor) -> View:
    """Nothing but another name for an order of axes that there is already."""
    axes = x.native
    return View(x.views[axes], tuple(op.axes.index(a) for a in axes))


@spellings.spells(Repeat)
def repeat(w: Writer, op: Repeat, x: Tensor) -> str:
    """A new axis, expanded."""
    wide = w.op("Unsqueeze", x, w.ints(1))
    name: str = w.op("Expand", wide, w.ints(1, op.n, 1))
    return name


def padded_as(dtype: str) -> str:
    """A dtype that runtimes pad, for one that some do not."""
    return {"bool": "uint8", "int16": "int32", "uint16": "int32"}.get(dtype, dtype)


def pads(ends: Sequence[tuple[int, int]], axes: Axes) -> list[int]:
    """``Pad``'s amounts for a value in an order of axes."""
    return [ends[a][0] for a in axes] + [ends[a][1] for a in axes]


def padded(w: Writer, x: Tensor, ends: Sequence[tuple[int, int]], value: Any = None,
           mode: str = "constant") -> View:  # fmt: skip
    """``Pad`` in the order of axes that the value has."""
    axes = x.native
    given: Any = x.views[axes]
    between = padded_as(x.dtype)
    given = w.cast(given, x.dtype, between)
    name = w.op("Pad", given, w.ints(*pads(ends, axes)), value, mode=mode)
    return View(w.cast(name, between, x.dtype), axes)


@spellings.spells(Pad)
def pad(w: Writer, op: Pad, x: Tensor) -> View:
    """Zeros around the spatial axes."""
    return padded(w, x, [(0, 0), *op.padding, (0, 0)])


@spellings.spells(Crop)
def crop(w: Writer, op: Crop, x: Tensor) -> View:
    """One ``Slice`` of all axes."""
    axes = x.native
    starts, ends, along = [], [], []
    for place, axis in enumerate(axes):
        if 0 < axis < x.rank - 1:
            before, behind = op.cropping[axis - 1]
            starts.append(before)
            ends.append(-behind if behind else np.iinfo(np.int64).max)
            along.append(place)
    name = w.op("Slice", x.views[axes], w.ints(*starts), w.ints(*ends), w.ints(*along))
    return View(name, axes)


@spellings.spells(Upsample)
def upsample(w: Writer, op: Upsample, x: Tensor) -> View:
    """A ``Resize`` by whole factors."""
    if op.interpolation != "nearest":
        size = [None if d is None else d for d in w.type.shape[1:-1]]
        return resized(w, x, size, op.interpolation, factors=op.size)
    axes = x.native
    factors = (1, *op.size, 1)
    scales = np.array([factors[a] for a in axes], np.float32)
    name = w.op(
        "Resize",
        x.views[axes],
        None,
        scales,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    return View(name, axes)


@spellings.spells(RepeatElements)
def repeat_elements(w: Writer, op: RepeatElements, x: Tensor) -> str:
    """Elements gathered, or an axis expanded and joined."""
    times = op.repeats if isinstance(op.repeats, tuple) else (op.repeats,)
    name: str
    if len(times) > 1:
        places = np.repeat(np.arange(len(times)), times).astype(np.int64)
        name = w.op("Gather", x, w.array(places), axis=op.axis)
        return name
    wide = w.op("Unsqueeze", x, w.ints(op.axis + 1))
    ones = [1] * (x.rank + 1)
    ones[op.axis + 1] = times[0]
    dims = [w.size(x, i) for i in range(x.rank)]
    dims[op.axis] = w.op("Mul", dims[op.axis], w.ints(times[0]))
    return w.reshape(w.op("Tile", wide, w.ints(*ones)), *dims)


@spellings.spells(NewShape)
def new_shape(w: Writer, op: NewShape, x: Tensor) -> str:
    """A node."""
    name: str = w.op("Reshape", x, w.ints(*op.shape), allowzero=1 if 0 in op.shape else None)
    return name


@spellings.spells(Squeeze)
def squeeze(w: Writer, op: Squeeze, x: Tensor) -> str:
    """A node; of all axes of size 1 where they are known only when it runs, as in Keras."""
    name: str
    if op.axis is None and None in x.type.shape:
        name = w.op("Squeeze", x)
        return name
    gone = squeezed_axes(op, x.type.shape)
    name = w.op("Squeeze", x, w.ints(*gone)) if gone else w.name_of(x)
    return name


@spellings.spells(BroadcastTo)
def broadcast_to(w: Writer, op: BroadcastTo, x: Tensor) -> str:
    """A node."""
    name: str = w.op("Expand", x, w.ints(*op.shape))
    return name


@spellings.spells(Tile)
def tile(w: Writer, op: Tile, x: Tensor) -> str:
    """A node, once there are as many axes as numbers."""
    missing = len(op.repeats) - x.rank
    given: Any = x
    if missing > 0:
        given = w.op("Unsqueeze", x, w.ints(*range(missing)))
    times = (1,) * max(-missing, 0) + op.repeats
    name: str = w.op("Tile", given, w.ints(*times))
    return name


@spellings.spells(PadAll)
def pad_all(w: Writer, op: PadAll, x: Tensor, value: Tensor | None = None) -> Any:
    """A node; a mirror that repeats the edge is gathered."""
    if op.mode == "symmetric":
        return _symmetric(w, op, x)
    if op.mode == "reflect":
        return padded(w, x, op.pad_width, mode="reflect")
    dtype = padded_as(x.dtype)
    number = w.number(op.value, dtype) if value is None else w.cast(value, value.dtype, dtype)
    return padded(w, x, op.pad_width, number)


def _symmetric(w: Writer, op: PadAll, x: Tensor) -> str:
    name = w.name_of(x)
    for axis, (size, ends) in enumerate(zip(x.type.shape, op.pad_width, strict=True)):
        if ends == (0, 0):
            continue
        if size is None:
            raise RefusedError("mode='symmetric' along an axis of unknown size")
        places = np.pad(np.arange(size), ends, mode="symmetric").astype(np.int64)
        name = w.op("Gather", name, w.array(places), axis=axis)
    return name


@spellings.spells(Rearrange)
def rearrange(w: Writer, op: Rearrange, x: Tensor) -> str:
    """Axes split, transposed, joined."""
    known = op.axes(x.type.shape)
    vectors: dict[str, int | str] = {}
    for axis, group in enumerate(op.source):
        for name in group:
            size = known[name]
            if size is None:
                rest = int(np.prod([known[n] or 1 for n in group]))
                whole = w.size(x, axis)
                vectors[name] = whole if rest == 1 else w.op("Div", whole, w.ints(rest))
            else:
                vectors[name] = size
    names = [n for group in op.source for n in group]
    split = w.reshape(x, *(vectors[n] for n in names)) if names else w.name_of(x)
    order = [names.index(n) for group in op.target for n in group]
    turned = split if order == sorted(order) else w.op("Transpose", split, perm=order)
    joined = [_product(w, [vectors[n] for n in group]) for group in op.target]
    return w.reshape(turned, *joined)


def _product(w: Writer, dims: Sequence[int | str]) -> int | str:
    known = int(np.prod([d for d in dims if isinstance(d, int)], dtype=np.int64))
    vectors = [d for d in dims if isinstance(d, str)]
    if not vectors:
        return known
    total = vectors[0] if known == 1 else w.op("Mul", vectors[0], w.ints(known))
    for other in vectors[1:]:
        total = w.op("Mul", total, other)
    return total


@spellings.spells(Size)
def size(w: Writer, op: Size, x: Tensor) -> str:
    """A node, whose result is int64."""
    return w.cast(w.op("Size", x), "int64", "int32")


spellings.refuses(ViewAs, "it has no operator that reads bytes as another dtype")
