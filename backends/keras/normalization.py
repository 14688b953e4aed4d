"""Normalisation layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.keras.convolution import stored
from layergraph.backends.keras.model import Stored, Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.writer import Writer
from layergraph.ir.ops.normalization import BatchNorm, GroupNorm, LayerNorm, Standardize, UnitNorm
from layergraph.ir.types import Array

spellings = Spellings()

LEAST_FUSED = 1.001e-5
"""TensorFlow's fused function adds no less than this to the variance."""


@spellings.spells(BatchNorm)
def batch_norm(
    w: Writer,
    op: BatchNorm,
    x: Tensor,
    *,
    gamma: Array | None = None,
    beta: Array | None = None,
    moving_mean: Array,
    moving_variance: Array,
) -> Any:
    """BatchNormalization."""
    unfused: dict[str, Any] = {}
    if not w.keras3 and op.epsilon < LEAST_FUSED:
        unfused = {"fused": False}
    return w.layer(
        "BatchNormalization", w.tensor(x),
        arrays=[stored("gamma", gamma), stored("beta", beta),
                Stored("moving_mean", moving_mean), Stored("moving_variance", moving_variance)],
        axis=op.axis if w.keras3 else [op.axis], epsilon=op.epsilon, center=beta is not None,
        scale=gamma is not None, **unfused,
    )  # fmt: skip


@spellings.spells(LayerNorm)
def layer_norm(
    w: Writer, op: LayerNorm, x: Tensor, *, gamma: Array | None = None, beta: Array | None = None
) -> Any:
    """LayerNormalization; RMSNormalization, which Keras 2 does not have."""
    x, axes = w.tensor(x), list(op.axis)
    if not op.rms_scaling:
        return w.layer(
            "LayerNormalization", x, arrays=[stored("gamma", gamma), stored("beta", beta)],
            axis=axes, epsilon=op.epsilon, center=beta is not None, scale=gamma is not None,
        )  # fmt: skip
    if beta is not None:
        raise RefusedError("a root mean square is not shifted in any Keras")
    if not w.keras3:
        return _root_mean_square(w, op, x, gamma)
    if gamma is None or len(axes) > 1:
        return w.op("RMSNorm", x, *(() if gamma is None else (gamma,)), axis=axes,
                    epsilon=op.epsilon)  # fmt: skip
    return w.layer(
        "RMSNormalization", x, arrays=[Stored("scale", gamma)], axis=axes, epsilon=op.epsilon
    )


def _root_mean_square(w: Writer, op: LayerNorm, x: Tensor, gamma: Array | None) -> Any:
    few = x.type.with_shape([1 if a in op.axis else n for a, n in enumerate(x.shape)])
    squares = w.tf("math.square", x, types=x.type, part="squares")
    mean = w.tf(
        "math.reduce_mean", squares, axis=list(op.axis), keepdims=True, types=few, part="mean"
    )
    above = w.tf("math.add", mean, y=op.epsilon, types=few, part="above_zero")
    factor = w.tf("math.rsqrt", above, types=few, part="factor")
    if gamma is None:
        return w.tf("math.multiply", x, y=factor)
    y = w.tf("math.multiply", x, y=factor, types=x.type, part="normal")
    sizes = [n if a in op.axis else 1 for a, n in enumerate(x.shape)]
    return w.tf("math.multiply", y, y=gamma.reshape([n or -1 for n in sizes]))


@spellings.spells(GroupNorm)
def group_norm(
    w: Writer, op: GroupNorm, x: Tensor, *, gamma: Array | None = None, beta: Array | None = None
) -> Any:
    """GroupNormalization."""
    return w.layer(
        "GroupNormalization", w.tensor(x), arrays=[stored("gamma", gamma), stored("beta", beta)],
        groups=op.groups, axis=op.axis, epsilon=op.epsilon, center=beta is not None,
        scale=gamma is not None,
    )  # fmt: skip


@spellings.spells(UnitNorm)
def unit_norm(w: Writer, op: UnitNorm, x: Tensor) -> Any:
    """UnitNormalization."""
    return w.layer("UnitNormalization", w.tensor(x), axis=list(op.axis))


@spellings.spells(Standardize)
def standardize(w: Writer, op: Standardize, x: Tensor, *, mean: Array, deviation: Array) -> Any:
    """Normalization, whose statistics stand in its config.

    The root of a square is the number itself, as binary floats are rounded.
    """
    x = w.tensor(x)
    shape = (1,) * (x.rank - mean.ndim) + mean.shape
    axes = [a for a, n in enumerate(shape) if n > 1]
    # A kept axis of one element and none that is kept are told apart by the array's rank.
    if not axes and mean.ndim:
        axes = [x.rank - mean.ndim + a for a, n in enumerate(mean.shape)][-1:]
        axes = axes if x.shape[axes[0]] == 1 else []
    if 0 in axes or mean.shape != deviation.shape:
        raise RefusedError("its statistics differ from row to row")
    sizes = [shape[a] for a in axes]
    variance = deviation.astype(np.float64) ** 2
    invert: dict[str, Any] = {"invert": True} if op.invert else {}
    return w.layer(
        "Normalization", x, axis=axes or None,
        mean=_plain(mean.reshape(sizes)), variance=_plain(variance.reshape(sizes)), **invert,
    )  # fmt: skip


def _plain(array: Array) -> Any:
    return array.astype(np.float64).tolist()
