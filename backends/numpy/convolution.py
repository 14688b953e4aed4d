"""Convolutions as one GEMM over gathered windows.

Windows are gathered by one strided copy into a pooled buffer, in chunks that
stay in cache; a 1x1 convolution needs no gathering at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from layergraph.backends.numpy.scratch import Pool, Specialised, buffer
from layergraph.backends.numpy.table import Kernel, Kernels, in_place
from layergraph.ir.op import Activation
from layergraph.ir.ops.convolution import Conv, ConvTranspose, DepthwiseConv, LocallyConnected
from layergraph.ir.types import Array
from layergraph.ir.windows import (
    Padding,
    left_out,
    output_sizes,
    padding_of,
    transposed_crop,
    transposed_size,
)

kernels = Kernels()

CHUNK_BYTES = 2 << 20
"""Gathered windows at a time: about what a core's share of cache holds."""

Finish = Callable[[Array], None]


def finisher(bias: Array | None, activation: Activation | None) -> Finish:
    """Bias and activation, applied where the result lies."""
    activate = in_place(activation)

    def finish(y: Array) -> None:
        if bias is not None:
            y += bias
        if activate is not None:
            activate(y)

    return finish


@kernels.prepares(Conv)
def conv(op: Conv, *, kernel: Array, bias: Array | None = None) -> Kernel:
    """One GEMM a chunk of windows."""
    finish = finisher(bias, op.activation)
    sizes, filters = kernel.shape[:-2], kernel.shape[-1]
    if prod(sizes) == 1 and prod(op.strides) == 1 and op.groups == 1:
        return _pointwise(np.ascontiguousarray(kernel.reshape(-1, filters)), finish)
    # One matrix a group: (groups, window elements, filters of the group).
    matrices = kernel.reshape(-1, op.groups, filters // op.groups).transpose(1, 0, 2)
    matrices = np.ascontiguousarray(matrices)

    def make(shape: tuple[int, ...]) -> Kernel:
        return _gathered(op, sizes, matrices, finish, shape)

    return Specialised(make)


def _pointwise(matrix: Array, finish: Finish) -> Kernel:
    """A 1x1 convolution: a matrix product over the channels."""

    def run(x: Array) -> Array:
        y = np.empty((*x.shape[:-1], matrix.shape[1]), matrix.dtype)
        flat = y.reshape(-1, matrix.shape[1])
        np.matmul(x.reshape(-1, matrix.shape[0]), matrix, out=flat)
        finish(flat)
        return y

    return run


def _gathered(
    op: Conv, sizes: tuple[int, ...], matrices: Array, finish: Finish, shape: tuple[int, ...]
) -> Kernel:
    """A convolution for one input shape."""
    groups, depth, filters = matrices.shape
    pad = Padded(shape, sizes, op.strides, op.padding, op.dilation_rate, matrices.dtype)
    per_row = prod(pad.windows[1:])
    chunks = _chunks(shape[0], pad.windows[0], per_row * depth * groups * matrices.itemsize)
    most = max((len(range(*b)) * len(range(*r)) for b, r in chunks), default=0) * per_row
    columns = buffer((groups, most, depth), matrices.dtype)

    def run(x: Array) -> Array:
        y = np.empty((shape[0], *pad.windows, filters * groups), matrices.dtype)
        flat = y.reshape(shape[0] * pad.windows[0], per_row, filters * groups)
        padded, lent = pad.take(x)
        work = columns.take()
        windows = pad.view(padded)
        for (first, last), (top, bottom) in chunks:
            block = windows[first:last, top:bottom]
            rows = flat[first * pad.windows[0] + top : (last - 1) * pad.windows[0] + bottom]
            rows = rows.reshape(-1, filters * groups)
            _multiply(block, work, matrices, rows)
            finish(rows)
        columns.give(work)
        pad.give(lent)
        return y

    return run


def _multiply(block: Array, work: Array, matrices: Array, rows: Array) -> None:
    """Gather a block of windows and multiply, group by group."""
    groups, _, filters = matrices.shape
    channels = block.shape[-1] // groups
    for group in range(groups):
        part = block if groups == 1 else block[..., group * channels : (group + 1) * channels]
        gathered = work[group, : len(rows)]
        np.copyto(gathered.reshape(part.shape), part)
        if groups == 1:
            np.matmul(gathered, matrices[0], out=rows)
        else:
            rows[:, group * filters : (group + 1) * filters] = gathered @ matrices[group]


def _chunks(batch: int, rows: int, row_bytes: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Whole images, or some rows of one image, at a time."""
    fit = max(CHUNK_BYTES // max(row_bytes, 1), 1)
    if fit >= rows:
        images = max(fit // max(rows, 1), 1)
        return [((i, min(i + images, batch)), (0, rows)) for i in range(0, batch, images)]
    return [
        ((i, i + 1), (top, min(top + fit, rows)))
        for i in range(batch)
        for top in range(0, rows, fit)
    ]


class Padded:
    """An input with zeros around it, and the view of its windows.

    Args:
        shape: input shape, channels last.
        sizes, strides, dilation_rate: one number a spatial axis.
        dtype: dtype computed in.
    """

    def __init__(
        self, shape: tuple[int, ...], sizes: Sequence[int], strides: Sequence[int],
        padding: Padding, dilation_rate: Sequence[int], dtype: np.dtype,
    ) -> None:  # fmt: skip
        spatial = shape[1:-1]
        pads = [
            padding_of(n, k, s, padding, d)
            for n, k, s, d in zip(spatial, sizes, strides, dilation_rate, strict=True)
        ]
        firsts = [
            left_out(n, k, s, padding, d, len(spatial))
            for n, k, s, d in zip(spatial, sizes, strides, dilation_rate, strict=True)
        ]
        self._read = (slice(None), *(slice(first, None) for first in firsts))
        found = output_sizes(spatial, sizes, strides, padding, dilation_rate)
        self.windows = tuple(w or 0 for w in found)
        self._sizes, self._strides, self._rates = sizes, strides, dilation_rate
        spatial = tuple(n - first for n, first in zip(spatial, firsts, strict=True))
        self._inner = tuple(slice(b, b + n) for (b, _), n in zip(pads, spatial, strict=True))
        grown = tuple(n + b + a for n, (b, a) in zip(spatial, pads, strict=True))
        self._dtype = dtype
        self._pool = None
        if grown != spatial:
            self._pool = Pool(lambda: np.zeros((shape[0], *grown, shape[-1]), dtype))

    def take(self, x: Array) -> tuple[Array, Array | None]:
        """The padded input, and the buffer to give back."""
        if self._pool is None:
            return np.ascontiguousarray(x[self._read], self._dtype), None
        # Only the inside is ever written, so the zeros around it last.
        lent: Array = self._pool.take()
        lent[(slice(None), *self._inner)] = x[self._read]
        return lent, lent

    def give(self, lent: Array | None) -> None:
        """Return the buffer."""
        if self._pool is not None and lent is not None:
            self._pool.give(lent)

    def view(self, padded: Array) -> Array:
        """Windows ``(batch, *windows, *sizes, channels)`` without copying."""
        spatial = padded.strides[1:-1]
        steps = [b * s for b, s in zip(spatial, self._strides, strict=True)]
        inner = [b * d for b, d in zip(spatial, self._rates, strict=True)]
        return as_strided(
            padded,
            (padded.shape[0], *self.windows, *self._sizes, padded.shape[-1]),
            (padded.strides[0], *steps, *inner, padded.strides[-1]),
            writeable=False,
        )

    def taps(self, padded: Array) -> list[Array]:
        """For each kernel element, the input elements it meets."""
        view, rank = self.view(padded), len(self._sizes)
        return [
            view[(slice(None),) * (rank + 1) + tap] for tap in product(*map(range, self._sizes))
        ]


@kernels.prepares(DepthwiseConv)
def depthwise(op: DepthwiseConv, *, kernel: Array, bias: Array | None = None) -> Kernel:
    """Multiply and accumulate, one kernel element at a time, image by image."""
    finish = finisher(bias, op.activation)
    *sizes, channels, multiplier = kernel.shape
    rows = np.ascontiguousarray(kernel.reshape(-1, channels, multiplier))
    rows = rows[..., 0] if multiplier == 1 else rows

    def make(shape: tuple[int, ...]) -> Kernel:
        pad = Padded(shape, sizes, op.strides, op.padding, op.dilation_rate, kernel.dtype)
        inner = (
            (*pad.windows, channels) if multiplier == 1 else (*pad.windows, channels, multiplier)
        )
        work = buffer(inner, kernel.dtype)

        def run(x: Array) -> Array:
            y = np.empty((shape[0], *inner), kernel.dtype)
            padded, lent = pad.take(x)
            product_ = work.take()
            taps = pad.taps(padded)
            for image, out in enumerate(y):
                for i, tap in enumerate(taps):
                    part = tap[image] if multiplier == 1 else tap[image][..., None]
                    np.multiply(part, rows[i], out=product_ if i else out)
                    if i:
                        out += product_
                finish(out.reshape(*pad.windows, -1))
            work.give(product_)
            pad.give(lent)
            return y.reshape(shape[0], *pad.windows, channels * multiplier)

        return run

    return Specialised(make)


@kernels.prepares(ConvTranspose)
def conv_transpose(op: ConvTranspose, *, kernel: Array, bias: Array | None = None) -> Kernel:
    """One GEMM gives every input element's contribution; they are added where they fall."""
    finish = finisher(bias, op.activation)
    *sizes, filters, channels = kernel.shape
    matrix = np.ascontiguousarray(kernel.reshape(-1, channels).T)
    extra = op.output_padding or (None,) * len(sizes)

    def make(shape: tuple[int, ...]) -> Kernel:
        spatial = shape[1:-1]
        axes = list(zip(spatial, sizes, op.strides, op.dilation_rate, extra, strict=True))
        out = tuple(transposed_size(n, k, s, op.padding, p, d) or 0 for n, k, s, d, p in axes)
        ranges = [
            [_fall(n, o, k, s, d, op.padding, t) for t in range(k)]
            for (n, k, s, d, _), o in zip(axes, out, strict=True)
        ]
        taps = list(product(*map(range, sizes)))

        def run(x: Array) -> Array:
            parts = (x.reshape(-1, channels) @ matrix).reshape(*shape[:-1], len(taps), filters)
            y = np.zeros((shape[0], *out, filters), kernel.dtype)
            for i, tap in enumerate(taps):
                found = [ranges[axis][t] for axis, t in enumerate(tap)]
                target = (slice(None), *(f[0] for f in found))
                source = (slice(None), *(f[1] for f in found))
                y[target] += parts[..., i, :][source]
            finish(y)
            return y

        return run

    return Specialised(make)


def _fall(
    size: int, out: int, kernel_size: int, strides: int, dilation_rate: int, padding: str, tap: int
) -> tuple[slice, slice]:
    """Output positions one kernel element adds to, and the inputs they come from."""
    crop = transposed_crop(size, out, kernel_size, strides, dilation_rate, padding)  # type: ignore[arg-type]
    shift = tap * dilation_rate - crop
    first = max(-(shift // strides), 0) if shift < 0 else 0
    last = min(size, (out - 1 - shift) // strides + 1)
    last = max(last, first)
    start = first * strides + shift
    return slice(start, start + (last - first) * strides, strides), slice(first, last)


@kernels.computes(LocallyConnected)
def locally_connected(
    op: LocallyConnected, x: Array, *, kernel: Array, bias: Array | None = None
) -> Array:
    """One small matrix product a place, all in one batched call."""
    rank = len(op.kernel_size)
    windows = sliding_window_view(x, op.kernel_size, tuple(range(1, rank + 1)))
    windows = windows[(slice(None), *(slice(None, None, s) for s in op.strides))]
    places = windows.shape[1 : rank + 1]
    # (batch, *places, channels, *kernel_size) to (places, batch, window elements).
    order = (*range(1, rank + 1), 0, *range(rank + 2, 2 * rank + 2), rank + 1)
    rows = windows.transpose(order).reshape(len(kernel), len(x), kernel.shape[1])
    y = np.matmul(rows, kernel).transpose(1, 0, 2).reshape(len(x), *places, kernel.shape[2])
    return np.asarray(y + bias) if bias is not None else np.ascontiguousarray(y)
