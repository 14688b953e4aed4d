"""Convolutions beside real Keras: odd sizes, even kernels, every kind of padding."""

from __future__ import annotations

from typing import Any

from support import case, parity

# Keras 3 refuses a causal SeparableConv1D, and its TensorFlow backend has no kernel for a
# dilated transpose on a CPU.
K2 = ("tf_keras",)


def _conv2d(**options: Any) -> Any:
    return lambda k: k.layers.Conv2D(4, **options)


CASES = [
    case("conv1d valid", lambda k: k.layers.Conv1D(4, 3), (7, 5)),
    case("conv1d same even kernel stride 2", lambda k: k.layers.Conv1D(4, 2, strides=2, padding="same"), (7, 5)),
    case("conv1d causal dilated", lambda k: k.layers.Conv1D(4, 3, padding="causal", dilation_rate=2), (9, 5)),
    case("conv1d causal strided", lambda k: k.layers.Conv1D(4, 3, padding="causal", strides=2), (9, 5)),
    case("conv1d unknown length", lambda k: k.layers.Conv1D(4, 3, padding="same"), (7, 5), unknown=(0,)),
    case("conv2d valid, relu", _conv2d(kernel_size=3, activation="relu"), (7, 6, 3)),
    case("conv2d same even kernel stride 2", _conv2d(kernel_size=(4, 2), strides=2, padding="same"), (7, 6, 3)),
    case("conv2d stride larger than kernel", _conv2d(kernel_size=2, strides=3), (8, 7, 3)),
    case("conv2d dilated same", _conv2d(kernel_size=3, dilation_rate=(2, 3), padding="same"), (9, 8, 3)),
    case("conv2d groups", _conv2d(kernel_size=3, groups=2), (7, 5, 6)),
    case("conv2d 1x1", _conv2d(kernel_size=1, use_bias=False), (7, 5, 3)),
    case("conv2d 1x1 stride 2 same", _conv2d(kernel_size=1, strides=2, padding="same"), (7, 5, 3)),
    case("conv2d softmax over channels", _conv2d(kernel_size=3, activation="softmax"), (7, 5, 3)),
    case("conv2d larger than a chunk", lambda k: k.layers.Conv2D(5, 5, padding="same"), (67, 61, 16)),
    case("conv2d unknown sides", _conv2d(kernel_size=3, strides=2, padding="same"), (7, 6, 3), unknown=(0, 1)),
    case("conv3d same", lambda k: k.layers.Conv3D(4, (3, 2, 1), strides=(1, 2, 1), padding="same"), (5, 6, 3, 2)),
    case("windows apart 3d", lambda k: k.layers.Conv3D(3, (1, 2, 1), strides=(3, 4, 2), padding="same"), (9, 8, 6, 2)),
    case("windows apart and padding 3d", lambda k: k.layers.Conv3D(3, (1, 2, 3), strides=(4, 5, 2), padding="same"), (7, 11, 5, 2)),
    case("transposed, windows apart 3d", lambda k: k.layers.Conv3DTranspose(3, (1, 2, 1), strides=(3, 4, 2), padding="same"), (4, 2, 3, 5)),
    case("depthwise2d same multiplier", lambda k: k.layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"), (7, 6, 3)),
    case("depthwise2d stride 2", lambda k: k.layers.DepthwiseConv2D((3, 2), strides=2, activation="relu6"), (7, 6, 3)),
    case("depthwise2d dilated", lambda k: k.layers.DepthwiseConv2D(3, dilation_rate=2, padding="same"), (9, 8, 3)),
    case("depthwise1d", lambda k: k.layers.DepthwiseConv1D(3, strides=2, padding="same"), (8, 3)),
    case("separable2d", lambda k: k.layers.SeparableConv2D(4, 3, strides=2, padding="same", depth_multiplier=2, activation="tanh"), (7, 6, 3)),
    case("separable1d causal", lambda k: k.layers.SeparableConv1D(4, 3, padding="causal"), (8, 3), writers=K2),
    case("transpose2d valid stride over kernel", lambda k: k.layers.Conv2DTranspose(4, 2, strides=3), (5, 6, 3)),
    case("transpose2d same stride 2", lambda k: k.layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"), (5, 6, 3)),
    case("transpose2d valid kernel over stride", lambda k: k.layers.Conv2DTranspose(4, (5, 4), strides=(2, 1)), (5, 6, 3)),
    case("transpose2d same even kernel", lambda k: k.layers.Conv2DTranspose(4, 4, strides=2, padding="same"), (5, 6, 3)),
    case("transpose2d output padding", lambda k: k.layers.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1), (5, 6, 3)),
    case("transpose2d output padding valid", lambda k: k.layers.Conv2DTranspose(4, 3, strides=3, output_padding=2), (5, 6, 3)),
    case("transpose2d dilated", lambda k: k.layers.Conv2DTranspose(4, 3, dilation_rate=2, padding="same"), (7, 6, 3), writers=K2),
    case("transpose2d blocks apart", lambda k: k.layers.Conv2DTranspose(4, (2, 3), strides=(2, 3), activation="relu"), (5, 6, 3)),
    case("transpose2d blocks apart same", lambda k: k.layers.Conv2DTranspose(7, 2, strides=2, padding="same"), (63, 41, 5)),
    case("transpose2d blocks apart, output padding", lambda k: k.layers.Conv2DTranspose(4, 3, strides=3, output_padding=2), (5, 6, 2)),
    case("transpose3d", lambda k: k.layers.Conv3DTranspose(4, (2, 3, 2), strides=(2, 1, 2)), (4, 3, 5, 2)),
    case("transpose3d same", lambda k: k.layers.Conv3DTranspose(4, 2, strides=2, padding="same"), (4, 3, 5, 2)),
    case("transpose1d", lambda k: k.layers.Conv1DTranspose(4, 3, strides=2, padding="same"), (5, 3)),
    case("transpose2d unknown sides", lambda k: k.layers.Conv2DTranspose(4, 3, strides=2, padding="same"), (5, 6, 3), unknown=(0, 1)),
    case("locally connected 1d", lambda k: k.layers.LocallyConnected1D(4, 3, strides=2, activation="relu"), (9, 5), writers=K2),
    case("locally connected 2d", lambda k: k.layers.LocallyConnected2D(4, (3, 2), strides=(1, 2)), (7, 6, 3), writers=K2),
    *[
        case(
            f"locally connected {rank}d {implementation} {padding} {order}",
            lambda k, rank=rank, implementation=implementation, padding=padding, order=order:
                getattr(k.layers, f"LocallyConnected{rank}D")(
                    3, (3, 4)[:rank], strides=(2, 1)[:rank], padding=padding,
                    implementation=implementation, data_format=order, activation="tanh",
                ),
            (9, 6, 2)[2 - rank:] if order == "channels_last" else (2, 9, 6)[: rank + 1],
            writers=K2, batch0=implementation < 3,
        )
        for rank in (1, 2) for implementation in (2, 3) for padding in ("valid", "same")
        for order in ("channels_last", "channels_first")
    ],
    case("locally connected 2d first", lambda k: k.layers.LocallyConnected2D(4, (3, 2), data_format="channels_first"), (3, 7, 6), writers=K2),
    case("locally connected 2d no bias", lambda k: k.layers.LocallyConnected2D(4, 2, use_bias=False), (5, 6, 3), writers=K2),
]  # fmt: skip


@parity(CASES)
def test_convolution(run: Any) -> None:
    """Same as Keras."""
    run()
