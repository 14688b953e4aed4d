"""Pooling, channels first."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.numpy.pooling import _shares as shares
from layergraph.backends.onnx.convolution import padded, windowed
from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor, View, channels_first, plain
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.pooling import AdaptivePool, GlobalPool, Pool

spellings = Spellings()


@spellings.spells(Pool)
def pool(w: Writer, op: Pool, x: Tensor) -> View:
    """Padding does not count in either."""
    dtype = "float32" if not x.type.is_float else x.dtype
    kind = "MaxPool" if op.kind == "max" else "AveragePool"
    ones = (1,) * len(op.pool_size)
    name = w.op(
        kind,
        windowed(w, w.as_dtype(x, dtype), op.pool_size, op.strides, op.padding, ones),
        kernel_shape=op.pool_size,
        strides=op.strides,
        **padded(x.type.shape[1:-1], op.pool_size, op.strides, op.padding, ones),
    )
    return View(w.cast(name, dtype, x.dtype), channels_first(x.rank))


@spellings.spells(GlobalPool)
def global_pool(w: Writer, op: GlobalPool, x: Tensor, mask: Tensor | None = None) -> Any:
    """In the order of axes the input has."""
    if mask is not None and op.kind == "average":
        weight = w.op("Unsqueeze", w.cast(mask, "bool", x.dtype), w.ints(2))
        total = w.reduce("ReduceSum", w.op("Mul", x, weight), [1], op.keepdims)
        return w.op("Div", total, w.reduce("ReduceSum", weight, [1], op.keepdims))
    axes = x.native
    spatial = [i for i, axis in enumerate(axes) if 0 < axis < x.rank - 1]
    if axes == channels_first(x.rank) and axes != plain(x.rank):
        kind = "GlobalMaxPool" if op.kind == "max" else "GlobalAveragePool"
        name = w.op(kind, x.views[axes])
        return View(name, axes) if op.keepdims else w.op("Squeeze", name, w.ints(*spatial))
    kind = "ReduceMax" if op.kind == "max" else "ReduceMean"
    name = w.reduce(kind, x.views[axes], spatial, op.keepdims)
    if op.keepdims:
        return View(name, axes)
    left = tuple(a for i, a in enumerate(axes) if i not in spatial)
    return name if left == (0, x.rank - 1) else w.op("Transpose", name, perm=[1, 0])


@spellings.spells(AdaptivePool)
def adaptive_pool(w: Writer, op: AdaptivePool, x: Tensor) -> View:
    """Windows gathered along each axis in turn; short ones are filled up or weighed 0."""
    axes = channels_first(x.rank)
    name = w.first(x)
    for axis, (n, size) in enumerate(zip(x.type.shape[1:-1], op.output_size, strict=True), 2):
        if n is None:
            raise RefusedError("the sizes of its input are not known")
        spans = shares(n, size)
        longest = max(end - start for start, end in spans)
        places = np.array([[min(s + i, e - 1) for i in range(longest)] for s, e in spans])
        name = w.op("Gather", name, w.array(places.astype(np.int64)), axis=axis)
        if op.kind == "max":
            name = w.reduce("ReduceMax", name, [axis + 1], False)
            continue
        weights = np.array([[(s + i < e) / (e - s) for i in range(longest)] for s, e in spans])
        shape = (*weights.shape, *(1,) * (x.rank - axis - 1))
        weighed = w.op("Mul", name, w.array(weights.astype(x.dtype).reshape(shape)))
        name = w.reduce("ReduceSum", weighed, [axis + 1], False)
    return View(name, axes)
