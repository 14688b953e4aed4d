"""Numeric preprocessing layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.casting import compute_dtype
from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.image import as_computed
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Cast, Scale
from layergraph.ir.ops.indexing import OneHot
from layergraph.ir.ops.normalization import Standardize
from layergraph.ir.ops.preprocessing import CountCategories, Digitize
from layergraph.ir.ops.shape import ExpandDims, Squeeze
from layergraph.ir.types import Array

MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
"""Older names of output modes."""


@reads("Rescaling", masking="pass")
def rescaling(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/rescaling.py."""
    x = as_computed(call, call.input())
    held = {role: plain(call.config.take(role, None)) for role in ("scale", "offset")}
    params = {r: np.asarray(v, x.type.dtype) for r, v in held.items() if v is not None}
    return call.emit(Scale(), x, params=params)


@reads("Normalization", masking="pass")
def normalization(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/normalization.py."""
    x, config = as_computed(call, call.input()), call.config
    given = config.take("axis", -1)
    given = [] if given is None else given if isinstance(given, (list, tuple)) else [given]
    axes = sorted(a % len(x.shape) for a in given)
    sizes = tuple(x.shape[a] for a in axes)
    if unknown := [a for a, size in zip(axes, sizes, strict=True) if size is None]:
        raise call.refusal(f"the size of axis {unknown[0]}, which it keeps, is not known")
    mean, variance = (plain(config.take(role, None)) for role in ("mean", "variance"))
    if mean is None:
        params = call.weights(mean=sizes, variance=sizes, count=())
        mean, variance = params["mean"], params["variance"]
    shape = [x.shape[a] or 0 if a in axes else 1 for a in range(len(x.shape))]
    while len(shape) > 1 and shape[0] == 1:
        shape.pop(0)
    mean, variance = (
        np.broadcast_to(np.asarray(v, x.type.dtype), [s or 0 for s in sizes]).reshape(shape)
        for v in (mean, variance)
    )
    # The floor is Keras' epsilon: keras/src/backend/config.py.
    deviation = np.maximum(np.sqrt(variance), mean.dtype.type(1e-7))
    op = Standardize(invert=config.bool("invert", False))
    return call.emit(op, x, params={"mean": mean, "deviation": deviation})


@reads("CategoryEncoding", arguments=("inputs", "count_weights"))
def category_encoding(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/category_encoding.py."""
    config, dtype = call.config, computed_dtype(call)
    mode = output_mode(call, "multi_hot", "one_hot", "multi_hot", "count")
    weights = call.argument("count_weights")
    if weights is not None:
        if mode != "count" or not isinstance(weights, Tensor):
            raise call.refusal(f"count_weights with output_mode={mode!r}")
        if weights.type.dtype != dtype:
            weights = call.emit(Cast(dtype=dtype), weights, part="weights")
    x = call.input()
    if x.type.is_float:
        x = call.emit(Cast(dtype="int64"), x, part="whole")
    checked = config.bool("checked", False)
    return encoded(call, x, mode, config.int("num_tokens"), dtype, weights=weights, checked=checked)


@reads("Discretization")
def discretization(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/discretization.py."""
    config, x = call.config, call.input()
    boundaries: Array = np.asarray(_boundaries(call), np.float64)
    config.ignore("epsilon", "num_bins")
    mode = output_mode(call, "int", "int", "one_hot", "multi_hot", "count")
    op = Digitize(
        boundaries=tuple(boundaries.ravel().tolist()),
        dtype=config.choice("whole", ("int32", "int64"), "int32"),
    )
    if mode == "int":
        config.ignore("bincount", "sparse")
        return call.emit(op, x)
    places = call.emit(op, x, part="places")
    return encoded(call, places, mode, boundaries.size + 1, computed_dtype(call))


def _boundaries(call: LayerCall) -> Any:
    """Those of the config, or what ``adapt`` summed up in Keras 2.

    Keras 2 stores its summary of the data and not the boundaries it derived.
    """
    found = plain(call.config.take("bin_boundaries", None))
    if found is not None:
        call.discard_weights()
        return found
    count = call.config.take("num_bins", None)
    if not isinstance(count, int) or count < 1:
        raise call.refusal(
            "it stores no bin_boundaries", "call adapt() on it before saving the model"
        )
    summary = call.weights(summary=(2, None))["summary"]
    if not summary.shape[1]:
        raise call.refusal(
            "it was saved before it saw data", "call adapt() on it before saving the model"
        )
    return _compressed(summary, 1.0 / count)[:-1]


def _compressed(summary: Array, epsilon: float) -> Array:
    """Values at equal shares of the weight: a boundary for each share.

    Source: tf_keras/src/layers/preprocessing/discretization.py
    ``_compress_summary_numpy``, tf-keras 2.21.
    """
    values: Array = summary[0]
    weights: Array = summary[1]
    if len(values) * epsilon < 1:
        return values
    shares = weights.cumsum() / weights.sum()
    at = epsilon + np.arange(0.0, 1.0, epsilon)
    return np.asarray(np.interp(at, shares, values), np.float32)


def computed_dtype(call: LayerCall, default: str = "float32") -> str:
    """The dtype a layer states, ``default`` when it states none, or text."""
    found = compute_dtype(call.layer)
    return default if found in (None, "string") else str(found)


def output_mode(call: LayerCall, default: str, *choices: str) -> str:
    """The option ``output_mode``, older names renamed."""
    found = call.config.take("output_mode", default)
    found = MODES.get(found, found) if isinstance(found, str) else found
    if found not in choices:
        raise call.refusal(f"output_mode={found!r} is not supported")
    return str(found)


def encoded(
    call: LayerCall,
    x: Tensor,
    mode: str,
    depth: int,
    dtype: str,
    *,
    weights: Tensor | None = None,
    checked: bool = False,
    part: str = "",
) -> Tensor:
    """Numbers of categories as vectors of 0 and 1, or of counts.

    ``sparse=True`` changes how TensorFlow holds the result, not its values; here
    it is dense. Keras 2 counts whatever the mode, and in two dimensions only.

    Source: keras/src/utils/numerical_utils.py ``encode_categorical_inputs``,
    Keras 3.15; tf_keras/src/layers/preprocessing/preprocessing_utils.py 2.21.

    Args:
        depth: number of categories.
        dtype: dtype of the vectors.
        weights: what each number counts as.
        checked: whether a number outside is an error rather than nothing.
        part: name of an inner node; empty for the layer's result.
    """
    call.config.ignore("sparse")
    bincount = call.config.bool("bincount", False)
    refuses: Any = "outside" if checked else "negative"
    if mode == "one_hot":
        alone = len(x.shape) > 1 and x.shape[-1] == 1
        if not bincount:
            if alone:
                x = call.emit(Squeeze(axis=(-1,)), x, part="numbers")
            return call.emit(OneHot(num_classes=depth, dtype=dtype), x, part=part)
        if not alone:
            x = call.emit(ExpandDims(axis=-1), x, part="numbers")
    if len(x.shape) > 2:
        if bincount:
            raise call.refusal(
                f"output_mode={mode!r} of {len(x.shape)} dimensions, which Keras 2 refuses",
                "reshape its input to two dimensions",
            )
        refuses = "nothing"
    op = CountCategories(
        depth=depth,
        binary=mode in ("one_hot", "multi_hot"),
        axis=-1 if len(x.shape) < 3 else 1,
        refuses=refuses,
        dtype=dtype,
    )
    return call.emit(op, x, weights, part=part)


def plain(value: Any) -> Any:
    """An array of the config as nested numbers; other values as they are."""
    if isinstance(value, dict) and value.get("class_name") in ("__numpy__", "__tensor__"):
        return value["config"]["value"]
    return value
