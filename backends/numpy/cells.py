"""Cells of the recurrent kernels: one step of SimpleRNN, LSTM and GRU, and their weights.

A sigmoid is ``0.5 + 0.5 tanh(x / 2)``; where the gates are sigmoids, the halving
is folded into the kernels, so that one ``tanh`` covers every gate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from layergraph.backends.numpy.steps import Cell
from layergraph.backends.numpy.table import InPlace, in_place
from layergraph.ir.ops.elementwise import Unary
from layergraph.ir.ops.recurrent import GRU, LSTM, Recurrent, SimpleRNN
from layergraph.ir.types import Array

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


def gate_function(op: Any, units: int) -> InPlace:
    """The activation of gates that lie side by side, each of ``units``.

    One that looks at its neighbours, as softmax does, sees one gate at a time.
    """
    activation = op.recurrent_activation
    apply = function(activation)
    if activation is None or activation.pointwise:
        return apply

    def one_by_one(gates: Array) -> None:
        for start in range(0, gates.shape[-1], units):
            apply(gates[..., start : start + units])

    return one_by_one


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
    gate, activate = gate_function(op, units), function(op.activation)
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
    gate, activate = gate_function(op, units), function(op.activation)
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
