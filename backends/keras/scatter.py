"""Writing to computed places and adding up by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import (
    Item,
    as_dtype,
    as_tensor,
    f,
    known_size,
    reshaped,
    type_in,
    write,
)
from layergraph.backends.keras.writer import Operand, Writer
from layergraph.ir.ops.scatter import DynamicSlice, Scatter, ScatterUpdate, Segment, SliceUpdate
from layergraph.ir.types import TensorType

spellings = Spellings()


@spellings.spells(Scatter)
def scatter(w: Writer, op: Scatter, indices: Operand, values: Operand) -> Any:
    """An operation."""
    if w.keras3:
        return w.op("Scatter", indices, values, shape=list(op.shape))
    return w.tf("scatter_nd", indices, updates=_values(w, values, indices), shape=list(op.shape))


def _values(w: Writer, values: Operand, source: Operand) -> Operand:
    return as_tensor(w, values, source) if isinstance(source, Tensor) else values


@spellings.spells(ScatterUpdate)
def scatter_update(
    w: Writer, op: ScatterUpdate, x: Operand, indices: Operand, updates: Operand
) -> Any:
    """An operation; TensorFlow multiplies nothing into places."""
    kind = None if op.reduction == "replace" else op.reduction
    if w.keras3:
        return w.op("ScatterUpdate", x, indices, updates, reduction=kind)
    if kind == "mul":
        raise RefusedError("TensorFlow has no function that multiplies values into places")
    source = next(v for v in (x, indices, updates) if isinstance(v, Tensor))
    given = as_tensor(w, x, source)
    values = as_dtype(w, updates, given.dtype)
    return w.tf(f"tensor_scatter_nd_{kind or 'update'}", given, indices=indices, updates=values)


@spellings.spells(DynamicSlice)
def dynamic_slice(w: Writer, op: DynamicSlice, x: Operand, start: Operand) -> Any:
    """An operation."""
    if w.keras3:
        return w.op("Slice", x, start, shape=list(op.size))
    w.spelled_out()
    given = as_tensor(w, x, w.tensor(start)) if not isinstance(x, Tensor) else x
    return w.tf("slice", given, begin=start, size=list(op.size))


@spellings.spells(SliceUpdate)
def slice_update(w: Writer, op: SliceUpdate, x: Operand, start: Operand, updates: Operand) -> Any:
    """An operation; in TensorFlow the places of a block, moved so far that it fits."""
    if w.keras3:
        return w.op("SliceUpdate", x, start, updates)
    source = next(v for v in (x, start, updates) if isinstance(v, Tensor))
    given, block = as_tensor(w, x, source), as_dtype(w, updates, type_in(x).dtype)
    sizes = [known_size(n, "the size of the block") for n in type_in(updates).shape]
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in sizes), indexing="ij"), -1)
    grid = grid.reshape(-1, len(sizes)).astype("int32")
    vector, places = TensorType((len(sizes),), "int32"), TensorType(grid.shape, "int32")
    full = f("shape", given, types=vector)
    room = f("math.subtract", full, np.asarray(sizes, "int32"), types=vector)
    begin = as_dtype(w, as_tensor(w, start, source), "int32")
    first = f("math.maximum", f("math.minimum", begin, room, types=vector), 0, types=vector)
    indices = f("math.add", first, grid, types=places)
    flat: Any = block.reshape(-1) if not isinstance(block, Tensor) else reshaped(w, block, [-1])
    return write(w, f("tensor_scatter_nd_update", given, indices=indices, updates=flat))


@spellings.spells(Segment)
def segment(
    w: Writer, op: Segment, data: Operand, ids: Operand, number: Operand | None = None
) -> Any:
    """An operation; TensorFlow wants the number of segments that are in no order."""
    if w.keras3:
        if isinstance(number, Tensor):
            raise RefusedError("the number of segments is computed when the model runs")
        count = op.count if number is None else int(number)
        name = f"Segment{op.kind.capitalize()}"
        return w.op(name, data, ids, num_segments=count, sorted=op.sorted)
    source = next(v for v in (data, ids, number) if isinstance(v, Tensor))
    given = as_tensor(w, data, source)
    if op.sorted and op.count is None:
        return w.tf(f"math.segment_{op.kind}", given, segment_ids=ids)
    if op.sorted and op.kind in ("max", "min"):
        raise RefusedError("of sorted segments a number of them is given, which TensorFlow finds")
    count_2: Any = op.count if op.count is not None else number
    if count_2 is None:
        count_2 = _counted(op, ids)
    name = f"math.unsorted_segment_{op.kind}"
    return write(w, f(name, given, segment_ids=ids, num_segments=count_2))


def _counted(op: Segment, ids: Operand) -> Any:
    """How many segments Keras 3 makes on TensorFlow where no number of them is given."""
    if not isinstance(ids, Tensor):
        return len(np.unique(ids)) if op.kind == "sum" else int(ids.max(initial=-1)) + 1
    if op.kind == "sum":
        different = Item(f("unique", ids, count=2), 0)
        return f("size", different, types=TensorType((), "int32"))
    number = TensorType((), ids.dtype)
    most = f("math.reduce_max", ids, types=number)
    return f("math.add", most, 1, types=number)
