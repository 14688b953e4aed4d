"""What stateful layers hold between runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import numpy as np

from layergraph.ir.errors import InputError
from layergraph.ir.graph import Graph
from layergraph.ir.types import Array, TensorType, type_of


def state_types(graph: Graph) -> dict[str, tuple[TensorType, ...]]:
    """Types of the states of each stateful layer, by name."""
    found: dict[str, tuple[TensorType, ...]] = {}
    for node in graph:
        if node.op.kept:
            inputs = [None if v is None else graph.type_of(v) for v in node.inputs]
            params = {role: type_of(array) for role, array in node.params.items()}
            found.update(zip(node.op.kept, node.op.kept_types(*inputs, **params), strict=True))
    return found


def zero_states(graph: Graph) -> dict[str, tuple[Array, ...]]:
    """What they hold before the first run; an unknown batch size counts as 1."""
    return {
        name: tuple(np.zeros([d or 1 for d in t.shape], t.dtype) for t in types)
        for name, types in state_types(graph).items()
    }


def checked_states(
    graph: Graph, given: Mapping[str, Sequence[Array]]
) -> dict[str, tuple[Array, ...]]:
    """Copies of states to begin with.

    Raises:
        InputError: no stateful layer of a name, or states of another count or shape.
    """
    known = state_types(graph)
    found: dict[str, tuple[Array, ...]] = {}
    for name, states in given.items():
        if name not in known:
            near = get_close_matches(str(name), list(known), 1) or list(known)
            raise InputError(
                f"the model has no stateful layer {name!r}; "
                + (f"stateful are {', '.join(near)}" if near else "none of its layers is stateful")
            )
        types = known[name]
        arrays = [np.array(s, t.dtype) for s, t in zip(states, types, strict=False)]
        fits = len(states) == len(types) and all(
            t.accepts(a.shape) for t, a in zip(types, arrays, strict=True)
        )
        if not fits:
            shapes = ", ".join(str(np.shape(s)) for s in states)
            raise InputError(
                f"layer {name!r} keeps states of types {', '.join(map(str, types))}, "
                f"got shapes {shapes}"
            )
        found[name] = tuple(arrays)
    return found
