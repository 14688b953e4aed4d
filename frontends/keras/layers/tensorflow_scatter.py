"""Segments, places and distinct values, as TensorFlow spells them."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import Size, size, whole, wholes
from layergraph.frontends.keras.tensorflow import as_dtype, dtype_of, tensor_of, tensors
from layergraph.ir.ops.dynamic import Choose
from layergraph.ir.ops.elementwise import Binary, Cast, Complex, Math, NotEqual
from layergraph.ir.ops.indexing import Gather, Slice, UnravelIndex
from layergraph.ir.ops.merge import Fill, Merge, Stack
from layergraph.ir.ops.scatter import ScatterUpdate, Segment
from layergraph.ir.ops.shape import NewShape, View
from layergraph.ir.ops.statistics import Bincount, SearchSorted, Unique
from layergraph.ir.types import numpy_dtype


def _segments(call: LayerCall) -> tuple[Tensor, Tensor, Size | None]:
    """Data, numbers of the rows, and how many segments."""
    data, ids = (tensors(call, name)[0] for name in ("data", "segment_ids"))
    count = call.argument("num_segments")
    return data, ids, None if count is None else size(call, count, "num_segments")


@reads("tf.SegmentSum", "tf.SegmentProd", "tf.SegmentMax", "tf.SegmentMin", arguments=("data",))
def segment(call: LayerCall) -> Tensor:
    """tf.math.unsorted_segment_sum and its kin."""
    data, ids, count = _segments(call)
    kind: Any = call.spec.class_name.removeprefix("Segment").lower()
    if isinstance(count, Tensor):
        return call.emit(Segment(kind=kind), data, ids, count)
    return call.emit(Segment(kind=kind, count=count), data, ids)


@reads("tf.SegmentMean", "tf.SegmentSqrtN", arguments=("data",))
def segment_mean(call: LayerCall) -> Tensor:
    """tf.math.segment_mean and the means of unsorted segments: sums by their rows."""
    data, ids, count = _segments(call)
    number = None if isinstance(count, int) else count
    known = count if isinstance(count, int) else None
    op = Segment(kind="sum", count=known, sorted=count is None)
    total = call.emit(op, data, ids, number, part="total")
    one = call.emit(Fill(value=1, dtype=data.type.dtype), ids, part="one")
    rows = call.emit(op, one, ids, number, part="rows")
    least = call.constant("least", np.array(1, data.type.dtype))
    rows = call.emit(Merge(kind="maximum"), rows, least, part="divisor")
    if call.spec.class_name == "SegmentSqrtN":
        rows = call.emit(Math(kind="sqrt"), rows, part="root")
    shape = (-1, *(1,) * (len(data.shape) - 1))
    column = call.emit(NewShape(shape=shape), rows, part="column")
    return call.emit(Binary(kind="divide"), total, column)


@reads("tf.ScatterSub", arguments=("tensor",))
def scatter_sub(call: LayerCall) -> Tensor:
    """tf.tensor_scatter_nd_sub."""
    x, updates = tensors(call, "tensor", "updates")
    (indices,) = tensors(call, "indices")
    less = call.emit(Math(kind="negative"), updates, part="less")
    return call.emit(ScatterUpdate(reduction="add"), x, indices, less)


@reads("tf.SearchSorted", arguments=("sorted_sequence",))
def search_sorted(call: LayerCall) -> Tensor:
    """tf.searchsorted, row by row of the last axis."""
    side: Any = str(call.argument("side", "left"))
    dtype = dtype_of(call, "out_type", "int32")
    then = [Cast(dtype=dtype)] if dtype != "int32" else []
    return call.emit(
        SearchSorted(side=side), *tensors(call, "sorted_sequence", "values"), then=then
    )


@reads("tf.Unique", "tf.UniqueCounts", arguments=("x",))
def unique(call: LayerCall) -> list[Tensor]:
    """tf.unique and unique_with_counts: in the order of first occurrence."""
    (x,) = tensors(call, "x")
    op = Unique(ascending=False, inverse=True, counts=call.spec.class_name == "UniqueCounts")
    found = call.emit_all(op, x)
    dtype = dtype_of(call, "out_idx", "int32")
    return [found[0], *(as_dtype(call, t, dtype, f"as_{i}") for i, t in enumerate(found[1:]))]


@reads("tf.UnravelIndex", arguments=("indices",))
def unravel_index(call: LayerCall) -> Tensor:
    """tf.unravel_index: the coordinates of each index, one axis a row."""
    (x,) = tensors(call, "indices")
    shape = wholes(call, call.argument("dims"), "dims")
    parts = call.emit_all(UnravelIndex(shape=shape), x, part="coordinates")
    return call.emit(Stack(axis=0), *parts)


@reads("tf.Partition", arguments=("data",))
def partition(call: LayerCall) -> list[Tensor]:
    """tf.dynamic_partition: the elements of each part."""
    data, parts = (tensors(call, name)[0] for name in ("data", "partitions"))
    count = whole(call, call.argument("num_partitions"), "num_partitions")
    found = []
    for i in range(count):
        number = call.constant(f"number_{i}", np.array(i, parts.type.dtype))
        hit = call.emit(Binary(kind="equal"), parts, number, part=f"hit_{i}")
        name = "" if i == count - 1 else f"part_{i}"
        found.append(call.emit(Choose(axis=0), data, hit, part=name))
    return found


@reads("tf.BatchGather", arguments=("params",))
def batch_gather(call: LayerCall) -> Tensor:
    """tf.compat.v1.batch_gather: rows agree in all axes but the last."""
    params, indices = (tensors(call, name)[0] for name in ("params", "indices"))
    rows = len(indices.shape) - 1
    return call.emit(Gather(axis=rows, batch_dims=rows), params, indices)


@reads("tf.Bincount", arguments=("arr",))
def bincount(call: LayerCall) -> Tensor:
    """tf.math.bincount: of all numbers, or of each row with ``axis=-1``."""
    (x,) = tensors(call, "arr")
    given, axis = call.argument("weights"), call.argument("axis")
    weights = None if given is None else tensor_of(call, given, "weights", "float32")
    if axis not in (None, 0, -1):
        raise call.refusal(f"axis={axis!r} is not supported by TensorFlow")
    if axis != -1 and len(x.shape) != 1:
        x = call.emit(NewShape(shape=(-1,)), x, part="flat")
        if weights is not None:
            weights = call.emit(NewShape(shape=(-1,)), weights, part="flat_weights")
    least, most = call.argument("minlength"), call.argument("maxlength")
    y = call.emit(
        Bincount(minlength=0 if least is None else whole(call, least, "minlength")),
        x, weights, part="counts",
    )  # fmt: skip
    if most is not None:
        key = ("...", (None, whole(call, most, "maxlength"), None))
        y = call.emit(Slice(key=key), y, part="cut")
    if call.argument("binary_output", False):
        y = call.emit(NotEqual(value=0), y, part="hit")
    # Weights give their own, whatever is said.
    dtype = dtype_of(call, "dtype", "int32")
    return call.emit(Cast(dtype=dtype if weights is None else weights.type.dtype), y)


@reads("tf.Bitcast", arguments=("input",))
def bitcast(call: LayerCall) -> Tensor:
    """tf.bitcast between dtypes of one size."""
    (x,) = tensors(call, "input")
    dtype = dtype_of(call, "type", "float32")
    if numpy_dtype(dtype).itemsize != numpy_dtype(x.type.dtype).itemsize:
        raise call.refusal(f"from {x.type.dtype} to {dtype}, which is of another size")
    return call.emit(View(dtype=dtype), x)


@reads("tf.Complex", arguments=("real",))
def complex_(call: LayerCall) -> Tensor:
    """tf.complex."""
    real, imag = tensors(call, "real", "imag")
    wide = "complex128" if real.type.dtype == "float64" else "complex64"
    return call.emit(Complex(dtype=wide), real, imag)
