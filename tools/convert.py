"""`layergraph convert`: a graph to a file of another kind, checked before it is put in place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from layergraph.backends.numpy.interpreter import Interpreter
from layergraph.backends.targets import TARGETS, chosen_options, target_kind
from layergraph.ir.errors import FileFormatError, LayerGraphError
from layergraph.ir.graph import Graph
from layergraph.ir.types import STRING, Array, TensorType, numpy_dtype, strings
from layergraph.ir.writing import replacing

RTOL = 1e-4
"""Largest difference, relative to the largest value of an output, that verifies."""


class VerificationError(LayerGraphError):
    """The file written does not compute what its source does."""


@dataclass(frozen=True)
class Converted:
    """What a conversion did.

    Attributes:
        kind: of the file.
        notes: what the user should know.
        differences: for each output, its largest difference relative to its largest
            value; empty when nothing was verified.
    """

    kind: str
    notes: list[str] = field(default_factory=list)
    differences: dict[str, float] = field(default_factory=dict)


def write_as(
    graph: Graph,
    target: str | os.PathLike[str],
    kind: str,
    *,
    verify: Mapping[str, Any] | bool = False,
    **options: Any,
) -> Converted:
    """Write a graph; with ``verify`` it is put in place once it has been run and compared.

    Args:
        graph: the graph.
        target: file to write.
        kind: a key of ``TARGETS``.
        verify: ``True`` for random inputs, or arrays by input name.
        **options: of the kind; ``None`` for those not given.

    Raises:
        FileFormatError: the file cannot be written, or the kind takes no such option.
        VerificationError: an output differs by more than ``RTOL``.
    """
    given = chosen_options(kind, options)
    write = TARGETS[kind].write
    if verify is False:
        return Converted(kind, write(graph, target, **given) or [])
    feeds = sample(graph) if verify is True else dict(verify)
    differences: dict[str, float] = {}

    def check(path: Path) -> None:
        differences.update(compared(graph, path, kind, feeds))

    if TARGETS[kind].checks:
        return Converted(kind, write(graph, target, check=check, **given) or [], differences)
    with replacing(target) as temporary:
        notes = write(graph, temporary, **given) or []
        check(temporary)
    return Converted(kind, notes, differences)


def compared(graph: Graph, path: Path, kind: str, feeds: Mapping[str, Array]) -> dict[str, float]:
    """Largest difference of each output, relative to its largest value.

    Raises:
        VerificationError: one is above ``RTOL``, or shape or dtype differ.
    """
    source = Interpreter(graph)
    wanted = source.run(None, feeds)
    found = _outputs(graph, path, kind, feeds)
    names = list(map(str, graph.outputs))
    differences: dict[str, float] = {}
    for name, ours, theirs in zip(names, wanted, found, strict=True):
        if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            raise VerificationError(
                f"output {name!r} is {theirs.dtype}{list(theirs.shape)}, the source's "
                f"{ours.dtype}{list(ours.shape)}"
            )
        differences[name] = difference(ours, theirs)
    worst = max(differences, key=lambda n: differences[n], default=None)
    if worst is not None and not differences[worst] <= RTOL:
        listed = ", ".join(f"{n} {d:.1e}" for n, d in differences.items())
        raise VerificationError(
            f"output {worst!r} differs by {differences[worst]:.1e} of its largest value, more than "
            f"{RTOL:.0e}; nothing was written (largest differences: {listed})"
        )
    return differences


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


def sample(graph: Graph, *, rows: int = 3, seed: int = 0) -> dict[str, Array]:
    """Random inputs of a graph: unknown sizes are small, whole numbers 0 or 1."""
    rng = np.random.default_rng(seed)
    return {name: _drawn(rng, graph[name].types[0], rows) for name in graph.inputs}


def _drawn(rng: np.random.Generator, type_: TensorType, rows: int) -> Array:
    shape = tuple((rows if i == 0 else 8) if d is None else d for i, d in enumerate(type_.shape))
    if type_.dtype == STRING:
        return strings(rng.choice(["a", "b c", ""], shape))
    dtype = numpy_dtype(type_.dtype)
    if dtype.kind in "iub":
        return rng.integers(0, 2, shape).astype(dtype)
    return np.asarray(rng.normal(size=shape)).astype(dtype)


def run(
    source: str,
    target: str,
    *,
    to: str | None,
    overwrite: bool,
    opset: int | None,
    verify: bool,
    inputs: str | None,
    weights: str | None,
    dtype: str | None,
) -> int:
    """The command; returns the exit status, 1 when the result does not verify."""
    from layergraph import load
    from layergraph.tools.predict import read_arrays

    kind = target_kind(target, to)
    if Path(target).exists() and not overwrite:
        raise FileFormatError(f"{target}: exists; pass --overwrite")
    graph = load(source, weights=weights, dtype=dtype)
    feeds: Mapping[str, Any] | bool = verify
    if inputs is not None:
        feeds = read_arrays(inputs, Interpreter(graph).inputs)
    try:
        done = write_as(graph, target, kind, verify=feeds, opset=opset)
    except VerificationError as error:
        print(f"{source}: does not verify as .{kind}: {error}")
        return 1
    weights_held = sum(int(a.size) for a in graph.parameters.values())
    size = os.path.getsize(target)
    print(f"{target}: {len(graph)} nodes, {weights_held:,} parameters, {size:,} bytes")
    for note in done.notes:
        print(f"note: {note}")
    for name, apart in done.differences.items():
        print(f"output {name}: largest difference {apart:.1e} of its largest value")
    return 0
