"""Time per node, from the same run loop that predicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from layergraph.backends.numpy.plan import Traced


@dataclass(frozen=True)
class NodeTime:
    """Median time of one node.

    Attributes:
        name: node name.
        op: operator with its attributes.
        seconds: median over the runs.
        share: part of the sum over all nodes, 0 to 1.
    """

    name: str
    op: str
    seconds: float
    share: float


@dataclass(frozen=True)
class Profile:
    """Times of all nodes, in running order.

    Attributes:
        nodes: one entry a node.
        seconds: sum of the nodes' medians.
        runs: number of runs measured.
    """

    nodes: tuple[NodeTime, ...]
    seconds: float
    runs: int

    def __str__(self) -> str:
        rows = sorted(self.nodes, key=lambda n: -n.seconds)
        lines = [f"{n.seconds * 1e6:10.1f} us {n.share:6.1%}  {n.name}  {n.op}" for n in rows]
        return "\n".join([*lines, f"{self.seconds * 1e6:10.1f} us in {len(rows)} nodes"])


def profile(walk: Callable[[], Iterator[Traced]], repeat: int) -> Profile:
    """Median times over ``repeat`` runs, after one that warms up."""
    for _ in walk():
        pass
    steps: dict[str, tuple[str, list[float]]] = {}
    for _ in range(repeat):
        for step in walk():
            steps.setdefault(step.name, (str(step.op), []))[1].append(step.seconds)
    medians = {name: (op, median(times)) for name, (op, times) in steps.items()}
    total = sum(seconds for _, seconds in medians.values())
    return Profile(
        tuple(NodeTime(n, op, s, s / total if total else 0.0) for n, (op, s) in medians.items()),
        total,
        repeat,
    )
