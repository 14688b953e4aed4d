"""Normalisation by stored or by fresh statistics."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.onnx.table import Spellings
from layergraph.backends.onnx.values import Tensor, View, plain
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.normalization import BatchNorm, GroupNorm, LayerNorm, Standardize, UnitNorm
from layergraph.ir.types import Array

spellings = Spellings()


def _channel_second(rank: int, axis: int) -> tuple[int, ...]:
    return (0, axis, *(i for i in range(1, rank) if i != axis)) if axis else plain(rank)


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
    """A node where channels stand or can stand second, else what it folds to."""
    axes = _channel_second(x.rank, op.axis)
    if op.axis == 0 or x.rank < 2 or (x.rank == 3 and axes not in x.views):
        return _folded(w, op, x, gamma, beta, moving_mean, moving_variance)
    ones, zeros = np.ones_like(moving_mean), np.zeros_like(moving_mean)
    name = w.op(
        "BatchNormalization",
        w.view(x, axes),
        w.array(ones) if gamma is None else w.param("gamma", gamma),
        w.array(zeros) if beta is None else w.param("beta", beta),
        w.param("moving_mean", moving_mean),
        w.param("moving_variance", moving_variance),
        epsilon=op.epsilon,
    )
    return View(name, axes)


def _folded(
    w: Writer,
    op: BatchNorm,
    x: Tensor,
    gamma: Array | None,
    beta: Array | None,
    mean: Array,
    variance: Array,
) -> View:
    scale = 1 / np.sqrt(variance + variance.dtype.type(op.epsilon))
    scale = scale if gamma is None else scale * gamma
    shift = -mean * scale if beta is None else beta - mean * scale
    axes = x.native
    sizes = [1] * x.rank
    sizes[axes.index(op.axis)] = -1
    dtype = np.dtype(x.dtype)
    y = w.op("Mul", x.views[axes], w.array(scale.reshape(sizes).astype(dtype), "scale"))
    return View(w.op("Add", y, w.array(shift.reshape(sizes).astype(dtype), "shift")), axes)


@spellings.spells(LayerNorm)
def layer_norm(
    w: Writer,
    op: LayerNorm,
    x: Tensor,
    *,
    gamma: Array | None = None,
    beta: Array | None = None,
) -> str:
    """A node over the last axes, else its parts."""
    axes = sorted(op.axis)
    sizes = tuple(x.type.shape[a] for a in axes)
    name: str
    if axes == list(range(axes[0], x.rank)) and None not in sizes and not op.rms_scaling:
        shape = tuple(s or 0 for s in sizes)
        scale = np.ones(shape, x.dtype) if gamma is None else gamma.reshape(shape)
        name = w.op(
            "LayerNormalization",
            x,
            w.param("gamma", scale),
            None if beta is None else w.param("beta", beta.reshape(shape)),
            axis=axes[0],
            epsilon=op.epsilon,
        )
        return name
    y = w.name_of(x)
    if not op.rms_scaling:
        y = w.op("Sub", x, w.reduce("ReduceMean", x, axes))
    variance = w.reduce("ReduceMean", w.op("Mul", y, y), axes)
    root = w.op("Sqrt", w.op("Add", variance, w.number(op.epsilon, x.dtype)))
    name = w.op("Div", y, root)
    shape = tuple(-1 if i in axes else 1 for i in range(x.rank))
    if len(axes) > 1:
        given = gamma if gamma is not None else beta
        sides = iter(given.shape if given is not None else ())
        shape = tuple(next(sides, 1) if i in axes else 1 for i in range(x.rank))
    name = name if gamma is None else w.op("Mul", name, w.array(gamma.reshape(shape), "gamma"))
    return name if beta is None else w.op("Add", name, w.array(beta.reshape(shape), "beta"))


@spellings.spells(GroupNorm)
def group_norm(
    w: Writer,
    op: GroupNorm,
    x: Tensor,
    *,
    gamma: Array | None = None,
    beta: Array | None = None,
) -> View:
    """Groups in the place of channels of an ``InstanceNormalization``."""
    axes = _channel_second(x.rank, op.axis)
    given = w.view(x, axes)
    dtype = np.dtype(x.dtype)
    name = w.op(
        "InstanceNormalization",
        w.reshape(given, 0, op.groups, -1),
        np.ones(op.groups, dtype),
        np.zeros(op.groups, dtype),
        epsilon=op.epsilon,
    )
    name = w.op("Reshape", name, w.op("Shape", given))
    sizes = (-1, *(1,) * (x.rank - 2))
    if gamma is not None:
        name = w.op("Mul", name, w.param("gamma", gamma, "first", lambda a: a.reshape(sizes)))
    if beta is not None:
        name = w.op("Add", name, w.param("beta", beta, "first", lambda a: a.reshape(sizes)))
    return View(name, axes)


@spellings.spells(UnitNorm)
def unit_norm(w: Writer, op: UnitNorm, x: Tensor) -> str:
    """By the length of each vector."""
    return unit_length(w, w.name_of(x), op.axis, x.dtype)


def unit_length(w: Writer, x: str, axes: tuple[int, ...], dtype: str) -> str:
    """Divided by the root of the sum of squares, which counts as at least 1e-12."""
    squares = w.reduce("ReduceSum", w.op("Mul", x, x), axes)
    name: str = w.op("Div", x, w.op("Sqrt", w.op("Max", squares, w.number(1e-12, dtype))))
    return name


@spellings.spells(Standardize, follows=True)
def standardize(w: Writer, op: Standardize, x: Tensor, *, mean: Array, deviation: Array) -> str:
    """In Keras' order."""
    name: str
    if op.invert:
        name = w.op("Add", w.array(mean, "mean"), w.op("Mul", x, w.array(deviation, "deviation")))
    else:
        name = w.op("Div", w.op("Sub", x, w.array(mean, "mean")), w.array(deviation, "deviation"))
    return name
