"""The caller's own layers: what stands in for classes that layergraph does not know.

A model file of a custom layer or a Lambda holds Python code, which is never
executed. The caller says instead what such a layer computes: a function on
arrays (``LayerFunction``) or one that builds it from operators
(``LayerReader``), found by layer name, registered name or class name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, TypeVar, overload

from layergraph.ir.graph import Graph
from layergraph.ir.types import Array

GROUP = "layergraph.layers"
"""Entry points of this group are asked for classes that nothing else reads."""


@dataclass(frozen=True)
class LayerFunction:
    """A layer computed by a Python function on NumPy arrays.

    The function is called as the Keras layer is called: with arrays where the
    layer takes tensors, nested the same way, batch first. Besides, it is given
    what its signature names among

    * ``weights``: the layer's arrays by name, in the order of the file,
    * ``config``: the layer's options as stored,
    * ``mask``: the boolean mask of the first input, or ``None``.

    It returns an array, or nested arrays. It is also run once or twice on
    arrays of ones while the file is read, to learn the shapes it returns.

    Attributes:
        function: see above.
        masking: whether the first input's mask passes to the output.
    """

    function: Callable[..., Any]
    masking: Literal["pass", "drop"] = "drop"


@dataclass(frozen=True)
class LayerReader:
    """A layer spelled in operators or Keras layers, which every backend can run.

    The function takes a ``LayerCall`` (see
    ``layergraph.frontends.keras.layer``), emits nodes, and returns their
    tensors. It has to take every option of the layer's config, or ignore it by
    name.

    Attributes:
        function: see above.
        masking: what becomes of the first input's mask; ``"own"`` leaves it to
            the function.
        arguments: names of the call's positional arguments.
    """

    function: Callable[[Any], Any]
    masking: Literal["pass", "drop", "own"] = "drop"
    arguments: tuple[str, ...] = ("inputs",)


Foreign: TypeAlias = "LayerFunction | LayerReader"
F = TypeVar("F")

REGISTERED: dict[str, Foreign] = {}
"""What ``register`` was given, by name."""


@overload
def register(name: str) -> Callable[[F], F]: ...
@overload
def register(name: str, layer: Foreign | Callable[..., Any]) -> None: ...
def register(name: str, layer: Any = None) -> Any:
    """Say what a foreign layer computes, for every file read by this process.

    Args:
        name: a layer name, a registered name (``package>Class``) or a class
            name; names earlier in this list are tried first.
        layer: a ``LayerFunction`` or ``LayerReader``; a bare function is taken
            as a ``LayerFunction``. Without it, a decorator.

    Example:

        >>> import numpy as np, layergraph as lg
        >>> @lg.register("my_package>Doubled")
        ... def doubled(x):
        ...     return 2 * x
    """
    if layer is not None:
        REGISTERED[name] = as_foreign(layer)
        return None

    def decorate(function: F) -> F:
        register(name, as_foreign(function))
        return function

    return decorate


def as_foreign(layer: Any) -> Foreign:
    """A bare function as a ``LayerFunction``.

    Raises:
        TypeError: neither a function nor one of the two kinds.
    """
    if isinstance(layer, (LayerFunction, LayerReader)):
        return layer
    if callable(layer):
        return LayerFunction(layer)
    raise TypeError(
        f"expected a function, a LayerFunction or a LayerReader, got {type(layer).__name__}"
    )


class ForeignLayers:
    """Finds the caller's own layers while one file is read.

    Args:
        given: by name, for this file; goes before what was registered.
    """

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        self._known = {**REGISTERED, **{k: as_foreign(v) for k, v in (given or {}).items()}}

    def find(self, *names: str) -> tuple[str, Foreign] | None:
        """What was given or registered under the first name that is known."""
        return next(((n, self._known[n]) for n in names if n in self._known), None)

    def find_installed(self, *names: str) -> tuple[str, Foreign] | None:
        """What an installed package offers under one of the names.

        Only the entry point that is found is imported.
        """
        from importlib.metadata import entry_points

        for name in filter(None, names):
            for point in entry_points(group=GROUP, name=name):
                self._known[name] = as_foreign(point.load())
                return name, self._known[name]
        return None


def bound(graph: Graph, foreign: ForeignLayers) -> Graph:
    """The graph with the caller's functions in the nodes that an IR file left without.

    A node whose function nobody supplies stays; the backend refuses it.
    """
    from layergraph.ir.ops.foreign import Function

    if not any(isinstance(node.op, Function) for node in graph):
        return graph
    nodes = []
    for node in graph:
        op = node.op
        if isinstance(op, Function) and op.function is None:
            found = foreign.find(op.key) or foreign.find_installed(op.key)
            if found is not None and isinstance(found[1], LayerFunction):
                node = replace(node, op=replace(op, function=found[1].function))
        nodes.append(node)
    return graph.replaced(nodes)


def called(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    config: Mapping[str, Any],
    weights: Mapping[str, Array],
) -> Callable[[Sequence[Array | None], Array | None], Any]:
    """The function with everything but its arrays bound."""
    wanted = inspect.signature(function).parameters
    extra: dict[str, Any] = {"weights": weights, "config": config}
    bound = {name: value for name, value in extra.items() if name in wanted}

    def run(arrays: Sequence[Array | None], mask: Array | None) -> Any:
        named = {name: _filled(value, arrays) for name, value in arguments.items()}
        positional = [named.pop(name) for name in list(named) if name.isdigit()]
        if "mask" in wanted:
            named["mask"] = mask
        return function(*positional, **named, **bound)

    return run


def leaves(data: Any) -> list[Any]:
    """Arrays of nested data, dicts in the order of their keys."""
    if isinstance(data, Mapping):
        return [leaf for key in sorted(data) for leaf in leaves(data[key])]
    if isinstance(data, (list, tuple)):
        return [leaf for item in data for leaf in leaves(item)]
    return [data]


def _filled(data: Any, arrays: Sequence[Array | None]) -> Any:
    """Arguments with arrays in place of their numbers."""
    if isinstance(data, dict):
        if data.keys() == {"tensor"}:
            return arrays[data["tensor"]]
        return {k: _filled(v, arrays) for k, v in data.items()}
    if isinstance(data, list):
        return [_filled(item, arrays) for item in data]
    return data
