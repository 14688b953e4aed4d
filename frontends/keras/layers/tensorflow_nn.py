"""Functions of ``tf.nn``: strides and windows for every axis, kernels as arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.data_format import to_first, to_last
from layergraph.frontends.keras.layers.parameters import emit_with
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import sizes, whole, wholes
from layergraph.frontends.keras.tensorflow import array_of, tensors
from layergraph.ir.ops.activation import LogSoftmax, Softmax
from layergraph.ir.ops.convolution import Conv, ConvTranspose, DepthwiseConv
from layergraph.ir.ops.elementwise import Binary, Math, Scale, Unary
from layergraph.ir.ops.indexing import Slice
from layergraph.ir.ops.linear import Dense
from layergraph.ir.ops.merge import Concatenate, Merge
from layergraph.ir.ops.patches import DepthToSpace, SpaceToDepth
from layergraph.ir.ops.pooling import Pool
from layergraph.ir.ops.shape import Crop, NewShape, Pad, PadAll, Transpose
from layergraph.ir.types import Array, type_of

# --- activations -----------------------------------------------------------------------


@reads("tf.Silu", arguments=("features",))
def silu(call: LayerCall) -> Tensor:
    """tf.nn.silu: ``x * sigmoid(beta * x)``."""
    (x,) = tensors(call, "features")
    beta = call.argument("beta", 1.0)
    if beta == 1:
        return call.emit(Unary(kind="silu"), x)
    inner = call.emit(Scale(factor=float(beta)), x, part="scaled")
    gate = call.emit(Unary(kind="sigmoid"), inner, part="gate")
    return call.emit(Merge(kind="multiply"), x, gate)


@reads("tf.Softmax", "tf.LogSoftmax", arguments=("logits",))
def softmax(call: LayerCall) -> Tensor:
    """tf.nn.softmax and log_softmax."""
    (x,) = tensors(call, "logits")
    axis = whole(call, call.argument("axis", -1), "axis")
    if call.spec.class_name == "Softmax":
        return call.emit(Softmax(axis=(axis,)), x)
    return call.emit(LogSoftmax(axis=axis), x)


@reads("tf.CRelu", arguments=("features",))
def crelu(call: LayerCall) -> Tensor:
    """tf.nn.crelu: what is above zero beside what is below."""
    (x,) = tensors(call, "features")
    axis = whole(call, call.argument("axis", -1), "axis")
    below = call.emit(Math(kind="negative"), x, part="negative")
    both = call.emit(Concatenate(axis=axis), x, below, part="both")
    return call.emit(Unary(kind="relu"), both)


# --- windows ---------------------------------------------------------------------------


class Windows:
    """The arguments that all functions over windows share.

    Attributes:
        x: the input with channels last.
        rank: number of spatial axes.
        back: the transpose that puts the channels of the result first again.
    """

    def __init__(self, call: LayerCall, name: str = "input") -> None:
        (x,) = tensors(call, name)
        self.call = call
        self.rank = len(x.shape) - 2
        given = call.argument("data_format")
        first = given is not None and str(given).startswith("NC")
        self.first = first
        self.x = call.emit(to_last(self.rank), x, part="channels_last") if first else x
        self.back = to_first(self.rank) if first else None

    def spatial(self, value: Any, name: str) -> tuple[int, ...]:
        """A number, one a spatial axis, or one an axis, as one a spatial axis."""
        if value is None:
            return (1,) * self.rank
        found = wholes(self.call, value, name)
        if len(found) == 1:
            return found * self.rank
        if len(found) == self.rank + 2:
            outer = (found[0], found[1 if self.first else -1])
            if outer != (1, 1):
                raise self.call.refusal(f"{name}={value!r} moves along batch or channels")
            return found[2:] if self.first else found[1:-1]
        if len(found) != self.rank:
            raise self.call.refusal(f"{name}={value!r} does not fit {self.rank} spatial axes")
        return found

    def padding(self, default: str = "VALID") -> Any:
        """``valid`` or ``same``; numbers are padded by a node of their own."""
        given = self.call.argument("padding", default)
        if isinstance(given, str) and given.lower() in ("valid", "same"):
            return given.lower()
        pairs = [wholes(self.call, pair, "padding") for pair in given]
        inner = pairs[2:] if self.first else pairs[1:-1]
        if len(pairs) != self.rank + 2:
            raise self.call.refusal(f"padding={given!r} is not supported")
        op = Pad(padding=tuple((a, b) for a, b in inner))
        self.x = self.call.emit(op, self.x, part="padded")
        return "valid"


def kernel_of(call: LayerCall, name: str = "filters") -> Array | Tensor:
    """A kernel: an array of the file, or a value of the graph."""
    found = call.argument(name)
    return found if isinstance(found, Tensor) else array_of(call, found, name, "float32")


def dilation(call: LayerCall, windows: Windows) -> tuple[int, ...]:
    """Dilation, under the three names it has."""
    given = [call.argument(name) for name in ("dilations", "dilation_rate", "rate")]
    return windows.spatial(next((g for g in given if g is not None), None), "dilations")


@reads("tf.Conv", arguments=("input",))
def conv(call: LayerCall) -> Tensor:
    """tf.nn.conv1d, conv2d, conv3d, convolution, atrous_conv2d."""
    windows = Windows(call)
    _quiet(call)
    kernel = kernel_of(call)
    strides = call.argument("strides", call.argument("stride"))
    op = Conv(
        strides=windows.spatial(strides, "strides"),
        dilation_rate=dilation(call, windows),
        padding=windows.padding(),
        groups=_groups(call, windows.x, kernel.shape[-2]),
    )
    return emit_with(call, op, windows.x, kernel=kernel, then=[windows.back])


def _groups(call: LayerCall, x: Tensor, depth: int | None) -> int:
    """Into how many parts the kernel's channels say that those of the input fall."""
    channels = x.shape[-1]
    if channels is None or not depth:
        raise call.refusal("its channels are of unknown number")
    return channels // depth


def _quiet(call: LayerCall) -> None:
    """Arguments that choose an implementation."""
    call.argument("use_cudnn_on_gpu")


@reads("tf.DepthwiseConv", arguments=("input",))
def depthwise_conv(call: LayerCall) -> Tensor:
    """tf.nn.depthwise_conv2d."""
    windows = Windows(call)
    op = DepthwiseConv(
        strides=windows.spatial(call.argument("strides"), "strides"),
        dilation_rate=dilation(call, windows),
        padding=windows.padding(),
    )
    kernel = kernel_of(call)
    return emit_with(call, op, windows.x, kernel=kernel, then=[windows.back])


@reads("tf.SeparableConv", arguments=("input",))
def separable_conv(call: LayerCall) -> Tensor:
    """tf.nn.separable_conv2d."""
    windows = Windows(call)
    ones = (1,) * windows.rank
    first, second = (kernel_of(call, f"{name}_filter") for name in ("depthwise", "pointwise"))
    depthwise = DepthwiseConv(
        strides=windows.spatial(call.argument("strides"), "strides"),
        dilation_rate=dilation(call, windows),
        padding=windows.padding(),
    )
    y = emit_with(call, depthwise, windows.x, kernel=first, part="depthwise")
    pointwise = Conv(strides=ones, dilation_rate=ones)
    return emit_with(call, pointwise, y, kernel=second, then=[windows.back])


@reads("tf.ConvTranspose", arguments=("input",))
def conv_transpose(call: LayerCall) -> Tensor:
    """tf.nn.conv2d_transpose and its kin: the output's size is an argument."""
    windows = Windows(call)
    kernel = kernel_of(call)
    strides = windows.spatial(call.argument("strides"), "strides")
    rates, padding = dilation(call, windows), windows.padding("SAME")
    shape = sizes(call, call.argument("output_shape"), "output_shape")
    found = wholes(call, shape[2:] if windows.first else shape[1:-1], "output_shape")
    op = ConvTranspose(strides=strides, dilation_rate=rates, padding=padding)
    y = op.infer(
        windows.x.type, kernel=kernel.type if isinstance(kernel, Tensor) else type_of(kernel)
    )
    if y.shape[1:-1] == found:
        return emit_with(call, op, windows.x, kernel=kernel, then=[windows.back])
    # Beyond Keras' sizes: all of the result, then the part that the convolution of that
    # size has as its gradient.
    return _transposed(call, windows, kernel, strides, rates, padding, found)


def _transposed(
    call: LayerCall,
    windows: Windows,
    kernel: Array | Tensor,
    strides: tuple[int, ...],
    rates: tuple[int, ...],
    padding: Any,
    wanted: tuple[int, ...],
) -> Tensor:
    op = ConvTranspose(strides=strides, dilation_rate=rates, padding="valid")
    y = emit_with(call, op, windows.x, kernel=kernel, part="whole")
    crop, pad = [], []
    axes = zip(windows.x.shape[1:-1], y.shape[1:-1], wanted, kernel.shape, strides, rates,
               strict=False)  # fmt: skip
    for size, full, out, length, stride, rate in axes:
        if size is None or full is None:
            raise call.refusal("its input is of unknown size")
        reach = (length - 1) * rate + 1
        total = max((size - 1) * stride + reach - out, 0) if padding == "same" else 0
        before = total // 2
        behind = full - before - out
        crop.append((before, max(behind, 0)))
        pad.append((0, max(-behind, 0)))
    y = call.emit(Crop(cropping=tuple(crop)), y, part="cropped")
    return call.emit(Pad(padding=tuple(pad)), y, then=[windows.back])


@reads("tf.MaxPool", "tf.AvgPool", "tf.Pool", arguments=("input",))
def pool(call: LayerCall) -> Tensor:
    """tf.nn.max_pool, avg_pool, pool."""
    windows, name = Windows(call), call.spec.class_name
    if name == "Pool":
        kind: Any = {"AVG": "average", "MAX": "max"}[call.argument("pooling_type")]
        size = windows.spatial(call.argument("window_shape"), "window_shape")
        if set(dilation(call, windows)) != {1}:
            raise call.refusal("dilated pooling is not supported")
    else:
        kind = "average" if name == "AvgPool" else "max"
        size = windows.spatial(call.argument("ksize"), "ksize")
    strides = windows.spatial(call.argument("strides"), "strides")
    padding = call.argument("padding", "VALID")
    if not isinstance(padding, str):
        raise call.refusal(f"padding={padding!r} is not supported")
    op = Pool(kind=kind, pool_size=size, strides=strides, padding=padding.lower())  # type: ignore[arg-type]
    return call.emit(op, windows.x, then=[windows.back])


# --- channels --------------------------------------------------------------------------


@reads("tf.BiasAdd", arguments=("value",))
def bias_add(call: LayerCall) -> Tensor:
    """tf.nn.bias_add."""
    x, bias = tensors(call, "value", "bias")
    if str(call.argument("data_format", "")).startswith("NC"):
        column = NewShape(shape=(-1, *(1,) * (len(x.shape) - 2)))
        bias = call.emit(column, bias, part="column")
    return call.emit(Merge(kind="add"), x, bias)


@reads("tf.BatchNormalization", arguments=("x",))
def batch_normalization(call: LayerCall) -> Tensor:
    """tf.nn.batch_normalization: ``(x - mean) * scale / sqrt(variance + epsilon) + offset``."""
    x, mean, variance = tensors(call, "x", "mean", "variance")
    epsilon = call.constant(
        "epsilon", np.array(call.argument("variance_epsilon"), variance.type.dtype)
    )
    spread = call.emit(Merge(kind="add"), variance, epsilon, part="spread")
    factor = call.emit(Math(kind="rsqrt"), spread, part="rsqrt")
    if call.argument("scale") is not None:
        scale = tensors(call, "x", "scale")[1]
        factor = call.emit(Merge(kind="multiply"), factor, scale, part="factor")
    centred = call.emit(Merge(kind="subtract"), x, mean, part="centred")
    if call.argument("offset") is None:
        return call.emit(Merge(kind="multiply"), centred, factor)
    y = call.emit(Merge(kind="multiply"), centred, factor, part="scaled")
    return call.emit(Merge(kind="add"), y, tensors(call, "x", "offset")[1])


@reads("tf.FusedBatchNorm", arguments=("x",))
def fused_batch_norm(call: LayerCall) -> list[Tensor]:
    """tf.compat.v1.nn.fused_batch_norm with given statistics, which come out again."""
    windows = Windows(call, "x")
    if call.argument("is_training", True):
        raise call.refusal(
            "it normalises by the statistics of the batch", "save the model for inference"
        )
    call.argument("exponential_avg_factor")
    x, mean, variance = (windows.x, *tensors(call, "mean", "variance"))
    scale, offset = tensors(call, "scale", "offset")
    epsilon = call.constant("epsilon", np.array(call.argument("epsilon", 1e-3), "float32"))
    spread = call.emit(Merge(kind="add"), variance, epsilon, part="spread")
    factor = call.emit(Math(kind="rsqrt"), spread, part="rsqrt")
    factor = call.emit(Merge(kind="multiply"), factor, scale, part="factor")
    centred = call.emit(Merge(kind="subtract"), x, mean, part="centred")
    y = call.emit(Merge(kind="multiply"), centred, factor, part="scaled")
    return [call.emit(Merge(kind="add"), y, offset, then=[windows.back]), mean, variance]


@reads("tf.LocalResponse", arguments=("input",))
def local_response(call: LayerCall) -> Tensor:
    """tf.nn.local_response_normalization: squares summed over neighbouring channels."""
    (x,) = tensors(call, "input")
    radius = whole(call, call.argument("depth_radius", 5), "depth_radius")
    bias, alpha, beta = (call.argument(n, d) for n, d in (("bias", 1), ("alpha", 1), ("beta", 0.5)))
    channels = x.shape[-1]
    if channels is None:
        raise call.refusal("its channels are of unknown number")
    near = np.abs(np.arange(channels)[:, None] - np.arange(channels)) <= radius
    squares = call.emit(Math(kind="square"), x, part="square")
    kernel = (near * np.float32(alpha)).astype(x.type.dtype)
    params = {"kernel": kernel, "bias": np.full(channels, bias, x.type.dtype)}
    total = call.emit(Dense(), squares, params=params, part="sum")
    power = call.constant("beta", np.array(beta, x.type.dtype))
    divisor = call.emit(Binary(kind="power"), total, power, part="power")
    return call.emit(Binary(kind="divide"), x, divisor)


@reads("tf.DepthToSpace", "tf.SpaceToDepth", arguments=("input",))
def blocks(call: LayerCall) -> Tensor:
    """tf.nn.depth_to_space and space_to_depth."""
    windows = Windows(call)
    n = whole(call, call.argument("block_size"), "block_size")
    kind: Any = DepthToSpace if call.spec.class_name == "DepthToSpace" else SpaceToDepth
    return call.emit(kind(block_size=n), windows.x, then=[windows.back])


@reads("tf.SpaceToBatch", "tf.BatchToSpace", arguments=("input",))
def batches(call: LayerCall) -> Tensor:
    """tf.space_to_batch and batch_to_space: every n-th element of an axis as a row of its own."""
    (x,) = tensors(call, "input")
    blocks_ = wholes(call, call.argument("block_shape"), "block_shape")
    name = "paddings" if call.spec.class_name == "SpaceToBatch" else "crops"
    given = call.argument(name)
    if isinstance(given, Tensor):
        raise call.refusal(f"{name} as one tensor are not supported, give pairs of numbers")
    pairs = tuple((a, b) for a, b in (wholes(call, pair, name) for pair in given))
    rank = len(blocks_)
    inner, rest = x.shape[1 : rank + 1], x.shape[rank + 1 :]
    if None in (*inner, *rest):
        raise call.refusal("its input is of unknown size")
    lengths, tail = [d or 0 for d in inner], tuple(d or 0 for d in rest)
    axes = range(rank)
    if name == "paddings":
        around = ((0, 0), *pairs, *((0, 0) for _ in tail))
        x = call.emit(PadAll(pad_width=around), x, part="padded")
        parts = [(n + a + b) // k for n, (a, b), k in zip(lengths, pairs, blocks_, strict=True)]
        split = (-1, *(v for pair in zip(parts, blocks_, strict=True) for v in pair), *tail)
        order = [*(2 + 2 * i for i in axes), 0, *(1 + 2 * i for i in axes)]
        y = call.emit(NewShape(shape=split), x, part="blocks")
        order += range(1 + 2 * rank, 1 + 2 * rank + len(tail))
        turned = Transpose(axes=tuple(order))
        return call.emit(turned, y, then=[NewShape(shape=(-1, *parts, *tail))])
    y = call.emit(NewShape(shape=(*blocks_, -1, *lengths, *tail)), x, part="blocks")
    order = [rank, *(v for i in axes for v in (rank + 1 + i, i))]
    order += range(1 + 2 * rank, 1 + 2 * rank + len(tail))
    y = call.emit(Transpose(axes=tuple(order)), y, part="order")
    full = [n * k for n, k in zip(lengths, blocks_, strict=True)]
    y = call.emit(NewShape(shape=(-1, *full, *tail)), y, part="joined")
    key = [(a, n - b, None) for n, (a, b) in zip(full, pairs, strict=True)]
    return call.emit(Slice(key=((None, None, None), *key)), y)
