"""Normalisation layers."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor, map_tensors
from layergraph.frontends.keras.registry import reads
from layergraph.ir.op import signature
from layergraph.ir.ops.normalization import BatchNorm, GroupNorm, LayerNorm, UnitNorm
from layergraph.ir.ops.shape import Identity


@reads("BatchNormalization", masking="pass", arguments=("inputs",))
def batch_normalization(call: LayerCall) -> Tensor:
    """keras/src/layers/normalization/batch_normalization.py."""
    x, config = call.input(), call.config
    axis = config.int("axis", -1) % len(x.shape)
    size = (x.shape[axis],)
    # Batch renormalisation changes training; its statistics are stored all the same.
    renorm = size if config.bool("renorm", False) else None
    config.ignore("renorm_clipping")
    params = call.weights(
        gamma=size if config.bool("scale", True) else None,
        beta=size if config.bool("center", True) else None,
        moving_mean=size,
        moving_variance=size,
        moving_stddev=renorm,
        renorm_mean=renorm,
        renorm_stddev=renorm,
    )
    params = {role: params[role] for role in signature(BatchNorm).params if role in params}
    return call.emit(BatchNorm(axis=axis, epsilon=config.float("epsilon", 1e-3)), x, params=params)


@reads("LayerNormalization", masking="pass")
def layer_normalization(call: LayerCall) -> Tensor:
    """keras/src/layers/normalization/layer_normalization.py."""
    x, config = call.input(), call.config
    axes = _axes(call)
    rms = config.bool("rms_scaling", False)
    size = tuple(x.shape[a] for a in axes)
    params = call.weights(
        gamma=size if config.bool("scale", True) or rms else None,
        beta=size if config.bool("center", True) and not rms else None,
    )
    op = LayerNorm(axis=axes, epsilon=config.float("epsilon", 1e-3), rms_scaling=rms)
    return call.emit(op, x, params=params)


def _axes(call: LayerCall) -> tuple[int, ...]:
    given = call.config.take("axis", -1)
    rank = len(call.input().shape)
    return tuple(sorted(a % rank for a in (given if isinstance(given, list) else [given])))


@reads("RMSNormalization", masking="pass")
def rms_normalization(call: LayerCall) -> Tensor:
    """keras/src/layers/normalization/rms_normalization.py."""
    x, axes = call.input(), _axes(call)
    params = call.weights(scale=tuple(x.shape[a] for a in axes))
    op = LayerNorm(axis=axes, epsilon=call.config.float("epsilon", 1e-6), rms_scaling=True)
    return call.emit(op, x, params={"gamma": params["scale"]})


@reads("GroupNormalization", masking="pass")
def group_normalization(call: LayerCall) -> Tensor:
    """keras/src/layers/normalization/group_normalization.py; -1 groups is one a channel."""
    x, config = call.input(), call.config
    axis = config.int("axis", -1) % len(x.shape)
    channels, groups = x.shape[axis], config.int("groups", 32)
    params = call.weights(
        gamma=(channels,) if config.bool("scale", True) else None,
        beta=(channels,) if config.bool("center", True) else None,
    )
    op = GroupNorm(
        groups=(channels or 1) if groups == -1 else groups,
        axis=axis,
        epsilon=config.float("epsilon", 1e-3),
    )
    return call.emit(op, x, params=params)


@reads("UnitNormalization", masking="pass")
def unit_normalization(call: LayerCall) -> Tensor:
    """keras/src/layers/normalization/unit_normalization.py."""
    return call.emit(UnitNorm(axis=_axes(call)), call.input())


@reads("SpectralNormalization", masking="own")
def spectral_normalization(call: LayerCall) -> Any:
    """keras/src/layers/normalization/spectral_normalization.py: at inference the wrapped layer."""
    call.config.ignore("power_iterations")
    child = call.layer.child(call.config.take("layer"), "layer")
    result = child([call.argument(name) for name in call.arguments])
    # The vector that training keeps is stored, and in .keras the kernel once more.
    call.discard_weights()
    return map_tensors(result, lambda t: call.emit(Identity(), t).masked(t.mask))


# --- operations ------------------------------------------------------------------------


@reads("ops.Normalize", arguments=("x",))
def normalize(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``Normalize``, Euclidean."""
    if call.config.take("order", 2) != 2 or call.config.take("epsilon", None) is not None:
        raise call.refusal("only order=2 with the default epsilon is supported")
    return call.emit(UnitNorm(axis=_axes(call)), call.input())


@reads("ops.LayerNorm", "ops.RMSNorm", arguments=("x", "gamma", "beta"))
def layer_norm_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``LayerNorm`` and ``RMSNorm`` without learned parameters."""
    given = [call.argument(name) for name in ("gamma", "beta", "scale")]
    if any(value is not None for value in given):
        raise call.refusal("scale and shift as tensors are not supported yet")
    rms = call.spec.class_name == "RMSNorm" or call.config.bool("rms_scaling", False)
    epsilon = call.config.optional_float("epsilon")
    op = LayerNorm(axis=_axes(call), epsilon=1e-7 if epsilon is None else epsilon, rms_scaling=rms)
    return call.emit(op, call.input())
