"""Convolutional LSTM: the input of all steps in one convolution, then a tight loop over time.

Each step gathers the windows of the state into a matrix that is kept between
steps, multiplies once for all gates, and ends as an LSTM does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from layergraph.backends.numpy.cells import lstm_gates, lstm_update
from layergraph.backends.numpy.convolution import conv
from layergraph.backends.numpy.scratch import Pool, Specialised
from layergraph.backends.numpy.steps import Cell, Kept, beginning, run_masked_steps, run_steps
from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.backends.numpy.tiles import Geometry, Padded
from layergraph.ir.ops.convolution import Conv
from layergraph.ir.ops.convolutional_recurrent import ConvLSTM
from layergraph.ir.types import Array

kernels = Kernels()


class Loop(NamedTuple):
    """What one shape of the state needs.

    Attributes:
        cell: advances the states; ``work`` is the gates and one state's worth.
        buffers: states and work buffers.
    """

    cell: Cell
    buffers: Pool


@kernels.prepares(ConvLSTM)
def conv_lstm(
    op: ConvLSTM, *, kernel: Array, recurrent_kernel: Array, bias: Array | None = None
) -> Kernel:
    """The states are ``(batch, *spatial, filters)`` throughout."""
    project = conv(
        Conv(strides=op.strides, padding=op.padding, dilation_rate=op.dilation_rate),
        kernel=lstm_gates(op, kernel),
        bias=None if bias is None else lstm_gates(op, bias),
    )
    loop_of = _loops(op, lstm_gates(op, recurrent_kernel))

    def run(
        x: Array, mask: Array | None = None, *initial: Array, kept: Sequence[Kept] = (None,)
    ) -> Any:
        batch, time = x.shape[:2]
        # Time first: a step's products lie together.
        rows = x.swapaxes(0, 1)[::-1] if op.go_backwards else x.swapaxes(0, 1)
        projected = project(rows.reshape(time * batch, *x.shape[2:]))
        projected = projected.reshape(time, batch, *projected.shape[1:])
        loop: Loop = loop_of(projected)
        states, work = loop.buffers.take()
        for state, given in zip(states, beginning(op, initial, kept[0]), strict=True):
            state[...] = 0 if given is None else given
        every = None
        if op.return_sequences:
            every = np.empty((batch, time, *states[0].shape[1:]), kernel.dtype)
        outputs = None if every is None else every.swapaxes(0, 1)
        if mask is None or mask.all():
            last = run_steps(loop.cell, projected, states, work, outputs)
        else:
            last = run_masked_steps(
                loop.cell, projected, states, work, outputs,
                _masks(op, mask, x.ndim - 1), zero_output=op.zero_output_for_mask,
            )  # fmt: skip
        final = tuple(s.copy() for s in states)
        loop.buffers.give((states, work))
        result: Any = last if every is None else every
        if op.return_state:
            result = (result, *final)
        return (result, (tuple(s.copy() for s in final),)) if op.stateful else result

    return run


def _loops(op: ConvLSTM, kernel: Array) -> Callable[..., Any]:
    """Cell and buffers of a state, by the shape of all steps' products."""
    *sizes, filters, width = kernel.shape
    ones = (1,) * len(sizes)
    matrix = np.ascontiguousarray(kernel.reshape(-1, width))
    update = lstm_update(op, filters, axis=-1)

    def make(shape: tuple[int, ...]) -> Callable[..., Any]:
        state = (*shape[1:-1], filters)
        pad = Padded(Geometry.of(state, sizes, ones, "same", ones, matrix.dtype))
        gathered = (int(np.prod(state[:-1])), len(matrix))

        def cell(projected: Array, states: list[Array], work: list[Array]) -> None:
            total, fresh, columns = work
            padded, lent = pad.take(states[0])
            windows = pad.view(padded)
            np.copyto(columns.reshape(windows.shape), windows)
            np.matmul(columns, matrix, out=total.reshape(-1, width))
            pad.give(lent)
            total += projected
            update(total, states, fresh)

        def buffers() -> tuple[list[Array], list[Array]]:
            total = np.empty((*state[:-1], width), matrix.dtype)
            states = [np.empty(state, matrix.dtype) for _ in range(op.states)]
            return states, [total, np.empty(state, matrix.dtype), np.empty(gathered, matrix.dtype)]

        loop = Loop(cell, Pool(buffers))
        return lambda projected: loop

    return Specialised(make)


def _masks(op: ConvLSTM, mask: Array, rank: int) -> Array:
    """The mask of each step in the order they run, with axes to broadcast with a state."""
    steps = mask.swapaxes(0, 1)
    steps = steps[::-1] if op.go_backwards else steps
    return steps.reshape(*steps.shape, *(1,) * (rank + 1 - steps.ndim))
