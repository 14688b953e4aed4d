"""Every layer's output of a live Keras model, by the name that layergraph gives the node."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from golden.structure import Array, flat
from golden.writers import Model


class Recorder:
    """Wraps `call` of every layer, nested models included, and keeps what each call returned.

    A layer of a nested model is named `encoder/dense`, the second call of a shared layer
    `dense:1`, the second output of a layer `lstm#1`. Layers inside a wrapper (the `LSTM` of a
    `Bidirectional`) are no nodes of the graph.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.values: dict[str, Array] = {}
        self._calls: Counter[str] = Counter()
        self._scope: list[tuple[str, Model]] = [("", model)]
        self._wrapped: set[int] = set()
        self._wrap_all(model)

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """The model's own outputs, as in inference; the layers' are left in `values`."""
        self.values.clear()
        self._calls.clear()
        fed: Any = dict(feeds) if len(feeds) > 1 else next(iter(feeds.values()))
        return flat(self.model(fed, training=False))

    def _wrap_all(self, model: Model) -> None:
        for layer in model.layers:
            if id(layer) in self._wrapped or type(layer).__name__ == "InputLayer":
                continue
            self._wrapped.add(id(layer))
            self._wrap(layer, nested=hasattr(layer, "layers") and hasattr(layer, "inputs"))
            if hasattr(layer, "layers") and hasattr(layer, "inputs"):
                self._wrap_all(layer)

    def _wrap(self, layer: Any, *, nested: bool) -> None:
        original = layer.call

        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            name = self._name(layer.name)
            self._scope.append((name, layer))
            try:
                result = original(*args, **kwargs)
            finally:
                self._scope.pop()
            if not nested:
                self._keep(name, result)
            return result

        # Past Keras' own __setattr__, which would track the function as a part of the layer.
        object.__setattr__(layer, "call", call)

    def _name(self, layer: str) -> str:
        scope, model = self._scope[-1]
        path = f"{scope}/{layer}" if scope else layer
        number = in_config_order(model, layer, self._calls[path])
        self._calls[path] += 1
        return f"{path}:{number}" if number else path

    def _keep(self, name: str, result: Any) -> None:
        for number, value in enumerate(flat(result).values()):
            self.values[f"{name}#{number}" if number else name] = np.asarray(value)


def in_config_order(model: Model, layer: str, run: int) -> int:
    """Which call of a layer, as the config counts them, is the one that runs as number `run`.

    Keras runs the calls of a model by their distance from the output, so a shared layer's second
    call may run first.
    """
    by_depth = getattr(model, "_nodes_by_depth", None) or {}
    ran = [
        node
        for depth in sorted(by_depth, reverse=True)
        for node in by_depth[depth]
        if getattr(node, "operation", getattr(node, "layer", None)).name == layer
    ]
    if run >= len(ran):
        return run
    owner = getattr(ran[run], "operation", None) or ran[run].layer
    made = [id(node) for node in owner._inbound_nodes]
    return sorted(made.index(id(node)) for node in ran).index(made.index(id(ran[run])))
