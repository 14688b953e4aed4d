"""Writing to places, slices that begin anywhere, segments: operation nodes only."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor, tensors_in
from layergraph.frontends.keras.operands import as_array, constant, operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Cast
from layergraph.ir.ops.indexing import Slice
from layergraph.ir.ops.merge import Stack
from layergraph.ir.ops.scatter import (
    DynamicSlice,
    Reduction,
    Scatter,
    ScatterUpdate,
    Segment,
    SliceUpdate,
)


def _whole(call: LayerCall, key: str) -> tuple[int, ...]:
    """An option that is a list of numbers known now."""
    found = call.config.take(key)
    if not isinstance(found, list) or not all(isinstance(n, int) for n in found):
        raise call.refusal(f"{key}={found!r} depends on a tensor, which is not supported")
    return tuple(found)


def _each(call: LayerCall, *names: str) -> list[Tensor]:
    """Arguments each of its own dtype."""
    return [operands(call, name)[0] for name in names]


@reads("ops.Scatter", arguments=("indices", "values"))
def scatter(call: LayerCall) -> Tensor:
    """keras/src/ops/core.py ``Scatter``."""
    return call.emit(Scatter(shape=_whole(call, "shape")), *_each(call, "indices", "values"))


@reads("ops.ScatterUpdate", arguments=("inputs", "indices", "updates"))
def scatter_update(call: LayerCall) -> Tensor:
    """keras/src/ops/core.py ``ScatterUpdate``."""
    reduction: Any = call.config.take("reduction", None) or "replace"
    if reduction not in get_args(Reduction):
        raise call.refusal(f"reduction={reduction!r} is not one of Keras")
    op = ScatterUpdate(reduction=reduction)
    x, updates = operands(call, "inputs", "updates")
    return call.emit(op, x, *_each(call, "indices"), updates)


def _start(call: LayerCall) -> list[int] | Tensor:
    """Where a slice begins: numbers, or one tensor."""
    given: Any = call.argument("start_indices")
    if isinstance(given, Tensor):
        return given
    if isinstance(given, list) and tensors_in(given):
        parts = [
            call.emit(Cast(dtype="int32"), n, part=f"start_{i}")
            if isinstance(n, Tensor)
            else constant(call, f"start_{i}", np.asarray(n, "int32"))
            for i, n in enumerate(given)
        ]
        return call.emit(Stack(axis=0), *parts, part="start")
    return [int(n) for n in as_array(call, given)]


@reads("ops.Slice", arguments=("inputs", "start_indices"))
def slice_(call: LayerCall) -> Tensor:
    """keras/src/ops/core.py ``Slice``; a plain slice where the start is known."""
    (x,) = operands(call, "inputs")
    start, sizes = _start(call), _whole(call, "shape")
    if isinstance(start, Tensor):
        return call.emit(DynamicSlice(size=sizes), x, start)
    key = tuple((a, None if n == -1 else a + n, None) for a, n in zip(start, sizes, strict=True))
    return call.emit(Slice(key=key), x)


@reads("ops.SliceUpdate", arguments=("inputs", "start_indices", "updates"))
def slice_update(call: LayerCall) -> Tensor:
    """keras/src/ops/core.py ``SliceUpdate``."""
    x, updates = operands(call, "inputs", "updates")
    start = _start(call)
    if not isinstance(start, Tensor):
        start = constant(call, "start", np.asarray(start, "int32"))
    return call.emit(SliceUpdate(), x, start, updates)


@reads(
    "ops.SegmentSum", "ops.SegmentProd", "ops.SegmentMax", "ops.SegmentMin",
    arguments=("data", "segment_ids"),
)  # fmt: skip
def segment(call: LayerCall) -> Tensor:
    """keras/src/ops/math.py ``SegmentReduction``."""
    kind: Any = call.spec.class_name.removeprefix("Segment").lower()
    count = call.config.take("num_segments", None)
    op = Segment(kind=kind, count=count, sorted=call.config.bool("sorted", False))
    return call.emit(op, *_each(call, "data", "segment_ids"))
