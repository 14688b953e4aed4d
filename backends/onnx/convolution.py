"""Convolutions, channels first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor, View, channels_first
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.op import Activation
from layergraph.ir.ops.convolution import Conv, ConvTranspose, DepthwiseConv, LocallyConnected
from layergraph.ir.types import Array, Shape
from layergraph.ir.windows import (
    Padding,
    extent,
    left_out,
    padding_of,
    transposed_crop,
    transposed_size,
)

spellings = Spellings()


def padded(
    spatial: Shape,
    sizes: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
    rates: Sequence[int],
) -> dict[str, Any]:
    """Attributes for the padding; left to the runtime only where it depends on sizes unknown."""
    if padding == "same" and any(
        n is None and s > 1 for n, s in zip(spatial, strides, strict=True)
    ):
        return {"auto_pad": "SAME_UPPER"}
    # With a stride of 1 the padding is the same for every size.
    ends = [
        padding_of(extent(k, d) if n is None else n, k, s, padding, d)
        for n, k, s, d in zip(spatial, sizes, strides, rates, strict=True)
    ]
    return {"pads": [b for b, _ in ends] + [a for _, a in ends]}


def windowed(
    w: Writer,
    x: Tensor,
    sizes: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
    rates: Sequence[int],
) -> str:
    """What windows are taken of, channels first, without the elements in front that none reads."""
    starts = []
    for n, k, s, d in zip(x.type.shape[1:-1], sizes, strides, rates, strict=True):
        if n is None and padding == "same" and len(sizes) == 3 and s > extent(k, d):
            raise RefusedError("strides beyond the window in volumes of unknown size")
        starts.append(left_out(n or 0, k, s, padding, d, len(sizes)))
    name = w.first(x)
    if any(starts):
        ends, axes = [np.iinfo(np.int64).max] * len(sizes), range(2, x.rank)
        name = w.op("Slice", name, w.ints(*starts), w.ints(*ends), w.ints(*axes))
    return name


def _finished(w: Writer, name: str, activation: Activation | None) -> Any:
    axes = channels_first(w.type.rank)
    return w.activated(View(name, axes), activation, w.type.rank, w.type.dtype)


@spellings.spells(Conv)
def conv(w: Writer, op: Conv, x: Tensor, *, kernel: Array, bias: Array | None = None) -> Any:
    """Filters and channels before the window's axes."""
    *sizes, _, _ = kernel.shape
    name = w.op(
        "Conv",
        windowed(w, w.as_dtype(x, w.type.dtype), sizes, op.strides, op.padding, op.dilation_rate),
        w.param("kernel", kernel, "conv", lambda k: np.moveaxis(k, (-1, -2), (0, 1))),
        None if bias is None else w.param("bias", bias),
        kernel_shape=sizes,
        strides=op.strides,
        dilations=op.dilation_rate,
        group=op.groups,
        **padded(x.type.shape[1:-1], sizes, op.strides, op.padding, op.dilation_rate),
    )
    return _finished(w, name, op.activation)


@spellings.spells(DepthwiseConv)
def depthwise(
    w: Writer, op: DepthwiseConv, x: Tensor, *, kernel: Array, bias: Array | None = None
) -> Any:
    """As many groups as channels."""
    *sizes, channels, multiplier = kernel.shape

    def grouped(k: Array) -> Array:
        return np.moveaxis(k, (-2, -1), (0, 1)).reshape(channels * multiplier, 1, *sizes)

    name = w.op(
        "Conv",
        windowed(w, w.as_dtype(x, w.type.dtype), sizes, op.strides, op.padding, op.dilation_rate),
        w.param("kernel", kernel, "depthwise", grouped),
        None if bias is None else w.param("bias", bias),
        kernel_shape=sizes,
        strides=op.strides,
        dilations=op.dilation_rate,
        group=channels,
        **padded(x.type.shape[1:-1], sizes, op.strides, op.padding, op.dilation_rate),
    )
    return _finished(w, name, op.activation)


@spellings.spells(ConvTranspose)
def conv_transpose(
    w: Writer, op: ConvTranspose, x: Tensor, *, kernel: Array, bias: Array | None = None
) -> Any:
    """What is cut or added at the ends does not depend on the size."""
    *sizes, _, _ = kernel.shape
    extra = op.output_padding or (None,) * len(sizes)
    before, behind, added = [], [], []
    for n, k, s, p, d in zip(
        x.type.shape[1:-1], sizes, op.strides, extra, op.dilation_rate, strict=True
    ):
        size = 8 if n is None else n
        out = transposed_size(size, k, s, op.padding, p, d) or 0
        crop = transposed_crop(size, out, k, s, d, op.padding)
        rest = (size - 1) * s + extent(k, d) - crop - out
        before.append(crop)
        behind.append(max(rest, 0))
        added.append(max(-rest, 0))
    name = w.op(
        "ConvTranspose",
        w.first(w.as_dtype(x, w.type.dtype)),
        w.param("kernel", kernel, "transposed", lambda k: np.moveaxis(k, (-1, -2), (0, 1))),
        None if bias is None else w.param("bias", bias),
        kernel_shape=sizes,
        strides=op.strides,
        dilations=op.dilation_rate,
        pads=before + behind,
        output_padding=added if any(added) else None,
    )
    return _finished(w, name, op.activation)


@spellings.spells(LocallyConnected)
def locally_connected(
    w: Writer, op: LocallyConnected, x: Tensor, *, kernel: Array, bias: Array | None = None
) -> Any:
    """Windows gathered by place, then one small product each."""
    if None in x.type.shape[1:]:
        raise RefusedError("the sizes of its input are not known")
    spatial = [d or 0 for d in x.type.shape[1:-1]]
    rank = len(spatial)
    windows = [d or 0 for d in w.type.shape[1:-1]]
    grids = np.meshgrid(
        *[np.arange(n) * s for n, s in zip(windows, op.strides, strict=True)],
        *[np.arange(k) for k in op.kernel_size],
        indexing="ij",
    )
    places = np.ravel_multi_index([grids[i] + grids[rank + i] for i in range(rank)], spatial)
    places = places.reshape(kernel.shape[0], -1).astype(np.int64)
    channels = x.type.shape[-1] or 0
    rows = w.op("Gather", w.reshape(x, 0, -1, channels), w.array(places), axis=1)
    flat = w.op("Unsqueeze", w.reshape(rows, 0, *places.shape[:1], -1), w.ints(2))
    name = w.op("MatMul", flat, w.param("kernel", kernel))
    name = w.reshape(name, 0, *windows, kernel.shape[-1])
    return name if bias is None else w.op("Add", name, w.param("bias", bias))
