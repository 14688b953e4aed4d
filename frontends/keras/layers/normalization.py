"""Normalisation layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from layergraph.frontends.keras.casting import compute_dtype
from layergraph.frontends.keras.layer import LayerCall, Tensor, map_tensors
from layergraph.frontends.keras.layers.linalg import norm_of
from layergraph.frontends.keras.layers.parameters import emit_with, tensor_of
from layergraph.frontends.keras.operands import constant, numbers, operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.op import Op, signature
from layergraph.ir.ops.elementwise import Binary, Cast, Clip, Math, Scale
from layergraph.ir.ops.linalg import Norm
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.normalization import BatchNorm, GroupNorm, LayerNorm, UnitNorm
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import Identity, NewShape
from layergraph.ir.types import Array, Shape, promote


@reads("BatchNormalization", masking="pass", arguments=("inputs",))
def batch_normalization(call: LayerCall) -> Tensor:
    """keras/src/layers/normalization/batch_normalization.py."""
    x, config = call.input(), call.config
    axes = _axes(call)
    # Statistics of several axes have a dimension each, and 1 for every other axis.
    size = tuple(x.shape[a] for a in axes)
    if len(axes) > 1 or config.bool("ghosts", False):
        size = tuple(n if a in axes else 1 for a, n in enumerate(x.shape))
    if config.bool("ghosts", False):
        # A large batch was split in small ones along an axis that is gone.
        size = (size[0], 1, *size[1:])
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
    mode = config.int("mode", 0)
    if call.layer.context.training and config.take("trainable", True):
        raise call.refusal(
            "it is called with training=True, and then normalises by the batch it is given",
            "save the model from a call without it",
        )
    if mode:
        return _by_own_statistics(call, axes[0], mode, params)
    params = {role: params[role] for role in signature(BatchNorm).params if role in params}
    epsilon = config.float("epsilon", 1e-3)
    if len(axes) == 1:
        params = {role: array.reshape(-1) for role, array in params.items()}
        return call.emit(BatchNorm(axis=axes[0], epsilon=epsilon), x, params=params)
    return call.emit(Scale(), x, params=_affine_of(params, epsilon, len(x.shape)))


def _affine_of(params: Mapping[str, Array], epsilon: float, rank: int) -> dict[str, Array]:
    """Learned statistics as what is multiplied and added."""
    shaped = {role: a.reshape(a.shape[-rank:]) for role, a in params.items()}
    mean, variance = shaped["moving_mean"], shaped["moving_variance"]
    scale = shaped.get("gamma", 1) / np.sqrt(variance.astype("float64") + epsilon)
    offset = shaped.get("beta", 0) - mean * scale
    return {"scale": scale.astype(mean.dtype), "offset": offset.astype(mean.dtype)}


def _by_own_statistics(
    call: LayerCall, axis: int, mode: int, params: Mapping[str, Array]
) -> Tensor:
    """keras/layers/normalization.py, Keras 1.2.2: by what is given instead of what was learned.

    Mode 1 normalises each row along the last axis, and adds epsilon twice; mode 2 each feature
    over the whole batch given.
    """
    x, epsilon = call.input(), call.config.float("epsilon", 1e-3)
    if mode not in (1, 2):
        raise call.refusal(f"mode={mode} is not one of Keras 1's")
    rank = len(x.shape)
    axes = (rank - 1,) if mode == 1 else tuple(a for a in range(rank) if a != axis)

    def number(name: str, value: Any) -> Tensor:
        return constant(call, name, np.asarray(value, x.type.dtype))

    column = (-1, *(1,) * (rank - 1 - (rank - 1 if mode == 1 else axis)))
    mean, variance = (
        call.emit(Reduce(kind=kind, axis=axes, keepdims=True), x, part=kind)
        for kind in ("mean", "var")
    )
    shifted = call.emit(Merge(kind="add"), variance, number("epsilon", epsilon), part="shifted")
    scale = call.emit(Math(kind="sqrt"), shifted, part="scale")
    if mode == 1:
        scale = call.emit(Merge(kind="add"), scale, number("again", epsilon), part="divisor")
    centred = call.emit(Merge(kind="subtract"), x, mean, part="centred")
    y = call.emit(Binary(kind="divide"), centred, scale, part="normal")
    return call.emit(
        Scale(),
        y,
        params={
            role: params[name].reshape(column)
            for role, name in (("scale", "gamma"), ("offset", "beta"))
            if name in params
        },
    )


@reads("LayerNormalization", masking="pass")
def layer_normalization(call: LayerCall) -> Tensor:
    """keras/src/layers/normalization/layer_normalization.py."""
    x, config = call.input(), call.config
    axes = _axes(call)
    rms = config.bool("rms_scaling", False)
    size = tuple(x.shape[a] for a in _axes(call, ordered=False))
    params = call.weights(
        gamma=size if config.bool("scale", True) or rms else None,
        beta=size if config.bool("center", True) and not rms else None,
    )
    # Keras makes them in the order of the axes as given, and then lays them out anew.
    params = {r: a.reshape([x.shape[a] or -1 for a in axes]) for r, a in params.items()}
    epsilon = config.float("epsilon", 1e-3)
    back: list[Op] = []
    if not x.type.is_float:
        if call.layer.context.keras_major >= 3:
            # Whole numbers become whole numbers, and only then those of the policy.
            wanted = compute_dtype(call.layer) or "float32"
            back = [Cast(dtype=x.type.dtype), Cast(dtype=wanted)]
        x = call.emit(Cast(dtype="float32"), x, part="float")
    if rms:
        # By the deviation and not centred: no root mean square, whatever it is called.
        sizes = [n or 0 if a in axes else 1 for a, n in enumerate(x.shape)]
        y = _by_deviation(call, x, axes, epsilon)
        scale = {"scale": params["gamma"].reshape(sizes)}
        return call.emit(Scale(), y, params=scale, then=back)
    return call.emit(LayerNorm(axis=axes, epsilon=epsilon), x, params=params, then=back)


def _axes(call: LayerCall, *, ordered: bool = True) -> tuple[int, ...]:
    """The option ``axis``, one or several, never negative; in order, or as given."""
    given, rank = call.config.ints("axis", default=-1), len(call.input().shape)
    if not all(-rank <= axis < rank for axis in given):
        raise call.refusal(f"axis={list(given)} is none of a tensor of {rank} dimensions")
    axes = tuple(axis % rank for axis in given)
    return tuple(sorted(axes)) if ordered else axes


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
    (first, *_), dtype = call.inputs(), None
    if call.layer.context.keras_major >= 3:
        dtype = first.type.dtype
    result = child([call.argument(name) for name in call.arguments])
    # The vector that training keeps is stored, and in .keras the kernel once more.
    call.discard_weights()

    def last(tensor: Tensor) -> Tensor:
        same = dtype is None or dtype == tensor.type.dtype
        op = Identity() if same else Cast(dtype=str(dtype))
        return call.emit(op, tensor).masked(tensor.mask)

    return map_tensors(result, last)


# --- operations ------------------------------------------------------------------------


@reads("ops.Normalize", arguments=("x",))
def normalize(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``Normalize``: by a norm, which counts as no less than epsilon."""
    (x,) = operands(call, "x")
    order, axis = call.config.int("order", 2), call.config.take("axis", -1)
    epsilon = call.config.optional_float("epsilon")
    epsilon = 1e-7 if epsilon is None else epsilon
    if order == 2:
        # Of however many axes, and never the spectral norm of a matrix.
        axes = range(len(x.shape)) if axis is None else numbers(axis)
        norm = call.emit(Norm(axis=tuple(axes), keepdims=True), x, part="norm")
    else:
        norm = call.emit(norm_of(call, x, axis, order, True), x, part="norm")
    norm = call.emit(Clip(low=epsilon), norm, part="least")
    return call.emit(Binary(kind="divide"), x, norm)


@reads("ops.BatchNorm", arguments=("x", "mean", "variance", "offset", "scale"))
def batch_norm_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``BatchNorm``."""
    (x,) = operands(call, "x")
    axis = call.config.int("axis") % len(x.shape)
    return emit_with(
        call, BatchNorm(axis=axis, epsilon=call.config.float("epsilon", 1e-3)), x,
        gamma=call.argument("scale"), beta=call.argument("offset"),
        moving_mean=call.argument("mean"), moving_variance=call.argument("variance"),
    )  # fmt: skip


@reads("ops.LayerNorm", arguments=("x", "gamma", "beta"))
def layer_norm_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``LayerNorm``: with ``rms_scaling`` by the deviation, not centred."""
    (x,) = operands(call, "x")
    gamma, beta = call.argument("gamma"), call.argument("beta")
    axes = _axes(call)
    rms = call.config.bool("rms_scaling", False)
    y = _wide(call, x)
    sizes = tuple(n if a in axes else 1 for a, n in enumerate(x.shape))
    epsilon = _epsilon(call)
    if rms:
        y = _by_deviation(call, y, axes, epsilon)
    else:
        y = call.emit(LayerNorm(axis=axes, epsilon=epsilon), y, part="normalized")
    y = _affine(call, y, "multiply", "gamma", gamma, sizes)
    y = _affine(call, y, "add", "beta", None if rms else beta, sizes)
    return call.emit(Cast(dtype=x.type.dtype), y)


@reads("ops.RMSNorm", arguments=("x", "scale"))
def rms_norm_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``RMSNorm``; the scale broadcasts as it is."""
    (x,) = operands(call, "x")
    op = LayerNorm(axis=_axes(call), epsilon=_epsilon(call), rms_scaling=True)
    y = call.emit(op, _wide(call, x), part="normalized")
    y = _affine(call, y, "multiply", "scale", call.argument("scale"), ())
    return call.emit(Cast(dtype=x.type.dtype), y)


def _epsilon(call: LayerCall) -> float:
    found = call.config.optional_float("epsilon")
    return 1e-7 if found is None else found


def _wide(call: LayerCall, x: Tensor) -> Tensor:
    """Statistics are computed in float32 at least."""
    return call.emit(Cast(dtype=promote(x.type.dtype, "float32")), x, part="wide")


def _by_deviation(call: LayerCall, x: Tensor, axes: tuple[int, ...], epsilon: float) -> Tensor:
    variance = call.emit(Reduce(kind="var", axis=axes, keepdims=True), x, part="variance")
    epsilons = constant(call, "epsilon", np.asarray(epsilon, x.type.dtype))
    above = call.emit(Merge(kind="add"), variance, epsilons, part="above_zero")
    deviation = call.emit(Math(kind="sqrt"), above, part="deviation")
    return call.emit(Binary(kind="divide"), x, deviation, part="normalized")


def _affine(call: LayerCall, x: Tensor, kind: Any, role: str, value: Any, sizes: Shape) -> Tensor:
    """Scale or shift by an argument, given the sizes of the axes where it has fewer."""
    if value is None:
        return x
    value = tensor_of(call, role, value)
    if value.type.dtype != x.type.dtype:
        value = call.emit(Cast(dtype=x.type.dtype), value, part=f"{role}_cast")
    if sizes and len(value.shape) != len(x.shape):
        shape = tuple(-1 if n is None else n for n in sizes)
        value = call.emit(NewShape(shape=shape), value, part=f"{role}_shaped")
    return call.emit(Merge(kind=kind), x, value, part=kind)
