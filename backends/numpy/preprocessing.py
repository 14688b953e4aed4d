"""Turning numbers into categories, and categories into vectors."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.ir.errors import InputError
from layergraph.ir.ops.preprocessing import CountCategories, Digitize
from layergraph.ir.types import Array

kernels = Kernels()


@kernels.prepares(Digitize)
def digitize(op: Digitize) -> Kernel:
    """A binary search; boundaries are float32, as TensorFlow holds them."""
    boundaries = np.asarray(op.boundaries, np.float32)

    def run(x: Array) -> Array:
        # C++ compares a whole number with a float as floats, a double as doubles.
        dtype = np.float64 if x.dtype == np.float64 else np.float32
        places = np.searchsorted(boundaries.astype(dtype), x.astype(dtype), side="right")
        return places.astype(op.dtype)

    return run


@kernels.computes(CountCategories)
def count_categories(op: CountCategories, x: Array, weights: Array | None = None) -> Array:
    """All rows at once: a category of a row is one place of the flat result."""
    whole = np.moveaxis(x, op.axis, -1).astype(np.int64, copy=False)
    rows = whole.reshape(-1, whole.shape[-1]) if whole.size else np.empty((0, 0), np.int64)
    kept = (rows >= 0) & (rows < op.depth)
    _check(op, rows, kept)
    places = (rows + np.arange(len(rows))[:, None] * op.depth)[kept]
    shape = (*whole.shape[:-1], op.depth)
    size = int(np.prod(shape))
    if op.binary:
        y = np.zeros(size, op.dtype)
        y[places] = 1
        return y.reshape(shape)
    counted = None
    if weights is not None:
        counted = np.moveaxis(weights, op.axis, -1).reshape(rows.shape)[kept]
    return np.bincount(places, counted, minlength=size).astype(op.dtype).reshape(shape)


def _check(op: CountCategories, rows: Array, kept: Array) -> None:
    if op.refuses == "nothing" or kept.all():
        return
    refused = rows[~kept] if op.refuses == "outside" else rows[rows < 0]
    if refused.size:
        raise InputError(
            f"its input holds {refused[0]}; categories are numbered from 0 to {op.depth - 1}"
        )
