"""Writing to computed places and adding up by number."""

from __future__ import annotations

import numpy as np

from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.scatter import DynamicSlice, Scatter, ScatterUpdate, Segment, SliceUpdate

spellings = Spellings()

REDUCTIONS = {"replace": "none", "add": "add", "sum": "add", "mul": "mul", "prod": "mul",
              "max": "max", "min": "min"}  # fmt: skip


def written(w: Writer, x: str, indices: str, updates: str, kind: str) -> str:
    """``ScatterND``, which knows extremes from opset 18 on."""
    reduction = REDUCTIONS[kind]
    if reduction in ("max", "min") and w.opset < 18:
        raise RefusedError(
            f"opset {w.opset} has no {reduction} of scattered values", "use --opset 18"
        )
    name: str = w.op("ScatterND", x, indices, updates, reduction=reduction)
    return name


@spellings.spells(Scatter)
def scatter(w: Writer, op: Scatter, indices: Tensor, values: Tensor) -> str:
    """Added to zeros."""
    zeros = w.op("Expand", w.number(0, values.dtype), w.ints(*op.shape))
    places = w.name_of(w.as_dtype(indices, "int64"))
    return written(w, zeros, places, w.name_of(values), "add")


@spellings.spells(ScatterUpdate)
def scatter_update(
    w: Writer, op: ScatterUpdate, x: Tensor, indices: Tensor, updates: Tensor
) -> str:
    """A node."""
    places = w.name_of(w.as_dtype(indices, "int64"))
    new = w.name_of(w.as_dtype(updates, x.dtype))
    return written(w, w.name_of(x), places, new, op.reduction)


@spellings.spells(DynamicSlice)
def dynamic_slice(w: Writer, op: DynamicSlice, x: Tensor, start: Tensor) -> str:
    """A node, its ends computed."""
    first = w.name_of(w.as_dtype(start, "int64"))
    last = np.iinfo(np.int64).max
    counted = w.op("Add", first, w.ints(*(max(n, 0) for n in op.size)))
    whole = w.array(np.array([n == -1 for n in op.size]))
    ends = w.op("Where", whole, np.int64(last), counted)
    name: str = w.op("Slice", x, first, ends)
    return name


@spellings.spells(Segment)
def segment(w: Writer, op: Segment, data: Tensor, ids: Tensor, count: Tensor | None = None) -> str:
    """Rows scattered; those that count nowhere into a row that is cut off."""
    if op.count is None:
        raise RefusedError("as many segments as the numbers say", "say num_segments")
    places = w.as_dtype(ids, "int64")
    below = w.op("Less", places, np.int64(0))
    rows = w.op("Unsqueeze", w.op("Where", below, np.int64(op.count), places), w.ints(1))
    if op.kind in ("sum", "prod"):
        neutral: float = int(op.kind == "prod")
    else:
        kind = np.dtype(data.dtype)
        info = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
        neutral = info.min if op.kind == "max" else info.max
    rest = [w.size(data, i) for i in range(1, data.rank)]
    begin = w.op("Expand", w.number(neutral, data.dtype), w.sizes(op.count + 1, *rest))
    return w.part(written(w, begin, rows, w.name_of(data), op.kind), 0, 0, op.count)


spellings.refuses(SliceUpdate, "it has no block written at a computed place")
