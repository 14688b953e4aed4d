"""ONNX files from layer graphs."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from layergraph.backends.onnx.notes import notes
from layergraph.backends.onnx.protobuf import (
    LARGEST,
    Place,
    onnx_package,
    total_bytes,
    write_data,
    write_model,
)
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.errors import LayerGraphError
from layergraph.ir.graph import Graph, Value
from layergraph.ir.types import Array, little_endian
from layergraph.ir.writing import Progress, drafted

OLDEST, USUAL = 17, 20
"""Operator sets: the first with LayerNormalization, and the default, which has Gelu and
which runtimes of 2024 and later know."""


def checked_opset(opset: int | None) -> int:
    """An operator set that we write and the installed ``onnx`` knows.

    Raises:
        LayerGraphError: it is none of these.
    """
    newest = onnx_package().defs.onnx_opset_version()
    found = min(USUAL, newest) if opset is None else opset
    if not OLDEST <= found <= newest:
        raise LayerGraphError(f"opset {found} is not between {OLDEST} and {newest}; choose another")
    return int(found)


def write(
    graph: Graph,
    path: str | os.PathLike[str],
    *,
    opset: int | None = None,
    check: Callable[[Path], None] | None = None,
    progress: Progress | None = None,
    limit: int = LARGEST,
) -> list[str]:
    """Write a graph as an ONNX file, atomically; returns what the user should know.

    Weights of more than 2 GB, which a protobuf message cannot hold, go to a file
    beside it, ``model.onnx.HASH.data``. It is named after its content and stands before
    the model that refers to it does, so that a reader never meets the arrays of another
    model; data files of earlier models of that name are removed afterwards.

    Args:
        graph: the graph.
        path: file to write.
        opset: version of ONNX' operator set, ``USUAL`` by default.
        check: called with a file that can be run, before it is put in place; what it
            raises keeps it from there.
        progress: told how many bytes are written.
        limit: bytes of weights from which on they stand beside.

    Raises:
        FileFormatError: the file cannot be written.
        LayerGraphError: ``onnx`` is not installed, or does not know the opset.
        UnsupportedError: lists everything that ONNX cannot express.
    """
    writer = Writer(graph, checked_opset(opset))
    model = writer.write(graph.outputs)
    arrays, known = writer.arrays, notes(writer, len(model.graph.node))
    total = total_bytes(arrays.values())
    data: Path | None = None
    fresh = False
    places: dict[str, Place] = {}
    if total >= limit:
        data, fresh, places = _write_beside(path, arrays, total, progress)
        known.append(f"the weights are in {data.name}, which belongs beside it")
        progress = None
    try:
        # With data beside it, the model is only found whole in its own folder.
        with drafted(path, progress=progress, total=total, named=data is not None) as draft:
            location = data.name if data else ""
            write_model(model, arrays, draft.write, beside=places, location=location)
            arrays.clear()
            if check is not None:
                draft.file.flush()
                check(draft.path)
    except BaseException:
        if data is not None and fresh:
            data.unlink(missing_ok=True)
        raise
    for old in _data_files(path):
        if data is None or old.name != data.name:
            old.unlink(missing_ok=True)
    return known


def _write_beside(
    path: str | os.PathLike[str],
    arrays: Mapping[str, Array],
    total: int,
    progress: Progress | None,
) -> tuple[Path, bool, dict[str, Place]]:
    """The file of large arrays; also whether it is new, and where each array is."""
    with drafted(path, progress=progress, total=total) as draft:
        model, digest = draft.target, hashlib.blake2b(digest_size=8)
        places = write_data(arrays, draft)
        for name, place in places.items():
            digest.update(repr((name, place)).encode())
            digest.update(little_endian(arrays[name]))
        draft.target = model.with_name(f"{model.name}.{digest.hexdigest()}.data")
        fresh = not draft.target.exists()
    return draft.target, fresh, places


def _data_files(path: str | os.PathLike[str]) -> list[Path]:
    """Files of arrays written for a model of this name."""
    model = Path(os.path.realpath(path))
    wanted = re.compile(re.escape(model.name) + r"\.[0-9a-f]{16}\.data")
    return [p for p in model.parent.iterdir() if wanted.fullmatch(p.name)]


def to_bytes(graph: Graph, outputs: Iterable[Value], *, opset: int | None = None) -> bytes:
    """A graph as an ONNX model in memory.

    Args:
        graph: the graph.
        outputs: values to output; only what they need is written.
        opset: as for ``write``.

    Raises:
        LayerGraphError: as for ``write``; or the weights are more than 2 GB.
    """
    writer = Writer(graph, checked_opset(opset))
    model = writer.write(outputs)
    if total_bytes(writer.arrays.values()) >= LARGEST:
        raise LayerGraphError(
            "the weights are more than 2 GB, which an ONNX model in memory cannot hold; "
            "write a file (layergraph convert) and run that"
        )
    file = io.BytesIO()
    write_model(model, writer.arrays, file.write)
    return file.getvalue()
