"""Operators of the augmentation layers that work at inference too."""

from __future__ import annotations

from typing import Any

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import f, known_size, write
from layergraph.backends.keras.writer import Writer
from layergraph.ir.ops.augmentation import AutoContrast, EqualizeTiles, PadBoxes

spellings = Spellings()


@spellings.spells(AutoContrast)
def auto_contrast(w: Writer, op: AutoContrast, x: Tensor) -> Any:
    """AutoContrast; by definition in Keras 2."""
    x = w.tensor(x)
    low, high = op.value_range
    if w.keras3:
        return w.layer("AutoContrast", x, value_range=[low, high], masking="drop")
    y: Any = x
    plain = (low, high) == (0, 255)
    if not plain:
        moved = f("math.divide", f("math.subtract", x, low), high - low)
        y = f("math.multiply", moved, 255.0)
    config: dict[str, Any] = {"axis": [1, 2], "keepdims": True}
    few = x.type.with_shape((x.shape[0], 1, 1, x.shape[3]))
    first, last = (f(f"math.reduce_{k}", y, types=few, **config) for k in ("min", "max"))
    over = f("math.reciprocal", f("math.subtract", last, first, types=few), types=few)
    scale = f("math.multiply", over, 255.0, types=few)
    offset = f("math.multiply", f("math.negative", first, types=few), scale, types=few)
    y = f("math.add", f("math.multiply", y, scale), offset)
    y = f("clip_by_value", y, clip_value_min=0.0, clip_value_max=255.0)
    if not plain:
        y = f("math.add", f("math.multiply", f("math.divide", y, 255.0), high - low), low)
    return write(w, f("where", f("math.is_nan", y), x=x, y=y))


@spellings.spells(EqualizeTiles)
def equalize_tiles(w: Writer, op: EqualizeTiles, x: Tensor) -> Any:
    """A layer of Keras 3."""
    if not w.keras3:
        raise RefusedError("Keras 2 has no ContrastLimitedAdaptiveHistogramEqualization")
    return w.layer(
        "ContrastLimitedAdaptiveHistogramEqualization", w.tensor(x), masking="drop",
        dtype="float32", value_range=list(op.value_range), clip_limit=op.clip_limit,
        tile_grid_size=list(op.tile_grid_size), data_format="channels_last",
    )  # fmt: skip


@spellings.spells(PadBoxes)
def pad_boxes(w: Writer, op: PadBoxes, x: Tensor) -> Any:
    """The first rows, and filling behind."""
    x = w.tensor(x)
    rows = known_size(x.shape[1], "the number of boxes")
    value: Any = op.fill_value if x.type.is_float else int(op.fill_value)
    around = [[0, 0], [0, max(op.number - rows, 0)], *[[0, 0]] * (x.rank - 2)]
    key = [slice(None), slice(None, op.number)]
    if w.keras3:
        return write(w, f("Pad", f("GetItem", x, key), value, pad_width=around, mode="constant"))
    cut = f("__operators__.getitem", x, slice_spec=key)
    return write(w, f("pad", cut, paddings=around, constant_values=value))
