"""Golden files: what a model answered, node by node, to hold later runs against.

One safetensors file a recording: the inputs, every node's outputs, the model's
outputs, tolerances, what recorded it, the checksum of the model file and what
else is worth knowing. Text and complex numbers, which safetensors lacks, are
stored as bytes and as pairs.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from layergraph.backends.numpy.interpreter import Interpreter
from layergraph.ir.errors import FileFormatError, InputError
from layergraph.ir.graph import Graph
from layergraph.ir.op import Constant
from layergraph.ir.types import Array, numpy_dtype
from layergraph.ir.writing import replacing
from layergraph.tools.comparison.compare import compare, feeds_for
from layergraph.tools.comparison.figures import measured
from layergraph.tools.comparison.report import Report, Row
from layergraph.tools.comparison.sides import Run, Side, Table, side, split
from layergraph.tools.flat import flat

FORMAT = "layergraph.golden"
VERSION = 1
PARTS = ("inputs", "nodes", "outputs")


@dataclass(frozen=True, kw_only=True)
class Golden:
    """One recording.

    Attributes:
        inputs: arrays by input name.
        nodes: outputs of every node by name, ``lstm#1`` for a second one, in
            running order.
        outputs: what the model returns, by path: ``0`` for one array.
        rtol, atol: tolerances, ``None`` for the defaults of ``layergraph.compare``.
        models: SHA-256 of the model files it belongs to, by file name.
        made_by: versions of what recorded it.
        about: what else whoever recorded it wants to keep, as JSON has it;
            nothing here reads it.
        name: what reports call it.
    """

    inputs: Mapping[str, Array]
    nodes: Mapping[str, Array]
    outputs: Mapping[str, Array]
    rtol: float | None = None
    atol: float | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    made_by: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    name: str = "golden"

    def side(self) -> Table:
        """The nodes as one side of a comparison."""
        return Table(self.name, self.nodes, self.inputs)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the file, atomically.

        Raises:
            InputError: JSON cannot hold ``about``.
        """
        from safetensors.numpy import save

        arrays: dict[str, Array] = {}
        kinds: dict[str, Any] = {}
        order = {part: list(getattr(self, part)) for part in PARTS}
        for part in PARTS:
            for name, array in getattr(self, part).items():
                arrays |= _packed(f"{part}/{name}", np.asarray(array), kinds)
        header = {
            "version": VERSION,
            "order": order,
            "kinds": kinds,
            "rtol": self.rtol,
            "atol": self.atol,
            "models": dict(self.models),
            "made_by": dict(self.made_by),
            "about": dict(self.about),
        }
        try:
            text = json.dumps(header)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{os.fspath(path)}: JSON cannot hold what `about` says ({error}); pass text, "
                "numbers, lists and dicts"
            ) from error
        with replacing(path) as temporary:
            temporary.write_bytes(save(arrays, {FORMAT: text}))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Golden:
        """Open a file; arrays are read when asked for.

        Raises:
            FileFormatError: it is no golden file, or a newer layergraph's.
        """
        from safetensors import safe_open

        name = os.fspath(path)
        try:
            file = safe_open(name, framework="np")
            metadata: Any = file.metadata()  # type: ignore[no-untyped-call, unused-ignore]
            found = json.loads((metadata or {})[FORMAT])
        except KeyError:
            raise FileFormatError(
                f"{name}: a safetensors file, but no golden one; `layergraph golden record` "
                "makes them"
            ) from None
        except FileNotFoundError as error:
            raise FileFormatError(f"{name}: no such file") from error
        except OSError as error:
            raise FileFormatError(f"{name}: {error.strerror or error}") from error
        except Exception as error:
            raise FileFormatError(f"{name}: damaged, or no safetensors file ({error})") from error
        if found["version"] != VERSION:
            raise FileFormatError(f"{name}: of a newer layergraph; update, or record it again")
        parts = {p: _Stored(file, p, found["order"][p], found["kinds"]) for p in PARTS}
        return cls(
            rtol=found["rtol"],
            atol=found["atol"],
            models=found["models"],
            made_by=found["made_by"],
            # Not in the first files of this version.
            about=found.get("about", {}),
            name=name,
            **parts,
        )


class _Stored(Mapping[str, Array]):
    """Arrays of one part of a file, read when asked for."""

    def __init__(self, file: Any, part: str, names: Iterable[str], kinds: Mapping[str, Any]):
        self._file, self._part, self._kinds = file, part, kinds
        self._names = dict.fromkeys(names)

    def __getitem__(self, name: str) -> Array:
        if name not in self._names:
            raise KeyError(name)
        key = f"{self._part}/{name}"
        kind = self._kinds.get(key)
        stored: Array = self._file.get_tensor(key)
        if kind is None:
            return stored
        if "lengths" in kind:
            ends = np.cumsum(self._file.get_tensor(f"{key}/lengths"))
            data = stored.tobytes()
            texts = np.empty(len(ends), object)
            texts[:] = [data[a:b] for a, b in zip([0, *ends], ends, strict=False)]
            return texts.reshape(kind["lengths"])
        return stored.view(numpy_dtype(kind["dtype"])).reshape(kind["shape"])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _packed(key: str, array: Array, kinds: dict[str, Any]) -> dict[str, Array]:
    """An array as safetensors can hold it; how to unpack it goes to ``kinds``."""
    if array.dtype == object:
        kinds[key] = {"lengths": array.shape}
        texts = array.ravel().tolist()
        data = np.frombuffer(b"".join(texts), np.uint8)
        return {key: data, f"{key}/lengths": np.array([len(t) for t in texts], np.int64)}
    if array.dtype.kind not in "biuf":
        kinds[key] = {"dtype": array.dtype.name, "shape": array.shape}
        return {key: np.ascontiguousarray(array).reshape(-1).view(np.uint8)}
    return {key: np.ascontiguousarray(array).reshape(array.shape)}


def record(
    model: Any,
    path: str | os.PathLike[str] | None = None,
    inputs: Any = None,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    seed: int = 0,
    about: Mapping[str, Any] | None = None,
) -> Golden:
    """Run a model and keep what every node returned.

    Args:
        model: a live Keras model, or what ``layergraph.compare`` takes as a
            side; a file without options is run as read, without passes.
        path: file to write, ``.safetensors``; ``None`` writes none.
        inputs: as for ``layergraph.compare``.
        rtol, atol: tolerances that later runs are held to; as for ``layergraph.compare``.
        seed: of the inputs drawn.
        about: what else to keep, as JSON has it: what the model guards, who made it.

    Raises:
        InputError: the inputs do not fit, or the model is no model.
    """
    found = side(as_read(model))
    if isinstance(found, Table):
        raise InputError(f"{found.name}: arrays cannot be run; pass a model")
    feeds = feeds_for(found, found, inputs, seed)
    values = found.start(feeds)
    nodes = {key: np.array(values.take(key)) for key in values.keys if not _constant(found, key)}
    golden = Golden(
        inputs=feeds,
        nodes=nodes,
        outputs=outputs_of(found, feeds),
        rtol=rtol,
        atol=atol,
        models=checksums(model),
        made_by=made_by(found),
        about=about or {},
        name=os.fspath(path) if path else "golden",
    )
    if path is not None:
        golden.write(path)
    return golden


def check(
    model: Any, golden: Golden | str | os.PathLike[str], *, histograms: bool = False
) -> Report:
    """Hold a model against a recording: every node, and what the model returns.

    The nodes are run as read; what the model returns is what an interpreter
    with all passes gives.

    Args:
        model: as for ``record``.
        golden: the recording, or its file.
        histograms: as for ``layergraph.compare``.

    Returns:
        The comparison of the nodes; rows ``output/0`` ... for what the model
        returns. Recorded nodes that are not computed are a failure.
    """
    golden = golden if isinstance(golden, Golden) else Golden.read(golden)
    found = side(as_read(model))
    report = compare(
        found, golden.side(), rtol=golden.rtol, atol=golden.atol, histograms=histograms
    )
    if report.failure:
        return report
    whole = found if isinstance(found, Table) or not found.graph else side(model)
    rows = [] if isinstance(whole, Table) else list(_returned(whole, golden))
    failure = ""
    if report.only_b:
        failure = f"Recorded, but not computed: {', '.join(report.only_b)}."
    elif not _recast(model) and (row := _retyped(report.rows)):
        failure = f"{row.key!r} is {row.total.types[0]}, recorded was {row.total.types[1]}."
    # Nodes that nobody recorded, the steps within a layer, are not worth a line.
    return replace(report, rows=(*report.rows, *rows), only_a=(), only_b=(), failure=failure)


def _returned(found: Side, golden: Golden) -> Iterator[Row]:
    outputs = outputs_of(found, dict(golden.inputs))
    for name, expected in golden.outputs.items():
        total = measured(outputs.get(name, np.empty(0)), expected)
        status = "follows" if total.parts(golden.rtol, golden.atol) else "agrees"
        yield Row(f"output/{name}", "", "", (), total, None, status)  # type: ignore[arg-type]


def _retyped(rows: Iterable[Row]) -> Row | None:
    return next((r for r in rows if r.total.types[0].dtype != r.total.types[1].dtype), None)


def _recast(model: Any) -> bool:
    """Whether the caller asked for another dtype than the model's own."""
    if not isinstance(model, (str, os.PathLike)):
        return False
    return any("float" in option for option in split(os.fspath(model))[1])


def as_read(model: Any) -> Any:
    """A model that is to run as read unless the caller says otherwise."""
    if isinstance(model, Graph):
        return Interpreter(model, optimize=False)
    if isinstance(model, (str, os.PathLike)):
        text = os.fspath(model)
        path, options = split(text)
        stored = Path(path).suffix.lower() in (".npz", ".safetensors")
        if not stored and not options & {"plain", "keras", "tfkeras"}:
            return f"{path}@{'+'.join(['plain', *sorted(options)])}"
    return model


def outputs_of(found: Side, feeds: Mapping[str, Array]) -> dict[str, Array]:
    """What a model returns, by path."""
    if isinstance(found, Run):
        return flat(found.outputs(feeds))
    from layergraph.tools.comparison.live import Live

    assert isinstance(found, Live)
    return found.outputs(feeds)


def _constant(found: Side, key: str) -> bool:
    graph = found.graph
    return graph is not None and key in graph and isinstance(graph[key].op, Constant)


def checksums(model: Any) -> dict[str, str]:
    """SHA-256 of a model's file, by its name; empty for a model that has none."""
    if not isinstance(model, (str, os.PathLike)):
        return {}
    path = Path(split(os.fspath(model))[0])
    if path.is_file():
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    whole = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        whole.update(file.relative_to(path).as_posix().encode() + b"\0" + file.read_bytes())
    return {path.name: whole.hexdigest()}


def made_by(found: Side) -> dict[str, str]:
    """Versions of what records."""
    from layergraph import __version__

    versions = {
        "layergraph": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    if isinstance(found, Run):
        return versions | {"writer": "layergraph"}
    from layergraph.tools.comparison.live import Live
    from layergraph.tools.comparison.live import versions as of_keras

    return versions | (of_keras(found.model) if isinstance(found, Live) else {})
