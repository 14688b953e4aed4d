"""The IR file ``.lg``: one safetensors file that holds a graph and its weights.

Layout: the arrays as safetensors keeps them, and in the header's metadata the
entry ``layergraph`` with the graph as JSON. An array of text is stored as the
bytes of its elements one after another and as their ends. Types are not stored; they are
inferred again when a file is read, which checks every shape on the way.
"""

from __future__ import annotations

import json
import mmap
import os
import stat
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from layergraph.ir.build import Builder
from layergraph.ir.errors import FileFormatError, GraphError
from layergraph.ir.graph import Graph, Origin, Source, Value
from layergraph.ir.op import Input, op_from_json, op_to_json
from layergraph.ir.types import DTYPES, Array, dtype_name, little_endian, numpy_dtype
from layergraph.ir.writing import Progress, drafted

SCHEMA = 1
"""Version of the JSON; a reader refuses newer ones."""

ENTRY = "layergraph"
"""Key of the graph in the header's metadata."""

ENDS = "#ends"
"""Marks the array that says where each element of an array of text ends; no role has a ``#``."""

MAX_HEADER_BYTES = 100_000_000
"""The limit safetensors itself has."""

DTYPE_CODES = {
    "BF16": "bfloat16", "F16": "float16", "F32": "float32", "F64": "float64", "BOOL": "bool",
    "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64",
    "U8": "uint8", "U16": "uint16", "U32": "uint32", "U64": "uint64",
}  # fmt: skip
"""Dtypes by safetensors' code."""

CODES = {dtype: code for code, dtype in DTYPE_CODES.items()}


DAMAGE = (GraphError, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What data of another shape than ours raises."""


def is_ir_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a safetensors file by its first bytes."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb") as file:
            start = file.read(9)
    except OSError:
        return False
    length = int.from_bytes(start[:8], "little")
    return len(start) == 9 and start[8:] == b"{" and 2 <= length <= MAX_HEADER_BYTES


def write_graph(
    graph: Graph,
    path: str | os.PathLike[str],
    *,
    check: Callable[[Path], None] | None = None,
    progress: Progress | None = None,
) -> None:
    """Write a graph as an IR file, whole or not at all.

    Args:
        graph: the graph; arrays that nodes share are stored once.
        path: file to write; an existing one is replaced.
        check: called with a file that can be read, before it is put in place; what it
            raises keeps it from there.
        progress: told how many bytes are written.

    Raises:
        FileFormatError: the file cannot be written.
    """
    names = _array_names(graph)
    arrays = {names[key]: array for key, array in graph.parameters.items()}
    nodes = [
        {
            "name": node.name,
            "op": op_to_json(node.op),
            "inputs": [None if v is None else list(v) for v in node.inputs],
            "params": {role: names[id(array)] for role, array in node.params.items()},
            "sources": [list(s) for s in node.sources],
        }
        for node in graph
    ]
    text = json.dumps(
        {
            "schema": SCHEMA,
            "nodes": nodes,
            "complex": sorted(name for name, a in arrays.items() if a.dtype.kind == "c"),
            "inputs": list(graph.inputs),
            "outputs": [list(v) for v in graph.outputs],
            "input_structure": graph.input_structure,
            "output_structure": graph.output_structure,
            "origin": {name: getattr(graph.origin, name) for name in Origin.__slots__},
        },
        separators=(",", ":"),
    )
    stored = {part: a for name, array in arrays.items() for part, a in _stored(name, array).items()}
    # Widest first, so that each array is aligned.
    order = sorted(stored, key=lambda name: (-stored[name].itemsize, name))
    header: dict[str, Any] = {"__metadata__": {ENTRY: text}}
    end = 0
    for name in order:
        array = stored[name]
        start, end = end, end + array.nbytes
        code = CODES[dtype_name(array.dtype)]
        header[name] = {"dtype": code, "shape": array.shape, "data_offsets": [start, end]}
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    with drafted(path, progress=progress, total=8 + len(head) + end) as draft:
        draft.write(len(head).to_bytes(8, "little") + head)
        for name in order:
            # One by one: an array that is not contiguous is copied for as long as it takes.
            draft.write(little_endian(stored[name]))
        if check is not None:
            draft.file.flush()
            check(draft.path)


def _pairs(array: Array) -> Array:
    """Complex numbers as pairs of real ones, which every safetensors has dtypes for."""
    return array.reshape(*array.shape, 1).view(array.real.dtype)


def read_graph(path: str | os.PathLike[str]) -> Graph:
    """Read a graph; its weights stay in the file, mapped read-only, until they are used.

    Raises:
        FileFormatError: not an IR file, of a newer schema, or damaged.
    """
    file = os.fspath(path)
    text, arrays = _read(file)
    if text is None:
        raise FileFormatError(
            f"{file}: a safetensors file without a layergraph graph; it may hold the weights of a "
            "model, but not its layers"
        )
    try:
        data = json.loads(text)
        schema = int(data["schema"])
        if schema > SCHEMA:
            raise FileFormatError(
                f"{file}: written by a newer layergraph (schema {schema}, this version reads up "
                f"to {SCHEMA}); update layergraph or convert the model again"
            )
        return _graph(data, arrays)
    except FileFormatError:
        raise
    except DAMAGE as error:
        raise FileFormatError(
            f"{file}: its graph is damaged: {_reason(error)}; convert the model again"
        ) from error


def _array_names(graph: Graph) -> dict[int, str]:
    """A name for each array by identity; of nodes that share it, a layer's first call."""
    names: dict[int, str] = {}
    for node in sorted(graph, key=lambda n: (len(n.name), n.name)):
        for role, array in node.params.items():
            names.setdefault(id(array), f"{node.name}/{role}")
    return names


def _stored(name: str, array: Array) -> dict[str, Array]:
    """An array as safetensors can hold it."""
    if array.dtype != object:
        # Not ascontiguousarray, which gives a scalar an axis.
        return {name: _pairs(np.asarray(array, order="C")) if array.dtype.kind == "c" else array}
    texts = array.ravel().tolist()
    ends = np.cumsum([len(t) for t in texts], dtype=np.int64).reshape(array.shape)
    return {name: np.frombuffer(b"".join(texts), np.uint8), name + ENDS: ends}


def _texts(data: Array, ends: Array) -> Array:
    """The array of text that ``_stored`` took apart."""
    stops = ends.ravel().tolist()
    if (
        data.dtype != np.uint8
        or ends.dtype != np.int64
        or [0, *stops, data.size] != sorted([0, *stops, data.size])
    ):
        raise GraphError("an array of text contradicts itself")
    joined = data.tobytes()
    out = np.empty(ends.size, object)
    out[:] = [joined[start:end] for start, end in zip([0, *stops], stops, strict=False)]
    return out.reshape(ends.shape)


def _read(file: str) -> tuple[str | None, dict[str, Array]]:
    """The graph's JSON and all arrays, mapped."""
    from safetensors import SafetensorError, safe_open

    try:
        # safetensors checks the header: every array inside the file, no gaps, no overlaps.
        with safe_open(file, framework="np") as opened:
            text = (opened.metadata() or {}).get(ENTRY)
        with Path(file).open("rb") as source:
            length = int.from_bytes(source.read(8), "little")
            header = json.loads(source.read(length))
            data = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
        header.pop("__metadata__", None)
        arrays = {name: _mapped(data, 8 + length, info) for name, info in header.items()}
        for name in [n for n in arrays if n.endswith(ENDS)]:
            whole = name.removesuffix(ENDS)
            arrays[whole] = _texts(arrays[whole], arrays.pop(name))
    except (SafetensorError, *DAMAGE) as error:
        raise FileFormatError(
            f"{file}: damaged or not a safetensors file ({_reason(error)}); convert the model again"
        ) from error
    return text, arrays


def _mapped(data: mmap.mmap, start: int, info: Mapping[str, Any]) -> Array:
    """One array where it lies in the file."""
    if info["dtype"] not in DTYPE_CODES:
        raise GraphError(f"an array has dtype {info['dtype']}, which NumPy lacks")
    dtype, shape = numpy_dtype(DTYPE_CODES[info["dtype"]]), tuple(info["shape"])
    count, at = prod(shape), start + int(info["data_offsets"][0])
    array: Array = np.frombuffer(data, dtype, count, at) if count else np.empty(0, dtype)
    # Files of other writers may not align their arrays.
    return np.require(array, requirements="A").reshape(shape)


def _graph(data: Mapping[str, Any], arrays: Mapping[str, Array]) -> Graph:
    build = Builder()
    paired = {name: arrays[name] for name in data.get("complex", ())}
    whole = {n: a.view(np.result_type(a.dtype, "complex64"))[..., 0] for n, a in paired.items()}
    arrays = {**arrays, **whole}
    for node in data["nodes"]:
        op = op_from_json(node["op"])
        if isinstance(op, Input) and op.dtype not in DTYPES:
            raise GraphError(f"input {node['name']!r} has unknown dtype {op.dtype!r}")
        values = build.add(
            _text(node["name"]),
            op,
            [None if v is None else _value(v) for v in node["inputs"]],
            {role: arrays[name] for role, name in node["params"].items()},
            [Source(_text(layer), _text(kind)) for layer, kind in node["sources"]],
        )
        if values[0].node != node["name"]:
            raise GraphError(f"two nodes are called {node['name']!r}")
    return build.graph(
        inputs=[_text(name) for name in data["inputs"]],
        outputs=[_value(v) for v in data["outputs"]],
        input_structure=data["input_structure"],
        output_structure=data["output_structure"],
        origin=Origin(**data["origin"]),
    )


def _value(data: Any) -> Value:
    name, index = data
    if type(index) is not int:
        raise GraphError(f"{data!r} is not a value")
    return Value(_text(name), index)


def _text(data: Any) -> str:
    if not isinstance(data, str):
        raise GraphError(f"{str(data)[:80]!r} is not a name")
    return data


def _reason(error: BaseException) -> str:
    spelled = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {spelled}" if isinstance(error, KeyError) else spelled
