"""Live Keras, where it is installed: what every layer of a model returns."""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from layergraph.ir.errors import InputError, LayerGraphError
from layergraph.ir.graph import Graph
from layergraph.ir.types import Array
from layergraph.tools.comparison.sides import Shelf, Values, dotted, fed
from layergraph.tools.flat import flat

Keep = Callable[[str, Array], None]


class Live:
    """A live Keras model as one side of a comparison.

    Its layers' ``call`` is wrapped while it runs; values wait on the disk when
    they are many.

    Args:
        name: what a report calls it.
        model: the live model.
        path: its file, if it has one.
    """

    graph: Graph | None = None
    feeds: Mapping[str, Array] | None = None

    def __init__(self, name: str, model: Any, path: str | None = None) -> None:
        self.name = name
        self.model = model
        self.path = path

    @classmethod
    def read(cls, name: str, path: str, keras: str) -> Live:
        """Load a file in Keras.

        Raises:
            InputError: that Keras is not installed or cannot load the file.
        """
        return cls(name, load(path, keras), path)

    def keys(self) -> Iterable[str] | None:
        """Known only when it has run."""
        return None

    def start(self, feeds: Mapping[str, Array], wanted: Iterable[str] | None = None) -> Values:
        """Run the model as in inference."""
        kept = _Kept(wanted)
        with Recorder(self.model, kept.put) as recorder:
            recorder.run(feeds)
        return kept

    def outputs(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """What the model returns, by path."""
        with Recorder(self.model, lambda name, value: None) as recorder:
            return recorder.run(feeds)


class _Kept:
    """What the layers returned, in running order."""

    def __init__(self, wanted: Iterable[str] | None) -> None:
        self._wanted = None if wanted is None else {dotted(name) for name in wanted}
        self._shelf = Shelf()
        self.keys: list[str] = []

    def put(self, key: str, array: Array) -> None:
        self.keys.append(key)
        if self._wanted is None or dotted(key) in self._wanted:
            self._shelf.put(key, array)

    def take(self, key: str) -> Array:
        """One of the values."""
        return self._shelf.pop(key)


def load(path: str, keras: str) -> Any:
    """The live model of a file.

    Args:
        path: a ``.h5`` or ``.keras`` file.
        keras: ``keras`` for the installed Keras, ``tfkeras`` for tf-keras.

    Raises:
        InputError: that Keras is not installed or cannot load the file.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    library: Any
    try:
        if keras == "tfkeras":
            import tf_keras

            library = tf_keras
        else:
            import keras as keras3

            library = keras3
    except ImportError as error:
        package = "tf-keras" if keras == "tfkeras" else "keras"
        raise InputError(f"{package} is not installed; pip install tensorflow {package}") from error
    try:
        return library.models.load_model(path, compile=False)
    except Exception as error:
        spelled = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise LayerGraphError(f"{path}: Keras cannot load it ({spelled})") from error


def versions(model: Any) -> dict[str, str]:
    """Versions of the Keras behind a live model."""
    from importlib.metadata import PackageNotFoundError, version

    # A functional model of the user's own class stands in the user's module.
    roots = {base.__module__.split(".")[0] for base in type(model).__mro__}
    found = {"writer": "tf-keras" if "tf_keras" in roots else "keras"}
    for package in (found["writer"], "tensorflow"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


class Recorder:
    """Wraps ``call`` of every layer, nested models included, and keeps what each call returned.

    A layer of a nested model is named ``encoder/dense``, the second call of a
    shared layer ``dense:1``, the second output of a layer ``lstm#1``, as the
    nodes of a graph are. Layers inside a wrapper (the ``LSTM`` of a
    ``Bidirectional``) are no nodes of the graph.

    Args:
        model: a live Keras model.
        keep: called with the name and the value of every output of a layer;
            without it they are collected in ``values``.

    Leaving the context takes the wrappers off again.
    """

    def __init__(self, model: Any, keep: Keep | None = None) -> None:
        self.model = model
        self.values: dict[str, Array] = {}
        self._keep_one: Keep = keep or self.values.__setitem__
        self._calls: Counter[str] = Counter()
        self._ran: dict[int, dict[str, list[Any]]] = {}
        self._scope: list[tuple[str, Any]] = [("", model)]
        self._wrapped: dict[int, Any] = {}
        self._wrap_all(model)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        for layer in self._wrapped.values():
            object.__delattr__(layer, "call")
        self._wrapped.clear()

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """The model's own outputs by path, as in inference."""
        self.values.clear()
        self._calls.clear()
        arrays = {name: _text(array) for name, array in feeds.items()}
        names = [tensor.name.split(":")[0] for tensor in self.model.inputs]
        given: Any = fed(names, arrays) if len(arrays) > 1 else next(iter(arrays.values()))
        return flat(self.model(given, training=False))

    def _wrap_all(self, model: Any) -> None:
        for layer in model.layers:
            if id(layer) in self._wrapped or type(layer).__name__ == "InputLayer":
                continue
            self._wrapped[id(layer)] = layer
            nested = hasattr(layer, "layers") and hasattr(layer, "inputs")
            self._wrap(layer, nested=nested)
            if nested:
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
        if id(model) not in self._ran:
            self._ran[id(model)] = nodes_run(model)
        number = in_config_order(self._ran[id(model)].get(layer, []), self._calls[path])
        self._calls[path] += 1
        return f"{path}:{number}" if number else path

    def _keep(self, name: str, result: Any) -> None:
        for number, value in enumerate(flat(result).values()):
            self._keep_one(f"{name}#{number}" if number else name, value)


def nodes_run(model: Any) -> dict[str, list[Any]]:
    """Calls of each layer of a model, in the order Keras runs them."""
    found: dict[str, list[Any]] = {}
    by_depth = getattr(model, "_nodes_by_depth", None) or {}
    for depth in sorted(by_depth, reverse=True):
        for node in by_depth[depth]:
            layer = getattr(node, "operation", None) or node.layer
            found.setdefault(layer.name, []).append(node)
    return found


def in_config_order(ran: list[Any], run: int) -> int:
    """Which call of a layer, as the config counts them, is the one that runs as number ``run``.

    Keras runs the calls of a model by their distance from the output, so a
    shared layer's second call may run first.

    Args:
        ran: the layer's calls in the order they run.
        run: a number in that order.
    """
    if run >= len(ran):
        return run
    owner = getattr(ran[run], "operation", None) or ran[run].layer
    made = [id(node) for node in owner._inbound_nodes]
    return sorted(made.index(id(node)) for node in ran).index(made.index(id(ran[run])))


def _text(array: Array) -> Any:
    """Texts as TensorFlow's own; it does not take arrays of objects."""
    if array.dtype != object:
        return array
    import tensorflow

    return tensorflow.constant(array)
