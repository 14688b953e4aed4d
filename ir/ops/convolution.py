"""Convolutions over any number of spatial axes, channels last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layergraph.ir.op import Activation, Op
from layergraph.ir.types import TensorType, product, promote
from layergraph.ir.windows import Padding, output_sizes, transposed_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv(Op):
    """Cross-correlation with a kernel, plus bias, plus a fused activation.

    Inputs: x ``(batch, *spatial, channels)``.
    Parameters: kernel ``(*kernel_size, channels / groups, filters)``, bias
    ``(filters,)`` optional.
    Output: ``(batch, *windows, filters)``.
    Source: keras/src/layers/convolutional/base_conv.py, Keras 3.15.

    Attributes:
        strides, dilation_rate: one number a spatial axis.
        padding: ``same`` puts the odd element behind; ``causal`` pads before.
        groups: channels are split into so many independent convolutions.
        activation: set by the pass ``fuse_activation`` only.
    """

    fuses_activation: ClassVar[bool] = True

    strides: tuple[int, ...]
    padding: Padding = "valid"
    dilation_rate: tuple[int, ...]
    groups: int = 1
    activation: Activation | None = None

    def infer(
        self, x: TensorType, *, kernel: TensorType, bias: TensorType | None = None
    ) -> TensorType:
        """``(batch, *windows, filters)``."""
        *sizes, inputs, filters = kernel.shape
        if x.shape[-1] is not None and inputs is not None and x.shape[-1] != inputs * self.groups:
            raise ValueError(f"{x.shape[-1]} channels, the kernel expects {inputs * self.groups}")
        windows = output_sizes(
            x.shape[1:-1], [s or 0 for s in sizes], self.strides, self.padding, self.dilation_rate
        )
        return TensorType((x.shape[0], *windows, filters), promote(x.dtype, kernel.dtype))


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthwiseConv(Op):
    """A convolution of each channel by itself.

    Inputs: x ``(batch, *spatial, channels)``.
    Parameters: kernel ``(*kernel_size, channels, multiplier)``, bias
    ``(channels * multiplier,)`` optional.
    Output: ``(batch, *windows, channels * multiplier)``, the outputs of one
    channel side by side.
    Source: keras/src/layers/convolutional/base_depthwise_conv.py, Keras 3.15.

    Attributes: as for ``Conv``.
    """

    fuses_activation: ClassVar[bool] = True

    strides: tuple[int, ...]
    padding: Padding = "valid"
    dilation_rate: tuple[int, ...]
    activation: Activation | None = None

    def infer(
        self, x: TensorType, *, kernel: TensorType, bias: TensorType | None = None
    ) -> TensorType:
        """``(batch, *windows, channels * multiplier)``."""
        *sizes, channels, multiplier = (s or 0 for s in kernel.shape)
        if x.shape[-1] is not None and x.shape[-1] != channels:
            raise ValueError(f"{x.shape[-1]} channels, the kernel expects {channels}")
        windows = output_sizes(x.shape[1:-1], sizes, self.strides, self.padding, self.dilation_rate)
        shape = (x.shape[0], *windows, channels * multiplier)
        return TensorType(shape, promote(x.dtype, kernel.dtype))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvTranspose(Op):
    """The gradient of a convolution with respect to its input.

    Inputs: x ``(batch, *spatial, channels)``.
    Parameters: kernel ``(*kernel_size, filters, channels)``, bias ``(filters,)``
    optional.
    Output: ``(batch, *sizes, filters)``.
    Source: keras/src/layers/convolutional/base_conv_transpose.py, Keras 3.15.

    Attributes:
        output_padding: one number a spatial axis, or ``None`` for Keras' default
            size; other attributes as for ``Conv``.
    """

    fuses_activation: ClassVar[bool] = True

    strides: tuple[int, ...]
    padding: Padding = "valid"
    dilation_rate: tuple[int, ...]
    output_padding: tuple[int, ...] | None = None
    activation: Activation | None = None

    def infer(
        self, x: TensorType, *, kernel: TensorType, bias: TensorType | None = None
    ) -> TensorType:
        """``(batch, *sizes, filters)``."""
        *sizes, filters, channels = (s or 0 for s in kernel.shape)
        if x.shape[-1] is not None and x.shape[-1] != channels:
            raise ValueError(f"{x.shape[-1]} channels, the kernel expects {channels}")
        extra = self.output_padding or (None,) * len(sizes)
        out = tuple(
            transposed_size(n, k, s, self.padding, p, d)
            for n, k, s, p, d in zip(
                x.shape[1:-1], sizes, self.strides, extra, self.dilation_rate, strict=True
            )
        )
        return TensorType((x.shape[0], *out, filters), promote(x.dtype, kernel.dtype))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocallyConnected(Op):
    """A convolution with a kernel of its own at every place.

    Inputs: x ``(batch, *spatial, channels)``.
    Parameters: kernel ``(places, window elements, filters)``, bias
    ``(*windows, filters)`` optional.
    Output: ``(batch, *windows, filters)``.
    Source: tf_keras/src/layers/locally_connected/locally_connected_utils.py
    ``local_conv``, tf-keras 2.21.

    Attributes:
        kernel_size, strides: one number a spatial axis.
    """

    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]

    def infer(
        self, x: TensorType, *, kernel: TensorType, bias: TensorType | None = None
    ) -> TensorType:
        """``(batch, *windows, filters)``."""
        ones = (1,) * len(self.strides)
        windows = output_sizes(x.shape[1:-1], self.kernel_size, self.strides, "valid", ones)
        if product(windows) != kernel.shape[0]:
            raise ValueError(f"{product(windows)} places, the kernel has {kernel.shape[0]}")
        return TensorType((x.shape[0], *windows, kernel.shape[-1]), x.dtype)
