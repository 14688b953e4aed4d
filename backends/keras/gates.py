"""Keras 3's ``hard_sigmoid`` within recurrent layers of Keras 2, which has a steeper one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from layergraph.backends.keras.table import RefusedError
from layergraph.ir.ops.activation import HardSigmoid
from layergraph.ir.ops.convolutional_recurrent import ConvLSTM
from layergraph.ir.ops.recurrent import GRU, LSTM, Recurrent
from layergraph.ir.types import Array

if TYPE_CHECKING:
    from layergraph.backends.keras.writer import Writer

RecurrentT = TypeVar("RecurrentT", bound=Recurrent)

STEEPER = HardSigmoid(slope=0.2)


def as_keras_2(
    w: Writer, op: RecurrentT, arrays: dict[str, Array]
) -> tuple[RecurrentT, dict[str, Array]]:
    """A layer with the ``hard_sigmoid`` of Keras 2, and arrays that make up for its slope.

    ``clip(x / 6 + 0.5)`` is ``clip(0.2 y + 0.5)`` of ``y = 5 x / 6``, and every gate is
    given a sum of products with weights of its own.

    Raises:
        RefusedError: it is applied to a state, which no weight scales.
    """
    changes: dict[str, Any] = {}
    factors: dict[int, float] = {}
    inner = {LSTM: 2, ConvLSTM: 2, GRU: 2}.get(type(op), 0)
    for role in ("activation", "recurrent_activation"):
        found = getattr(op, role, None)
        if not isinstance(found, HardSigmoid) or found == STEEPER or found.offset != 0.5:
            continue
        changes[role] = STEEPER
        if role == "activation" and isinstance(op, (LSTM, ConvLSTM)):
            raise RefusedError("Keras 2's hard_sigmoid is steeper, and it is applied to the state")
        gates = [inner] if role == "activation" else [g for g in range(op.gates) if g != inner]
        factors.update(dict.fromkeys(gates, found.slope / STEEPER.slope))
    if not changes:
        return op, arrays
    w.spelled_out()
    w.note("weights of gates are scaled, as Keras 2's hard_sigmoid is steeper than Keras 3's")
    scaled = {
        role: w.derived(array, "gates", lambda a: _scaled(a, op.gates, factors))
        for role, array in arrays.items()
    }
    return replace(op, **changes), scaled


def _scaled(array: Array, gates: int, factors: dict[int, float]) -> Array:
    """Gates lie side by side along the last axis."""
    width = array.shape[-1] // gates
    scale = np.ones(array.shape[-1])
    for gate, factor in factors.items():
        scale[gate * width : (gate + 1) * width] = factor
    return (array * scale).astype(array.dtype)
