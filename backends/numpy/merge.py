"""Combining several values into one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from layergraph.backends.numpy.scratch import empty
from layergraph.backends.numpy.table import Kernels
from layergraph.backends.numpy.threads import STRETCH, over_rows
from layergraph.ir.ops.merge import (
    Concatenate,
    Dot,
    Fill,
    Logical,
    Matmul,
    Merge,
    MergeKind,
    Replace,
    Stack,
)
from layergraph.ir.types import Array, dtype_name, joined, numpy_dtype, promote, type_of

kernels = Kernels()


def _average(values: tuple[Array, ...]) -> Array:
    """Whole numbers are divided as TensorFlow does, small ones in float32."""
    total: Array = reduce(np.add, values)
    if total.dtype.kind not in "fcV":
        total = total.astype("float32" if total.dtype.itemsize < 4 else "float64")
    return np.asarray(total / total.dtype.type(len(values)))


MERGES: dict[MergeKind, Callable[[tuple[Array, ...]], Array]] = {
    "add": lambda values: reduce(np.add, values),
    "subtract": lambda values: reduce(np.subtract, values),
    "multiply": lambda values: reduce(np.multiply, values),
    "average": _average,
    "maximum": lambda values: reduce(np.maximum, values),
    "minimum": lambda values: reduce(np.minimum, values),
}


@kernels.computes(Merge)
def merge(op: Merge, *values: Array) -> Array:
    """The table row of the operator's kind, in the common dtype."""
    dtype = promote(*(v.dtype.name for v in values))
    if any(v.dtype != dtype for v in values):
        values = tuple(v.astype(dtype, copy=False) for v in values)
    function = FUNCTIONS.get(op.kind)
    if function is None or values[0].dtype == bool or len(values) < 2:
        return MERGES[op.kind](values)
    return _merged(function, values)


FUNCTIONS: dict[MergeKind, Any] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "maximum": np.maximum,
    "minimum": np.minimum,
}


def _merged(function: Any, values: tuple[Array, ...]) -> Array:
    """Two at a time into one result; some elements at a time where all have one shape."""
    shape = np.broadcast_shapes(*(v.shape for v in values))
    y = empty(shape, values[0].dtype)

    def combine(given: Sequence[Array], out: Array) -> None:
        function(given[0], given[1], out=out)
        for other in given[2:]:
            function(out, other, out=out)

    if y.size > STRETCH and all(v.shape == shape and v.flags.c_contiguous for v in values):
        flat, result = [v.reshape(-1) for v in values], y.reshape(-1)
        over_rows(lambda t: combine([v[t] for v in flat], result[t]), y.size, 1, 0.5)
    elif shape and all(v.ndim == len(shape) for v in values):
        # Of what is one row for all, all parts get that row.
        def rows(t: slice) -> None:
            combine([v[t] if len(v) == len(y) else v for v in values], y[t])

        over_rows(rows, len(y), prod(shape[1:]), 0.5)
    else:
        combine(values, y)
    return y


@kernels.computes(Concatenate)
def concatenate(op: Concatenate, *values: Array) -> Array:
    """One copy of each."""
    dtype = joined(*(dtype_name(v.dtype) for v in values))
    axis = op.axis % values[0].ndim
    shape = list(values[0].shape)
    shape[axis] = sum(v.shape[axis] for v in values)
    y = empty(tuple(shape), numpy_dtype(dtype))
    if not axis or y.size <= STRETCH:
        return np.concatenate(values, axis=axis, out=y)
    # Axes before the one joined as one, so that their rows can be copied some at a time.
    rows, behind = prod(shape[:axis]), shape[axis + 1 :]
    parts = [v.reshape(rows, v.shape[axis], *behind) for v in values]
    whole = y.reshape(rows, shape[axis], *behind)

    def some(t: slice) -> None:
        np.concatenate([p[t] for p in parts], axis=1, out=whole[t])

    over_rows(some, rows, prod(shape[axis:]), 0.3)
    return y


@kernels.computes(Logical)
def logical(op: Logical, *values: Array) -> Array:
    """All or any."""
    return reduce(np.logical_and if op.kind == "and" else np.logical_or, values)


@kernels.computes(Fill)
def fill(op: Fill, x: Array) -> Array:
    """One value throughout."""
    return np.full(x.shape, op.value, op.dtype)


@kernels.computes(Replace)
def replace(op: Replace, x: Array, mask: Array) -> Array:
    """A choice element by element."""
    return np.where(mask, x, x.dtype.type(op.value))


@kernels.computes(Dot)
def dot(op: Dot, x1: Array, x2: Array) -> Array:
    """One batched matrix product."""
    if op.normalize:
        x1, x2 = unit_length(x1, (op.axes[0],)), unit_length(x2, (op.axes[1],))
    a, b = np.moveaxis(x1, op.axes[0], -1), np.moveaxis(x2, op.axes[1], 1)
    size = a.shape[-1]
    rows, columns = prod(a.shape[1:-1]), prod(b.shape[2:])
    y = np.matmul(a.reshape(len(a), rows, size), b.reshape(len(b), size, columns))
    return np.asarray(y).reshape(len(y), *((*a.shape[1:-1], *b.shape[2:]) or (1,)))


def unit_length(x: Array, axes: tuple[int, ...]) -> Array:
    """Divided by the root of the sum of squares, which counts as at least 1e-12.

    Source: keras/src/backend/tensorflow/nn.py ``normalize``, Keras 3.15;
    tf.linalg.l2_normalize.
    """
    squares = np.square(x).sum(axis=axes, keepdims=True)
    return np.asarray(x / np.sqrt(np.maximum(squares, x.dtype.type(1e-12))))


@kernels.computes(Stack)
def stack(op: Stack, *values: Array) -> Array:
    """One copy of each."""
    dtype = joined(*(v.dtype.name for v in values))
    return np.stack(np.broadcast_arrays(*values), axis=op.axis, dtype=dtype)


@kernels.computes(Matmul)
def matmul(op: Matmul, x1: Array, x2: Array) -> Array:
    """NumPy's own; whole numbers as float32, which BLAS multiplies, as Keras does."""
    wanted = op.infer(type_of(x1), type_of(x2)).dtype
    dtype = promote(x1.dtype.name, x2.dtype.name, "float")
    y = np.asarray(x1.astype(dtype, copy=False) @ x2.astype(dtype, copy=False))
    return y.astype(wanted, copy=False)
