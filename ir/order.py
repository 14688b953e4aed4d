"""The order in which Keras runs and lists the calls and layers of a Functional model.

It shows in what a run returns, because a call may take the mask off a tensor
that calls after it read too, and in how weights are stored, which are told apart by
the order of their layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

Key: TypeAlias = tuple[str, int]
"""A layer's name and the number of its call."""


class Cycle(Exception):  # noqa: N818 - the caller knows the file and makes the error
    """Calls wait for each other; holds their keys."""


def keras_order(outputs: Iterable[Key], parents: Callable[[Key], Iterable[Key]]) -> list[Key]:
    """Calls that the outputs need, deepest first.

    A call's depth is the longest way from it to an output; all calls of one
    layer are at least as deep as its deepest call before them in the walk.
    Calls of equal depth stand in the order in which their depth was first set.

    Source: keras/src/ops/function.py ``map_graph``, Keras 3.15.

    Args:
        outputs: calls that give the model's outputs, in order.
        parents: calls that a call reads, in the order of its arguments.

    Raises:
        Cycle: calls wait for each other.
    """
    depths, _ = _depths(_walked(outputs, parents)[0], parents)
    return sorted(depths, key=lambda key: -depths[key])


def layer_order(outputs: Iterable[Key], parents: Callable[[Key], Iterable[Key]]) -> dict[str, int]:
    """Layers that the outputs need, deepest first, with their depths.

    Layers of equal depth stand in the order in which a walk from the outputs meets them.

    Source: keras/src/ops/function.py ``map_graph``, Keras 3.15;
    tf_keras/src/engine/functional.py ``_map_graph_network``, tf-keras 2.21.

    Args:
        outputs, parents: as for ``keras_order``.

    Raises:
        Cycle: calls wait for each other.
    """
    walked, met = _walked(outputs, parents)
    _, depths = _depths(walked, parents)
    first = {name: i for i, name in enumerate(dict.fromkeys(name for name, _ in met))}
    names = sorted(depths, key=lambda name: (-depths[name], first[name]))
    return {name: depths[name] for name in names}


def _depths(
    walked: list[Key], parents: Callable[[Key], Iterable[Key]]
) -> tuple[dict[Key, int], dict[str, int]]:
    """Depth of each call and of each layer."""
    depths: dict[Key, int] = {}
    layers: dict[str, int] = {}
    for key in reversed(walked):
        depth = max(depths.setdefault(key, 0), layers.get(key[0], 0))
        depths[key] = layers[key[0]] = depth
        for parent in parents(key):
            depths[parent] = max(depth + 1, depths.get(parent, 0))
    return depths, layers


def _walked(
    outputs: Iterable[Key], parents: Callable[[Key], Iterable[Key]]
) -> tuple[list[Key], list[Key]]:
    """Depth-first, every call after those it reads, and calls in the order first met.

    Without recursion, for deep models.
    """
    done: dict[Key, None] = {}
    met: dict[Key, None] = {}
    for output in outputs:
        met.setdefault(output)
        path: list[tuple[Key, list[Key]]] = [(output, list(parents(output)))]
        open_: set[Key] = {output}
        while path:
            key, pending = path[-1]
            if key in done or not pending:
                done.setdefault(key)
                open_.discard(key)
                path.pop()
                continue
            parent = pending.pop(0)
            if parent in open_:
                raise Cycle(sorted({name for name, _ in open_}))
            if parent not in done:
                met.setdefault(parent)
                open_.add(parent)
                path.append((parent, list(parents(parent))))
    return list(done), list(met)
