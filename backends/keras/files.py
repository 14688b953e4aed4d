"""Keras files from layer graphs: ``.keras`` of Keras 3 and ``.h5`` of Keras 2."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from layergraph.backends.keras.archive import write_archive
from layergraph.backends.keras.dialects import Dialect, Keras2, Keras3
from layergraph.backends.keras.hdf5 import write_hdf5
from layergraph.backends.keras.model import Model
from layergraph.backends.keras.writer import Writer
from layergraph.ir.graph import Graph
from layergraph.ir.writing import Draft, drafted

PathLike = str | os.PathLike[str]
SPELLED_OUT = "several layers or operations compute"
"""How the note begins that says which layers are written as others."""

MANY = 8
"""Layers that a note names."""

Check = Callable[[Path], None]


def write_keras(graph: Graph, path: PathLike, *, check: Check | None = None) -> list[str]:
    """Write a graph as a ``.keras`` archive that Keras 3 loads, atomically.

    Args:
        graph: the graph.
        path: file to write.
        check: called with the file before it is put in place; what it raises keeps it
            from there.

    Returns:
        What the user should know.

    Raises:
        FileFormatError: the file cannot be written.
        UnsupportedError: lists everything that Keras 3 cannot express.
    """
    return _write(graph, path, Keras3(), write_archive, check)


def write_h5(graph: Graph, path: PathLike, *, check: Check | None = None) -> list[str]:
    """Write a graph as an ``.h5`` file that Keras 2 loads, atomically.

    Args, Returns and Raises: as for ``write_keras``.
    """
    return _write(graph, path, Keras2(), write_hdf5, check)


def _write(
    graph: Graph,
    path: PathLike,
    dialect: Dialect,
    write: Callable[[Model, Dialect, Draft], None],
    check: Check | None,
) -> list[str]:
    writer = Writer(graph, dialect)
    model = writer.model()
    with drafted(path) as draft:
        write(model, dialect, draft)
        if check is not None:
            draft.file.flush()
            check(draft.path)
    return notes(writer)


def notes(writer: Writer) -> list[str]:
    """What the user should know of a model that was written."""
    spelled = list(writer.respelled)
    if not spelled:
        return writer.notes
    shown = ", ".join(spelled[:MANY]) + (
        f" and {len(spelled) - MANY} more" if spelled[MANY:] else ""
    )
    major = writer.dialect.major
    return [*writer.notes, f"{SPELLED_OUT} what Keras {major} has no layer for: {shown}"]
