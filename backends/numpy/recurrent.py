"""Recurrent layers: one GEMM projects all steps, then a tight loop over time.

Both directions of a ``Bidirectional`` advance in the same step: states are
``(directions, batch, units)``, and one batched product serves them all. A
sigmoid is ``0.5 + 0.5 tanh(x / 2)``; where the gates are sigmoids, the halving
is folded into the kernels, so that one ``tanh`` covers every gate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from layergraph.backends.numpy.scratch import Pool, Specialised
from layergraph.backends.numpy.steps import (
    Cell,
    Kept,
    beginning,
    run_masked_steps,
    run_steps,
)
from layergraph.backends.numpy.table import InPlace, Kernel, Kernels, in_place
from layergraph.ir.ops.elementwise import Unary
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


def lstm_update(op: Any, units: int) -> Callable[[Array, list[Array], Array], None]:
    """What follows an LSTM's products: ``update(total, states, work)``.

    Gates stand in the order i, f, o, c, so that the sigmoids lie side by side.
    """
    gate, activate = function(op.recurrent_activation), function(op.activation)
    together = _halved(op)

    def update(total: Array, states: list[Array], fresh: Array) -> None:
        h, c = states
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

    return update


def lstm_gates(op: Any, array: Array) -> Array:
    """Gates i, f, c, o of the last axis as ``lstm_update`` wants them."""
    units = array.shape[-1] // 4
    order = np.r_[0 : 2 * units, 3 * units : 4 * units, 2 * units : 3 * units]
    scale = np.ones(4 * units, array.dtype)
    if _halved(op):
        scale[: 3 * units] = 0.5
    return array[..., order] * scale


def _halved(op: Any) -> bool:
    return bool(op.recurrent_activation == SIGMOID and op.activation == TANH)


def lstm_cell(op: LSTM, weights: Weights) -> Cell:
    """One product for all gates."""
    recurrent = weights.recurrent
    update = lstm_update(op, recurrent.shape[1])

    def step(projected: Array, states: list[Array], work: list[Array]) -> None:
        total, fresh = work[:2]
        np.matmul(states[0], recurrent, out=total)
        total += projected
        update(total, states, fresh)

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
    return Weights(
        lstm_gates(op, kernel),
        lstm_gates(op, recurrent),
        None if bias is None else lstm_gates(op, bias),
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
        self, x: Array, mask: Array | None, initial: Sequence[Array | None]
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
        steps = projected.transpose(1, 0, 2, 3)
        outputs = None if every is None else every.transpose(1, 0, 2, 3)
        if mask is None or mask.all():
            last = run_steps(self.cell, steps, states, work, outputs)
        else:
            zero, masks = self.op.zero_output_for_mask, self._masks(mask)
            last = run_masked_steps(self.cell, steps, states, work, outputs, masks, zero)
        wanted = self.op.return_state or self.op.stateful
        final = [s.copy() for s in states] if wanted else []
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
        out = last[0] if every is None else every[0].transpose(1, 0, 2)
        states = tuple(s[0] for s in final)
        result = (np.ascontiguousarray(out), *states) if op.return_state else out
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
        outputs.extend(
            last[side] if every is None else every[side].transpose(1, 0, 2) for side in range(count)
        )
        finals.extend(s[side] for side in range(count) for s in final)
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
