"""Convolutions: one operator for all ranks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.activation import activation
from layergraph.frontends.keras.layers.data_format import channels_last_input, per_axis
from layergraph.frontends.keras.layers.local_kernels import LAYOUTS, Layout
from layergraph.frontends.keras.layers.parameters import emit_with, shape_of
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.convolution import Conv, ConvTranspose, DepthwiseConv, LocallyConnected
from layergraph.ir.ops.shape import Pad
from layergraph.ir.types import type_of
from layergraph.ir.windows import output_sizes


def _rank(call: LayerCall) -> int:
    """The digit before the D of the class name."""
    return (
        int(call.spec.class_name.partition("D")[0][-1])
        if call.spec.class_name[0] != "D"
        else int(call.spec.class_name[-2])
    )


def _windows(call: LayerCall, rank: int, *, causal: bool = False) -> dict[str, Any]:
    """Attributes every convolution has."""
    paddings = ("valid", "same", "causal") if causal else ("valid", "same")
    return {
        "strides": call.config.ints("strides", rank, 1),
        "padding": call.config.choice("padding", paddings, "valid"),
        "dilation_rate": call.config.ints("dilation_rate", rank, 1),
    }


@reads("Conv1D", "Conv2D", "Conv3D")
def conv(call: LayerCall) -> Tensor:
    """keras/src/layers/convolutional/base_conv.py."""
    rank, config = _rank(call), call.config
    x, back = channels_last_input(call, rank)
    filters, groups = config.int("filters"), config.int("groups", 1)
    sizes = config.ints("kernel_size", rank)
    if config.bool("full", False):
        # Keras 1 over Theano: every place where kernel and input share an element.
        reach = zip(sizes, config.ints("dilation_rate", rank, 1), strict=True)
        pads = tuple(((k - 1) * d, (k - 1) * d) for k, d in reach)
        x = call.emit(Pad(padding=pads), x, part="padded")
    channels = x.shape[-1]
    params = call.weights(
        kernel=(*sizes, channels if channels is None else channels // groups, filters),
        bias=(filters,) if config.bool("use_bias", True) else None,
    )
    op = Conv(groups=groups, **_windows(call, rank, causal=rank == 1))
    return call.emit(op, x, params=params, then=[activation(call, "activation"), back])


@reads("DepthwiseConv1D", "DepthwiseConv2D")
def depthwise(call: LayerCall) -> Tensor:
    """keras/src/layers/convolutional/base_depthwise_conv.py."""
    rank, config = _rank(call), call.config
    x, back = channels_last_input(call, rank)
    multiplier, channels = config.int("depth_multiplier", 1), x.shape[-1]
    config.ignore("filters")
    outputs = None if channels is None else channels * multiplier
    params = call.weights(
        kernel=(*config.ints("kernel_size", rank), channels, multiplier),
        bias=(outputs,) if config.bool("use_bias", True) else None,
    )
    op = DepthwiseConv(**_windows(call, rank))
    return call.emit(op, x, params=params, then=[activation(call, "activation"), back])


@reads("SeparableConv1D", "SeparableConv2D")
def separable(call: LayerCall) -> Tensor:
    """Depthwise, then 1x1: keras/src/layers/convolutional/base_separable_conv.py."""
    rank, config = _rank(call), call.config
    x, back = channels_last_input(call, rank)
    filters, multiplier, channels = (
        config.int("filters"),
        config.int("depth_multiplier", 1),
        x.shape[-1],
    )
    ones = (1,) * rank
    params = call.weights(
        depthwise_kernel=(*config.ints("kernel_size", rank), channels, multiplier),
        pointwise_kernel=(*ones, None if channels is None else channels * multiplier, filters),
        bias=(filters,) if config.bool("use_bias", True) else None,
    )
    first = {"kernel": params["depthwise_kernel"]}
    second = {"kernel": params["pointwise_kernel"]}
    if "bias" in params:
        second["bias"] = params["bias"]
    windows = _windows(call, rank, causal=rank == 1)
    y = call.emit(DepthwiseConv(**windows), x, params=first, part="depthwise")
    return call.emit(
        Conv(strides=ones, dilation_rate=ones), y, params=second,
        then=[activation(call, "activation"), back],
    )  # fmt: skip


@reads("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def transposed(call: LayerCall) -> Tensor:
    """keras/src/layers/convolutional/base_conv_transpose.py."""
    rank, config = _rank(call), call.config
    x, back = channels_last_input(call, rank)
    filters = config.int("filters")
    params = call.weights(
        kernel=(*config.ints("kernel_size", rank), filters, x.shape[-1]),
        bias=(filters,) if config.bool("use_bias", True) else None,
    )
    extra = config.take("output_padding", None)
    windows = _windows(call, rank)
    op = ConvTranspose(
        output_padding=None if extra is None else config.ints("output_padding", rank), **windows
    )
    wanted = config.take("output_shape", None)
    if wanted is not None:
        # Keras 1 states the output's sizes: without padding they would be smaller by this much.
        sizes = wanted[2:] if back is not None else wanted[1:-1]
        least = replace(op, output_padding=(0,) * rank).infer(
            x.type, kernel=type_of(params["kernel"])
        )
        if None in least.shape[1:-1]:
            raise call.refusal("its input has unknown sizes", "fix them in the model's Input")
        missing = zip(sizes, least.shape[1:-1], strict=True)
        op = replace(op, output_padding=tuple(w - (s or 0) for w, s in missing))
    return call.emit(op, x, params=params, then=[activation(call, "activation"), back])


@reads("LocallyConnected1D", "LocallyConnected2D")
def locally_connected(call: LayerCall) -> Tensor:
    """tf_keras/src/layers/locally_connected/*.py; ``implementation`` is how kernels are stored."""
    rank, config = int(call.spec.class_name[-2]), call.config
    x, back = channels_last_input(call, rank)
    sizes, strides = config.ints("kernel_size", rank), config.ints("strides", rank, 1)
    padding = config.choice("padding", ("valid", "same"), "valid")
    spatial, channels, filters = x.shape[1:-1], x.shape[-1], config.int("filters")
    windows = output_sizes(spatial, sizes, strides, padding, (1,) * rank)
    if None in spatial or channels is None:
        raise call.refusal("its input has unknown sizes", "fix them in the model's Input")
    layout = Layout(
        tuple(n or 0 for n in spatial), tuple(n or 0 for n in windows), sizes, strides,
        channels, filters, same=padding == "same", first=back is not None,
    )  # fmt: skip
    kind = config.int("implementation", 1)
    if kind not in LAYOUTS or (kind == 1 and layout.same):
        raise call.refusal(f"implementation={kind} with padding={padding!r} is not one of Keras")
    shape, rearranged = LAYOUTS[kind]
    params = call.weights(
        kernel=shape(layout),
        bias=(*windows, filters) if config.bool("use_bias", True) else None,
    )
    params = {**params, "kernel": np.ascontiguousarray(rearranged(layout, params["kernel"]))}
    op = LocallyConnected(kernel_size=sizes, strides=strides)
    if any(b or a for b, a in layout.padding):
        x = call.emit(Pad(padding=layout.padding), x, part="padded")
    return call.emit(op, x, params=params, then=[activation(call, "activation"), back])


# --- operations ------------------------------------------------------------------------


def _options(call: LayerCall, rank: int) -> dict[str, Any]:
    """Attributes every convolution of ``keras.ops`` has."""
    return {
        "strides": per_axis(call, "strides", rank),
        "padding": call.config.choice("padding", ("valid", "same"), "valid"),
        "dilation_rate": per_axis(call, "dilation_rate", rank),
    }


@reads("ops.Conv", arguments=("inputs", "kernel"))
def conv_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``Conv``: the kernel's channels say how many groups there are."""
    rank = len(call.input().shape) - 2
    x, back = channels_last_input(call, rank)
    kernel = call.argument("kernel")
    depth = shape_of(call, kernel)[-2]
    if depth is None or x.shape[-1] is None:
        raise call.refusal("its channels are unknown", "fix them in the model's Input")
    op = Conv(groups=x.shape[-1] // depth, **_options(call, rank))
    return emit_with(call, op, x, kernel=kernel, then=[back])


@reads("ops.DepthwiseConv", arguments=("inputs", "kernel"))
def depthwise_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``DepthwiseConv``."""
    rank = len(call.input().shape) - 2
    x, back = channels_last_input(call, rank)
    op = DepthwiseConv(**_options(call, rank))
    return emit_with(call, op, x, kernel=call.argument("kernel"), then=[back])


@reads("ops.SeparableConv", arguments=("inputs", "depthwise_kernel", "pointwise_kernel"))
def separable_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``SeparableConv``."""
    rank = len(call.input().shape) - 2
    x, back = channels_last_input(call, rank)
    op, ones = DepthwiseConv(**_options(call, rank)), (1,) * rank
    kernel = call.argument("depthwise_kernel")
    y = emit_with(call, op, x, kernel=kernel, part="depthwise")
    kernel = call.argument("pointwise_kernel")
    return emit_with(call, Conv(strides=ones, dilation_rate=ones), y, kernel=kernel, then=[back])


@reads("ops.ConvTranspose", arguments=("inputs", "kernel"))
def transposed_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``ConvTranspose``."""
    rank = len(call.input().shape) - 2
    x, back = channels_last_input(call, rank)
    extra = call.config.take("output_padding", None)
    op = ConvTranspose(
        output_padding=None if extra is None else per_axis(call, "output_padding", rank),
        **_options(call, rank),
    )
    return emit_with(call, op, x, kernel=call.argument("kernel"), then=[back])
