"""Recurrent layers whose products are convolutions: a ``Scan`` over a step."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.onnx.cells import applied, loop
from layergraph.backends.onnx.convolution import padded
from layergraph.backends.onnx.recurrent import turned
from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor, View, channels_first
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.convolutional_recurrent import ConvLSTM
from layergraph.ir.types import Array, TensorType

spellings = Spellings()


@spellings.spells(ConvLSTM)
def conv_lstm(
    w: Writer, op: ConvLSTM, x: Tensor, mask: Tensor | None = None, *initial: Tensor,
    kernel: Array, recurrent_kernel: Array, bias: Array | None = None,
) -> Any:  # fmt: skip
    """All input products at once; the states have channels first within the loop."""
    *sizes, filters, _ = recurrent_kernel.shape
    spatial = w.type.shape[-1 - len(sizes) : -1]
    if None in spatial:
        raise RefusedError("it needs a height and width known in advance")
    state = TensorType((None, filters, *spatial), x.dtype)
    rows = _projected(w, op, x, kernel, bias, spatial)
    recurrent = w.param("recurrent_kernel", recurrent_kernel, "conv", _first)
    ones = (1,) * len(sizes)
    pads = padded(spatial, sizes, ones, "same", ones)

    def part(total: str, number: int) -> str:
        return w.part(total, 1, number * filters, (number + 1) * filters)

    def step(row: str, states: list[str]) -> list[str]:
        h, c = states
        total = w.op("Add", row, w.op("Conv", h, recurrent, kernel_shape=sizes, **pads))
        i, f, o = (applied(w, op.recurrent_activation, part(total, n), state) for n in (0, 1, 3))
        candidate = applied(w, op.activation, part(total, 2), state)
        c = w.op("Add", w.op("Mul", f, c), w.op("Mul", i, candidate))
        return [w.op("Mul", o, applied(w, op.activation, c, state)), c]

    begin = [w.first(s) for s in initial]
    if not begin:
        shape = w.sizes(w.size(x, 0), filters, *(d or 0 for d in spatial))
        begin = [w.op("Expand", w.number(0, x.dtype), shape)] * 2
    if mask is not None and mask.rank != 2:
        raise RefusedError("a mask with spatial axes")
    row = TensorType((None, 4 * filters, *spatial), x.dtype)
    every, last, states = loop(w, op, step, rows, mask, begin, row, state)
    rank = w.type.rank
    out: View = View(last, channels_first(state.rank))
    if op.return_sequences:
        out = View(every, (1, 0, rank - 1, *range(2, rank - 1)))
        out = turned(w, out) if op.go_backwards else out
    found = [View(s, channels_first(state.rank)) for s in states]
    return (out, *found) if op.return_state else (out,)


def _first(kernel: Array) -> Array:
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def _projected(
    w: Writer, op: ConvLSTM, x: Tensor, kernel: Array, bias: Array | None, spatial: Any
) -> str:
    """Products of all steps with the kernel, ``(time, batch, gates, *spatial)``."""
    *sizes, channels, width = kernel.shape
    order = (1, 0, x.rank - 1, *range(2, x.rank - 1))
    steps = w.view(x, order)
    inner = x.type.shape[2:-1]
    flat = w.reshape(steps, -1, channels, *(d or 0 for d in inner))
    name = w.op(
        "Conv",
        flat,
        w.param("kernel", kernel, "conv", _first),
        None if bias is None else w.param("bias", bias),
        kernel_shape=sizes,
        strides=op.strides,
        dilations=op.dilation_rate,
        **padded(inner, sizes, op.strides, op.padding, op.dilation_rate),
    )
    return w.reshape(name, w.size(steps, 0), w.size(steps, 1), width, *(d or 0 for d in spatial))
