"""Seeded inputs that fit a model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from layergraph.backends.numpy.interpreter import Interpreter
from layergraph.ir.errors import InputError, LayerGraphError
from layergraph.ir.graph import Graph, Value
from layergraph.ir.op import Input
from layergraph.ir.types import STRING, Array, TensorType, numpy_dtype

ROWS = 3
LENGTHS = (7, 32, 128, 224)
"""Sizes tried for dimensions that the model leaves open."""

WORDS = (b"the", b"small", b"graph", b"of", b"layers", b"knows", b"every", b"word")
NUMBERS = 2
"""Whole numbers of an input about which the graph says nothing are below this."""


def drawn(graph: Graph, seed: int = 0) -> dict[str, Array]:
    """Inputs that a model accepts; the same for the same seed.

    Floats are normal; token ids stay within the tables they are looked up in,
    and the first row is padded with zeros at its end; dimensions left open are
    made as long as the model needs.

    Args:
        graph: the model.
        seed: of the random generator.

    Raises:
        InputError: the model runs on none of them.
    """
    open_sizes = any(None in graph[name].types[0].shape[1:] for name in graph.inputs)
    if not open_sizes:
        return _draw(graph, seed, LENGTHS[0])
    interpreter = Interpreter(graph)
    for length in LENGTHS:
        feeds = _draw(graph, seed, length)
        try:
            interpreter(feeds)
        except LayerGraphError as error:
            reason = error
        else:
            return feeds
    raise InputError(f"no inputs found that the model runs on; pass some ({reason})")


def _draw(graph: Graph, seed: int, length: int) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    limits = token_limits(graph)
    feeds = {}
    for name in graph.inputs:
        type_ = graph[name].types[0]
        first, *rest = type_.shape or (1,)
        shape = (ROWS if first is None else first, *(length if d is None else d for d in rest))
        feeds[name] = _array(random, type_, shape if type_.shape else (), limits.get(name))
    return feeds


def _array(
    random: np.random.Generator, type_: TensorType, shape: tuple[int, ...], limit: int | None
) -> Array:
    if type_.dtype == STRING:
        words = np.empty(shape, object)
        for place in np.ndindex(shape):
            words[place] = b" ".join(random.choice(np.array(WORDS), 3).tolist())
        return words
    if limit is None and (type_.is_float or type_.is_complex):
        return random.standard_normal(shape).astype(numpy_dtype(type_.dtype))
    tokens = random.integers(0, limit or NUMBERS, shape)
    if limit is not None and limit > 1 and len(shape) > 1 and shape[1] > 3:
        # So that masks have something to say.
        tokens[0, : -(shape[1] // 3)] = random.integers(1, limit, shape)[0, : -(shape[1] // 3)]
        tokens[0, -(shape[1] // 3) :] = 0
    return tokens.astype(numpy_dtype(type_.dtype))


def token_limits(graph: Graph) -> dict[str, int]:
    """Inputs whose numbers are looked up in a table, and how long the shortest table is."""
    limits: dict[str, int] = {}
    for node in graph:
        table = node.params.get("embeddings")
        count = len(table) if table is not None else getattr(node.op, "num_tokens", None)
        if not isinstance(count, int) or not node.arguments:
            continue
        for value in _origins(graph, node.arguments[0]):
            if isinstance(graph[value.node].op, Input):
                limits[value.node] = min(count, limits.get(value.node, count))
    return limits


def _origins(graph: Graph, value: Value) -> Iterator[Value]:
    """The value and what it was first made of, back along first inputs."""
    yield value
    while arguments := graph[value.node].arguments:
        value = arguments[0]
        yield value
