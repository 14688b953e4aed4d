"""A layer graph drawn top to bottom: places for nodes, bends for edges.

Layers by longest path, an order within a layer by the median of a node's
neighbours (some sweeps down and up), and places that pull a node between its
neighbours without touching the next. Edges that span layers bend at points
which take part in all of that like nodes.
Source: Gansner et al., A Technique for Drawing Directed Graphs, 1993, simplified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

SWEEPS = 8
BEND = 18.0
"""Room an edge takes in a layer that it passes."""


@dataclass(frozen=True)
class Drawing:
    """Where everything is, in pixels.

    Attributes:
        centres: of the nodes, by name.
        edges: pairs of nodes, each with the points its line goes through.
        width, height: of the whole.
    """

    centres: Mapping[str, tuple[float, float]]
    edges: tuple[tuple[str, str, tuple[tuple[float, float], ...]], ...]
    width: float
    height: float


def drawing(
    nodes: Sequence[str],
    edges: Iterable[tuple[str, str]],
    *,
    node_width: float,
    node_height: float,
    gap_x: float = 24.0,
    gap_y: float = 28.0,
) -> Drawing:
    """Lay out a graph whose edges lead from earlier to later nodes.

    Args:
        nodes: names, every one after those that lead to it.
        edges: pairs of names; doubles count once.
        node_width, node_height: size of a node.
        gap_x, gap_y: room between nodes and between layers.
    """
    pairs = list(dict.fromkeys(edges))
    depth = _depths(nodes, pairs)
    chains = {pair: _chain(pair, depth) for pair in pairs}
    layers = _layers(depth, chains.values())
    above, below = _neighbours(chains.values())
    for sweep in range(SWEEPS):
        _sort(layers if sweep % 2 == 0 else layers[::-1], above if sweep % 2 == 0 else below)
    room = dict.fromkeys(nodes, node_width + gap_x)
    x = _places(layers, above, below, room)
    left = min((x[n] for n in nodes), default=0.0) - node_width / 2 - gap_x
    left = min(left, min(x.values(), default=0.0) - gap_x)
    right = max((v for v in x.values()), default=0.0) + node_width / 2 + gap_x
    step = node_height + gap_y

    def point(name: str, layer: int) -> tuple[float, float]:
        return round(x[name] - left, 1), round(gap_y + node_height / 2 + layer * step, 1)

    level = {name: number for number, layer in enumerate(layers) for name in layer}
    return Drawing(
        {n: point(n, level[n]) for n in nodes},
        tuple((a, b, tuple(point(n, level[n]) for n in chains[a, b])) for a, b in pairs),
        round(right - left, 1),
        round(gap_y + len(layers) * step, 1),
    )


def _depths(nodes: Sequence[str], pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    before: dict[str, list[str]] = {n: [] for n in nodes}
    for a, b in pairs:
        before[b].append(a)
    depth: dict[str, int] = {}
    for name in nodes:
        depth[name] = max((depth[a] + 1 for a in before[name]), default=0)
    # What nothing leads to stands right above its first reader, not at the top.
    after: dict[str, list[str]] = {n: [] for n in nodes}
    for a, b in pairs:
        after[a].append(b)
    for name in reversed(nodes):
        if not before[name] and after[name]:
            depth[name] = min(depth[b] for b in after[name]) - 1
    return depth


def _chain(pair: tuple[str, str], depth: Mapping[str, int]) -> tuple[str, ...]:
    """An edge with the points where it passes a layer."""
    a, b = pair
    # A tab stands in no name of a node.
    bends = (f"\t{a}\t{b}\t{layer}" for layer in range(depth[a] + 1, depth[b]))
    return (a, *bends, b)


def _layers(depth: Mapping[str, int], chains: Iterable[tuple[str, ...]]) -> list[list[str]]:
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name, layer in depth.items():
        layers[layer].append(name)
    for a, *bends, _ in chains:
        for number, bend in enumerate(bends, depth[a] + 1):
            layers[number].append(bend)
    return layers


def _neighbours(
    chains: Iterable[tuple[str, ...]],
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for chain in chains:
        for a, b in pairwise(chain):
            above.setdefault(b, []).append(a)
            below.setdefault(a, []).append(b)
    return above, below


def _sort(layers: Sequence[list[str]], neighbours: Mapping[str, list[str]]) -> None:
    """Order each layer by the medians of the neighbours in the layer before it."""
    for before, layer in pairwise(layers):
        place = {name: i for i, name in enumerate(before)}
        own = {name: i for i, name in enumerate(layer)}

        def wish(name: str, place: dict[str, int] = place, own: dict[str, int] = own) -> float:
            found = [place[n] for n in neighbours.get(name, ()) if n in place]
            return float(median(found)) if found else float(own[name])

        layer.sort(key=wish)


def _places(
    layers: Sequence[list[str]],
    above: Mapping[str, list[str]],
    below: Mapping[str, list[str]],
    room: Mapping[str, float],
) -> dict[str, float]:
    """Centres along x."""
    x: dict[str, float] = {}
    for layer in layers:
        at = 0.0
        for name in layer:
            width = room.get(name, BEND)
            x[name] = at + width / 2
            at += width
        for name in layer:
            x[name] -= at / 2
    for sweep in range(2 * SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for layer in layers if down else layers[::-1]:
            wishes = [
                float(median([x[n] for n in neighbours[name]])) if neighbours.get(name) else x[name]
                for name in layer
            ]
            widths = [room.get(name, BEND) for name in layer]
            x.update(zip(layer, _spread(wishes, widths), strict=True))
    return x


def _spread(wishes: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Places near the wishes, in order, that do not overlap: clusters that meet are averaged."""
    clusters: list[tuple[float, int]] = []
    offsets = [0.0]
    for one, other in pairwise(widths):
        offsets.append(offsets[-1] + (one + other) / 2)
    for wish, offset in zip(wishes, offsets, strict=True):
        total, count = wish - offset, 1
        while clusters and clusters[-1][0] / clusters[-1][1] > total / count:
            before = clusters.pop()
            total, count = total + before[0], count + before[1]
        clusters.append((total, count))
    starts = [total / count for total, count in clusters for _ in range(count)]
    return [start + offset for start, offset in zip(starts, offsets, strict=True)]
