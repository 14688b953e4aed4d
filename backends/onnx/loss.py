"""Losses and measures that a model computes itself: no business of an exported model."""

from __future__ import annotations

from layergraph.backends.onnx.table import Spellings
from layergraph.ir.ops import loss

spellings = Spellings()

for _name in (
    "BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy", "CTCLoss",
    "CTCDecode", "InTopK", "PeakSignalNoise",
):  # fmt: skip
    spellings.refuses(getattr(loss, _name), "losses are not written")
