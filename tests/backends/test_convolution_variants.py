"""Every way of computing a convolution, forced, beside a plain sum and beside live Keras."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from layergraph.backends.numpy import (
    convolution,
    gemm,
    planar,
    scratch,
    shifted,
    threads,
    winograd,
)
from layergraph.backends.numpy import depthwise as depthwise_kernels
from layergraph.backends.numpy.table import in_place
from layergraph.ir.op import Activation, Op
from layergraph.ir.ops.activation import ReLU, Softmax
from layergraph.ir.ops.convolution import Conv, DepthwiseConv
from layergraph.ir.types import Array
from layergraph.ir.windows import left_out, output_sizes, padding_of
from parity.test_convolution import CASES
from support import assert_parity

RNG = np.random.default_rng(0)
VARIANTS = sorted({*get_args(convolution.ConvVariant), *convolution.DEPTHWISE})


@contextmanager
def forced(monkeypatch: pytest.MonkeyPatch, variant: str) -> Iterator[list[str]]:
    """Have a variant chosen wherever it can compute a convolution; gives those chosen."""
    chosen: list[str] = []
    times_of, depthwise_variants = convolution.times_of, convolution.depthwise_variants

    def only(*args: Any) -> dict[Any, float]:
        times: dict[Any, float] = times_of(*args)
        if variant not in times:
            return times
        chosen.append(variant)
        return {variant: times[variant]}

    def first(*args: Any) -> list[str]:
        names = depthwise_variants(*args)
        if variant in names:
            chosen.append(variant)
        return sorted(names, key=lambda name: name != variant)

    with monkeypatch.context() as patch:
        patch.setattr(convolution, "times_of", only)
        patch.setattr(convolution, "depthwise_variants", first)
        yield chosen


def summed(op: Any, x: Array, kernel: Array, bias: Array) -> Array:
    """The convolution as its definition says, in float64."""
    depthwise = isinstance(op, DepthwiseConv)
    sizes, rank = kernel.shape[:-2], kernel.ndim - 2
    axes = list(zip(x.shape[1:-1], sizes, op.strides, op.dilation_rate, strict=True))
    first = [left_out(n, k, s, op.padding, d, rank) for n, k, s, d in axes]
    x = x[(slice(None), *(slice(f, None) for f in first))].astype(np.float64)
    pads = [padding_of(n, k, s, op.padding, d) for n, k, s, d in axes]
    x = np.pad(x, [(0, 0), *pads, (0, 0)])
    windows = output_sizes([n for n, *_ in axes], sizes, op.strides, op.padding, op.dilation_rate)
    filters = kernel.shape[-1] * (kernel.shape[-2] if depthwise else 1)
    y = np.zeros((len(x), *windows, filters)) + bias.astype(np.float64)
    for tap in product(*map(range, sizes)):
        found = [
            slice(t * d, t * d + (w - 1) * s + 1, s)
            for t, (_, _, s, d), w in zip(tap, axes, windows, strict=True)
        ]
        part, weight = x[(slice(None), *found)], kernel[tap].astype(np.float64)
        if depthwise:
            y += (part[..., None] * weight).reshape(y.shape)
            continue
        for group, columns in enumerate(np.split(weight, op.groups, axis=-1)):
            rows = np.split(part, op.groups, axis=-1)[group]
            y[..., group * columns.shape[-1] : (group + 1) * columns.shape[-1]] += rows @ columns
    return y


def conv(rank: int = 2, **options: Any) -> Conv:
    ones = (1,) * rank
    return Conv(**{"strides": ones, "dilation_rate": ones, "padding": "same", **options})


def depthwise(rank: int = 2, **options: Any) -> DepthwiseConv:
    ones = (1,) * rank
    return DepthwiseConv(**{"strides": ones, "dilation_rate": ones, "padding": "same", **options})


RELU, SOFTMAX = ReLU(max_value=1.5), Softmax()

TWO: Any = {"strides": (2, 2)}
MIXED: Any = {"dilation_rate": (2, 1), "strides": (1, 2)}

ROWS: list[tuple[str, Op, tuple[int, ...], tuple[int, ...]]] = [
    ("3x3 same odd", conv(activation=RELU), (7, 5, 3), (3, 3, 3, 4)),
    ("3x3 valid even", conv(padding="valid"), (8, 6, 5), (3, 3, 5, 7)),
    ("3x3 valid odd", conv(padding="valid", activation=SOFTMAX), (9, 5, 2), (3, 3, 2, 6)),
    ("3x3 several tiles", conv(activation=RELU), (67, 45, 24), (3, 3, 24, 40)),
    ("3x3 many channels", conv(), (13, 12, 70), (3, 3, 70, 130)),
    ("3x3 many places and channels", conv(), (20, 18, 130), (3, 3, 130, 130)),
    ("even kernel same", conv(activation=RELU), (9, 8, 3), (4, 2, 3, 5)),
    ("wide kernel valid", conv(padding="valid", activation=SOFTMAX), (6, 9, 2), (2, 5, 2, 3)),
    ("kernel larger than the image", conv(), (2, 3, 4), (5, 6, 4, 3)),
    ("3x3 one pixel", conv(), (1, 1, 4), (3, 3, 4, 5)),
    ("3x3 one row", conv(activation=RELU), (1, 9, 4), (3, 3, 4, 5)),
    ("even kernel stride 2", conv(strides=(2, 2)), (9, 8, 3), (4, 2, 3, 5)),
    ("stride 2 and 3 valid", conv(strides=(2, 3), padding="valid"), (11, 13, 3), (3, 5, 3, 4)),
    ("stride over kernel", conv(strides=(3, 4)), (11, 10, 3), (2, 1, 3, 5)),
    ("7x7 stride 2 large", conv(strides=(2, 2), activation=RELU), (95, 61, 3), (7, 7, 3, 32)),
    ("dilated", conv(dilation_rate=(2, 3)), (9, 8, 3), (3, 3, 3, 4)),
    ("dilated beyond the image", conv(dilation_rate=(5, 7)), (4, 3, 2), (3, 3, 2, 3)),
    ("groups", conv(groups=2, activation=SOFTMAX), (7, 5, 6), (3, 3, 3, 4)),
    ("groups of one channel", conv(groups=6, activation=RELU), (9, 8, 6), (5, 3, 1, 12)),
    ("1x1", conv(activation=SOFTMAX), (7, 5, 3), (1, 1, 3, 4)),
    ("1x1 few rows, many columns", conv(activation=RELU), (7, 5, 600), (1, 1, 600, 1100)),
    ("3x3 few rows, many columns", conv(activation=RELU), (5, 4, 96), (3, 3, 96, 600)),
    ("1x1 stride 2", conv(strides=(2, 2)), (7, 5, 3), (1, 1, 3, 4)),
    ("line causal", conv(1, padding="causal", dilation_rate=(2,)), (9, 5), (3, 5, 4)),
    ("line causal strided", conv(1, padding="causal", strides=(2,)), (9, 5), (3, 5, 4)),
    ("volume", conv(3, strides=(1, 2, 1), activation=RELU), (5, 6, 3, 2), (3, 2, 1, 2, 4)),
    ("volume, windows apart", conv(3, strides=(3, 4, 2)), (9, 8, 6, 2), (1, 2, 1, 2, 3)),
    ("depthwise 3x3", depthwise(activation=RELU), (7, 5, 3), (3, 3, 3, 1)),
    ("depthwise multiplier", depthwise(activation=SOFTMAX), (7, 6, 3), (3, 4, 3, 2)),
    ("depthwise several tiles", depthwise(), (61, 53, 48), (3, 3, 48, 1)),
    ("depthwise 7x7, columns apart", depthwise(activation=RELU), (20, 39, 64), (7, 7, 64, 1)),
    ("depthwise stride 2", depthwise(strides=(2, 2)), (9, 8, 3), (3, 2, 3, 1)),
    ("depthwise stride 2 valid", depthwise(**TWO, padding="valid"), (9, 8, 3), (3, 5, 3, 1)),
    ("depthwise stride 3 and 1", depthwise(strides=(3, 1)), (11, 8, 3), (2, 3, 3, 2)),
    ("depthwise dilated", depthwise(dilation_rate=(2, 3)), (9, 8, 3), (3, 3, 3, 1)),
    ("depthwise dilated, strided", depthwise(**MIXED), (9, 8, 3), (3, 3, 3, 1)),
    ("depthwise line causal", depthwise(1, padding="causal"), (9, 5), (4, 5, 2)),
    ("depthwise line stride 2", depthwise(1, strides=(2,)), (9, 5), (3, 5, 1)),
    ("depthwise volume", depthwise(3), (5, 6, 4, 3), (2, 3, 1, 3, 2)),
]  # fmt: skip

TILED = (depthwise_kernels, gemm, planar, shifted, winograd)

DTYPES: dict[str, float] = {"float32": 3e-6, "float64": 1e-14}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_variant_is_the_sum(
    row: tuple[str, Any, tuple[int, ...], tuple[int, ...]],
    variant: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Batches of 3, 1 and none; strided input; with and without a bias; one thread and tiles
    of several images, two threads and tiles of some rows."""
    _, op, shape, kernel_shape = row
    filters = kernel_shape[-1] * (kernel_shape[-2] if isinstance(op, DepthwiseConv) else 1)
    kernels: Any = convolution.kernels.prepare[type(op)]
    where = threads.WORTH_SPREADING
    for dtype, batch, biased, width in product(DTYPES, (3, 1, 0), (True, False), (1, 2)):
        kernel = RNG.standard_normal(kernel_shape).astype(dtype)
        bias = RNG.standard_normal(filters).astype(dtype)
        x = RNG.standard_normal((batch, *shape)).astype(dtype)
        with forced(monkeypatch, variant) as chosen, monkeypatch.context() as patch:
            patch.setattr(threads, "WORTH_SPREADING", 0 if width == 2 else where)
            patch.setattr(scratch.current, "threads", width)
            for module in TILED if width == 2 else ():
                patch.setattr(module, "TILE_BYTES", 1 << 11)
            run = kernels(op, {"kernel": kernel, "bias": bias} if biased else {"kernel": kernel})
            got = run(x)
            if not chosen:
                pytest.skip(f"{variant} does not compute this one")
            wide = np.repeat(x, 2, axis=-1)[..., ::2]
            wide.flags.writeable = False
            again = run(wide)
        assert run.variant == variant
        want = summed(op, x, kernel, bias if biased else np.zeros(filters, dtype))
        scale = np.abs(want).max(initial=1e-6)
        if op.activation is not None and batch:
            activated(op.activation, want)
        assert got.shape == want.shape
        assert got.dtype == dtype
        assert np.abs(got - want).max(initial=0) <= DTYPES[dtype] * scale
        assert np.array_equal(got, again)


def activated(activation: Activation, x: Array) -> None:
    apply = in_place(activation)
    assert apply is not None
    apply(x)


def test_every_variant_is_chosen_by_itself_for_some_row() -> None:
    """The model of times does not leave a variant unused, nor the table a variant untested."""
    found = set()
    for _, op, shape, kernel_shape in ROWS:
        run: Any = convolution.kernels.prepare[type(op)](
            op, {"kernel": np.ones(kernel_shape, "f4")}
        )
        run(np.ones((1, *shape), "f4"))
        found.add(run.variant)
    assert found == set(VARIANTS)


LIVE = {
    "gathered": ("conv2d valid, relu", "conv2d dilated same", "conv2d softmax over channels",
                 "conv2d unknown sides"),
    "planar": ("conv2d valid, relu", "conv2d same even kernel stride 2",
               "conv2d stride larger than kernel", "conv2d larger than a chunk"),
    "shifted": ("conv2d valid, relu", "conv2d softmax over channels", "conv2d larger than a chunk"),
    "winograd": ("conv2d valid, relu", "conv2d softmax over channels"),
    "pointwise": ("conv2d 1x1",),
    "rows": ("depthwise2d same multiplier", "depthwise2d stride 2", "depthwise1d"),
    "elements": ("depthwise2d same multiplier", "depthwise2d stride 2", "depthwise1d"),
}  # fmt: skip


@pytest.mark.live
@pytest.mark.parametrize(
    ("variant", "name"), [(variant, name) for variant, names in LIVE.items() for name in names]
)
def test_a_variant_is_what_keras_gives(
    variant: str, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (row,) = [case for case in CASES if case.id == name]
    with forced(monkeypatch, variant) as chosen:
        assert_parity(row, "keras", ".keras", tmp_path)
        assert chosen
