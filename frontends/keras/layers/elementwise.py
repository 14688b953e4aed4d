"""Layers that work on each element by itself, and those that do nothing at inference."""

from __future__ import annotations

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Cast, NotEqual
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import ExpandDims, Identity

TRAINING = ("rate", "stddev", "l1", "l2", "data_format", "beta")


@reads(
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout",
    "GaussianDropout", "GaussianNoise", "ActivityRegularization", "Identity",
    masking="pass",
)  # fmt: skip
def identity(call: LayerCall) -> Tensor:
    """Nothing at inference: keras/src/layers/regularization/*.py."""
    call.config.ignore(*TRAINING)
    return call.emit(Identity(), call.input())


@reads("Masking", masking="own")
def masking(call: LayerCall) -> Tensor:
    """Zeroes the steps whose features all equal ``mask_value``, and masks them.

    Source: keras/src/layers/core/masking.py, Keras 3.15.
    """
    x = call.input()
    differs = call.emit(NotEqual(value=call.config.float("mask_value", 0.0)), x, part="not_equal")
    mask = call.emit(Reduce(kind="any", axis=(-1,)), differs, part="mask")
    kept = call.emit(ExpandDims(axis=-1), mask, part="kept")
    factor = call.emit(Cast(dtype=x.type.dtype), kept, part="factor")
    return call.emit(Merge(kind="multiply"), x, factor).masked(mask.value)


@reads("NotEqual", arguments=("x1", "x2"))
def not_equal(call: LayerCall) -> Tensor:
    """``keras.ops.not_equal`` with a number: how Keras 3 writes a mask."""
    x2 = call.argument("x2")
    x1 = call.input()
    if isinstance(x2, bool) or not isinstance(x2, (int, float)):
        raise call.refusal("it compares two tensors, which is not supported yet")
    return call.emit(NotEqual(value=float(x2)), x1)
