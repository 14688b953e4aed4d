"""Quantiles, counts, correlation, distinct values: operation nodes only."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.operands import as_array, axis_of, constant, numbers, operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Binary, Cast
from layergraph.ir.ops.statistics import (
    Bincount,
    Corrcoef,
    Correlate,
    Histogram,
    Quantile,
    SearchSorted,
    Unique,
)

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")
PERCENT = ("Percentile", "Nanpercentile")


@reads(
    "ops.Quantile", "ops.Nanquantile", *(f"ops.{name}" for name in PERCENT), "ops.Nanmedian",
    arguments=("x", "q"),
)  # fmt: skip
def quantile(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Quantile`` and its kin."""
    (x,), name = operands(call, "x"), call.spec.class_name
    axis, method = call.config.take("axis", None), call.config.choice("method", METHODS, "linear")
    op = Quantile(
        axis=None if axis is None else tuple(a % len(x.shape) for a in numbers(axis)),
        # Keras holds the method of a Quantile node and does not use it.
        method="linear" if name == "Quantile" else method,
        keepdims=call.config.bool("keepdims", False),
        skip_nan=name.startswith("Nan"),
    )
    return call.emit(op, x, _parts(call, name))


def _parts(call: LayerCall, name: str) -> Tensor:
    """The parts asked for, in float32 where Keras rounds them to it."""
    given = 0.5 if name == "Nanmedian" else call.argument("q")
    if not isinstance(given, Tensor):
        array = as_array(call, given)
        if name != "Quantile":
            array = array.astype("float32")
        return constant(call, "q", array / np.float32(100) if name in PERCENT else array)
    if name != "Quantile" and given.type.dtype != "float32":
        given = call.emit(Cast(dtype="float32"), given, part="q")
    if name not in PERCENT:
        return given
    hundred = constant(call, "hundred", np.asarray(100, "float32"))
    return call.emit(Binary(kind="divide"), given, hundred, part="part")


@reads("ops.Histogram", arguments=("x",))
def histogram(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/numpy.py ``Histogram``."""
    edges = call.config.take("range", None)
    op = Histogram(bins=call.config.int("bins", 10), range=tuple(edges) if edges else None)
    return list(call.emit_all(op, *operands(call, "x")))


@reads("ops.Bincount", arguments=("x",))
def bincount(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Bincount``."""
    if call.config.bool("sparse", False):
        raise call.refusal("sparse=True is not supported", "save the model with sparse=False")
    (x,), weights = operands(call, "x"), call.config.take("weights", None)
    op = Bincount(minlength=call.config.int("minlength", 0))
    if weights is None:
        return call.emit(op, x)
    return call.emit(op, x, constant(call, "weights", as_array(call, weights)))


@reads("ops.Corrcoef", arguments=("x",))
def corrcoef(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Corrcoef``."""
    return call.emit(Corrcoef(), *operands(call, "x"))


@reads("ops.Correlate", arguments=("x1", "x2"))
def correlate(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Correlate``."""
    mode: Any = call.config.choice("mode", ("full", "same", "valid"), "valid")
    return call.emit(Correlate(mode=mode), *operands(call, "x1", "x2", weak=False))


@reads("ops.SearchSorted", arguments=("sorted_sequence", "values"))
def search_sorted(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``SearchSorted``."""
    side: Any = call.config.choice("side", ("left", "right"), "left")
    return call.emit(SearchSorted(side=side), *operands(call, "sorted_sequence", "values"))


@reads("ops.Digitize", arguments=("x", "bins"))
def digitize(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Digitize``; bins are float32, and a bound belongs above."""
    (x,) = operands(call, "x")
    bins = as_array(call, call.argument("bins")).astype("float32")
    return call.emit(SearchSorted(side="right"), constant(call, "bins", bins), x)


@reads("ops.Unique", arguments=("x",))
def unique(call: LayerCall) -> Any:
    """keras/src/ops/numpy.py ``Unique``."""
    (x,), config = operands(call, "x"), call.config
    size, fill = config.take("size", None), config.optional_float("fill_value")
    op = Unique(
        axis=None if config.take("axis", None) is None else axis_of(call, x),
        ascending=config.bool("sorted", True),
        index=config.bool("return_index", False),
        inverse=config.bool("return_inverse", False),
        counts=config.bool("return_counts", False),
        size=None if size is None else config.int("size"),
        fill=fill or 0,
    )
    found = call.emit_all(op, x)
    return list(found) if len(found) > 1 else found[0]
