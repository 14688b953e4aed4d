"""Histograms, counts and places in tensors of unknown shape, as TensorFlow spells them."""

from __future__ import annotations

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import parted, sizes, whole
from layergraph.frontends.keras.tensorflow import dtype_of, tensors
from layergraph.ir.ops.dynamic import DynamicBroadcast
from layergraph.ir.ops.elementwise import Binary, Cast, Clip, Math
from layergraph.ir.ops.indexing import OneHot, Slice
from layergraph.ir.ops.linear import Einsum
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.scatter import Scatter, ScatterUpdate
from layergraph.ir.ops.shape import NewShape
from layergraph.ir.ops.statistics import Bincount


@reads("tf.ScatterND", arguments=("indices",))
def scatter(call: LayerCall) -> Tensor:
    """tf.scatter_nd: zeros with values added at places."""
    (indices,), (updates,) = tensors(call, "indices"), tensors(call, "updates")
    call.argument("bad_indices_policy")
    shape, numbers = parted(sizes(call, call.argument("shape"), "shape"))
    if not numbers:
        return call.emit(Scatter(shape=tuple(n or 0 for n in shape)), indices, updates)
    zero = call.constant("zero", np.array(0, updates.type.dtype))
    zeros = call.emit(DynamicBroadcast(shape=shape), zero, *numbers, part="zeros")
    return call.emit(ScatterUpdate(reduction="add"), zeros, indices, updates)


@reads("tf.HistogramFixed", "tf.HistogramBins", arguments=("values",))
def histogram(call: LayerCall) -> Tensor:
    """tf.histogram_fixed_width, and the bin of each value; those outside go to the ends."""
    (x,) = tensors(call, "values")
    given = call.argument("value_range")
    if isinstance(given, Tensor) or any(isinstance(v, Tensor) for v in given):
        raise call.refusal("a range that is known only when the model runs is not supported")
    (low, high), bins = given, whole(call, call.argument("nbins", 100), "nbins")
    dtype = dtype_of(call, "dtype", "int32")
    start = call.constant("start", np.array(low, x.type.dtype))
    width = call.constant("width", np.array(high, x.type.dtype) - np.array(low, x.type.dtype))
    moved = call.emit(Merge(kind="subtract"), x, start, part="moved")
    part = call.emit(Binary(kind="divide"), moved, width, part="part")
    number = call.constant("bins", np.array(bins, x.type.dtype))
    places = call.emit(Merge(kind="multiply"), part, number, part="places")
    whole_ = call.emit(Math(kind="floor"), places, part="whole")
    clipped = call.emit(Clip(low=0.0, high=float(bins - 1)), whole_, part="clipped")
    if call.spec.class_name == "HistogramBins":
        return call.emit(Cast(dtype=dtype), clipped)
    numbers = call.emit(Cast(dtype="int32"), clipped, part="numbers")
    flat = call.emit(NewShape(shape=(-1,)), numbers, part="flat")
    counts = call.emit(Bincount(minlength=bins), flat, part="counts")
    return call.emit(Slice(key=((None, bins, None),)), counts, then=[Cast(dtype=dtype)])


@reads("tf.ConfusionMatrix", arguments=("labels",))
def confusion_matrix(call: LayerCall) -> Tensor:
    """tf.math.confusion_matrix: how often each label meets each prediction."""
    labels, found = (tensors(call, n)[0] for n in ("labels", "predictions"))
    if call.argument("weights") is not None or call.argument("num_classes") is None:
        raise call.refusal("weights, or an unknown number of classes, are not supported here")
    count = whole(call, call.argument("num_classes"), "num_classes")
    op = OneHot(num_classes=count, axis=-1, dtype="float32")
    rows, columns = (call.emit(op, x, part=f"hits_{i}") for i, x in enumerate((labels, found)))
    table = call.emit(Einsum(equation="ai,aj->ij"), rows, columns, part="table")
    return call.emit(Cast(dtype=dtype_of(call, "dtype", "int32")), table)
