"""Blocks of an array laid out side by side, and put together again."""

from __future__ import annotations

from dataclasses import dataclass

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType, product

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfold(Op):
    """Windows of an image as columns.

    Inputs: x ``(batch, channels, height, width)``.
    Output: ``(batch, channels * window elements, windows)``.
    Source: keras/src/backend/tensorflow/nn.py ``unfold``, Keras 3.15.

    Attributes:
        kernel_size, strides, dilation_rate: of the windows.
        padding: zeros before and behind each spatial axis.
    """

    kernel_size: Pair
    strides: Pair = (1, 1)
    dilation_rate: Pair = (1, 1)
    padding: Pair = (0, 0)

    def infer(self, x: TensorType) -> TensorType:
        """``(batch, channels * window elements, windows)``."""
        batch, channels, *sizes = x.shape
        rows = product((channels, *self.kernel_size))
        return x.with_shape((batch, rows, product(windows_of(self, sizes))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold(Op):
    """An image from its windows as columns; where they overlap they add up.

    Inputs: x ``(batch, channels * window elements, windows)``.
    Output: ``(batch, channels, *output_size)``.
    Source: keras/src/backend/tensorflow/nn.py ``fold``, Keras 3.15.

    Attributes: as for ``Unfold``;
        output_size: height and width.
    """

    output_size: Pair
    kernel_size: Pair
    strides: Pair = (1, 1)
    dilation_rate: Pair = (1, 1)
    padding: Pair = (0, 0)

    def infer(self, x: TensorType) -> TensorType:
        """``(batch, channels, *output_size)``."""
        batch, rows, count = x.shape
        wanted = product(windows_of(self, self.output_size))
        if None not in (count, wanted) and count != wanted:
            raise ValueError(f"{count} windows, {wanted} fill {self.output_size}")
        channels = None if rows is None else rows // (self.kernel_size[0] * self.kernel_size[1])
        return x.with_shape((batch, channels, *self.output_size))


def windows_of(
    op: Unfold | Fold, sizes: tuple[int | None, ...] | list[int | None]
) -> list[int | None]:
    """Windows along each spatial axis."""
    return [
        None if n is None else (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, d, p in zip(
            sizes, op.kernel_size, op.strides, op.dilation_rate, op.padding, strict=True
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthToSpace(Op):
    """Channels laid out as blocks of the image.

    Inputs: x ``(batch, height, width, channels)``.
    Output: height and width times the block, channels by its square.
    Source: keras/src/ops/nn.py ``DepthToSpace``, Keras 3.15.

    Attributes:
        block_size: rows and columns of a block.
    """

    block_size: int

    def infer(self, x: TensorType) -> TensorType:
        """See above."""
        batch, height, width, channels = x.shape
        block = self.block_size
        if channels is not None and channels % block**2:
            raise ValueError(f"{channels} channels do not fill blocks of {block}")
        inner = [None if n is None else n * block for n in (height, width)]
        return x.with_shape((batch, *inner, None if channels is None else channels // block**2))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceToDepth(Op):
    """Blocks of the image laid out as channels.

    Inputs: x ``(batch, height, width, channels)``.
    Output: height and width by the block, channels times its square.
    Source: keras/src/ops/nn.py ``SpaceToDepth``, Keras 3.15.

    Attributes:
        block_size: rows and columns of a block.
    """

    block_size: int

    def infer(self, x: TensorType) -> TensorType:
        """See above."""
        batch, height, width, channels = x.shape
        block = self.block_size
        if any(n is not None and n % block for n in (height, width)):
            raise ValueError(f"{height} by {width} does not split into blocks of {block}")
        inner = [None if n is None else n // block for n in (height, width)]
        return x.with_shape((batch, *inner, None if channels is None else channels * block**2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames(Op):
    """Windows of the last axis, one after the other; what is left over is dropped.

    Output: ``(..., frames, length)``.
    Source: keras/src/backend/tensorflow/math.py ``extract_sequences``, Keras 3.15.

    Attributes:
        length: elements of a frame.
        stride: from the beginning of one to that of the next.
    """

    length: int
    stride: int

    def infer(self, x: TensorType) -> TensorType:
        """``(..., frames, length)``."""
        size = x.shape[-1]
        count = None if size is None else max(1 + (size - self.length) // self.stride, 0)
        return x.with_shape((*x.shape[:-1], count, self.length))
