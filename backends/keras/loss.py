"""Operators of ``ir/ops/loss.py`` as Keras has them."""

from __future__ import annotations

from layergraph.backends.keras.table import Spellings

spellings = Spellings()
