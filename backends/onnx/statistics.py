"""What is known of many values; ONNX counts nothing, but compares."""

from __future__ import annotations

from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops import statistics
from layergraph.ir.ops.statistics import SearchSorted
from layergraph.ir.types import promote

spellings = Spellings()


@spellings.spells(SearchSorted)
def search_sorted(w: Writer, op: SearchSorted, sequence: Tensor, values: Tensor) -> str:
    """Elements before each value, counted."""
    if sequence.rank != 1:
        raise RefusedError("it searches in a vector only")
    dtype = promote(sequence.dtype, values.dtype)
    given = w.op("Unsqueeze", w.as_dtype(values, dtype), w.ints(values.rank))
    kind = "Greater" if op.side == "left" else "GreaterOrEqual"
    before = w.op(kind, given, w.as_dtype(sequence, dtype))
    return w.reduce("ReduceSum", w.cast(before, "bool", "int32"), [values.rank], False)


for _name, _reason in {
    "Quantile": "it has no quantiles",
    "Histogram": "it has no histogram",
    "Bincount": "it has no counts of a length that depends on the values",
    "Corrcoef": "it has no correlation",
    "Correlate": "it has no correlation",
    "Unique": "its Unique has other orders of equal elements",
}.items():
    spellings.refuses(getattr(statistics, _name), _reason)
