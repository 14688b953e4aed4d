"""`layergraph convert`: a graph to a file of another kind, checked before it is put in place."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from layergraph.backends.numpy.interpreter import Interpreter
from layergraph.backends.targets import TARGETS, chosen_options, target_kind
from layergraph.ir.errors import FileFormatError, GraphError, LayerGraphError
from layergraph.ir.graph import Graph
from layergraph.ir.ops.embedding import Embedding
from layergraph.ir.refine import refined
from layergraph.ir.surgery import extract, split
from layergraph.ir.types import HALVES, STRING, Array, TensorType, numpy_dtype, strings
from layergraph.ir.writing import Progress, replacing

RTOL = 1e-4
"""Largest difference, relative to the largest value of an output, that verifies."""

HALVES_RTOL = {"float16": 2e-2, "bfloat16": 1e-1}
"""The same for graphs that compute in halves: each layer rounds to 11 or 8 bits, and runtimes
round at other places."""

ROWS = (3, 1)
"""Batches of random rows on which a file is verified."""

Check = Callable[[Path], None]


class VerificationError(LayerGraphError):
    """The file written does not compute what its source does."""


@dataclass
class Converted:
    """A file that a conversion wrote.

    Attributes:
        path: where it is.
        graph: what is in it.
        notes: what the user should know.
        differences: for each output, its largest difference relative to its largest
            value; empty when nothing was verified.
        from_source: the same against the source in its own dtype, where another was
            asked for.
    """

    path: Path
    graph: Graph
    notes: list[str] = field(default_factory=list)
    differences: dict[str, float] = field(default_factory=dict)
    from_source: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """What of a model is converted, and for which inputs.

    Attributes:
        inputs, outputs: as for ``extract``.
        split: as ``at`` of ``split``: two files instead of one.
        input_shape, batch: as for ``refined``.
    """

    inputs: str | Sequence[str] | None = None
    outputs: str | Sequence[str] | None = None
    split: str | None = None
    input_shape: Mapping[str, Sequence[int | None]] | None = None
    batch: int | None = None

    def of(self, graph: Graph) -> Graph:
        """That part, before it is split."""
        if self.inputs is not None or self.outputs is not None:
            graph = extract(graph, inputs=self.inputs, outputs=self.outputs)
        if self.input_shape or self.batch is not None:
            graph = refined(graph, self.input_shape, batch=self.batch)
        return graph

    def targets(self, path: str | os.PathLike[str]) -> list[Path]:
        """Files to write: ``model.onnx``, or ``model.head.onnx`` and ``model.tail.onnx``."""
        whole = Path(path)
        if self.split is None:
            return [whole]
        return [whole.with_name(f"{whole.stem}.{side}{whole.suffix}") for side in ("head", "tail")]


def convert(
    source: str | os.PathLike[str] | Graph,
    target: str | os.PathLike[str],
    part: Part,
    *,
    to: str | None = None,
    overwrite: bool = False,
    verify: Mapping[str, Any] | bool = False,
    weights: str | os.PathLike[str] | None = None,
    layers: Mapping[str, Any] | None = None,
    dtype: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> tuple[Graph, list[Converted]]:
    """Read a file and write others; arguments as for ``layergraph.convert``.

    Returns:
        The graph of what was asked for, and the files.
    """
    from layergraph import load
    from layergraph.ir.passes.recast import recast

    kind = target_kind(target, to)
    given = chosen_options(kind, options)
    targets = part.targets(target)
    if not overwrite and (there := [t for t in targets if t.exists()]):
        raise FileFormatError(f"{there[0]}: exists; pass overwrite=True (--overwrite)")

    def read(dtype: str | None) -> Graph:
        if not isinstance(source, Graph):
            return load(source, weights=weights, layers=layers, dtype=dtype)
        return source if dtype is None else recast(source, dtype)

    try:
        graph = part.of(read(dtype))
        parts = [graph] if part.split is None else list(split(graph, part.split))
    except GraphError as error:
        where = "" if isinstance(source, Graph) else f"{os.fspath(source)}: "
        raise GraphError(f"{where}{error}") from error
    done = [Converted(t, g) for t, g in zip(targets, parts, strict=True)]
    if verify is False:
        _write_all(done, kind, given, None, progress)
        return graph, done
    own = part.of(read(None)) if dtype is not None else None
    batches = [dict(verify)] if isinstance(verify, Mapping) else _samples(graph)

    def check(paths: Sequence[Path]) -> None:
        for feeds in batches:
            found = _found(parts, paths, kind, feeds)
            for name, apart in compared(graph, found, feeds, _tolerance(graph)).items():
                done[-1].differences[name] = max(apart, done[-1].differences.get(name, 0.0))
            if own is not None:
                done[-1].from_source |= compared(own, found, feeds, float("inf"), dtypes=False)

    _write_all(done, kind, given, check, progress)
    return graph, done


def _write_all(
    files: Sequence[Converted],
    kind: str,
    options: Mapping[str, Any],
    check: Callable[[Sequence[Path]], None] | None,
    progress: Progress | None,
    written: tuple[Path, ...] = (),
) -> None:
    """Write files; none is put in place before all are written and checked together."""
    first, *others = files

    def within(path: Path) -> None:
        if others:
            _write_all(others, kind, options, check, progress, (*written, path))
        elif check is not None:
            check((*written, path))

    hook = within if others or check is not None else None
    first.notes += _write(first.graph, first.path, kind, options, hook, progress)


def _write(
    graph: Graph,
    path: Path,
    kind: str,
    options: Mapping[str, Any],
    check: Check | None,
    progress: Progress | None,
) -> list[str]:
    target = TARGETS[kind]
    given = dict(options)
    if target.reports:
        given["progress"] = progress
    if target.checks:
        return target.write(graph, path, check=check, **given) or []
    if check is None:
        return target.write(graph, path, **given) or []
    with replacing(path) as temporary:
        notes = target.write(graph, temporary, **given) or []
        check(temporary)
    return notes


def _tolerance(graph: Graph) -> float:
    used = {type_.dtype for node in graph for type_ in node.types} & set(HALVES)
    return max((HALVES_RTOL[dtype] for dtype in used), default=RTOL)


def compared(
    graph: Graph,
    found: Sequence[Array],
    feeds: Mapping[str, Array],
    rtol: float,
    *,
    dtypes: bool = True,
) -> dict[str, float]:
    """Largest difference of each output, relative to its largest value.

    Args:
        graph: computes what is wanted.
        found: outputs of the file.
        feeds: what both were fed.
        rtol: what is allowed.
        dtypes: whether dtypes have to agree too.

    Raises:
        VerificationError: one is above ``rtol``, or shape or dtype differ.
    """
    wanted = Interpreter(graph).run(None, feeds)
    differences: dict[str, float] = {}
    for name, ours, theirs in zip(map(str, graph.outputs), wanted, found, strict=True):
        if ours.shape != theirs.shape or (dtypes and ours.dtype != theirs.dtype):
            raise VerificationError(
                f"output {name!r} is {theirs.dtype}{list(theirs.shape)}, the source's "
                f"{ours.dtype}{list(ours.shape)}"
            )
        differences[name] = difference(ours, theirs)
    worst = max(differences, key=lambda n: differences[n], default=None)
    if worst is not None and not differences[worst] <= rtol:
        listed = ", ".join(f"{n} {d:.1e}" for n, d in differences.items())
        raise VerificationError(
            f"output {worst!r} differs by {differences[worst]:.1e} of its largest value, more than "
            f"{rtol:.0e}; nothing was written (largest differences: {listed})"
        )
    return differences


def _found(
    parts: Sequence[Graph], paths: Sequence[Path], kind: str, feeds: Mapping[str, Array]
) -> list[Array]:
    """What the files return, each fed with what those before it returned."""
    known, outputs = dict(feeds), []
    for graph, path in zip(parts, paths, strict=True):
        outputs = _outputs(graph, path, kind, {name: known[name] for name in graph.inputs})
        known.update(zip(map(str, graph.outputs), outputs, strict=True))
    return outputs


def _outputs(graph: Graph, path: Path, kind: str, feeds: Mapping[str, Array]) -> list[Array]:
    if kind == "onnx":
        from layergraph.backends.onnx.session import Session, has_halves

        return Session(path, halves=has_halves(graph)).run(feeds)
    from layergraph import load

    return Interpreter(load(path)).run(None, feeds)


def difference(ours: Array, theirs: Array) -> float:
    """Largest difference relative to the largest value; 1 for texts or NaN that differ."""
    if not ours.size:
        return 0.0
    if ours.dtype.kind in "Ob":
        return 0.0 if (ours == theirs).all() else 1.0
    wide: Any = "complex128" if ours.dtype.kind == "c" else "float64"
    a, b = ours.astype(wide), theirs.astype(wide)
    finite = np.isfinite(a)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return 1.0
    scale = max(float(np.abs(a[finite]).max(initial=0)), 1e-6)
    return float(np.abs(a[finite] - b[finite]).max(initial=0)) / scale


def _samples(graph: Graph) -> list[dict[str, Array]]:
    """Random batches, of several sizes where that is free."""
    free = any(graph[name].types[0].shape[:1] == (None,) for name in graph.inputs)
    return [sample(graph, rows=rows) for rows in (ROWS if free else ROWS[:1])]


def sample(graph: Graph, *, rows: int = 3, seed: int = 0) -> dict[str, Array]:
    """Random inputs of a graph: unknown sizes are small, whole numbers fit the tables they index.

    Whole numbers that index no embedding are 0 or 1.
    """
    rng = np.random.default_rng(seed)
    return {
        name: _drawn(rng, graph[name].types[0], rows, _below(graph, name)) for name in graph.inputs
    }


def _below(graph: Graph, name: str) -> int:
    """What whole numbers of an input have to be smaller than."""
    readers = graph.consumers[graph[name].values[0]]
    tables = [n.params["embeddings"].shape[0] for n in readers if isinstance(n.op, Embedding)]
    return min(tables, default=2)


def _drawn(rng: np.random.Generator, type_: TensorType, rows: int, below: int) -> Array:
    shape = tuple((rows if i == 0 else 8) if d is None else d for i, d in enumerate(type_.shape))
    if type_.dtype == STRING:
        return strings(rng.choice(["a", "b c", ""], shape))
    dtype = numpy_dtype(type_.dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        return rng.integers(0, below, shape).astype(dtype)
    return np.asarray(rng.normal(size=shape)).astype(dtype)


def run(source: str, target: str, part: Part, *, inputs: str | None, **options: Any) -> int:
    """The command; returns the exit status, 1 when the result does not verify.

    Args:
        source, target, part: as for ``convert``.
        inputs: a file of arrays to verify on.
        **options: as for ``convert``.
    """
    from layergraph import load
    from layergraph.tools.predict import read_arrays
    from layergraph.tools.screen import progress_bar

    if inputs is not None:
        graph = part.of(load(source, weights=options["weights"], dtype=options["dtype"]))
        options["verify"] = read_arrays(inputs, Interpreter(graph).inputs)
    try:
        with progress_bar(f"writing {target}") as progress:
            _, files = convert(source, target, part, progress=progress, **options)
    except VerificationError as error:
        kind = target_kind(target, options["to"])
        print(f"{source}: does not verify as .{kind}: {error}")
        return 1
    for file in files:
        _print(file)
    return 0


def _print(file: Converted) -> None:
    graph = file.graph
    weights = sum(int(a.size) for a in graph.parameters.values())
    size = file.path.stat().st_size
    print(f"{file.path}: {len(graph)} nodes, {weights:,} parameters, {size:,} bytes")
    for name in graph.inputs:
        print(f"input {name}: {graph[name].types[0]}")
    for value in graph.outputs:
        print(f"output {value}: {graph.type_of(value)}")
    for note in file.notes:
        print(f"note: {note}")
    for name, apart in file.differences.items():
        print(f"output {name}: largest difference {apart:.1e} of its largest value")
    for name, apart in file.from_source.items():
        print(f"output {name}: {apart:.1e} from the source in its own dtype")
