"""Numbers in regular order; of constants they are computed when the file is written."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.onnx.reduction import commonly
from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.creation import Linspace, Meshgrid, Vander

spellings = Spellings()


@spellings.spells(Linspace)
def linspace(w: Writer, op: Linspace, start: Tensor, stop: Tensor) -> Any:
    """Equal steps from a computed start to a computed stop."""
    if op.spacing != "linear" or op.step:
        raise RefusedError(f"{op.spacing} spacing between computed ends")
    parts = max(op.num - 1 if op.endpoint else op.num, 1)
    dtype = w.type.dtype if w.type.is_float else "float32"
    axis = op.axis % w.type.rank
    a, b = (
        w.op("Unsqueeze", w.op("Expand", w.as_dtype(x, dtype), _shape(w, start, stop)),
             w.ints(axis))
        for x in (start, stop)
    )  # fmt: skip
    sizes = [1] * w.type.rank
    sizes[axis] = op.num
    at = (np.arange(op.num) / parts).reshape(sizes).astype(dtype)
    apart = w.op("Mul", w.op("Sub", b, a), w.array(at, "places"))
    return w.cast(w.op("Add", a, apart), dtype, w.type.dtype)


def _shape(w: Writer, start: Tensor, stop: Tensor) -> str:
    name: str = w.op("Shape", w.op("Add", start, w.as_dtype(stop, start.dtype)))
    return name


@spellings.spells(Meshgrid)
def meshgrid(w: Writer, op: Meshgrid, *values: Tensor) -> Any:
    """Each value along its axis, expanded."""
    count = len(values)
    places = list(range(count))
    if op.indexing == "xy":
        places[:2] = places[1::-1]
    flat = [w.reshape(v, -1) for v in values]
    sizes: list[str] = [""] * count
    for name, place in zip(flat, places, strict=True):
        sizes[place] = w.op("Shape", name)
    shape = w.op("Concat", *sizes, axis=0)
    return tuple(
        w.op("Expand", w.reshape(n, *(-1 if i == p else 1 for i in range(count))), shape)
        for n, p in zip(flat, places, strict=True)
    )


@spellings.spells(Vander)
def vander(w: Writer, op: Vander, x: Tensor) -> str:
    """Powers by number."""
    count = w.type.shape[1]
    if count is None:
        raise RefusedError("as many powers as there are elements, which are not known")
    powers = np.arange(count) if op.increasing else np.arange(count)[::-1]
    dtype = commonly(w.type.dtype)
    column = w.op("Unsqueeze", w.as_dtype(x, dtype), w.ints(1))
    name = w.op("Pow", column, w.array(powers.astype(dtype), "powers"))
    return w.cast(name, dtype, w.type.dtype)
