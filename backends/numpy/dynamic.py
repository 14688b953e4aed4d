"""Shapes and places that are known only when the model runs."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.indexing import slice_
from layergraph.backends.numpy.shape import pad_all
from layergraph.backends.numpy.table import Kernels
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
    filled,
    slice_of,
)
from layergraph.ir.ops.shape import PadAll
from layergraph.ir.types import Array

kernels = Kernels()


def _ints(numbers: tuple[Array, ...]) -> list[int]:
    return [int(n) for n in numbers]


@kernels.computes(ShapeOf)
def shape_of(op: ShapeOf, x: Array) -> Array:
    """The array's own."""
    return np.array(x.shape, op.dtype)


@kernels.computes(DynamicReshape)
def dynamic_reshape(op: DynamicReshape, x: Array, *numbers: Array) -> Array:
    """A view where the memory order allows."""
    return x.reshape(filled(op.shape, _ints(numbers)))


@kernels.computes(DynamicBroadcast)
def dynamic_broadcast(op: DynamicBroadcast, x: Array, *numbers: Array) -> Array:
    """A copy, so that the result may be written to."""
    return np.array(np.broadcast_to(x, filled(op.shape, _ints(numbers))))


@kernels.computes(DynamicTile)
def dynamic_tile(op: DynamicTile, x: Array, *numbers: Array) -> Array:
    """One copy."""
    return np.tile(x, filled(op.repeats, _ints(numbers)))


@kernels.computes(StridedSlice)
def strided_slice(op: StridedSlice, x: Array, *numbers: Array) -> Array:
    """A view."""
    return np.asarray(slice_(slice_of(op, _ints(numbers)), x))


@kernels.computes(DynamicPad)
def dynamic_pad(op: DynamicPad, x: Array, *numbers: Array) -> Array:
    """As ``PadAll``."""
    width = filled(op.pad_width, _ints(numbers))
    pairs = tuple(zip(width[::2], width[1::2], strict=True))
    return np.asarray(pad_all(PadAll(pad_width=pairs, mode=op.mode, value=op.value), x))


@kernels.computes(Range)
def range_(op: Range, start: Array, stop: Array, step: Array) -> Array:
    """NumPy's own."""
    return np.asarray(np.arange(start.item(), stop.item(), step.item(), dtype=start.dtype))


@kernels.computes(Places)
def places(op: Places, x: Array) -> Array:
    """NumPy's own."""
    return np.argwhere(x).astype("int64", copy=False)


@kernels.computes(Choose)
def choose(op: Choose, x: Array, mask: Array) -> Array:
    """One copy."""
    return np.asarray(x[(slice(None),) * op.axis + (mask,)])
