"""Operators of ``ir/ops/preprocessing.py`` as Keras has them."""

from __future__ import annotations

from layergraph.backends.keras.table import Spellings

spellings = Spellings()
