"""Convolutions: a class for each rank."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from layergraph.backends.keras.activation import absorbed
from layergraph.backends.keras.model import Stored, Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.writer import Writer
from layergraph.ir.graph import Node
from layergraph.ir.ops.convolution import Conv, ConvTranspose, DepthwiseConv, LocallyConnected
from layergraph.ir.ops.shape import Pad
from layergraph.ir.types import Array

spellings = Spellings()


def stored(role: str, array: Array | None) -> Stored | None:
    """An array of the layer itself, where it has one."""
    return None if array is None else Stored(role, array)


def _windows(op: Conv | DepthwiseConv | ConvTranspose) -> dict[str, Any]:
    """Options that every convolution has."""
    if max(op.strides) > 1 and max(op.dilation_rate) > 1 and not isinstance(op, DepthwiseConv):
        raise RefusedError(f"no layer has strides {op.strides} and dilations {op.dilation_rate}")
    return {
        "strides": list(op.strides),
        "padding": op.padding,
        "data_format": "channels_last",
        "dilation_rate": list(op.dilation_rate),
    }


def _ranked(name: str, op: Conv | DepthwiseConv | ConvTranspose, most: int, end: str = "") -> str:
    rank = len(op.strides)
    if not 1 <= rank <= most:
        raise RefusedError(f"there is no {name} of {rank} spatial axes")
    return f"{name}{rank}D{end}"


@spellings.spells(Conv)
def conv(w: Writer, op: Conv, x: Tensor, *, kernel: Array, bias: Array | None = None) -> Any:
    """Conv1D, Conv2D, Conv3D."""
    x, name = w.tensor(x), _ranked("Conv", op, 3)
    return w.layer(
        name, x, arrays=[Stored("kernel", kernel), stored("bias", bias)], masking="pass",
        filters=kernel.shape[-1], kernel_size=list(kernel.shape[:-2]), **_windows(op),
        groups=op.groups, use_bias=bias is not None, activation=absorbed(w),
    )  # fmt: skip


@spellings.spells(DepthwiseConv)
def depthwise(
    w: Writer, op: DepthwiseConv, x: Tensor, *, kernel: Array, bias: Array | None = None
) -> Any:
    """DepthwiseConv1D, DepthwiseConv2D."""
    x, point = w.tensor(x), _pointwise(w, op, bias)
    if op.padding == "causal" and (w.keras3 or point is None):
        before = (kernel.shape[0] - 1) * op.dilation_rate[0]
        types = Pad(padding=((before, 0),)).infer(x.type)
        x = w.layer("ZeroPadding1D", x, padding=[before, 0], types=types, part="causal")
        op = replace(op, padding="valid")
    if point is not None:
        return _separable(w, op, x, kernel, point)
    name = _ranked("DepthwiseConv", op, 2)
    role = "kernel" if w.keras3 else "depthwise_kernel"
    return w.layer(
        name, x, arrays=[Stored(role, kernel), stored("bias", bias)],
        kernel_size=list(kernel.shape[:-2]), depth_multiplier=kernel.shape[-1], **_windows(op),
        use_bias=bias is not None, activation=absorbed(w),
    )  # fmt: skip


def _pointwise(w: Writer, op: DepthwiseConv, bias: Array | None) -> Node | None:
    """The second step of a SeparableConv1D or 2D, where this is its first."""
    node = w.following(Conv)
    if node is None or bias is not None or len(op.strides) > 2:
        return None
    ones = (1,) * len(op.strides)
    plain = node.op == Conv(strides=ones, dilation_rate=ones)
    return node if plain and node.params["kernel"].shape[:-2] == ones else None


def _separable(w: Writer, op: DepthwiseConv, x: Tensor, kernel: Array, point: Node) -> Any:
    """SeparableConv1D, SeparableConv2D."""
    w.absorb(point)
    pointwise, bias = point.params["kernel"], point.params.get("bias")
    windows = {**_windows(op), "activation": absorbed(w)}
    return w.layer(
        f"SeparableConv{len(op.strides)}D", x,
        arrays=[Stored("depthwise_kernel", kernel), Stored("pointwise_kernel", pointwise),
                stored("bias", bias)],
        filters=pointwise.shape[-1], kernel_size=list(kernel.shape[:-2]),
        depth_multiplier=kernel.shape[-1], use_bias=bias is not None, **windows,
    )  # fmt: skip


@spellings.spells(ConvTranspose)
def transposed(
    w: Writer, op: ConvTranspose, x: Tensor, *, kernel: Array, bias: Array | None = None
) -> Any:
    """Conv1DTranspose, Conv2DTranspose, Conv3DTranspose."""
    x, name = w.tensor(x), _ranked("Conv", op, 3, "Transpose")
    extra = None if op.output_padding is None else list(op.output_padding)
    return w.layer(
        name, x, arrays=[Stored("kernel", kernel), stored("bias", bias)],
        filters=kernel.shape[-2], kernel_size=list(kernel.shape[:-2]), output_padding=extra,
        **_windows(op), use_bias=bias is not None, activation=absorbed(w),
    )  # fmt: skip


@spellings.spells(LocallyConnected)
def locally_connected(
    w: Writer, op: LocallyConnected, x: Tensor, *, kernel: Array, bias: Array | None = None
) -> Any:
    """LocallyConnected1D and 2D of Keras 2; in Keras 3 patches, each with a kernel of its own."""
    x, rank = w.tensor(x), len(op.strides)
    if rank not in (1, 2):
        raise RefusedError(f"there is no LocallyConnected of {rank} spatial axes")
    if not w.keras3:
        return w.layer(
            f"LocallyConnected{rank}D", x,
            arrays=[Stored("kernel", kernel), stored("bias", bias)], filters=kernel.shape[-1],
            kernel_size=list(op.kernel_size), strides=list(op.strides), padding="valid",
            data_format="channels_last", use_bias=bias is not None, implementation=1,
            activation=absorbed(w),
        )  # fmt: skip
    windows = [n or 0 for n in w.node.types[0].shape[1:-1]]
    (places, elements, filters), channels = kernel.shape, x.shape[-1]
    size, strides = list(op.kernel_size), list(op.strides)
    if rank == 1:
        # Patches are of images: the sequence is one row.
        row = [1, x.shape[1] or 0, channels or 0]
        types = x.type.with_shape((x.shape[0], *row))
        x = w.layer("Reshape", x, target_shape=row, types=types, part="row", masking="drop")
        size, strides = [1, *size], [1, *strides]
    types = x.type.with_shape((x.shape[0], *([1, *windows] if rank == 1 else windows), elements))
    patches = w.op(
        "ExtractPatches", x, size=size, strides=strides, dilation_rate=1, padding="valid",
        data_format="channels_last", types=types, part="patches",
    )  # fmt: skip
    types = x.type.with_shape((x.shape[0], places, elements))
    shape = [places, elements]
    flat = w.layer("Reshape", patches, target_shape=shape, types=types, part="places")
    held = [Stored("kernel", kernel)]
    if bias is not None:
        held.append(Stored("bias", w.derived(bias, "places", lambda a: a.reshape(places, filters))))
    y = w.layer(
        "EinsumDense", flat, arrays=held, equation="abc,bcd->abd",
        output_shape=[places, filters], bias_axes=None if bias is None else "bd",
        types=types.with_shape((x.shape[0], places, filters)), part="products",
    )  # fmt: skip
    return w.layer("Reshape", y, target_shape=[*windows, filters])
