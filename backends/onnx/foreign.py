"""Layers that the caller computes in Python: nothing ONNX could hold."""

from __future__ import annotations

from layergraph.backends.onnx.table import Spellings
from layergraph.ir.ops.foreign import Function

spellings = Spellings()

spellings.refuses(Function, "a Python function is no part of an ONNX model")
