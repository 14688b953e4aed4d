"""Rewrites of a graph that keep what it computes.

Every pass takes a graph and returns one with the same inputs and outputs: as
many outputs, in the same order and of the same types, equal up to rounding. A
node that takes over another's work bears the name of the value it yields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from layergraph.ir.errors import GraphError
from layergraph.ir.graph import Graph
from layergraph.ir.passes.activations import fuse_activation
from layergraph.ir.passes.batch_norm import fold_batch_norm
from layergraph.ir.passes.constants import Evaluate, fold_constants
from layergraph.ir.passes.identities import drop_identity
from layergraph.ir.passes.parameters import bind_parameters
from layergraph.ir.passes.transposes import cancel_transposes

Pass = Callable[[Graph], Graph]

PASSES: dict[str, Pass] = {
    "drop_identity": drop_identity,
    "bind_parameters": bind_parameters,
    "cancel_transposes": cancel_transposes,
    "fold_batch_norm": fold_batch_norm,
    "fuse_activation": fuse_activation,
}
"""Passes by name, in the order they are applied."""

DEFAULT = ("drop_identity", "fold_constants", "bind_parameters", "cancel_transposes",
           "fold_batch_norm", "fuse_activation")  # fmt: skip
"""What ``optimize`` applies."""


def optimize(
    graph: Graph, passes: Iterable[str] = DEFAULT, *, evaluate: Evaluate | None = None
) -> Graph:
    """Apply passes in the given order.

    Args:
        graph: any graph.
        passes: names out of ``DEFAULT``.
        evaluate: computes one operator; without it ``fold_constants`` does nothing.

    Raises:
        GraphError: no such pass.
    """
    for name in passes:
        if name == "fold_constants":
            graph = graph if evaluate is None else fold_constants(graph, evaluate)
        elif name in PASSES:
            graph = PASSES[name](graph)
        else:
            raise GraphError(f"there is no pass {name!r}; passes are {', '.join(DEFAULT)}")
    return graph


__all__ = [
    "DEFAULT",
    "PASSES",
    "bind_parameters",
    "cancel_transposes",
    "drop_identity",
    "fold_batch_norm",
    "fold_constants",
    "fuse_activation",
    "optimize",
]
