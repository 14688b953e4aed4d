"""Writing to computed places: rows sorted by place, then combined in one call."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.errors import InputError
from layergraph.ir.ops.scatter import DynamicSlice, Scatter, ScatterUpdate, Segment, SliceUpdate
from layergraph.ir.types import Array

kernels = Kernels()

COMBINE: dict[str, Any] = {
    "add": np.add,
    "sum": np.add,
    "mul": np.multiply,
    "prod": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
}


def _combine(kind: str, y: Array, places: Array, rows: Array) -> None:
    """Combine rows into those of ``y`` whose numbers they bear."""
    if not len(places):
        return
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    found = COMBINE[kind].reduceat(rows[order], starts, axis=0, dtype=y.dtype)
    target = ordered[starts]
    y[target] = COMBINE[kind](y[target], found)


def _rows(shape: tuple[int, ...], indices: Array) -> Array:
    """Indices into leading axes as numbers of rows."""
    sizes = shape[: indices.shape[-1]]
    if ((indices < 0) | (indices >= np.array(sizes))).any():
        raise InputError(f"an index lies outside of the shape {shape} it writes to")
    rows: Array = np.ravel_multi_index(tuple(np.moveaxis(indices, -1, 0)), sizes)
    return rows.reshape(-1)


@kernels.computes(Scatter)
def scatter(op: Scatter, indices: Array, values: Array) -> Array:
    """Places as rows of a flat array."""
    inner = op.shape[indices.shape[-1] :]
    y = np.zeros((prod(op.shape[: indices.shape[-1]]), *inner), values.dtype)
    _combine("add", y, _rows(op.shape, indices), values.reshape(-1, *inner))
    return y.reshape(op.shape)


@kernels.computes(ScatterUpdate)
def scatter_update(op: ScatterUpdate, x: Array, indices: Array, updates: Array) -> Array:
    """Places as rows of a flat copy."""
    depth = indices.shape[-1]
    y = np.array(x, order="C").reshape(prod(x.shape[:depth]), *x.shape[depth:])
    places, rows = _rows(x.shape, indices), updates.reshape(-1, *x.shape[depth:])
    if op.reduction == "replace":
        y[places] = rows
    else:
        _combine(op.reduction, y, places, rows)
    return y.reshape(x.shape)


@kernels.computes(DynamicSlice)
def dynamic_slice(op: DynamicSlice, x: Array, start: Array) -> Array:
    """One copy."""
    parts = []
    for size, first, wanted in zip(x.shape, start.tolist(), op.size, strict=True):
        last = size if wanted == -1 else first + wanted
        if not 0 <= first <= last <= size:
            raise InputError(f"a slice from {first} to {last} lies outside of {size} elements")
        parts.append(slice(first, last))
    return x[tuple(parts)].copy()


@kernels.computes(SliceUpdate)
def slice_update(op: SliceUpdate, x: Array, start: Array, updates: Array) -> Array:
    """One copy, then the block."""
    y = x.copy()
    firsts = [
        min(max(first, 0), size - block)
        for size, first, block in zip(x.shape, start.tolist(), updates.shape, strict=True)
    ]
    y[tuple(slice(f, f + n) for f, n in zip(firsts, updates.shape, strict=True))] = updates
    return y


@kernels.computes(Segment)
def segment(op: Segment, data: Array, ids: Array, number: Array | None = None) -> Array:
    """Rows of a number follow each other once sorted."""
    count = op.count if number is None else max(int(number), 0)
    if count is None and op.kind == "sum" and not op.sorted:
        count = len(np.unique(ids))
    elif count is None:
        count = int(ids.max(initial=-1)) + 1
    if (ids >= count).any():
        raise InputError(f"segment {ids.max()} is not one of {count}")
    y = np.full((count, *data.shape[1:]), _neutral(op.kind, data.dtype), data.dtype)
    kept = ids >= 0
    _combine(op.kind, y, ids[kept], data[kept])
    if op.sorted and op.count is None and number is None and op.kind in ("max", "min"):
        y[np.bincount(ids[kept], minlength=count) == 0] = 0
    return y


def _neutral(kind: str, dtype: Any) -> Any:
    if kind in ("sum", "prod"):
        return int(kind == "prod")
    limits: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return limits.min if kind == "max" else limits.max
