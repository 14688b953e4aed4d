"""Reductions over axes."""

from __future__ import annotations

import numpy as np

from layergraph.backends.onnx.elementwise import truth
from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.reduction import (
    Average,
    Cumulate,
    Diff,
    Reduce,
    Sort,
    TopK,
    Trapezoid,
)
from layergraph.ir.types import TensorType

spellings = Spellings()

NODES = {"max": "ReduceMax", "min": "ReduceMin", "sum": "ReduceSum", "prod": "ReduceProd",
         "mean": "ReduceMean", "logsumexp": "ReduceLogSumExp"}  # fmt: skip


def commonly(dtype: str) -> str:
    """A dtype that every runtime reduces, for one that some do not."""
    small = ("bool", "int8", "int16", "uint8", "uint16")
    return "int32" if dtype in small else "int64" if dtype in ("uint32", "uint64") else dtype


@spellings.spells(Reduce)
def reduce(w: Writer, op: Reduce, x: Tensor) -> str:
    """A node, in the dtype Keras gives; variance and places from their parts."""
    axes = tuple(a % x.rank for a in op.axis)
    wanted = w.type.dtype
    if op.kind in ("any", "all", "count_nonzero"):
        return _truths(w, op, x, axes)
    if op.kind in ("argmax", "argmin"):
        return _place(w, op, x, axes)
    wide = commonly(wanted)
    given = w.as_dtype(x, wide)
    if op.kind in ("var", "std"):
        apart = w.op("Sub", given, w.reduce("ReduceMean", given, axes))
        name = w.reduce("ReduceMean", w.op("Mul", apart, apart), axes, op.keepdims)
        return w.op("Sqrt", name) if op.kind == "std" else name
    if op.kind in ("nansum", "nanprod", "nanmean"):
        return w.cast(_numbers_only(w, op, given, axes), wide, wanted)
    if op.kind in ("nanmax", "nanmin"):
        return w.cast(_extreme_number(w, op, given, axes), wide, wanted)
    if op.kind not in NODES:
        raise RefusedError(f"it has no reduction {op.kind}")
    return w.cast(w.reduce(NODES[op.kind], given, axes, op.keepdims), wide, wanted)


def _truths(w: Writer, op: Reduce, x: Tensor, axes: tuple[int, ...]) -> str:
    numbers = w.cast(truth(w, x), "bool", "int32")
    if op.kind == "count_nonzero":
        return w.reduce("ReduceSum", numbers, axes, op.keepdims)
    kind = "ReduceMax" if op.kind == "any" else "ReduceMin"
    return w.cast(w.reduce(kind, numbers, axes, op.keepdims), "int32", "bool")


def _place(w: Writer, op: Reduce, x: Tensor, axes: tuple[int, ...]) -> str:
    given = w.name_of(w.as_dtype(x, commonly(x.dtype)))
    axis = axes[0]
    if len(axes) > 1:
        given, axis = w.reshape(given, -1), 0
    kind = "ArgMax" if op.kind == "argmax" else "ArgMin"
    keep = op.keepdims and len(axes) == 1
    name = w.cast(w.op(kind, given, axis=axis, keepdims=int(keep)), "int64", "int32")
    if len(axes) > 1:
        name = w.op("Reshape", name, w.ints(*(1,) * (x.rank if op.keepdims else 0)))
    return name


def _numbers_only(w: Writer, op: Reduce, x: Tensor, axes: tuple[int, ...]) -> str:
    """Without regard to NaN."""
    kind = {"nansum": "ReduceSum", "nanprod": "ReduceProd", "nanmean": "ReduceSum"}[op.kind]
    if not x.type.is_float:
        kind = "ReduceMean" if op.kind == "nanmean" else kind
        return w.reduce(kind, x, axes, op.keepdims)
    missing = w.op("IsNaN", x)
    neutral = w.number(1 if op.kind == "nanprod" else 0, x.dtype)
    total = w.reduce(kind, w.op("Where", missing, neutral, x), axes, op.keepdims)
    if op.kind != "nanmean":
        return total
    kept = w.cast(w.op("Not", missing), "bool", x.dtype)
    name: str = w.op("Div", total, w.reduce("ReduceSum", kept, axes, op.keepdims))
    return name


def _extreme_number(w: Writer, op: Reduce, x: Tensor, axes: tuple[int, ...]) -> str:
    """The largest or smallest that is no NaN; NaN where there is none."""
    kind, worst = ("ReduceMax", -np.inf) if op.kind == "nanmax" else ("ReduceMin", np.inf)
    if not x.type.is_float:
        return w.reduce(kind, x, axes, op.keepdims)
    missing = w.op("IsNaN", x)
    found = w.reduce(kind, w.op("Where", missing, w.number(worst, x.dtype), x), axes, op.keepdims)
    kept = w.cast(w.op("Not", missing), "bool", "int32")
    some = w.cast(w.reduce("ReduceMax", kept, axes, op.keepdims), "int32", "bool")
    return str(w.op("Where", some, found, w.number(np.nan, x.dtype)))


@spellings.spells(Cumulate)
def cumulate(w: Writer, op: Cumulate, x: Tensor) -> str:
    """A node for sums, a ``Scan`` for products."""
    wanted = w.type.dtype
    wide = commonly(wanted)
    given, axis = w.as_dtype(x, wide), op.axis % x.rank
    if op.kind == "sum":
        return w.cast(w.op("CumSum", given, np.int64(axis)), wide, wanted)
    if op.kind != "prod":
        raise RefusedError(f"it has no running {op.kind}")
    rest = [w.size(given, i) for i in range(x.rank) if i != axis]
    one = w.number(1, wide)
    begin = w.op("Expand", one, w.sizes(*rest)) if rest else one
    row = TensorType(tuple(d for i, d in enumerate(x.type.shape) if i != axis), wide)

    def step(product: str, element: str) -> list[str]:
        found = w.op("Mul", product, element)
        return [found, found]

    _, every = w.op(
        "Scan", begin, given, outputs=2, body=w.body("step", [row, row], step, [row, row]),
        num_scan_inputs=1, scan_input_axes=[axis], scan_output_axes=[axis],
    )  # fmt: skip
    return w.cast(every, wide, wanted)


@spellings.spells(Sort)
def sort(w: Writer, op: Sort, x: Tensor) -> str:
    """``TopK`` of all, smallest first."""
    axis = op.axis % x.rank
    wide = commonly(x.dtype)
    values, places = w.op(
        "TopK", w.as_dtype(x, wide), w.size(x, axis), axis=axis, largest=0, sorted=1, outputs=2
    )
    return w.cast(places, "int64", "int32") if op.places else w.cast(values, wide, x.dtype)


@spellings.spells(TopK)
def top_k(w: Writer, op: TopK, x: Tensor) -> tuple[str, str]:
    """A node, whose places are int64."""
    wide = commonly(x.dtype)
    values, places = w.op(
        "TopK", w.as_dtype(x, wide), w.ints(op.k), axis=-1, largest=1, sorted=1, outputs=2
    )
    return w.cast(values, wide, x.dtype), w.cast(places, "int64", "int32")


@spellings.spells(Diff)
def diff(w: Writer, op: Diff, x: Tensor) -> str:
    """Each but the first less each but the last."""
    name = w.name_of(x)
    last = np.iinfo(np.int64).max
    for _ in range(op.n):
        behind, ahead = w.part(name, op.axis, 1, last), w.part(name, op.axis, 0, -1)
        name = w.op("Xor" if x.dtype == "bool" else "Sub", behind, ahead)
    return name


@spellings.spells(Trapezoid)
def trapezoid(w: Writer, op: Trapezoid, y: Tensor, x: Tensor | None = None) -> str:
    """Mean heights times widths, summed."""
    axis, last = op.axis % y.rank, np.iinfo(np.int64).max
    dtype = w.type.dtype
    given = w.as_dtype(y, dtype)
    heights = w.op("Add", w.part(given, axis, 1, last), w.part(given, axis, 0, -1))
    heights = w.op("Mul", heights, w.number(0.5, dtype))
    if x is None:
        areas = w.op("Mul", heights, w.number(op.dx, dtype))
    else:
        places, along = w.as_dtype(x, dtype), op.axis % x.rank
        widths = w.op("Sub", w.part(places, along, 1, last), w.part(places, along, 0, -1))
        if x.rank != y.rank:
            widths = w.reshape(widths, *(-1 if i == axis else 1 for i in range(y.rank)))
        areas = w.op("Mul", heights, widths)
    return w.reduce("ReduceSum", areas, [axis], False)


@spellings.spells(Average)
def average(w: Writer, op: Average, x: Tensor, weights: Tensor) -> str:
    """Weighted sum by sum of weights."""
    dtype = w.type.dtype
    given, weighed = w.as_dtype(x, dtype), w.name_of(w.as_dtype(weights, dtype))
    if x.rank == weights.rank:
        total = w.reduce("ReduceSum", weighed, op.axis, False)
    else:
        total = w.reduce("ReduceSum", weighed, [0], False)
        weighed = w.reshape(weighed, *(-1 if i in op.axis else 1 for i in range(x.rank)))
    product = w.op("Mul", given, weighed)
    name: str = w.op("Div", w.reduce("ReduceSum", product, op.axis, False), total)
    return name
