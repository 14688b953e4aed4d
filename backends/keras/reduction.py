"""Reductions, sums along an axis, and order."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import Spellings
from layergraph.backends.keras.terms import (
    as_dtype,
    as_tensor,
    f,
    known_size,
    write,
)
from layergraph.backends.keras.writer import Operand, Writer
from layergraph.ir.ops.reduction import (
    Average,
    Cumulate,
    Diff,
    Reduce,
    Sort,
    TopK,
    Trapezoid,
)

spellings = Spellings()

NAMES_3 = {"count_nonzero": "CountNonzero"}
PLACES = ("argmax", "argmin", "nanargmax", "nanargmin")
VARIANCE = {"std": "std", "var": "variance"}


@spellings.spells(Reduce)
def reduce(w: Writer, op: Reduce, x: Tensor) -> Any:
    """An operation; TensorFlow's computes in the dtype of its input."""
    x = w.tensor(x)
    if op.kind in PLACES:
        return _place(w, op, x)
    axes = list(op.axis)
    if w.keras3:
        return _reduce_3(w, op, x, axes)
    kind = op.kind
    if kind.startswith("nan"):
        if not x.type.is_float:
            kind = kind.removeprefix("nan")  # type: ignore[assignment]
        else:
            return write(w, _without_nan(w, kind.removeprefix("nan"), x, axes, op.keepdims))
    if kind == "median":
        from layergraph.backends.keras.statistics import quantile_2

        return quantile_2(w, x, np.asarray(0.5, "float32"), tuple(axes), op.keepdims)
    if kind == "count_nonzero":
        return w.tf("math.count_nonzero", x, axis=axes, keepdims=op.keepdims, dtype="int32")
    wanted = w.node.types[0].dtype
    if kind in ("any", "all"):
        x = w.tensor(as_dtype(w, x, "bool"))
    elif kind in ("max", "min") and x.dtype == "bool":
        name = "math.reduce_any" if kind == "max" else "math.reduce_all"
        return w.tf(name, x, axis=axes, keepdims=op.keepdims)
    elif not (kind in VARIANCE and x.type.is_complex):
        x = w.tensor(as_dtype(w, x, wanted))
    name = f"math.reduce_{VARIANCE.get(kind, kind)}"
    return w.tf(name, x, axis=axes, keepdims=op.keepdims)


def _reduce_3(w: Writer, op: Reduce, x: Tensor, axes: list[int]) -> Any:
    name = NAMES_3.get(op.kind, op.kind.capitalize())
    if op.kind != "count_nonzero":
        return w.op(name, x, axis=axes, keepdims=op.keepdims)
    if not op.keepdims:
        return w.op(name, x, axis=axes)
    axes = sorted(a % x.rank for a in axes)
    gone = x.type.with_shape([d for i, d in enumerate(x.shape) if i not in axes])
    return write(w, f("ExpandDims", f(name, x, axis=axes, types=gone), axis=axes))


def _place(w: Writer, op: Reduce, x: Tensor) -> Any:
    """Where the largest or smallest is: along one axis, or along all as along one."""
    kind, axis = op.kind, op.axis[0]
    flat = len(op.axis) > 1
    if x.type.is_float and op.equal_zeros == w.keras3:
        here, there = ("less than", "equal to") if w.keras3 else ("equal to", "less than")
        w.note(
            f"{w.node.name} takes -0.0 for {here} 0.0 in Keras {w.dialect.major}, "
            f"and for {there} it in its source"
        )
    if w.keras3:
        config: dict[str, Any] = {"axis": None if flat else axis, "keepdims": op.keepdims}
        return w.op(kind.capitalize(), x, **config)
    if kind.startswith("nan") and not x.type.is_float:
        kind = kind.removeprefix("nan")  # type: ignore[assignment]
    term: Any = x
    if x.dtype == "bool":
        term = f("cast", x, dtype="int32", types=x.type.with_dtype("int32"))
    skip = kind.startswith("nan")
    kind = kind.removeprefix("nan")  # type: ignore[assignment]
    if flat:
        term, axis = f("reshape", term, shape=[-1]), 0
    missing: Any = None
    if skip:
        missing = f("math.is_nan", term)
        worst = -np.inf if kind == "argmax" else np.inf
        term = f("where", missing, x=_filled(term, worst), y=term)
    found = f(f"math.{kind}", term, axis=axis, output_type="int32")
    if skip:
        none = f("math.reduce_all", missing, axis=[axis])
        # Of a tensor of whole numbers that it can work out, tf-keras makes a shape.
        found = f("where", none, x=-1, y=found)
    if op.keepdims and flat:
        found = f("reshape", found, shape=[1] * x.rank)
    elif op.keepdims:
        found = f("expand_dims", found, axis=axis)
    return write(w, found)


def _filled(x: Any, value: float) -> Any:
    """A value of the shape of another."""
    return f("math.add", f("zeros_like", x), value)


def _without_nan(w: Writer, kind: str, x: Tensor, axes: list[int], keepdims: bool) -> Any:
    missing = f("math.is_nan", x)

    def over(name: str, value: Any, kept: bool = keepdims) -> Any:
        return f(f"math.reduce_{name}", value, axis=axes, keepdims=kept)

    def replaced(value: float) -> Any:
        return f("where", missing, x=_filled(x, value), y=x)

    if kind in ("sum", "prod"):
        return over(kind, replaced(float(kind == "prod")))
    if kind in ("max", "min"):
        found = over(kind, replaced(-np.inf if kind == "max" else np.inf))
        return f("where", over("all", missing), x=_filled(found, np.nan), y=found)
    there = f("cast", f("math.logical_not", missing), dtype=x.dtype)

    def mean(value: Any, kept: bool) -> Any:
        return f("math.divide", over("sum", value, kept), over("sum", there, kept))

    if kind == "mean":
        return mean(replaced(0.0), keepdims)
    away = f("math.subtract", x, mean(replaced(0.0), True))
    squares = f("where", missing, x=f("zeros_like", x), y=f("math.square", away))
    spread = mean(squares, keepdims)
    return f("math.sqrt", spread) if kind == "std" else spread


@spellings.spells(Cumulate)
def cumulate(w: Writer, op: Cumulate, x: Tensor) -> Any:
    """An operation; Keras 3 has no logarithm of sums, which a triangle of pairs makes."""
    x = w.tensor(x)
    if op.kind == "logsumexp" and w.keras3:
        axis = op.axis % x.rank
        size = known_size(x.shape[axis], "the axis that is summed along")
        order = [i for i in range(x.rank) if i != axis] + [axis]
        last = f("ExpandDims", f("Transpose", x, axes=order), axis=-2)
        below = np.where(np.tri(size, dtype=bool), 0.0, -np.inf).astype(x.dtype)
        sums = f("Logsumexp", f("Add", last, below), axis=[-1])
        back = [order.index(i) for i in range(x.rank)]
        return write(w, f("Transpose", sums, axes=back))
    if w.keras3:
        return w.op(f"Cum{op.kind}", x, axis=op.axis)
    x = w.tensor(as_dtype(w, x, w.node.types[0].dtype))
    name = "cumulative_logsumexp" if op.kind == "logsumexp" else f"cum{op.kind}"
    return w.tf(f"math.{name}", x, axis=op.axis)


@spellings.spells(Sort)
def sort(w: Writer, op: Sort, x: Tensor) -> Any:
    """An operation."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("Argsort" if op.places else "Sort", x, axis=op.axis)
    name = "argsort" if op.places else "sort"
    if x.dtype != "bool":
        return w.tf(name, x, axis=op.axis)
    term = f(name, f("cast", x, dtype="int32"), axis=op.axis)
    return write(w, term if op.places else f("cast", term, dtype="bool"))


@spellings.spells(TopK)
def top_k(w: Writer, op: TopK, x: Tensor) -> Any:
    """An operation."""
    x = w.tensor(x)
    return w.op("TopK", x, k=op.k) if w.keras3 else w.tf("math.top_k", x, k=op.k)


def along(x: Tensor | Any, rank: int, axis: int, start: int | None, stop: int | None) -> Any:
    """A part of an axis, in TensorFlow."""
    key: list[Any] = [slice(None)] * rank
    key[axis] = slice(start, stop, None)
    return f("__operators__.getitem", x, slice_spec=key)


@spellings.spells(Diff)
def diff(w: Writer, op: Diff, x: Tensor) -> Any:
    """An operation; differences of parts in TensorFlow."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("Diff", x, n=op.n, axis=op.axis)
    term: Any = x
    name = "math.not_equal" if x.dtype == "bool" else "math.subtract"
    for _ in range(op.n):
        later, former = (along(term, x.rank, op.axis, a, b) for a, b in ((1, None), (None, -1)))
        term = f(name, later, former)
    return write(w, term) if op.n else w.tf("identity", x)


@spellings.spells(Trapezoid)
def trapezoid(w: Writer, op: Trapezoid, y: Operand, x: Operand | None = None) -> Any:
    """An operation where the places are known; else by definition."""
    dtype = w.node.types[0].dtype
    if w.keras3 and isinstance(y, Tensor) and not isinstance(x, Tensor):
        places = None if x is None else x.tolist()
        return w.op("Trapezoid", y, x=places, dx=op.dx, axis=op.axis)
    values = w.tensor(as_dtype(w, y, dtype))
    axis = op.axis % values.rank
    mul, add, sub = _words(w)
    heights = f(add, _part(w, values, values.rank, axis, 1, None),
                _part(w, values, values.rank, axis, None, -1))  # fmt: skip
    if x is None:
        areas = f(mul, heights, op.dx / 2)
    elif isinstance(x, Tensor):
        given = w.tensor(as_dtype(w, x, dtype))
        own = given.rank - values.rank + axis if given.rank > 1 else 0
        widths = f(sub, _part(w, given, given.rank, own, 1, None),
                   _part(w, given, given.rank, own, None, -1))  # fmt: skip
        if given.rank == 1 and values.rank > 1:
            shape = [1] * values.rank
            shape[axis] = -1
            widths = (
                f("Reshape", widths, newshape=shape)
                if w.keras3
                else f("reshape", widths, shape=shape)
            )
        areas = f(mul, f(mul, heights, 0.5), widths)
    else:
        own = x.ndim - values.rank + axis if x.ndim > 1 else 0
        step: Any = np.diff(x, axis=own).astype(dtype)
        if x.ndim == 1:
            step = step.reshape([-1 if i == axis else 1 for i in range(values.rank)])
        areas = f(mul, f(mul, heights, 0.5), step)
    name = "Sum" if w.keras3 else "math.reduce_sum"
    return write(w, f(name, areas, axis=[axis], keepdims=False))


def _words(w: Writer) -> tuple[str, str, str]:
    if w.keras3:
        return "Multiply", "Add", "Subtract"
    return "math.multiply", "math.add", "math.subtract"


def _part(w: Writer, x: Any, rank: int, axis: int, start: int | None, stop: int | None) -> Any:
    if not w.keras3:
        return along(x, rank, axis, start, stop)
    key: list[Any] = [slice(None)] * rank
    key[axis] = slice(start, stop, None)
    return f("GetItem", x, key)


@spellings.spells(Average)
def average(w: Writer, op: Average, x: Operand, weights: Operand) -> Any:
    """An operation; a quotient of sums in TensorFlow."""
    one = len(op.axis) == 1
    if w.keras3:
        return w.op("Average", x, weights, axis=op.axis[0] if one else list(op.axis))
    dtype = w.node.types[0].dtype
    x, weights = (as_dtype(w, v, dtype) for v in (x, weights))
    source = next(v for v in (x, weights) if isinstance(v, Tensor))
    given = as_tensor(w, x, source)
    counted: Any = weights
    if not isinstance(weights, Tensor):
        if weights.ndim != given.rank:
            counted = weights.reshape([-1 if i == op.axis[0] else 1 for i in range(given.rank)])
        counted = as_tensor(w, counted, source)
    elif weights.rank != given.rank:
        shape = [-1 if i == op.axis[0] else 1 for i in range(given.rank)]
        counted = f("reshape", weights, shape=shape)
    axes = list(op.axis)
    # Weights that are broadcast count once for each element.
    counted = f("math.add", f("zeros_like", given), counted)
    total = f("math.reduce_sum", f("math.multiply", given, counted), axis=axes)
    return write(w, f("math.divide", total, f("math.reduce_sum", counted, axis=axes)))
