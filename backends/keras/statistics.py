"""Quantiles, counts, correlation, distinct values."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import (
    as_dtype,
    as_tensor,
    f,
    g,
    item,
    known_size,
    part,
    reshaped,
    type_in,
    write,
)
from layergraph.backends.keras.writer import Operand, Writer
from layergraph.ir.ops.statistics import (
    Bincount,
    Corrcoef,
    Correlate,
    Histogram,
    Quantile,
    SearchSorted,
    Unique,
)
from layergraph.ir.types import Array, TensorType, product

spellings = Spellings()


# --- quantiles -------------------------------------------------------------------------


@spellings.spells(Quantile)
def quantile(w: Writer, op: Quantile, x: Operand, q: Operand) -> Any:
    """An operation; in Keras 2 elements of the sorted axis."""
    axis = None if op.axis is None else list(op.axis)
    if not w.keras3:
        if isinstance(q, Tensor) or op.skip_nan or op.method not in ("linear",):
            raise RefusedError(
                "TensorFlow has no quantile; of sorted elements only those at known places can "
                "be taken, by linear interpolation, NaN counted"
            )
        axes = tuple(range(type_in(x).rank)) if op.axis is None else op.axis
        return quantile_2(w, w.tensor(x), q, axes, op.keepdims)
    config: dict[str, Any] = {"axis": axis, "method": op.method, "keepdims": op.keepdims}
    if op.skip_nan or op.method == "linear":
        return w.op("Nanquantile" if op.skip_nan else "Quantile", x, q, **config)
    if isinstance(q, Tensor):
        return write(w, f("Percentile", x, f("Multiply", q, 100.0), **config))
    return w.op("Percentile", x, _percent(q), **config)


def _percent(q: Array) -> Array:
    """What divided by 100 in float32 gives the parts again."""
    hundred = np.float32(100)
    found = q.astype("float32") * hundred
    for step in (np.float32(np.inf), np.float32(-np.inf)):
        off = found / hundred != q.astype("float32")
        near = np.nextafter(found, step)
        found = np.where(off & (near / hundred == q.astype("float32")), near, found)
    return found


def quantile_2(w: Writer, x: Tensor, q: Array, axes: tuple[int, ...], keepdims: bool) -> Any:
    """Quantiles by linear interpolation, in Keras 2."""
    dtype = w.node.types[0].dtype
    axes = tuple(a % x.rank for a in axes)
    given = w.tensor(as_dtype(w, x, dtype))
    kept = [i for i in range(x.rank) if i not in axes]
    count = known_size(product([x.shape[a] for a in axes]), "the number of elements")
    rows = [-1 if x.shape[i] is None else x.shape[i] for i in kept]
    if rows.count(-1) > 1:
        raise RefusedError("more than one of its sizes is not known before the model runs")
    flat = f("reshape", f("transpose", given, perm=kept + list(axes)), shape=[*rows, count])
    ordered = f("sort", flat, axis=-1)
    missing = f("math.reduce_any", f("math.is_nan", flat), axis=[-1])
    void = f("math.multiply", f("zeros_like", f("math.reduce_sum", flat, axis=[-1])), np.nan)
    found = []
    for part_ in q.reshape(-1).astype("float64"):
        exact = (count - 1) * part_
        low = int(min(max(np.ceil(exact) - 1, 0), count - 1))
        high = min(low + 1, count - 1)
        fraction = float(high - exact) if high > low else 0.0
        ends = [f("__operators__.getitem", ordered, slice_spec=[..., i]) for i in (low, high)]
        value = f("math.add", f("math.multiply", ends[0], fraction),
                  f("math.multiply", ends[1], 1 - fraction))  # fmt: skip
        found.append(f("where", missing, x=f("math.add", void, np.nan), y=value))
    ones = [1 if i in axes else -1 if d is None else d for i, d in enumerate(x.shape)]
    shape = [*q.shape, *(ones if keepdims else rows)]
    if not q.ndim:
        return write(w, f("reshape", found[0], shape=shape))
    return write(w, f("reshape", f("stack", found, axis=0), shape=shape))


# --- counts ----------------------------------------------------------------------------


@spellings.spells(Histogram)
def histogram(w: Writer, op: Histogram, x: Tensor) -> Any:
    """An operation of Keras 3."""
    if not w.keras3:
        raise RefusedError("TensorFlow's histogram counts at its ends what lies outside")
    edges = None if op.range is None else list(op.range)
    return w.op("Histogram", w.tensor(x), bins=op.bins, range=edges)


@spellings.spells(Bincount)
def bincount(w: Writer, op: Bincount, x: Operand, weights: Operand | None = None) -> Any:
    """An operation; Keras 3 wants its weights before the run."""
    if w.keras3:
        if isinstance(weights, Tensor):
            raise RefusedError("its weights depend on what the model is fed")
        given = None if weights is None else weights.tolist()
        return w.op("Bincount", x, weights=given, minlength=op.minlength)
    source = next(v for v in (x, weights) if isinstance(v, Tensor))
    whole = as_dtype(w, as_tensor(w, x, source), "int32")
    dtype = w.node.types[0].dtype
    config: dict[str, Any] = {"minlength": op.minlength, "axis": -1}
    if weights is not None:
        config["weights"] = as_dtype(w, as_tensor(w, weights, source), dtype)
    return w.tf("math.bincount", whole, dtype=dtype, **config)


# --- correlation -----------------------------------------------------------------------


@spellings.spells(Corrcoef)
def corrcoef(w: Writer, op: Corrcoef, x: Tensor) -> Any:
    """An operation; covariances by deviations in Keras 2."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("Corrcoef", x)
    dtype = w.node.types[0].dtype
    if x.type.is_complex or not x.rank:
        raise RefusedError("Keras 2 has no correlation of complex numbers or of one number")
    whole = x.dtype == "int64"
    given = as_dtype(w, x, dtype)
    mean: Any = f("math.reduce_mean", given, axis=[-1], keepdims=True)
    if whole:
        mean = f("cast", f("cast", mean, dtype="int64"), dtype=dtype)
    centred = f("math.subtract", given, mean)
    products = f("linalg.matmul", centred, b=f("transpose", centred, perm=[1, 0]))
    deviation = f("math.sqrt", f("math.reduce_sum", f("math.square", centred), axis=[-1]))
    row, column = (f("expand_dims", deviation, axis=i) for i in (0, 1))
    found = f("math.divide", products, f("math.multiply", column, row))
    return write(w, f("clip_by_value", found, clip_value_min=-1.0, clip_value_max=1.0))


@spellings.spells(Correlate)
def correlate(w: Writer, op: Correlate, x1: Operand, x2: Operand) -> Any:
    """An operation; frames of the one times the other in Keras 2."""
    if w.keras3:
        return w.op("Correlate", x1, x2, mode=op.mode)
    n, m = (known_size(type_in(v).shape[0], "the length of its vectors") for v in (x1, x2))
    dtype = w.node.types[0].dtype
    source = next(v for v in (x1, x2) if isinstance(v, Tensor))
    a, b = (as_dtype(w, as_tensor(w, v, source), dtype) for v in (x1, x2))
    padded = f("pad", a, paddings=[[m - 1, m - 1]])
    frames = f("signal.frame", padded, frame_length=m, frame_step=1)
    full = f("math.reduce_sum", f("math.multiply", frames, b), axis=[-1])
    size = {"full": n + m - 1, "same": max(n, m), "valid": n - m + 1}[op.mode]
    start = m - 1 if op.mode == "valid" else (n + m - 1 - size) // 2
    if op.mode == "valid":
        size = max(size, 0)
    return write(w, item(w, full, [slice(start, start + size)]))


# --- order -----------------------------------------------------------------------------


@spellings.spells(SearchSorted)
def search_sorted(w: Writer, op: SearchSorted, sequence: Operand, values: Operand) -> Any:
    """An operation; Keras 3 searches one vector, TensorFlow one a row."""
    known, asked = type_in(sequence), type_in(values)
    if w.keras3:
        if known.rank == 1:
            return w.op("SearchSorted", sequence, values, side=op.side)
        row, column = g(w, "expand_dims", sequence, axis=-2), g(w, "expand_dims", values, axis=-1)
        name = "less" if op.side == "left" else "less_equal"
        return write(w, g(w, "sum", g(w, "cast", g(w, name, row, column), dtype="int32"),
                          axis=[-1]))  # fmt: skip
    source = next(v for v in (sequence, values) if isinstance(v, Tensor))
    sequence, values = w.alike([sequence, values])
    ordered, given = as_tensor(w, sequence, source), as_tensor(w, values, source)
    config: dict[str, Any] = {"side": op.side, "out_type": "int32"}
    if known.rank > 1 or asked.rank == 1:
        return w.tf("searchsorted", ordered, values=given, **config)
    from layergraph.backends.keras.indexing import shape_of

    flat = f("searchsorted", ordered, values=f("reshape", given, shape=[-1]), **config)
    return write(w, f("reshape", flat, shape=shape_of(given)))


@spellings.spells(Unique)
def unique(w: Writer, op: Unique, x: Tensor) -> Any:
    """An operation; TensorFlow's gives distinct elements in the order they occur in."""
    x = w.tensor(x)
    if w.keras3:
        return w.op(
            "Unique", x, sorted=op.ascending, return_index=op.index, return_inverse=op.inverse,
            return_counts=op.counts, axis=op.axis, size=op.size, fill_value=op.fill,
        )  # fmt: skip
    if op.ascending or op.index or op.axis is not None or op.size is not None:
        raise RefusedError("TensorFlow's function gives no order, no places, no axis and no length")
    given: Any = (
        x if x.rank == 1 else part(w, reshaped(w, x, [-1]), "flat", x.type.with_shape([None]))
    )
    number = TensorType((None,), "int32")
    types = [w.node.types[0], number, *([number] * op.counts)]
    found = w.tf("unique_with_counts" if op.counts else "unique", given, types=types)
    return (found[0], *([found[1]] * op.inverse), *found[2:])
