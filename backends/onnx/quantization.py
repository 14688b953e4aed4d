"""Layers that round what they are given to few values while they run."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.onnx.activation import clip
from layergraph.backends.onnx.table import Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.linear import einsum_labels
from layergraph.ir.ops.quantization import QuantizedEinsumDense, RoundToFloat8
from layergraph.ir.types import Array

spellings = Spellings()


@spellings.spells(QuantizedEinsumDense)
def quantized_einsum_dense(
    w: Writer,
    op: QuantizedEinsumDense,
    x: Tensor,
    *,
    kernel: Array,
    kernel_scale: Array | None = None,
    bias: Array | None = None,
) -> Any:
    """The kernel is held in its few values and widened when the model runs."""
    (first, second), output = einsum_labels(op.equation, [x.rank, kernel.ndim])
    summed = [i for i, c in enumerate(first) if c not in output]
    top = w.reduce("ReduceMax", w.op("Abs", x), summed)
    high = w.number(op.high, x.dtype)
    scale = w.op("Div", high, w.op("Add", top, w.number(op.epsilon, x.dtype)))
    q = clip(w, w.op("Round", w.op("Mul", x, scale)), op.low, op.high, x.dtype)
    wide = w.cast(w.param("kernel", kernel), kernel.dtype.name, x.dtype)
    y = w.op("Einsum", q, wide, equation=f"{first},{second}->{output}")
    order = [first.index(c) for c in output if c in first]
    left = w.op("Squeeze", scale, w.ints(*summed)) if summed else scale
    turned = [sorted(order).index(i) for i in order]
    if turned != sorted(turned):
        left = w.op("Transpose", left, perm=turned)
    if missing := [i for i, c in enumerate(output) if c not in first]:
        left = w.op("Unsqueeze", left, w.ints(*missing))
    if kernel_scale is not None:
        left = w.op("Mul", left, w.array(kernel_scale.astype(x.dtype), "kernel_scale"))
    y = w.op("Div", y, left)
    if bias is not None:
        y = w.op("Add", y, w.array(np.asarray(bias, x.dtype), "bias"))
    return w.activated(w.cast(y, x.dtype, w.type.dtype), op.activation, w.type.rank, w.type.dtype)


spellings.refuses(RoundToFloat8, "numbers of eight bits within a layer")
