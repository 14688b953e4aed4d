"""Rearranging elements."""

from __future__ import annotations

from typing import Any

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.writer import Writer
from layergraph.ir.ops.shape import (
    Crop,
    ExpandDims,
    Flatten,
    Identity,
    Pad,
    Repeat,
    Reshape,
    Transpose,
    Upsample,
)

spellings = Spellings()


@spellings.spells(Identity)
def identity(w: Writer, op: Identity, x: Tensor) -> Any:
    """A layer that does nothing, so that its name stays."""
    if w.keras3:
        return w.layer("Identity", w.tensor(x))
    return w.layer("Activation", w.tensor(x), activation="linear")


@spellings.spells(Flatten)
def flatten(w: Writer, op: Flatten, x: Tensor) -> Any:
    """Flatten."""
    return w.layer("Flatten", w.tensor(x), data_format="channels_last", masking="drop")


@spellings.spells(Reshape)
def reshape(w: Writer, op: Reshape, x: Tensor) -> Any:
    """Reshape."""
    return w.layer("Reshape", w.tensor(x), target_shape=list(op.target_shape), masking="drop")


@spellings.spells(Transpose)
def transpose(w: Writer, op: Transpose, x: Tensor) -> Any:
    """Permute where the batch stays in front, else an operation."""
    if op.axes[0] == 0 and len(op.axes) > 1:
        return w.layer("Permute", w.tensor(x), dims=list(op.axes[1:]), masking="drop")
    if w.keras3:
        return w.op("Transpose", w.tensor(x), axes=list(op.axes))
    return w.tf("transpose", w.tensor(x), perm=list(op.axes))


@spellings.spells(ExpandDims)
def expand_dims(w: Writer, op: ExpandDims, x: Tensor) -> Any:
    """An operation."""
    name = "ExpandDims" if w.keras3 else "expand_dims"
    return (w.op if w.keras3 else w.tf)(name, w.tensor(x), axis=op.axis)


@spellings.spells(Repeat)
def repeat(w: Writer, op: Repeat, x: Tensor) -> Any:
    """RepeatVector."""
    return w.layer("RepeatVector", w.tensor(x), n=op.n, masking="drop")


def _spatial(w: Writer, name: str, x: Tensor, rank: int, **config: Any) -> Any:
    if not 1 <= rank <= 3:
        raise RefusedError(f"there is no {name} of {rank} spatial axes")
    return w.layer(f"{name}{rank}D", w.tensor(x), masking="drop", **config)


def _pairs(pairs: tuple[tuple[int, int], ...]) -> list[Any]:
    return list(pairs[0]) if len(pairs) == 1 else [list(pair) for pair in pairs]


@spellings.spells(Pad)
def pad(w: Writer, op: Pad, x: Tensor) -> Any:
    """ZeroPadding1D, ZeroPadding2D, ZeroPadding3D."""
    return _spatial(w, "ZeroPadding", x, len(op.padding), padding=_pairs(op.padding))


@spellings.spells(Crop)
def crop(w: Writer, op: Crop, x: Tensor) -> Any:
    """Cropping1D, Cropping2D, Cropping3D."""
    return _spatial(w, "Cropping", x, len(op.cropping), cropping=_pairs(op.cropping))


@spellings.spells(Upsample)
def upsample(w: Writer, op: Upsample, x: Tensor) -> Any:
    """UpSampling1D, UpSampling2D, UpSampling3D."""
    rank = len(op.size)
    config: dict[str, Any] = {"size": list(op.size) if rank > 1 else op.size[0]}
    if rank == 2:
        config["interpolation"] = op.interpolation
    elif op.interpolation != "nearest":
        raise RefusedError(f"UpSampling{rank}D repeats elements, and has no {op.interpolation}")
    if not op.centred and op.interpolation != "nearest":
        raise RefusedError("it resizes as TensorFlow 1 did, from the corner of each cell")
    return _spatial(w, "UpSampling", x, rank, **config)
