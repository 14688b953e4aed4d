"""Blocks of an array laid out side by side, and put together again."""

from __future__ import annotations

import numpy as np

from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor, View, channels_first
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.patches import DepthToSpace, Fold, Frames, SpaceToDepth, Unfold, windows_of
from layergraph.ir.types import Array

spellings = Spellings()


def _windows(op: Unfold | Fold, channels: int, dtype: str) -> Array:
    """Filters that pick one element of the window each."""
    rows = channels * op.kernel_size[0] * op.kernel_size[1]
    return np.eye(rows, dtype=dtype).reshape(rows, channels, *op.kernel_size)


@spellings.spells(Unfold)
def unfold(w: Writer, op: Unfold, x: Tensor) -> str:
    """A ``Conv`` that picks; channels come first already."""
    channels = x.type.shape[1]
    if channels is None or not x.type.is_float:
        raise RefusedError(f"windows of {x.type}")
    name = w.op(
        "Conv",
        x,
        w.array(_windows(op, channels, x.dtype), "windows"),
        strides=op.strides,
        dilations=op.dilation_rate,
        pads=[*op.padding, *op.padding],
    )
    return w.reshape(name, 0, channels * op.kernel_size[0] * op.kernel_size[1], -1)


@spellings.spells(Fold)
def fold(w: Writer, op: Fold, x: Tensor) -> str:
    """A ``ConvTranspose`` that puts back."""
    rows = x.type.shape[1]
    if rows is None or not x.type.is_float:
        raise RefusedError(f"windows of {x.type}")
    channels = rows // (op.kernel_size[0] * op.kernel_size[1])
    counts = [n or 0 for n in windows_of(op, op.output_size)]
    covered = [
        (c - 1) * s + d * (k - 1) + 1
        for c, s, d, k in zip(counts, op.strides, op.dilation_rate, op.kernel_size, strict=True)
    ]
    rest = [n + 2 * p - c for n, p, c in zip(op.output_size, op.padding, covered, strict=True)]
    name: str = w.op(
        "ConvTranspose",
        w.reshape(x, 0, rows, *counts),
        w.array(_windows(op, channels, x.dtype), "windows"),
        strides=op.strides,
        dilations=op.dilation_rate,
        pads=[*op.padding, *op.padding],
        output_padding=rest if any(rest) else None,
    )
    return name


@spellings.spells(DepthToSpace)
def depth_to_space(w: Writer, op: DepthToSpace, x: Tensor) -> View:
    """A node, channels first."""
    name = w.op("DepthToSpace", w.first(x), blocksize=op.block_size, mode="DCR")
    return View(name, channels_first(x.rank))


@spellings.spells(SpaceToDepth)
def space_to_depth(w: Writer, op: SpaceToDepth, x: Tensor) -> View:
    """A node, channels first."""
    return View(w.op("SpaceToDepth", w.first(x), blocksize=op.block_size), channels_first(x.rank))


@spellings.spells(Frames)
def frames(w: Writer, op: Frames, x: Tensor) -> str:
    """Places gathered, which are known when the size is."""
    count = w.type.shape[-2]
    if count is None:
        raise RefusedError("frames of an axis of unknown size")
    places = np.arange(count)[:, None] * op.stride + np.arange(op.length)
    name: str = w.op("Gather", x, w.array(places.astype(np.int64), "places"), axis=x.rank - 1)
    return name
