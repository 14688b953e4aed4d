"""Batch norms folded into the weights of the layer before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from layergraph.ir.graph import Graph, Node
from layergraph.ir.ops.convolution import Conv, ConvTranspose, DepthwiseConv
from layergraph.ir.ops.linear import Dense
from layergraph.ir.ops.normalization import BatchNorm
from layergraph.ir.passes.rewrite import both_sources, merged
from layergraph.ir.types import Array


def fold_batch_norm(graph: Graph) -> Graph:
    """Scale the kernel and bias of a linear layer by the batch norm behind it.

    Given: a convolution or Dense without activation whose only reader is a
    batch norm over its last axis.
    Result: one node with new weights that bears the batch norm's name. The
    weights are computed in float64 and rounded once.
    """
    return merged(graph, _folded)


def _folded(producer: Node, reader: Node) -> Node | None:
    op: Any = producer.op
    if not isinstance(reader.op, BatchNorm) or type(op) not in FILTER_AXES:
        return None
    if op.activation is not None or reader.op.axis != producer.types[0].rank - 1:
        return None
    scale, shift = affine(reader.op, reader.params)
    kernel = producer.params["kernel"]
    # Halves would round the folded kernel where Keras rounds the result.
    if kernel.dtype.name not in ("float32", "float64"):
        return None
    axes = FILTER_AXES[type(op)]
    sizes = [n if a - kernel.ndim in axes else 1 for a, n in enumerate(kernel.shape)]
    bias = np.asarray(producer.params.get("bias", 0), np.float64) * scale + shift
    params = {
        "kernel": (kernel * scale.reshape(sizes)).astype(kernel.dtype),
        "bias": bias.astype(kernel.dtype),
    }
    return replace(
        producer, name=reader.name, params=params, types=reader.types,
        sources=both_sources(producer, reader),
    )  # fmt: skip


FILTER_AXES: dict[type, tuple[int, ...]] = {
    Dense: (-1,),
    Conv: (-1,),
    ConvTranspose: (-2,),
    DepthwiseConv: (-2, -1),
}
"""Axes of the kernel that number the output channels."""


def affine(op: BatchNorm, params: Mapping[str, Array]) -> tuple[Array, Array]:
    """A batch norm as ``scale * x + shift``, both float64 ``(channels,)``."""
    held = {role: np.asarray(array, np.float64) for role, array in params.items()}
    scale = held.get("gamma", 1.0) / np.sqrt(held["moving_variance"] + op.epsilon)
    return scale, held.get("beta", 0.0) - held["moving_mean"] * scale
