"""Numeric preprocessing layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor, compute_dtype
from layergraph.frontends.keras.layers.image import as_computed
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Cast, Scale
from layergraph.ir.ops.indexing import OneHot
from layergraph.ir.ops.normalization import Standardize
from layergraph.ir.ops.preprocessing import Digitize
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import Squeeze
from layergraph.ir.types import Array


@reads("Rescaling", masking="pass")
def rescaling(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/rescaling.py."""
    x = as_computed(call, call.input())
    held = {role: call.config.take(role, None) for role in ("scale", "offset")}
    params = {r: np.asarray(v, x.type.dtype) for r, v in held.items() if v is not None}
    return call.emit(Scale(), x, params=params)


@reads("Normalization", masking="pass")
def normalization(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/normalization.py."""
    x, config = as_computed(call, call.input()), call.config
    given = config.take("axis", -1)
    given = [] if given is None else given if isinstance(given, list) else [given]
    axes = sorted(a % len(x.shape) for a in given)
    sizes = tuple(x.shape[a] for a in axes)
    mean, variance = config.take("mean", None), config.take("variance", None)
    if mean is None:
        params = call.weights(mean=sizes, variance=sizes, count=())
        shape = [x.shape[a] or 1 if a in axes else 1 for a in range(1, len(x.shape))]
        mean, variance = (params[r].reshape(shape) for r in ("mean", "variance"))
    mean, variance = (np.asarray(v, x.type.dtype) for v in (mean, variance))
    # The floor is Keras' epsilon: keras/src/backend/config.py.
    deviation = np.maximum(np.sqrt(variance), mean.dtype.type(1e-7))
    op = Standardize(invert=config.bool("invert", False))
    return call.emit(op, x, params={"mean": mean, "deviation": deviation})


@reads("CategoryEncoding", arguments=("inputs", "count_weights"))
def category_encoding(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/category_encoding.py."""
    if call.argument("count_weights") is not None:
        raise call.refusal("count_weights are not supported yet")
    x = call.input()
    if x.type.is_float:
        x = call.emit(Cast(dtype="int64"), x, part="whole")
    mode = call.config.text("output_mode", "multi_hot")
    return _encoded(call, x, mode, call.config.int("num_tokens"))


@reads("Discretization")
def discretization(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/discretization.py."""
    config = call.config
    boundaries = config.take("bin_boundaries", None)
    if boundaries is None:
        raise call.refusal(
            "it stores no bin_boundaries", "call adapt() on it before saving the model"
        )
    config.ignore("num_bins", "epsilon")
    _refuse_sparse(call)
    mode = config.text("output_mode", "int")
    values: Array = np.asarray(boundaries, np.float64)
    op = Digitize(
        boundaries=tuple(values.ravel().tolist()),
        dtype=config.choice("whole", ("int32", "int64"), "int32"),
    )
    if mode == "int":
        return call.emit(op, call.input())
    places = call.emit(op, call.input(), part="places")
    return _encoded(call, places, mode, values.size + 1)


def _refuse_sparse(call: LayerCall) -> None:
    if call.config.bool("sparse", False):
        raise call.refusal("sparse=True is not supported", "save the model with sparse=False")


def _encoded(call: LayerCall, x: Tensor, mode: str, size: int) -> Tensor:
    """Whole numbers as 0 and 1, or as counts.

    Source: keras/src/utils/numerical_utils.py ``encode_categorical_inputs``, Keras 3.15.
    """
    if mode not in ("one_hot", "multi_hot", "count"):
        raise call.refusal(f"output_mode={mode!r} is not supported yet")
    _refuse_sparse(call)
    dtype = compute_dtype(call.layer) or "float32"
    one_hot = OneHot(num_classes=size, dtype=dtype if dtype != "string" else "float32")
    if mode == "one_hot":
        last: Any = [Squeeze(axis=(-1,))] if x.shape[-1] == 1 and len(x.shape) > 1 else []
        if last:
            x = call.emit(last[0], x, part="numbers")
        return call.emit(one_hot, x)
    if len(x.shape) == 1:
        return call.emit(one_hot, x)
    parts = call.emit(one_hot, x, part="one_hot")
    kind: Any = "max" if mode == "multi_hot" else "sum"
    return call.emit(Reduce(kind=kind, axis=(-2,)), parts)
