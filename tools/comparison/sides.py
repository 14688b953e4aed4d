"""What can be compared: runs of a model, recordings, tables of arrays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Protocol
from weakref import finalize

import numpy as np

from layergraph.backends.numpy.feeds import from_call
from layergraph.backends.numpy.interpreter import Interpreter
from layergraph.ir.errors import InputError
from layergraph.ir.graph import Graph, Value
from layergraph.ir.op import Constant, Input
from layergraph.ir.types import FLOATS, Array

OPTIONS = ("plain", *FLOATS, "onnxruntime", "keras", "tfkeras")
"""What may follow ``@``."""

HELD = 256 * 2**20
"""Bytes of values that may wait in memory for the other side; more wait on the disk."""


class Values(Protocol):
    """The values of one run; each is asked for once."""

    @property
    def keys(self) -> Iterable[str]:
        """Names of the values, in running order."""

    def take(self, key: str) -> Array:
        """One value; valid until the next is taken."""


class Side(Protocol):
    """One of the two that are compared.

    Attributes:
        name: what a report calls it.
        graph: the graph that runs, where there is one.
        feeds: the inputs it was made with, where it is a recording.
    """

    name: str
    graph: Graph | None
    feeds: Mapping[str, Array] | None

    def start(self, feeds: Mapping[str, Array], wanted: Iterable[str] | None = None) -> Values:
        """Begin a run; only the values wanted need be kept."""

    def keys(self) -> Iterable[str] | None:
        """Names of the values it will have, where that is known before it runs."""


class Shelf:
    """Values that wait, in memory or, when they are many, on the disk."""

    def __init__(self) -> None:
        self._size = 0
        self._arrays: dict[str, Array] = {}
        self._files: dict[str, Path] = {}
        self._folder: Path | None = None

    def __contains__(self, key: str) -> bool:
        return key in self._arrays or key in self._files

    def __iter__(self) -> Iterator[str]:
        return iter([*self._arrays, *self._files])

    def put(self, key: str, array: Array) -> None:
        """Keep a copy of a value."""
        if self._size + array.nbytes <= HELD or array.dtype.kind not in "biufc":
            self._size += array.nbytes
            self._arrays[key] = np.array(array)
            return
        if self._folder is None:
            self._folder = Path(mkdtemp(prefix="layergraph-"))
            finalize(self, rmtree, self._folder, ignore_errors=True)
        self._files[key] = self._folder / f"{len(self._files)}.npy"
        np.save(self._files[key], array)

    def pop(self, key: str) -> Array:
        """Take a value off the shelf."""
        if key in self._files:
            path = self._files.pop(key)
            array: Array = np.load(path)
            path.unlink()
            return array
        array = self._arrays.pop(key)
        self._size -= array.nbytes
        return array


class Run:
    """A model run node by node by an interpreter.

    Args:
        name: what a report calls it.
        interpreter: runs the model.
    """

    feeds: Mapping[str, Array] | None = None

    def __init__(self, name: str, interpreter: Interpreter) -> None:
        self.name = name
        self.interpreter = interpreter
        self.graph: Graph | None = interpreter.graph
        graph = interpreter.graph
        needed = graph.ancestors(v.node for v in graph.outputs)
        self._keys = [
            str(v) for n in graph if n.name in needed and not isinstance(n.op, Input)
            for v in n.values
        ]  # fmt: skip
        # Passes keep the outputs in place, under whatever name.
        pairs = zip(graph.outputs, interpreter.source.outputs, strict=True)
        self._outputs = {str(read): ran for ran, read in pairs if ran != read}
        self._keys += self._outputs

    def value_of(self, key: str) -> Value:
        """Where in the graph a value is computed."""
        if key in self._outputs:
            return self._outputs[key]
        node, _, index = key.rpartition("#")
        return Value(node, int(index)) if node and index.isdigit() else Value(key)

    def keys(self) -> Iterable[str]:
        """Every value that is computed, constants included."""
        return self._keys

    def start(self, feeds: Mapping[str, Array], wanted: Iterable[str] | None = None) -> Values:
        """Begin a run."""
        return Stream(self._walk(feeds), self._keys, wanted)

    def _walk(self, feeds: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
        graph = self.interpreter.graph
        given = fed(graph.inputs, feeds)
        for name in graph.inputs:
            yield from self._named(Value(name), given[name])
        for node in graph:
            if isinstance(node.op, Constant):
                yield from self._named(Value(node.name), node.params["value"])
        before = self.interpreter.states
        self.interpreter.reset_states()
        try:
            for step in self.interpreter.trace(given):
                for value, array in zip(step.node.values, step.outputs, strict=True):
                    yield from self._named(value, np.asarray(array))
        finally:
            self.interpreter.reset_states(before)

    def outputs(self, feeds: Mapping[str, Array]) -> Any:
        """What the model returns, beginning without states."""
        before = self.interpreter.states
        self.interpreter.reset_states()
        try:
            return self.interpreter(fed(self.interpreter.graph.inputs, feeds))
        finally:
            self.interpreter.reset_states(before)

    def _named(self, value: Value, array: Array) -> Iterator[tuple[str, Array]]:
        """A value under its name, and under those of the outputs it is."""
        yield str(value), array
        for key, ran in self._outputs.items():
            if ran == value:
                yield key, array


class Stream:
    """Values as a run yields them; those asked for later wait on a shelf."""

    def __init__(
        self, pairs: Iterator[tuple[str, Array]], keys: Iterable[str], wanted: Iterable[str] | None
    ) -> None:
        self._pairs = pairs
        self.keys: Iterable[str] = list(keys)
        self._wanted = set(self.keys if wanted is None else wanted)
        self._shelf = Shelf()

    def take(self, key: str) -> Array:
        """Run on until the value is there."""
        if key in self._shelf:
            return self._shelf.pop(key)
        for found, array in self._pairs:
            if found == key:
                return array
            if found in self._wanted:
                self._shelf.put(found, array)
        raise KeyError(key)


class Table:
    """Arrays by name: a recording, an ``.npz`` file, a dict.

    Args:
        name: what a report calls it.
        arrays: values by name; may load them when asked.
        feeds: the inputs they belong to.
    """

    graph: Graph | None = None

    def __init__(
        self, name: str, arrays: Mapping[str, Array], feeds: Mapping[str, Array] | None = None
    ) -> None:
        self.name = name
        self.arrays = arrays
        self.feeds = feeds

    def keys(self) -> Iterable[str]:
        """The names."""
        return list(self.arrays)

    def start(self, feeds: Mapping[str, Array], wanted: Iterable[str] | None = None) -> Values:
        """The arrays; nothing runs."""
        return _Stored(self.arrays)


class _Stored:
    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = arrays
        self.keys: Iterable[str] = list(arrays)

    def take(self, key: str) -> Array:
        """One of the arrays."""
        return np.asarray(self._arrays[key])


def side(given: Any, *, layers: Mapping[str, Any] | None = None) -> Side:
    """What a caller names as one side of a comparison.

    Args:
        given: see ``layergraph.compare``.
        layers: as for ``layergraph.load``.

    Raises:
        InputError: it is nothing that can be compared.
    """
    if isinstance(given, (Run, Table)):
        return given
    if isinstance(given, Graph):
        return Run(given.origin.model or "graph", Interpreter(given))
    if isinstance(given, Interpreter):
        return Run(given.source.origin.model or "interpreter", given)
    if isinstance(given, Mapping):
        return Table("arrays", {str(k): np.asarray(v) for k, v in given.items()})
    if isinstance(given, (str, os.PathLike)):
        return _from_text(os.fspath(given), layers)
    if type(given).__module__.split(".")[0] in ("keras", "tf_keras") or hasattr(given, "layers"):
        from layergraph.tools.comparison.live import Live

        return Live(f"{getattr(given, 'name', 'model')} in Keras", given)
    if hasattr(given, "start") and hasattr(given, "keys"):
        found: Side = given
        return found
    raise InputError(
        f"cannot compare {type(given).__name__}; pass a file, a graph, an interpreter, a live "
        "Keras model or a dict of arrays"
    )


def _from_text(text: str, layers: Mapping[str, Any] | None) -> Side:
    path, options = split(text)
    if not Path(path).exists():
        raise InputError(f"{path}: no such file")
    if Path(path).suffix.lower() == ".npz":
        return _no_options(Table(text, Npz(path)), options)
    if Path(path).suffix.lower() == ".safetensors":
        from layergraph.tools.golden import Golden

        return _no_options(Golden.read(path).side(), options)
    kerases = options & {"keras", "tfkeras"}
    if kerases:
        from layergraph.tools.comparison.live import Live

        if len(options) > 1:
            raise InputError(f"{text}: Keras runs a file as it is; leave the other options away")
        return Live.read(text, path, kerases.pop())
    dtypes = options & set(FLOATS)
    if len(dtypes) > 1:
        raise InputError(f"{text}: choose one of {', '.join(sorted(dtypes))}")
    dtype = dtypes.pop() if dtypes else None
    plain = "plain" in options
    backend = "onnxruntime" if "onnxruntime" in options else "numpy"
    return Run(
        text,
        Interpreter(path, optimize=not plain, layers=layers, dtype=dtype, backend=backend),
    )


def split(text: str) -> tuple[str, set[str]]:
    """``model.h5@plain+float64`` as its path and its options.

    Raises:
        InputError: there is no such option.
    """
    path, at, tail = text.rpartition("@")
    if not at or Path(text).exists():
        return text, set()
    options = set(tail.split("+"))
    if unknown := sorted(options - set(OPTIONS)):
        raise InputError(f"{text}: there is no option {unknown[0]!r}; use {', '.join(OPTIONS)}")
    return path, options


def _no_options(found: Table, options: set[str]) -> Table:
    if options:
        raise InputError(f"{found.name}: stored arrays are compared as they are, without options")
    return found


class Npz(Mapping[str, Array]):
    """The arrays of an ``.npz`` file, read when asked for.

    Raises:
        InputError: not such a file.
    """

    def __init__(self, path: str) -> None:
        try:
            # Pickled objects could run code, so NumPy must refuse them.
            self._file: Any = np.load(path, allow_pickle=False)
            self._names = list(self._file.files)
        except Exception as error:
            raise InputError(f"{path}: not a readable .npz file") from error

    def __getitem__(self, name: str) -> Array:
        found: Array = self._file[name]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def dotted(name: str) -> str:
    """A name as values are matched by it.

    A slash cannot stand in the name of an archive's member, so tables may have
    a dot for it.
    """
    return name.replace("/", ".")


def fed(names: Iterable[str], feeds: Mapping[str, Array]) -> dict[str, Array]:
    """Feeds under a model's own input names: the same input may be called otherwise elsewhere."""
    names = list(names)
    if set(names) == set(feeds) or len(names) != len(feeds):
        return dict(feeds)
    return dict(zip(names, feeds.values(), strict=True))


def feeds_of(graph: Graph, inputs: Any) -> dict[str, Array]:
    """A caller's inputs as feeds, checked and cast."""
    if isinstance(inputs, Mapping):
        return from_call(graph, (fed(graph.inputs, inputs),))
    if isinstance(inputs, tuple):
        return from_call(graph, inputs)
    return from_call(graph, (inputs,))
