"""Window arithmetic of convolution and pooling, one axis at a time.

Source: keras/src/ops/operation_utils.py ``compute_conv_output_shape`` and
keras/src/backend/common/backend_utils.py, Keras 3.15; TensorFlow's rule that
``same`` puts the odd element of padding behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from layergraph.ir.types import Shape

Padding = Literal["valid", "same", "causal"]


def extent(kernel_size: int, dilation_rate: int) -> int:
    """Input elements from a window's first to its last."""
    return (kernel_size - 1) * dilation_rate + 1


def padding_of(
    size: int, kernel_size: int, strides: int, padding: Padding, dilation_rate: int = 1
) -> tuple[int, int]:
    """Elements added before and behind an axis of ``size``."""
    reach = extent(kernel_size, dilation_rate)
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return reach - 1, 0
    total = max((-(-size // strides) - 1) * strides + reach - size, 0)
    return total // 2, total - total // 2


def left_out(
    size: int, kernel_size: int, strides: int, padding: Padding, dilation_rate: int, rank: int
) -> int:
    """Elements before the first window of an axis, which no window reads.

    Where the strides of ``same`` leave elements out, TensorFlow begins with the first
    one of a line or an image, but leaves out as many on either side of a volume.
    Source: tensorflow/core/framework/kernel_shape_util.cc and
    tensorflow/core/kernels/pooling_ops_3d.cc, TensorFlow 2.21, as they run.
    """
    if padding != "same" or rank != 3:
        return 0
    last = (-(-size // strides) - 1) * strides + extent(kernel_size, dilation_rate)
    return max(size - last, 0) // 2


def output_size(
    size: int | None, kernel_size: int, strides: int, padding: Padding, dilation_rate: int = 1
) -> int | None:
    """Windows that fit an axis.

    Raises:
        ValueError: not even one fits.
    """
    if size is None:
        return None
    if padding != "valid":
        return -(-size // strides)
    found = (size - extent(kernel_size, dilation_rate)) // strides + 1
    if found < 1:
        raise ValueError(f"a window of {extent(kernel_size, dilation_rate)} does not fit {size}")
    return found


def output_sizes(
    shape: Shape,
    kernel_size: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
    dilation_rate: Sequence[int],
) -> Shape:
    """``output_size`` of each spatial axis."""
    return tuple(
        output_size(n, k, s, padding, d)
        for n, k, s, d in zip(shape, kernel_size, strides, dilation_rate, strict=True)
    )


def transposed_size(
    size: int | None,
    kernel_size: int,
    strides: int,
    padding: Padding,
    output_padding: int | None,
    dilation_rate: int,
) -> int | None:
    """Output elements of a transposed convolution along an axis.

    Source: keras/src/backend/common/backend_utils.py
    ``_get_output_shape_given_tf_padding``, Keras 3.15.
    """
    if size is None:
        return None
    reach = extent(kernel_size, dilation_rate)
    if output_padding is None:
        return size * strides + (max(reach - strides, 0) if padding == "valid" else 0)
    crop = 0 if padding == "valid" else 2 * (reach // 2)
    return (size - 1) * strides + reach - crop + output_padding


def transposed_crop(size: int, out: int, kernel_size: int, strides: int, dilation_rate: int,
                    padding: Padding) -> int:  # fmt: skip
    """Elements of the full result cut before the first output: the padding of the
    convolution whose gradient this is."""
    if padding == "valid":
        return 0
    return max((size - 1) * strides + extent(kernel_size, dilation_rate) - out, 0) // 2
