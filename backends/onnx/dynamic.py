"""Shapes and places that are known only when the model runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layergraph.backends.onnx.elementwise import truth
from layergraph.backends.onnx.indexing import sliced
from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
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
)

spellings = Spellings()


def vectors(w: Writer, numbers: Sequence[Tensor]) -> list[str]:
    """Numbers without axes as vectors of one int64."""
    return [w.reshape(w.name_of(w.as_dtype(n, "int64")), 1) for n in numbers]


def known(w: Writer, dims: Sequence[int | None], numbers: Sequence[Tensor]) -> str:
    """Known numbers and those that inputs hold, as a vector."""
    whole: tuple[Any, ...] = filled(dims, vectors(w, numbers))
    return w.sizes(*whole)


@spellings.spells(ShapeOf)
def shape_of(w: Writer, op: ShapeOf, x: Tensor) -> str:
    """A node, whose result is int64."""
    return w.cast(w.op("Shape", x), "int64", op.dtype)


@spellings.spells(DynamicReshape)
def dynamic_reshape(w: Writer, op: DynamicReshape, x: Tensor, *numbers: Tensor) -> str:
    """A node."""
    name: str = w.op("Reshape", x, known(w, op.shape, numbers), allowzero=1)
    return name


@spellings.spells(DynamicBroadcast)
def dynamic_broadcast(w: Writer, op: DynamicBroadcast, x: Tensor, *numbers: Tensor) -> str:
    """A node."""
    name: str = w.op("Expand", x, known(w, op.shape, numbers))
    return name


@spellings.spells(DynamicTile)
def dynamic_tile(w: Writer, op: DynamicTile, x: Tensor, *numbers: Tensor) -> str:
    """A node."""
    name: str = w.op("Tile", x, known(w, op.repeats, numbers))
    return name


@spellings.spells(StridedSlice)
def strided_slice(w: Writer, op: StridedSlice, x: Tensor, *numbers: Tensor) -> str:
    """A node, its ends computed."""
    rest = iter(vectors(w, numbers))

    def put(entry: Any) -> Any:
        return (
            tuple(put(e) for e in entry)
            if isinstance(entry, tuple)
            else (next(rest) if entry == "?" else entry)
        )

    key = [put(entry) for entry in op.key]
    if any(isinstance(e, tuple) and isinstance(e[-1], str) and len(e) == 3 for e in key):
        raise RefusedError("a slice whose step is computed")
    return sliced(w, key, x)


@spellings.spells(DynamicPad)
def dynamic_pad(w: Writer, op: DynamicPad, x: Tensor, *numbers: Tensor) -> str:
    """A node."""
    if op.mode == "symmetric" or x.dtype == "bool":
        raise RefusedError(f"mode={op.mode!r} of {x.dtype} by computed amounts")
    whole: tuple[Any, ...] = filled(op.pad_width, vectors(w, numbers))
    ends = w.sizes(*whole[::2], *whole[1::2])
    value = w.number(op.value, x.dtype) if op.mode == "constant" else None
    name: str = w.op("Pad", x, ends, value, mode=op.mode)
    return name


@spellings.spells(Range)
def range_(w: Writer, op: Range, start: Tensor, stop: Tensor, step: Tensor) -> str:
    """A node."""
    name: str = w.op("Range", start, stop, step)
    return name


@spellings.spells(Places)
def places(w: Writer, op: Places, x: Tensor) -> str:
    """A node, turned."""
    name: str = w.op("Transpose", w.op("NonZero", truth(w, x)), perm=[1, 0])
    return name


@spellings.spells(Choose)
def choose(w: Writer, op: Choose, x: Tensor, mask: Tensor) -> str:
    """``Compress`` along the joined axes."""
    given, kept = w.name_of(x), truth(w, mask)
    if mask.rank > 1:
        shape = w.op("Shape", x)
        lead = w.op("Slice", shape, w.ints(0), w.ints(op.axis))
        rest = w.op("Slice", shape, w.ints(op.axis + mask.rank), w.ints(x.rank))
        given = w.op("Reshape", x, w.op("Concat", lead, w.ints(-1), rest, axis=0))
        kept = w.reshape(kept, -1)
    name: str = w.op("Compress", given, kept, axis=op.axis)
    return name
