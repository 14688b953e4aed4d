"""Cells of the recurrent kernels: one step of SimpleRNN, LSTM and GRU, and their weights.

States are ``(directions, units, batch)`` and products ``(directions, gates * units,
batch)``: features before the batch, so that each gate is one block of memory and
element-wise steps run through it at once.

A sigmoid is ``0.5 + 0.5 tanh(x / 2)``; where the gates are sigmoids, the halving
is folded into the kernels, so that one function covers every gate: ``tanh`` for few
numbers, ``1 / (1 + exp(-x))`` for many, which takes more calls and less time where
vectors are short.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from layergraph.backends.numpy.processor import QUICK_TANH
from layergraph.backends.numpy.steps import Cell
from layergraph.backends.numpy.table import InPlace, in_place
from layergraph.ir.ops.elementwise import Unary
from layergraph.ir.ops.recurrent import GRU, LSTM, Recurrent, SimpleRNN
from layergraph.ir.types import Array

SIGMOID, TANH = Unary(kind="sigmoid"), Unary(kind="tanh")

MANY = sys.maxsize if QUICK_TANH else 2048
"""Numbers from which NumPy's ``exp`` and three quick passes beat its ``tanh``."""


UNITS = -2
"""Axis of the units in states and products."""


class Direction(NamedTuple):
    """One direction with its parameters."""

    op: Recurrent
    kernel: Array
    recurrent_kernel: Array
    bias: Array | None


class Weights(NamedTuple):
    """Parameters of all directions, made ready for a cell.

    Attributes:
        kernel: ``(directions, gates * units, features)``.
        recurrent: ``(directions, gates * units, units)``.
        bias: ``(directions, gates * units, 1)``, added to the projection.
        recurrent_bias: ``(directions, units, 1)``, of a GRU's candidate.
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


def gate_function(op: Any, units: int, axis: int) -> InPlace:
    """The activation of gates that lie side by side along an axis, each of ``units``.

    One that looks at its neighbours, as softmax does, sees one gate at a time, its
    units last.
    """
    activation = op.recurrent_activation
    apply = function(activation)
    if activation is None or activation.pointwise:
        return apply

    def one_by_one(gates: Array) -> None:
        turned = np.moveaxis(gates, axis, -1)
        for start in range(0, turned.shape[-1], units):
            apply(turned[..., start : start + units])

    return one_by_one


def state_function(op: Any, axis: int) -> InPlace:
    """The activation of states whose units lie along an axis."""
    activation = op.activation
    apply = function(activation)
    if axis == -1 or activation is None or activation.pointwise:
        return apply
    return lambda x: apply(np.moveaxis(x, axis, -1))


def simple_cell(op: SimpleRNN, weights: Weights) -> Cell:
    """``h = activation(x + recurrent @ h)``."""
    recurrent, activate = weights.recurrent, state_function(op, UNITS)

    def step(projected: Array, states: list[Array], work: list[Array]) -> None:
        (h,), total = states, work[0]
        np.matmul(recurrent, h, out=total)
        np.add(total, projected, out=h)
        activate(h)

    return step


def sigmoid_of_halves(halves: Array) -> None:
    """``sigmoid(x)`` where ``x / 2`` lies."""
    if halves.size < MANY:
        np.tanh(halves, out=halves)
        halves *= 0.5
        halves += 0.5
    else:
        halves *= -2
        np.exp(halves, out=halves)
        halves += 1
        np.divide(1, halves, out=halves)


def part(array: Array, axis: int, start: int, stop: int) -> Array:
    """A view of some places along one of the last two axes."""
    return array[..., start:stop] if axis == -1 else array[..., start:stop, :]


def lstm_update(
    op: Any, units: int, axis: int = UNITS
) -> Callable[[Array, list[Array], Array], None]:
    """What follows an LSTM's products: ``update(total, states, work)``.

    Gates stand in the order i, f, o, c, so that the sigmoids lie side by side.

    Args:
        op: the layer.
        units: places a gate takes.
        axis: along which they stand, -1 or -2.
    """
    gate, activate = gate_function(op, units, axis), state_function(op, axis)
    together = _halved(op)

    def update(total: Array, states: list[Array], fresh: Array) -> None:
        h, c = states
        candidate = part(total, axis, 3 * units, 4 * units)
        if together and total.size >= MANY:
            # tanh(x) is 2 sigmoid(2x) - 1, so all four gates are sigmoids of twice what lies here.
            sigmoid_of_halves(total)
            candidate += candidate
            candidate -= 1
        elif together:
            gates = part(total, axis, 0, 3 * units)
            np.tanh(total, out=total)
            gates *= 0.5
            gates += 0.5
        else:
            gate(part(total, axis, 0, 3 * units))
            activate(candidate)
        np.multiply(part(total, axis, 0, units), candidate, out=fresh)
        c *= part(total, axis, units, 2 * units)
        c += fresh
        if together:
            np.tanh(c, out=h)
        else:
            np.copyto(h, c)
            activate(h)
        h *= part(total, axis, 2 * units, 3 * units)

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
    update = lstm_update(op, recurrent.shape[-1])

    def step(projected: Array, states: list[Array], work: list[Array]) -> None:
        total, fresh = work[:2]
        np.matmul(recurrent, states[0], out=total)
        total += projected
        update(total, states, fresh)

    return step


def gru_cell(op: GRU, weights: Weights) -> Cell:
    """Gates in the order z, r, h; the reset applies before or after the product."""
    recurrent, units = weights.recurrent, weights.recurrent.shape[-1]
    gate, activate = gate_function(op, units, UNITS), state_function(op, UNITS)
    squash = sigmoid_of_halves if op.recurrent_activation == SIGMOID else gate
    both, last = recurrent[:, : 2 * units], recurrent[:, 2 * units :]

    def step(projected: Array, states: list[Array], work: list[Array]) -> None:
        (h,), (total, fresh) = states, work[:2]
        gates, candidate = total[:, : 2 * units], total[:, 2 * units :]
        z, r = gates[:, :units], gates[:, units:]
        if op.reset_after:
            np.matmul(recurrent, h, out=total)
            gates += projected[:, : 2 * units]
            squash(gates)
            if weights.recurrent_bias is not None:
                candidate += weights.recurrent_bias
            candidate *= r
        else:
            np.matmul(both, h, out=gates)
            gates += projected[:, : 2 * units]
            squash(gates)
            np.multiply(r, h, out=fresh)
            np.matmul(last, fresh, out=candidate)
        candidate += projected[:, 2 * units :]
        activate(candidate)
        # h = z * h + (1 - z) * candidate
        np.subtract(h, candidate, out=h)
        h *= z
        h += candidate

    return step


def _simple_weights(op: SimpleRNN, directions: list[Direction]) -> Weights:
    return _ready(*_stacked(directions), _biases(directions))


def _lstm_weights(op: LSTM, directions: list[Direction]) -> Weights:
    kernel, recurrent = _stacked(directions)
    bias = _biases(directions)
    return _ready(
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
        bias = stacked if not op.reset_after else stacked[:, 0].copy()
        if op.reset_after:
            bias[:, : 2 * units] += stacked[:, 1, : 2 * units]
            late = stacked[:, 1, 2 * units :]
        bias = bias * scale
    return _ready(kernel * scale, recurrent * scale, bias, late)


def _ready(
    kernel: Array, recurrent: Array, bias: Array | None, late: Array | None = None
) -> Weights:
    """Arrays with units last, as Keras stores them, with units first."""
    columns = [None if b is None else np.ascontiguousarray(b[..., None]) for b in (bias, late)]
    turned = [np.ascontiguousarray(a.swapaxes(1, 2)) for a in (kernel, recurrent)]
    return Weights(*turned, *columns)


def _stacked(directions: list[Direction]) -> tuple[Array, Array]:
    return (
        np.stack([d.kernel for d in directions]),
        np.stack([d.recurrent_kernel for d in directions]),
    )


def _biases(directions: list[Direction]) -> Array | None:
    given = [d.bias for d in directions if d.bias is not None]
    return np.stack(given) if given else None


CELLS: dict[type[Recurrent], tuple[Any, Any]] = {
    SimpleRNN: (simple_cell, _simple_weights),
    LSTM: (lstm_cell, _lstm_weights),
    GRU: (gru_cell, _gru_weights),
}
