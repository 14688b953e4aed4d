"""Time per node, from the same run loop that predicts, beside the work it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

from layergraph.backends.numpy.plan import Traced
from layergraph.ir.cost import Call, flops, moved
from layergraph.ir.graph import Graph, Node, Value
from layergraph.ir.types import Array, TensorType, type_of


@dataclass(frozen=True)
class NodeTime:
    """Median time of one node.

    Attributes:
        name: node name.
        op: operator with its attributes.
        seconds: median over the runs.
        share: part of the sum over all nodes, 0 to 1.
        flops: arithmetic operations, ``None`` where they are not known.
        bytes: read and written, each value and parameter counted once.
        variant: which of several ways the kernel chose, ``""`` where there is one.
    """

    name: str
    op: str
    seconds: float
    share: float
    flops: int | None = None
    bytes: int = 0
    variant: str = ""

    @property
    def gflops(self) -> float | None:
        """Billions of operations a second."""
        if self.flops is None or not self.seconds:
            return None
        return self.flops / self.seconds / 1e9


@dataclass(frozen=True)
class Profile:
    """Times of all nodes, in running order.

    Attributes:
        nodes: one entry a node.
        seconds: sum of the nodes' medians.
        runs: number of runs measured.
        whole: median seconds of a whole run, steps between nodes included.
    """

    nodes: tuple[NodeTime, ...]
    seconds: float
    runs: int
    whole: float = 0.0

    def slowest(self) -> list[NodeTime]:
        """The nodes, the one that takes most first."""
        return sorted(self.nodes, key=lambda n: -n.seconds)

    def __str__(self) -> str:
        lines = [
            f"{n.seconds * 1e6:10.1f} us {n.share:6.1%} {_rate(n):>8} GFLOP/s  {n.name}  {n.op}"
            f"{f'  [{n.variant}]' if n.variant else ''}"
            for n in self.slowest()
        ]
        return "\n".join([*lines, f"{self.seconds * 1e6:10.1f} us in {len(self.nodes)} nodes"])


def _rate(node: NodeTime) -> str:
    return "?" if node.gflops is None else f"{node.gflops:.2f}"


def profile(
    walk: Callable[[], Iterator[Traced]], graph: Graph, feeds: Mapping[str, Array], repeat: int
) -> Profile:
    """Median times over ``repeat`` runs, after one that warms up.

    Args:
        walk: starts a run, node by node.
        graph: the graph that runs.
        feeds: what it is fed.
        repeat: number of runs.
    """
    types = {Value(name): type_of(array) for name, array in feeds.items()}
    nodes: dict[str, tuple[Traced, Call]] = {}
    for step in walk():
        # The node's types may leave dimensions open that the arrays know.
        types |= zip(step.node.values, map(type_of, step.outputs), strict=True)
        nodes[step.name] = (_without_arrays(step), _call(step.node, graph, types))
    times: dict[str, list[float]] = {name: [] for name in nodes}
    wholes = [_timed(walk, times) for _ in range(repeat)]
    medians = {name: median(found) for name, found in times.items()}
    total = sum(medians.values())
    return Profile(
        tuple(
            NodeTime(
                name,
                str(step.op),
                medians[name],
                medians[name] / total if total else 0.0,
                flops(step.op, call),
                moved(step.op, call),
                step.variant,
            )
            for name, (step, call) in nodes.items()
        ),
        total,
        repeat,
        median(wholes),
    )


def _timed(walk: Callable[[], Iterator[Traced]], times: dict[str, list[float]]) -> float:
    started = perf_counter()
    for step in walk():
        times[step.name].append(step.seconds)
    return perf_counter() - started


def _without_arrays(step: Traced) -> Traced:
    return step._replace(outputs=())


def _call(node: Node, graph: Graph, types: Mapping[Value, TensorType]) -> Call:
    def type_(value: Value | None) -> TensorType | None:
        return None if value is None else types.get(value) or graph.type_of(value)

    params: dict[str, Any] = {role: type_of(array) for role, array in node.params.items()}
    return Call([type_(v) for v in node.inputs], [types[v] for v in node.values], params)
