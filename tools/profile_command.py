"""``layergraph profile``: where the time goes, beside what the machine can do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from layergraph.backends.numpy.interpreter import Interpreter
from layergraph.backends.numpy.profile import NodeTime, Profile
from layergraph.backends.numpy.roofline import Machine, cores, measure
from layergraph.ir.errors import InputError
from layergraph.ir.graph import Graph
from layergraph.ir.types import Array
from layergraph.tools.comparison.draws import drawn
from layergraph.tools.predict import read_arrays
from layergraph.tools.screen import print_table

SECONDS = 2.0
RUNS = (5, 200)
"""As many runs as fit into the seconds, within these."""

COLUMNS = (
    "time", "share", "Mflop", "GFLOP/s", "MiB", "bound", "of best", "kernel", "node", "operator",
)  # fmt: skip
WIDTH = 60


class Least(NamedTuple):
    """The least time a node could take on this machine.

    Attributes:
        seconds: see above; 0 for a view.
        bound: ``compute`` or ``memory``, ``""`` for a view.
    """

    seconds: float
    bound: str


def run(
    graph: Graph,
    *,
    source: str | None = None,
    batch: int | None = None,
    repeat: int | None = None,
    top: int | None = None,
    as_json: bool = False,
) -> int:
    """Profile a model and print its nodes, the slowest first.

    Args:
        graph: the model.
        source: a file of inputs; seeded ones are drawn without.
        batch: rows: so many of the file, repeated when it has fewer.
        repeat: runs; as many as fit into two seconds without.
        top: print only so many nodes.
        as_json: print JSON.

    Raises:
        InputError: the inputs do not fit, or a batch that the model cannot take.
    """
    interpreter = Interpreter(graph)
    feeds = read_arrays(source, interpreter.inputs) if source else drawn(graph)
    feeds = with_rows(feeds, batch if source or batch else 1)
    first = interpreter.profile(feeds, repeat=1)
    runs = repeat or int(np.clip(SECONDS / max(first.whole, 1e-9), *RUNS))
    profile = interpreter.profile(feeds, repeat=runs)
    machine = measure(dtype_of(interpreter.graph), threads=cores())
    least = {node.name: least_time(node, machine) for node in profile.nodes}
    if as_json:
        print(json.dumps(data(profile, machine, least, feeds), indent=1))
        return 0
    rows = [_row(node, least[node.name]) for node in profile.slowest()[:top]]
    print_table(COLUMNS, rows, right=COLUMNS[:5] + COLUMNS[6:7])
    if hidden := len(profile.nodes) - len(rows):
        print(f"and {hidden} more nodes")
    print("\n".join(summary(profile, machine, least, feeds)))
    return 0


def with_rows(feeds: Mapping[str, Array], rows: int | None) -> dict[str, Array]:
    """The first rows of each array, over again where it has fewer."""
    if rows is None:
        return dict(feeds)
    if any(a.ndim == 0 or not len(a) for a in feeds.values()):
        raise InputError("inputs without rows have no batch; leave --batch out")
    return {n: np.asarray(a)[np.arange(rows) % len(a)] for n, a in feeds.items()}


def dtype_of(graph: Graph) -> str:
    """The dtype most of the model computes in."""
    wide = [type_.dtype == "float64" for node in graph for type_ in node.types if type_.is_float]
    return "float64" if wide and sum(wide) > len(wide) / 2 else "float32"


def least_time(node: NodeTime, machine: Machine) -> Least:
    """What the roofline allows."""
    return Least(*machine.seconds(node.flops, node.bytes)) if node.bytes else Least(0.0, "")


def summary(
    profile: Profile, machine: Machine, least: Mapping[str, Least], feeds: Mapping[str, Array]
) -> list[str]:
    """What all nodes take together, what the machine could do, and what is left."""
    bound = sum(one.seconds for one in least.values())
    unknown = [node.name for node in profile.nodes if node.flops is None]
    flops = sum(node.flops or 0 for node in profile.nodes)
    fast, slow = max(machine.bandwidth), machine.bandwidth[-1]
    shapes = ", ".join(f"{name} {a.shape}" for name, a in feeds.items())
    return [
        "",
        f"{_ms(profile.seconds)} in {len(profile.nodes)} nodes, {_ms(profile.whole)} a run with "
        f"the steps between them; medians of {profile.runs} runs on {shapes}",
        f"{flops / 1e6:.4g} Mflop, {flops / max(profile.seconds, 1e-12) / 1e9:.1f} GFLOP/s"
        + (f", besides {len(unknown)} nodes whose count is not known" if unknown else ""),
        f"this machine: {machine.peak / 1e9:.1f} GFLOP/s in a product of {machine.dtype} matrices, "
        f"{slow / 1e9:.1f} GB/s in memory, {fast / 1e9:.1f} GB/s in cache",
        f"at those rates it would take {_ms(bound)}: "
        f"{bound / max(profile.seconds, 1e-12):.0%} of the best is reached",
    ]


def data(
    profile: Profile, machine: Machine, least: Mapping[str, Least], feeds: Mapping[str, Array]
) -> dict[str, Any]:
    """The profile as JSON data, nodes in running order."""
    return {
        "inputs": {name: list(a.shape) for name, a in feeds.items()},
        "runs": profile.runs,
        "seconds": profile.seconds,
        "whole": profile.whole,
        "least": sum(one.seconds for one in least.values()),
        "machine": {**asdict(machine), "bandwidth": list(machine.bandwidth)},
        "nodes": [
            {**asdict(node), "gflops": node.gflops}
            | {"least": least[node.name].seconds, "bound": least[node.name].bound}
            for node in profile.nodes
        ],
    }


def _row(node: NodeTime, least: Least) -> list[str]:
    return [
        f"{node.seconds * 1e6:,.1f} us",
        f"{node.share:.1%}",
        "?" if node.flops is None else f"{node.flops / 1e6:,.3f}",
        f"{node.gflops:.2f}" if node.flops and node.gflops else "",
        f"{node.bytes / 2**20:,.3f}",
        least.bound,
        f"{least.seconds / node.seconds:.0%}" if least.bound and node.seconds else "",
        node.variant,
        node.name,
        node.op if len(node.op) <= WIDTH else f"{node.op[: WIDTH - 3]}...",
    ]


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3f} ms"
