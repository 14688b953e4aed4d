"""Turning numbers into categories, and categories into vectors."""

from __future__ import annotations

import numpy as np

from layergraph.backends.onnx.table import Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.preprocessing import CountCategories, Digitize

spellings = Spellings()


@spellings.spells(Digitize)
def digitize(w: Writer, op: Digitize, x: Tensor) -> str:
    """Boundaries that are not above each element, counted."""
    dtype = "float64" if x.dtype == "float64" else "float32"
    boundaries = np.asarray(op.boundaries, np.float32).astype(dtype)
    given = w.op("Unsqueeze", w.as_dtype(x, dtype), w.ints(x.rank))
    reached = w.op("GreaterOrEqual", given, w.array(boundaries, "boundaries"))
    count = w.reduce("ReduceSum", w.cast(reached, "bool", "int32"), [x.rank], False)
    return w.cast(count, "int32", op.dtype)


@spellings.spells(CountCategories)
def count_categories(
    w: Writer, op: CountCategories, x: Tensor, weights: Tensor | None = None
) -> str:
    """A comparison with each category, summed; numbers outside count nowhere.

    What Keras refuses, a number outside, cannot be refused here.
    """
    axis = op.axis % x.rank
    given = w.op("Unsqueeze", w.as_dtype(x, "int64"), w.ints(x.rank))
    categories = np.arange(op.depth, dtype=np.int64)
    hit = w.cast(w.op("Equal", given, w.array(categories)), "bool", "float32")
    if weights is not None and not op.binary:
        weighed = w.op("Unsqueeze", w.as_dtype(weights, "float32"), w.ints(x.rank))
        hit = w.op("Mul", hit, weighed)
    kind = "ReduceMax" if op.binary else "ReduceSum"
    return w.cast(w.reduce(kind, hit, [axis], False), "float32", op.dtype)
