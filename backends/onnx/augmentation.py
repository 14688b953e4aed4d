"""Operators of the augmentation layers that work at inference too."""

from __future__ import annotations

from layergraph.backends.onnx.table import Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.augmentation import AutoContrast, EqualizeTiles, PadBoxes

spellings = Spellings()


@spellings.spells(PadBoxes)
def pad_boxes(w: Writer, op: PadBoxes, x: Tensor) -> str:
    """As many rows of filling behind as could be wanted, then the first ones."""
    ends = [0] * (2 * x.rank)
    ends[x.rank + 1] = op.number
    filled = w.op("Pad", x, w.ints(*ends), w.number(op.fill_value, x.dtype))
    return w.part(filled, 1, 0, op.number)


spellings.refuses(EqualizeTiles, "it has no histogram")
spellings.refuses(AutoContrast, "it has no operator that stretches contrast")
