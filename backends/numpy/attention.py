"""Scores, masks and softmax of attention."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.activation import softmax
from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.activation import Softmax
from layergraph.ir.ops.attention import AdditiveScores, BandMask, MaskedSoftmax
from layergraph.ir.types import Array

kernels = Kernels()

LARGE = {"float16": 65504.0, "float32": 1e9, "float64": 1e9}


@kernels.computes(AdditiveScores)
def additive_scores(
    op: AdditiveScores,
    query: Array,
    key: Array,
    *,
    scale: Array | None = None,
    weight: Array | None = None,
) -> Array:
    """Every pair at once."""
    pairs = query[..., :, None, :] + key[..., None, :, :]
    if scale is not None:
        pairs *= scale
    np.tanh(pairs, out=pairs)
    if weight is not None:
        pairs *= weight
    return np.asarray(pairs.sum(axis=-1))


@kernels.computes(BandMask)
def band_mask(op: BandMask, query: Array, value: Array) -> Array:
    """A comparison of row and column numbers."""
    rows, columns = np.arange(query.shape[1])[:, None], np.arange(value.shape[1])
    kept = rows >= columns if op.causal else np.ones((len(rows), len(columns)), bool)
    if op.window is not None:
        kept = kept & (np.abs(rows - columns) < op.window)
    return np.asarray(kept[None])


@kernels.computes(MaskedSoftmax)
def masked_softmax(op: MaskedSoftmax, x: Array, mask: Array) -> Array:
    """The mask is applied before, and for ``zero`` after."""
    if op.masking == "add":
        y = np.where(mask, x, x - x.dtype.type(LARGE[x.dtype.name]))
    else:
        y = np.where(mask, x, np.finfo(x.dtype).min / x.dtype.type(2))
    if y.size:
        softmax(Softmax(axis=op.axis), y, y)
    if op.masking == "zero":
        y *= mask
    return np.asarray(y)
