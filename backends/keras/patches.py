"""Blocks of an array laid out side by side, and put together again."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import Spellings
from layergraph.backends.keras.terms import f, known_size, write
from layergraph.backends.keras.writer import Writer
from layergraph.ir.ops.patches import (
    DepthToSpace,
    Fold,
    Frames,
    SpaceToDepth,
    Unfold,
    windows_of,
)
from layergraph.ir.types import Array

spellings = Spellings()


def _options(op: Unfold | Fold) -> dict[str, Any]:
    return {
        "kernel_size": list(op.kernel_size),
        "dilation": list(op.dilation_rate),
        "padding": list(op.padding),
        "stride": list(op.strides),
    }


@spellings.spells(Unfold)
def unfold(w: Writer, op: Unfold, x: Tensor) -> Any:
    """An operation; elements by number in Keras 2."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("Unfold", x, **_options(op))
    channels, *sizes = (known_size(d, "the size of its images") for d in x.shape[1:])
    padded = [n + 2 * p for n, p in zip(sizes, op.padding, strict=True)]
    pairs = [[0, 0], [0, 0], *([p, p] for p in op.padding)]
    flat = f("reshape", f("pad", x, paddings=pairs), shape=[-1, channels, padded[0] * padded[1]])
    places = _places(op, sizes, padded)
    taken = f("gather", flat, indices=places, axis=2)
    return write(w, f("reshape", taken, shape=[-1, channels * places.shape[0], places.shape[1]]))


def _places(op: Unfold | Fold, sizes: Any, padded: list[int]) -> Array:
    """Where each element of each window lies in the padded image, ``(elements, windows)``."""
    axes = []
    for i, count in enumerate(windows_of(op, sizes)):
        inner = np.arange(op.kernel_size[i]) * op.dilation_rate[i]
        axes.append(inner[:, None] + np.arange(count or 0) * op.strides[i])
    rows, columns = axes
    found = rows[:, None, :, None] * padded[1] + columns[None, :, None, :]
    return found.reshape(rows.shape[0] * columns.shape[0], -1).astype("int32")


@spellings.spells(Fold)
def fold(w: Writer, op: Fold, x: Tensor) -> Any:
    """An operation; sums by number in Keras 2."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("Fold", x, output_size=list(op.output_size), **_options(op))
    padded = [n + 2 * p for n, p in zip(op.output_size, op.padding, strict=True)]
    places = _places(op, op.output_size, padded)
    channels = known_size(w.node.types[0].shape[1], "the number of its channels")
    elements = f("reshape", x, shape=[-1, channels, places.size])
    rows = f("transpose", elements, perm=[2, 0, 1])
    total = f("math.unsorted_segment_sum", rows, segment_ids=places.reshape(-1),
              num_segments=padded[0] * padded[1])  # fmt: skip
    image = f("reshape", f("transpose", total, perm=[1, 2, 0]), shape=[-1, channels, *padded])
    inner = [slice(p, p + n) for p, n in zip(op.padding, op.output_size, strict=True)]
    return write(w, f("__operators__.getitem", image, slice_spec=[slice(None)] * 2 + inner))


@spellings.spells(DepthToSpace)
def depth_to_space(w: Writer, op: DepthToSpace, x: Tensor) -> Any:
    """An operation."""
    if w.keras3:
        config: dict[str, Any] = {"block_size": op.block_size, "data_format": "channels_last"}
        return w.op("DepthToSpace", w.tensor(x), **config)
    return w.tf("nn.depth_to_space", w.tensor(x), block_size=op.block_size)


@spellings.spells(SpaceToDepth)
def space_to_depth(w: Writer, op: SpaceToDepth, x: Tensor) -> Any:
    """An operation."""
    if w.keras3:
        config: dict[str, Any] = {"block_size": op.block_size, "data_format": "channels_last"}
        return w.op("SpaceToDepth", w.tensor(x), **config)
    return w.tf("nn.space_to_depth", w.tensor(x), block_size=op.block_size)


@spellings.spells(Frames)
def frames(w: Writer, op: Frames, x: Tensor) -> Any:
    """An operation."""
    if w.keras3:
        config: dict[str, Any] = {"sequence_length": op.length, "sequence_stride": op.stride}
        return w.op("ExtractSequences", w.tensor(x), **config)
    return w.tf("signal.frame", w.tensor(x), frame_length=op.length, frame_step=op.stride)
