"""Layers that the caller computes in Python."""

from __future__ import annotations

from layergraph.backends.keras.table import Spellings
from layergraph.ir.ops.foreign import Function

spellings = Spellings()

spellings.refuses(
    Function, "it is computed by a function of the caller, and the layer's class is not known here"
)
