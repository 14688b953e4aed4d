"""Scores, masks and softmax of attention."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.attention import LARGE
from layergraph.backends.onnx.activation import softmax_of
from layergraph.backends.onnx.table import Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.attention import AdditiveScores, BandMask, MaskedSoftmax
from layergraph.ir.types import Array

spellings = Spellings()


@spellings.spells(AdditiveScores)
def additive_scores(
    w: Writer,
    op: AdditiveScores,
    query: Tensor,
    key: Tensor,
    *,
    scale: Array | None = None,
    weight: Array | None = None,
) -> str:
    """Every pair at once."""
    pairs = w.op("Add", w.op("Unsqueeze", query, w.ints(-2)), w.op("Unsqueeze", key, w.ints(-3)))
    if scale is not None:
        pairs = w.op("Mul", pairs, w.param("scale", scale))
    pairs = w.op("Tanh", pairs)
    if weight is not None:
        pairs = w.op("Mul", pairs, w.param("weight", weight))
    return w.reduce("ReduceSum", pairs, [w.type.rank], False)


@spellings.spells(BandMask)
def band_mask(w: Writer, op: BandMask, query: Tensor, value: Tensor) -> str:
    """A comparison of row and column numbers."""
    numbers = []
    for x, axis in ((query, 2), (value, 1)):
        size = w.op("Squeeze", w.size(x, 1))
        line = w.op("Range", np.int64(0), size, np.int64(1))
        numbers.append(w.op("Unsqueeze", line, w.ints(0, axis)))
    rows, columns = numbers
    apart = w.op("Sub", rows, columns)
    kept = w.op("GreaterOrEqual", apart, np.int64(0)) if op.causal else None
    if op.window is not None:
        near = w.op("Less", w.op("Abs", apart), np.int64(op.window))
        kept = near if kept is None else w.op("And", kept, near)
    if kept is None:
        kept = w.op("Equal", apart, apart)
    return kept  # type: ignore[no-any-return]


@spellings.spells(MaskedSoftmax)
def masked_softmax(w: Writer, op: MaskedSoftmax, x: Tensor, mask: Tensor) -> str:
    """The mask is applied before, and for ``zero`` after."""
    if op.masking == "add":
        masked = w.op("Sub", x, w.number(LARGE[x.dtype], x.dtype))
    else:
        masked = w.number(float(np.finfo(x.dtype).min) / 2, x.dtype)
    name = softmax_of(w, w.op("Where", mask, x, masked), op.axis)
    if op.masking == "zero":
        name = w.op("Mul", name, w.cast(mask, "bool", x.dtype))
    return name
