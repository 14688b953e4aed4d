"""Recurrent layers: one GEMM projects all steps, then a tight loop over time.

Both directions of a ``Bidirectional`` advance in the same step: states are
``(directions, units, batch)``, and one batched product serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from layergraph.backends.numpy.cells import CELLS, Direction, Weights
from layergraph.backends.numpy.gemm import product_time
from layergraph.backends.numpy.scratch import Pool, Specialised
from layergraph.backends.numpy.steps import (
    Cell,
    Kept,
    beginning,
    run_masked_steps,
    run_steps,
)
from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.backends.numpy.threads import spread
from layergraph.ir.ops.recurrent import (
    GRU,
    LSTM,
    Bidirectional,
    FoldTime,
    HoldOutput,
    Recurrent,
    SimpleRNN,
    UnfoldTime,
)
from layergraph.ir.types import Array

kernels = Kernels()


class Layer:
    """One or two directions that advance together.

    Args:
        directions: equal in all but their parameters and their direction.
    """

    def __init__(self, directions: list[Direction]) -> None:
        op = directions[0].op
        make_cell, make_weights = CELLS[type(op)]
        self.op = op
        self.weights: Weights = make_weights(op, directions)
        # The last column is the bias, of an input that is always 1.
        parts = [self.weights.kernel, self.weights.bias]
        self.kernel = np.concatenate([p for p in parts if p is not None], axis=2)
        self.cell: Cell = make_cell(op, self.weights)
        self.backwards = [d.op.go_backwards for d in directions]
        self.prepared = Specialised(lambda shape: self._make(shape))

    def _make(self, shape: tuple[int, ...]) -> Callable[..., Any]:
        batch, time, _ = shape
        count, width, units = self.weights.recurrent.shape
        dtype = self.weights.kernel.dtype

        def buffers() -> tuple[Any, ...]:
            return (
                np.empty((count, width * time * batch), dtype),
                [np.empty((count, width, batch), dtype), np.empty((count, units, batch), dtype)],
                [np.empty((count, units, batch), dtype) for _ in range(self.op.states)],
            )

        pool = Pool(buffers)
        return lambda x: pool

    def run(
        self, x: Array, mask: Array | None, initial: Sequence[Array | None]
    ) -> tuple[Array | None, Array, list[Array]]:
        """Every output ``(directions, batch, time, units)`` if wanted, the last, and states.

        All are views of arrays with the batch last.
        """
        pool: Pool = self.prepared(x)
        projected, work, states = pool.take()
        steps = self._project(x, projected)
        for state, given in zip(states, initial, strict=True):
            state[...] = 0 if given is None else given.swapaxes(-1, -2)
        every = None
        if self.op.return_sequences:
            every = np.empty((len(steps), *states[0].shape), projected.dtype)
        # A sigmoid's exp overflows where the sigmoid is 0.
        with np.errstate(over="ignore"):
            if mask is None or mask.all():
                last = run_steps(self.cell, steps, states, work, every)
            else:
                last = run_masked_steps(
                    self.cell, steps, states, work, every, self._masks(mask),
                    zero_output=self.op.zero_output_for_mask, output_state=self.op.outputs_states,
                )  # fmt: skip
        wanted = self.op.return_state or self.op.stateful
        final = [s.copy().swapaxes(1, 2) for s in states] if wanted else []
        pool.give((projected, work, states))
        outputs = None if every is None else every.transpose(1, 3, 0, 2)
        return outputs, last.swapaxes(1, 2), final

    def _project(self, x: Array, out: Array) -> Array:
        """All steps' input products ``(time, directions, width, batch)``, in running order.

        Every step lies in one piece, features first, which its product with the kernel
        gives as it is; a single sequence is one product for all steps.
        """
        batch, time, features = x.shape
        count, width, inner = self.kernel.shape
        rows = np.ones((time, batch, inner), self.kernel.dtype)
        rows[..., :features] = x.transpose(1, 0, 2)
        turned = [rows[::-1] if b else rows for b in self.backwards]
        found = out.reshape(count, time, width, batch)
        step = -(-time // 2)

        def half(i: int) -> None:
            index, part = i // 2, slice(i % 2 * step, (i % 2 + 1) * step)
            given, steps = turned[index][part], found[index, part]
            if batch == 1:
                np.matmul(given[:, 0], self.kernel[index].T, out=steps[..., 0])
            else:
                np.matmul(self.kernel[index], given.swapaxes(1, 2), out=steps)

        cost = product_time(time * batch, features, width)
        spread(half, 2 * count, count * cost)
        return found.swapaxes(0, 1)

    def _masks(self, mask: Array) -> Array:
        """``(time, directions, 1, batch)``, each direction in the order it runs."""
        steps = mask.T[:, None]
        return np.stack([steps[::-1] if b else steps for b in self.backwards], axis=1)


@kernels.prepares(SimpleRNN)
@kernels.prepares(LSTM)
@kernels.prepares(GRU)
def recurrent(
    op: Recurrent, *, kernel: Array, recurrent_kernel: Array, bias: Array | None = None
) -> Kernel:
    """One direction."""
    layer = Layer([Direction(op, kernel, recurrent_kernel, bias)])

    def run(
        x: Array, mask: Array | None = None, *initial: Array, kept: Sequence[Kept] = (None,)
    ) -> Any:
        every, last, final = layer.run(x, mask, beginning(op, initial, kept[0]))
        out = np.ascontiguousarray(last[0] if every is None else every[0])
        states = tuple(np.ascontiguousarray(s[0]) for s in final)
        result = (out, *states) if op.return_state else out
        return (result, (tuple(s.copy() for s in states),)) if op.stateful else result

    return run


MERGES: dict[str, Callable[[Array, Array], Array]] = {
    "concat": lambda a, b: np.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
}


@kernels.prepares(Bidirectional)
def bidirectional(op: Bidirectional, **params: Array) -> Kernel:
    """Both directions in one loop where they are alike, else one after the other."""
    pair = [
        Direction(
            direction,
            params[f"{side}_kernel"],
            params[f"{side}_recurrent_kernel"],
            params.get(f"{side}_bias"),
        )
        for side, direction in (("forward", op.forward), ("backward", op.backward))
    ]
    layers = [Layer(pair)] if _alike(*pair) else [Layer([d]) for d in pair]
    split = op.forward.states

    def run(
        x: Array, mask: Array | None = None, *initial: Array, kept: Sequence[Kept] = (None, None)
    ) -> Any:
        begin = (
            beginning(op.forward, initial[:split], kept[0]),
            beginning(op.backward, initial[split:], kept[1]),
        )
        outputs, finals = _both(layers, x, mask, begin)
        if op.forward.return_sequences:
            # A sequence computed from the end is turned to meet the other's steps.
            # Keras turns the second one only, whatever the first one's direction.
            outputs[1] = outputs[1][:, ::-1]
        merged = (
            tuple(np.ascontiguousarray(o) for o in outputs)
            if op.merge_mode is None
            else (MERGES[op.merge_mode](*outputs),)
        )
        result = (*merged, *finals) if op.forward.return_state else merged
        if not op.kept:
            return result
        copies = [s.copy() for s in finals]
        return result, (tuple(copies[:split]), tuple(copies[split:]))

    return run


def _alike(one: Direction, two: Direction) -> bool:
    def same(op: Recurrent) -> Recurrent:
        return replace(op, go_backwards=False, stateful="")

    return (
        type(one.op) is type(two.op)
        and same(one.op) == same(two.op)
        and one.op.go_backwards != two.op.go_backwards
        and one.kernel.shape == two.kernel.shape
        and (one.bias is None) == (two.bias is None)
    )


def _both(
    layers: list[Layer], x: Array, mask: Array | None, begin: Sequence[list[Array | None]]
) -> tuple[list[Array], list[Array]]:
    """Outputs ``(batch, ..., units)`` of both directions, and all final states."""
    outputs: list[Array] = []
    finals: list[Array] = []
    for index, layer in enumerate(layers):
        count = len(layer.backwards)
        given = begin[index]
        if count == 2:
            given = [_pair(*states) for states in zip(*begin, strict=True)]
        every, last, final = layer.run(x, mask, given)
        outputs.extend(last[side] if every is None else every[side] for side in range(count))
        finals.extend(np.ascontiguousarray(s[side]) for side in range(count) for s in final)
    return outputs, finals


def _pair(one: Array | None, two: Array | None) -> Array | None:
    """The states of both directions as one array; both are given or none is."""
    return None if one is None or two is None else np.stack([one, two])


@kernels.computes(HoldOutput)
def hold_output(op: HoldOutput, x: Array, mask: Array) -> Array:
    """Each step takes the latest unmasked one."""
    steps = np.where(mask, np.arange(mask.shape[1]), -1)
    if not op.zero_output_for_mask:
        steps = np.maximum.accumulate(steps, axis=1)
    held = x[np.arange(len(x))[:, None], np.maximum(steps, 0)]
    held[steps < 0] = 0
    return held


@kernels.computes(FoldTime)
def fold_time(op: FoldTime, x: Array) -> Array:
    """A view where the memory order allows."""
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])


@kernels.computes(UnfoldTime)
def unfold_time(op: UnfoldTime, x: Array, like: Array) -> Array:
    """A view."""
    return x.reshape(*like.shape[:2], *x.shape[1:])
