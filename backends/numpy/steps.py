"""What all recurrent kernels share: the loop over time, masks, and states that are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np

from layergraph.ir.ops.recurrent import Recurrent
from layergraph.ir.types import Array

Cell: TypeAlias = Callable[[Array, list[Array], list[Array]], None]
"""``cell(projected, states, work)`` advances the states one step where they lie;
the output is the first state."""

Kept: TypeAlias = "tuple[Array, ...] | None"
"""States that a run left to the next, ``None`` before the first."""


def run_steps(
    cell: Cell,
    steps: Iterable[Array],
    states: list[Array],
    work: list[Array],
    every: Array | None,
) -> Array:
    """Run all steps, the states as they lie; returns the last output.

    Args:
        cell: advances the states.
        steps: the input products of each step, in the order they run.
        states: the first states; the final ones afterwards.
        work: the cell's work buffers.
        every: receives every output, time first, if wanted.
    """
    h = states[0]
    if every is None:
        for step in steps:
            cell(step, states, work)
    else:
        for step, out in zip(steps, every, strict=True):
            cell(step, states, work)
            out[...] = h
    return h.copy()


def run_masked_steps(
    cell: Cell,
    steps: Iterable[Array],
    states: list[Array],
    work: list[Array],
    every: Array | None,
    masks: Array,
    *,
    zero_output: bool,
    output_state: bool = False,
) -> Array:
    """``run_steps`` where masked steps keep the states and repeat the output before.

    Args:
        masks: of each step, in the order they run, as wide as to broadcast with a state.
        zero_output: the output of a masked step is zeros instead.
        output_state: a masked first step outputs the state, not zeros.
    """
    h = states[0]
    before = [np.empty_like(s) for s in states]
    last = h.copy() if output_state else np.zeros_like(h)
    for index, (step, kept) in enumerate(zip(steps, masks, strict=True)):
        for old, state in zip(before, states, strict=True):
            np.copyto(old, state)
        cell(step, states, work)
        if zero_output:
            last[...] = 0
        np.copyto(last, h, where=kept)
        masked = ~kept
        for old, state in zip(before, states, strict=True):
            np.copyto(state, old, where=masked)
        if every is not None:
            every[index] = last
    return last


def beginning(op: Recurrent, initial: Sequence[Array], kept: Kept) -> list[Array | None]:
    """The states a run begins with: given, kept or, for ``None``, zeros."""
    if kept is not None and initial and op.kept_first and any(s.any() for s in kept):
        return [*kept]
    begin: list[Array | None] = [*(initial or kept or ())]
    return begin or [None] * op.states
