"""Recurrent layers whose products are convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from layergraph.ir.op import Activation
from layergraph.ir.ops.recurrent import Recurrent
from layergraph.ir.types import TensorType
from layergraph.ir.windows import output_sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvLSTM(Recurrent):
    """An LSTM over images; gates i, f, c, o side by side.

    Inputs: x ``(batch, time, *spatial, channels)``; mask ``(batch, time)`` or
    with spatial axes of the output too; then the states h and c ``(batch,
    *spatial of the output, filters)``.
    Parameters: kernel ``(*kernel_size, channels, 4 filters)``,
    recurrent_kernel ``(*kernel_size, filters, 4 filters)``, bias ``(4
    filters,)`` optional.
    Output: ``(batch, time, *spatial, filters)`` or, of the last step only,
    ``(batch, *spatial, filters)``; then h and c with ``return_state``.
    Source: keras/src/layers/rnn/conv_lstm.py, Keras 3.15.

    Attributes:
        strides, padding, dilation_rate: of the convolution of the input; that
            of the state has strides 1, no dilation and padding ``same``.
    """

    states: ClassVar[int] = 2
    gates: ClassVar[int] = 4

    strides: tuple[int, ...]
    padding: Literal["valid", "same"]
    dilation_rate: tuple[int, ...]
    activation: Activation | None
    recurrent_activation: Activation | None

    def infer(
        self,
        x: TensorType,
        mask: TensorType | None = None,
        *initial_state: TensorType,
        kernel: TensorType,
        recurrent_kernel: TensorType,
        bias: TensorType | None = None,
    ) -> tuple[TensorType, ...]:
        """The output, then the final states."""
        *sizes, channels, _ = kernel.shape
        if x.rank != len(sizes) + 3:
            raise ValueError(f"expects {len(sizes) + 3} axes, time and channels included, got {x}")
        if x.shape[-1] is not None and x.shape[-1] != channels:
            raise ValueError(f"{x.shape[-1]} channels, the kernel expects {channels}")
        if initial_state and len(initial_state) != self.states:
            raise ValueError(f"{len(initial_state)} initial states, {self.states} are needed")
        window = [size or 0 for size in sizes]
        spatial = output_sizes(
            x.shape[2:-1], window, self.strides, self.padding, self.dilation_rate
        )
        filters = recurrent_kernel.shape[-2]
        last = TensorType((x.shape[0], *spatial, filters), kernel.dtype)
        every = last.with_shape((*x.shape[:2], *spatial, filters))
        out = every if self.return_sequences else last
        return (out, *([last] * self.states if self.return_state else ()))
