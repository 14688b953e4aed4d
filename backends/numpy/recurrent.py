"""Recurrent layers: one GEMM projects all steps, then a tight loop over time.

Both directions of a ``Bidirectional`` advance in the same step: states are
``(directions, batch, units)``, and one batched product serves them all. A
sigmoid is ``0.5 + 0.5 tanh(x / 2)``; where the gates are sigmoids, the halving
is folded into the kernels, so that one ``tanh`` covers every gate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from layergraph.backends.numpy.scratch import Pool, Specialised
from layergraph.backends.numpy.table import InPlace, Kernel, Kernels, in_place
from layergraph.ir.ops.elementwise import Unary
from layergraph.ir.ops.recurrent import (
    GRU,
    LSTM,
    Bidirectional,
    FoldTime,
    Recurrent,
    SimpleRNN,
    UnfoldTime,
)
from layergraph.ir.types import Array

kernels = Kernels()

SIGMOID, TANH = Unary(kind="sigmoid"), Unary(kind="tanh")


class Direction(NamedTuple):
    """One direction with its parameters."""

    op: Recurrent
    kernel: Array
    recurrent_kernel: Array
    bias: Array | None


class Weights(NamedTuple):
    """Parameters of all directions, made ready for a cell.

    Attributes:
        kernel: ``(directions, features, gates * units)``.
        recurrent: ``(directions, units, gates * units)``.
        bias: ``(directions, 1, gates * units)``, added to the projection.
        recurrent_bias: ``(directions, 1, units)``, of a GRU's candidate.
    """

    kernel: Array
    recurrent: Array
    bias: Array | None
    recurrent_bias: Array | None = None


Cell = Callable[[Array, list[Array], list[Array]], None]
"""``cell(projected, states, work)`` advances the states one step where they lie;
the output is the first state."""


def identity(x: Array) -> None:
    """The linear activation."""


def function(op: Any) -> InPlace:
    """An activation, linear for ``None``."""
    return in_place(op) or identity


# --- cells ------------------------------------------------------------------------


def simple_cell(op: SimpleRNN, weights: Weights) -> Cell:
    """``h = activation(x + h @ recurrent)``."""
    recurrent, activate = weights.recurrent, function(op.activation)

    def step(projected: Array, states: list[Array], work: list[Array]) -> None:
        (h,), total = states, work[0]
        np.matmul(h, recurrent, out=total)
        np.add(total, projected, out=h)
        activate(h)

    return step


def lstm_cell(op: LSTM, weights: Weights) -> Cell:
    """Gates in the order i, f, o, c, so that the sigmoids lie side by side."""
    recurrent, units = weights.recurrent, weights.recurrent.shape[1]
    gate, activate = function(op.recurrent_activation), function(op.activation)
    together = op.recurrent_activation == SIGMOID and op.activation == TANH

    def step(projected: Array, states: list[Array], work: list[Array]) -> None:
        (h, c), (total, fresh) = states, work[:2]
        np.matmul(h, recurrent, out=total)
        total += projected
        gates, candidate = total[..., : 3 * units], total[..., 3 * units :]
        if together:
            np.tanh(total, out=total)
            gates *= 0.5
            gates += 0.5
        else:
            gate(gates)
            activate(candidate)
        i, f, o = gates[..., :units], gates[..., units : 2 * units], gates[..., 2 * units :]
        np.multiply(i, candidate, out=fresh)
        c *= f
        c += fresh
        np.copyto(h, c)
        activate(h)
        h *= o

    return step


def gru_cell(op: GRU, weights: Weights) -> Cell:
    """Gates in the order z, r, h; the reset applies before or after the product."""
    recurrent, units = weights.recurrent, weights.recurrent.shape[1]
    gate, activate = function(op.recurrent_activation), function(op.activation)
    halved = op.recurrent_activation == SIGMOID
    both, last = recurrent[..., : 2 * units], recurrent[..., 2 * units :]
    both, last = np.ascontiguousarray(both), np.ascontiguousarray(last)

    def squash(gates: Array) -> None:
        if halved:
            np.tanh(gates, out=gates)
            gates *= 0.5
            gates += 0.5
        else:
            gate(gates)

    def step(projected: Array, states: list[Array], work: list[Array]) -> None:
        (h,), (total, fresh) = states, work[:2]
        gates, candidate = total[..., : 2 * units], total[..., 2 * units :]
        if op.reset_after:
            np.matmul(h, recurrent, out=total)
            gates += projected[..., : 2 * units]
            squash(gates)
            z, r = gates[..., :units], gates[..., units:]
            if weights.recurrent_bias is not None:
                candidate += weights.recurrent_bias
            candidate *= r
            candidate += projected[..., 2 * units :]
        else:
            gates[...] = np.matmul(h, both)
            gates += projected[..., : 2 * units]
            squash(gates)
            z, r = gates[..., :units], gates[..., units:]
            np.multiply(r, h, out=fresh)
            candidate[...] = np.matmul(fresh, last)
            candidate += projected[..., 2 * units :]
        activate(candidate)
        # h = z * h + (1 - z) * candidate
        np.subtract(h, candidate, out=h)
        h *= z
        h += candidate

    return step


def _simple_weights(op: SimpleRNN, directions: list[Direction]) -> Weights:
    return Weights(*_stacked(directions), _biases(directions))


def _lstm_weights(op: LSTM, directions: list[Direction]) -> Weights:
    kernel, recurrent = _stacked(directions)
    bias = _biases(directions)
    units = recurrent.shape[1]
    order = np.r_[0 : 2 * units, 3 * units : 4 * units, 2 * units : 3 * units]
    scale = np.ones(4 * units, kernel.dtype)
    if op.recurrent_activation == SIGMOID and op.activation == TANH:
        scale[: 3 * units] = 0.5
    return Weights(
        kernel[..., order] * scale,
        recurrent[..., order] * scale,
        None if bias is None else bias[..., order] * scale,
    )


def _gru_weights(op: GRU, directions: list[Direction]) -> Weights:
    kernel, recurrent = _stacked(directions)
    units = recurrent.shape[1]
    scale = np.ones(3 * units, kernel.dtype)
    if op.recurrent_activation == SIGMOID:
        scale[: 2 * units] = 0.5
    bias, late = None, None
    if directions[0].bias is not None:
        stacked = np.stack([d.bias for d in directions if d.bias is not None])
        bias = stacked[:, None, :] if not op.reset_after else stacked[:, :1, :].copy()
        if op.reset_after:
            bias[..., : 2 * units] += stacked[:, 1:, : 2 * units]
            late = np.ascontiguousarray(stacked[:, 1:, 2 * units :])
        bias = bias * scale
    return Weights(kernel * scale, recurrent * scale, bias, late)


def _stacked(directions: list[Direction]) -> tuple[Array, Array]:
    return (
        np.stack([d.kernel for d in directions]),
        np.stack([d.recurrent_kernel for d in directions]),
    )


def _biases(directions: list[Direction]) -> Array | None:
    given = [d.bias for d in directions if d.bias is not None]
    return np.stack(given)[:, None, :] if given else None


CELLS: dict[type[Recurrent], tuple[Any, Any]] = {
    SimpleRNN: (simple_cell, _simple_weights),
    LSTM: (lstm_cell, _lstm_weights),
    GRU: (gru_cell, _gru_weights),
}


# --- the loop over time -----------------------------------------------------------


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
        self.cell: Cell = make_cell(op, self.weights)
        self.backwards = [d.op.go_backwards for d in directions]
        self.prepared = Specialised(lambda shape: self._make(shape))

    def _make(self, shape: tuple[int, ...]) -> Callable[..., Any]:
        batch, time, _ = shape
        count, units, width = self.weights.recurrent.shape
        dtype = self.weights.kernel.dtype

        def buffers() -> tuple[Any, ...]:
            return (
                np.empty((count, time, batch, width), dtype),
                [np.empty((count, batch, width), dtype), np.empty((count, batch, units), dtype)],
                [np.empty((count, batch, units), dtype) for _ in range(self.op.states)],
            )

        pool = Pool(buffers)
        return lambda x: pool

    def run(
        self, x: Array, mask: Array | None, initial: list[Array | None]
    ) -> tuple[Array | None, Array, list[Array]]:
        """Every output ``(directions, time, batch, units)`` if wanted, the last, and states."""
        pool: Pool = self.prepared(x)
        projected, work, states = pool.take()
        self._project(x, projected)
        for state, given in zip(states, initial, strict=True):
            state[...] = 0 if given is None else given
        count, time, batch, _ = projected.shape
        every = None
        if self.op.return_sequences:
            every = np.empty((count, time, batch, states[0].shape[-1]), projected.dtype)
        if mask is None or mask.all():
            last = self._unmasked(projected, states, work, every)
        else:
            last = self._masked(projected, states, work, every, self._masks(mask))
        final = [s.copy() for s in states] if self.op.return_state else []
        pool.give((projected, work, states))
        return every, last, final

    def _project(self, x: Array, out: Array) -> None:
        """All steps' input products, each direction in the order it runs."""
        rows = np.ascontiguousarray(x.transpose(1, 0, 2)).reshape(-1, x.shape[2])
        for index, backwards in enumerate(self.backwards):
            kernel = self.weights.kernel[index]
            flat = out[index].reshape(-1, out.shape[-1])
            if backwards:
                turned = rows.reshape(x.shape[1], -1)[::-1].reshape(-1, x.shape[2])
                np.matmul(turned, kernel, out=flat)
            else:
                np.matmul(rows, kernel, out=flat)
        if self.weights.bias is not None:
            out += self.weights.bias[:, None]

    def _masks(self, mask: Array) -> Array:
        """``(time, directions, batch, 1)``, each direction in the order it runs."""
        steps = mask.T[..., None]
        return np.stack([steps[::-1] if b else steps for b in self.backwards], axis=1)

    def _unmasked(
        self, projected: Array, states: list[Array], work: list[Array], every: Array | None
    ) -> Array:
        cell, h = self.cell, states[0]
        steps = projected.transpose(1, 0, 2, 3)
        if every is None:
            for step in steps:
                cell(step, states, work)
        else:
            for step, out in zip(steps, every.transpose(1, 0, 2, 3), strict=True):
                cell(step, states, work)
                out[...] = h
        return h.copy()

    def _masked(
        self, projected: Array, states: list[Array], work: list[Array],
        every: Array | None, masks: Array,
    ) -> Array:  # fmt: skip
        """Masked steps keep the state and repeat the output before, or give zeros."""
        h = states[0]
        out = np.zeros_like(h)
        for t, kept in enumerate(masks):
            before = [s.copy() for s in states]
            self.cell(projected[:, t], states, work)
            out = np.where(kept, h, 0 if self.op.zero_output_for_mask else out)
            for state, old in zip(states, before, strict=True):
                np.copyto(state, old, where=~kept)
            if every is not None:
                every[:, t] = out
        return out


@kernels.prepares(SimpleRNN)
@kernels.prepares(LSTM)
@kernels.prepares(GRU)
def recurrent(
    op: Recurrent, *, kernel: Array, recurrent_kernel: Array, bias: Array | None = None
) -> Kernel:
    """One direction."""
    layer = Layer([Direction(op, kernel, recurrent_kernel, bias)])

    def run(x: Array, mask: Array | None = None, *initial: Array) -> Any:
        given: list[Array | None] = [*initial] if initial else [None] * op.states
        every, last, final = layer.run(x, mask, given)
        out = last[0] if every is None else every[0].transpose(1, 0, 2)
        return (np.ascontiguousarray(out), *(s[0] for s in final)) if final else out

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
    states = op.forward.states

    def run(x: Array, mask: Array | None = None, *initial: Array) -> Any:
        given: list[list[Array | None]] = [[*initial[:states]], [*initial[states:]]]
        outputs, finals = _both(layers, x, mask, given if initial else None, states)
        if op.forward.return_sequences:
            # A sequence computed from the end is turned to meet the other's steps.
            # Keras turns the second one only, whatever the first one's direction.
            outputs[1] = outputs[1][:, ::-1]
        merged = (
            tuple(np.ascontiguousarray(o) for o in outputs)
            if op.merge_mode is None
            else (MERGES[op.merge_mode](*outputs),)
        )
        return (*merged, *finals)

    return run


def _alike(one: Direction, two: Direction) -> bool:
    from dataclasses import replace

    return (
        type(one.op) is type(two.op)
        and replace(one.op, go_backwards=False) == replace(two.op, go_backwards=False)
        and one.kernel.shape == two.kernel.shape
        and (one.bias is None) == (two.bias is None)
    )


def _both(
    layers: list[Layer], x: Array, mask: Array | None,
    initial: list[list[Array | None]] | None, states: int,
) -> tuple[list[Array], list[Array]]:  # fmt: skip
    """Outputs ``(batch, ..., units)`` of both directions, and all final states."""
    outputs: list[Array] = []
    finals: list[Array] = []
    for index, layer in enumerate(layers):
        count = len(layer.backwards)
        given: list[Array | None] = [None] * states
        if initial is not None and count == 1:
            given = initial[index]
        elif initial is not None:
            given = [np.stack(pair) for pair in zip(*initial, strict=True)]
        every, last, final = layer.run(x, mask, given)
        outputs.extend(
            last[side] if every is None else every[side].transpose(1, 0, 2) for side in range(count)
        )
        finals.extend(s[side] for side in range(count) for s in final)
    return outputs, finals


@kernels.computes(FoldTime)
def fold_time(op: FoldTime, x: Array) -> Array:
    """A view where the memory order allows."""
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])


@kernels.computes(UnfoldTime)
def unfold_time(op: UnfoldTime, x: Array, like: Array) -> Array:
    """A view."""
    return x.reshape(*like.shape[:2], *x.shape[1:])
