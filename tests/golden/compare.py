"""How far layergraph's arrays are from Keras', node by node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

import layergraph as lg
from layergraph.ir.types import Array


def fed(feeds: Mapping[str, Array]) -> Any:
    """One array as it is, several by name: the name of a lone input is Keras' own affair."""
    return dict(feeds) if len(feeds) > 1 else next(iter(feeds.values()))


def traced(interpreter: lg.Interpreter, feeds: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """Every node's outputs in the order of execution, as `lstm`, `lstm#1`, ..."""
    for step in interpreter.trace(fed(feeds)):
        for number, value in enumerate(step.outputs):
            yield f"{step.node.name}#{number}" if number else step.node.name, value


def complaint(got: Array, expected: Array, rtol: float) -> str:
    """Why an array is not the expected one; empty if it is.

    `rtol` is relative to the largest expected value.
    """
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return f"is {got.dtype}{list(got.shape)}, in Keras {expected.dtype}{list(expected.shape)}"
    if not expected.size:
        return ""
    largest = float(np.abs(expected).max())
    difference = np.abs(got.astype(np.float64) - expected)
    worst = float(difference.max())
    # Written so that a NaN on either side is a complaint.
    if worst <= rtol * largest:
        return ""
    place = np.unravel_index(
        int(np.nanargmax(difference)) if not np.isnan(difference).all() else 0, difference.shape
    )
    where = [int(index) for index in place]
    return (
        f"differs by {worst:.3g} (largest value {largest:.3g}) "
        f"at {where}: {got[place]}, in Keras {expected[place]}"
    )
