"""ONNX files from layer graphs."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from layergraph.backends.onnx.protobuf import LARGEST, onnx_package, total_bytes, write_model
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.errors import LayerGraphError
from layergraph.ir.graph import Graph, Value
from layergraph.ir.writing import replacing

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
    limit: int = LARGEST,
) -> list[str]:
    """Write a graph as an ONNX file, atomically; returns what the user should know.

    Weights of more than 2 GB, which a protobuf message cannot hold, go to a file
    beside it, ``model.onnx.data``.

    Args:
        graph: the graph.
        path: file to write.
        opset: version of ONNX' operator set, ``USUAL`` by default.
        check: called with a file that can be run, before it is put in place; what it
            raises keeps it from there.
        limit: bytes of weights from which on they stand beside.

    Raises:
        FileFormatError: the file cannot be written.
        LayerGraphError: ``onnx`` is not installed, or does not know the opset.
        UnsupportedError: lists everything that ONNX cannot express.
    """
    writer = Writer(graph, checked_opset(opset))
    model = writer.write(graph.outputs)
    beside = Path(f"{os.fspath(path)}.data")
    large = total_bytes(writer.arrays.values()) >= limit
    fresh = large and not beside.exists()
    try:
        with replacing(path) as temporary:
            with temporary.open("wb") as file:
                if large:
                    with replacing(beside) as data, data.open("wb") as other:
                        write_model(model, writer.arrays, file, beside=other, location=beside.name)
                else:
                    write_model(model, writer.arrays, file)
            if check is not None:
                check(temporary)
    except BaseException:
        if fresh:
            beside.unlink(missing_ok=True)
        raise
    return [f"the weights are in {beside.name}, which belongs beside it"] if large else []


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
    write_model(model, writer.arrays, file)
    return file.getvalue()
