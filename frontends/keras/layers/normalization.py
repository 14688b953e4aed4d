"""Normalisation layers."""

from __future__ import annotations

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.ir.op import signature
from layergraph.ir.ops.normalization import BatchNorm, LayerNorm


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
    given = config.take("axis", -1)
    axes = tuple(sorted(a % len(x.shape) for a in (given if isinstance(given, list) else [given])))
    rms = config.bool("rms_scaling", False)
    size = tuple(x.shape[a] for a in axes)
    params = call.weights(
        gamma=size if config.bool("scale", True) or rms else None,
        beta=size if config.bool("center", True) and not rms else None,
    )
    op = LayerNorm(axis=axes, epsilon=config.float("epsilon", 1e-3), rms_scaling=rms)
    return call.emit(op, x, params=params)
