"""Normalisation layers."""

from __future__ import annotations

from typing import Any

from layergraph.backends.keras.convolution import stored
from layergraph.backends.keras.model import Stored, Tensor
from layergraph.backends.keras.table import Spellings
from layergraph.backends.keras.writer import Writer
from layergraph.ir.ops.normalization import BatchNorm
from layergraph.ir.types import Array

spellings = Spellings()

LEAST_FUSED = 1.001e-5
"""TensorFlow's fused function adds no less than this to the variance."""


@spellings.spells(BatchNorm)
def batch_norm(
    w: Writer,
    op: BatchNorm,
    x: Tensor,
    *,
    gamma: Array | None = None,
    beta: Array | None = None,
    moving_mean: Array,
    moving_variance: Array,
) -> Any:
    """BatchNormalization."""
    unfused: dict[str, Any] = {"fused": False} if not w.keras3 and op.epsilon < LEAST_FUSED else {}
    return w.layer(
        "BatchNormalization", w.tensor(x),
        arrays=[stored("gamma", gamma), stored("beta", beta),
                Stored("moving_mean", moving_mean), Stored("moving_variance", moving_variance)],
        axis=op.axis if w.keras3 else [op.axis], epsilon=op.epsilon, center=beta is not None,
        scale=gamma is not None, **unfused,
    )  # fmt: skip
