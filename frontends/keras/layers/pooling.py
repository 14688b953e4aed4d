"""Pooling: one operator for all ranks and both kinds."""

from __future__ import annotations

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.data_format import channels_last_input, per_axis
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.pooling import AdaptivePool, GlobalPool, Pool, PoolKind


def _kind(call: LayerCall) -> PoolKind:
    return "max" if "Max" in call.spec.class_name else "average"


def _rank(call: LayerCall) -> int:
    return int(call.spec.class_name[-2])


@reads(
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
)  # fmt: skip
def pool(call: LayerCall) -> Tensor:
    """keras/src/layers/pooling/base_pooling.py."""
    rank, config = _rank(call), call.config
    x, back = channels_last_input(call, rank)
    size = config.ints("pool_size", rank)
    strides = size if config.take("strides", None) is None else config.ints("strides", rank)
    padding = config.choice("padding", ("valid", "same"), "valid")
    op = Pool(kind=_kind(call), pool_size=size, strides=strides, padding=padding)
    return call.emit(op, x, then=[back])


@reads(
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
)  # fmt: skip
def global_pool(call: LayerCall) -> Tensor:
    """keras/src/layers/pooling/base_global_pooling.py; 1D averages honour the mask."""
    rank, kind = _rank(call), _kind(call)
    mask = call.input().mask if kind == "average" and rank == 1 else None
    x, back = channels_last_input(call, rank)
    keepdims = call.config.bool("keepdims", False)
    op = GlobalPool(kind=kind, keepdims=keepdims)
    return call.emit(op, x, mask, then=[back if keepdims else None])


@reads(
    "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D",
)  # fmt: skip
def adaptive_pool(call: LayerCall) -> Tensor:
    """keras/src/layers/pooling/base_adaptive_pooling.py."""
    return _adaptive(call, _rank(call))


def _adaptive(call: LayerCall, rank: int) -> Tensor:
    x, back = channels_last_input(call, rank)
    op = AdaptivePool(kind=_kind(call), output_size=call.config.ints("output_size", rank))
    return call.emit(op, x, then=[back])


# --- operations ------------------------------------------------------------------------


@reads("ops.MaxPool", "ops.AveragePool", arguments=("inputs",))
def pool_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``MaxPool`` and ``AveragePool``."""
    rank = len(call.input().shape) - 2
    x, back = channels_last_input(call, rank)
    size = per_axis(call, "pool_size", rank)
    strides = size if call.config.take("strides", None) is None else per_axis(call, "strides", rank)
    padding = call.config.choice("padding", ("valid", "same"), "valid")
    op = Pool(kind=_kind(call), pool_size=size, strides=strides, padding=padding)
    return call.emit(op, x, then=[back])


@reads("ops.AdaptiveMaxPool", "ops.AdaptiveAveragePool", arguments=("inputs",))
def adaptive_pool_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``AdaptiveMaxPool`` and ``AdaptiveAveragePool``."""
    return _adaptive(call, len(call.input().shape) - 2)
