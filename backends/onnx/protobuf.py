"""ONNX models as bytes: written piece by piece, so that weights are never held twice.

``onnx.helper`` makes everything but the data of initializers; these are streamed
behind it. A protobuf message is the concatenation of its fields in any order.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from layergraph.ir.errors import LayerGraphError
from layergraph.ir.types import STRING, Array, dtype_name

if TYPE_CHECKING:
    import onnx

LARGEST = 2**31 - 2**20
"""Bytes a protobuf message may have, with room for what is no data."""

EXTERNAL = 2**10
"""Arrays of at least so many bytes go to the file beside the model, if there is one."""

# Field numbers of onnx.proto.
MODEL_GRAPH, GRAPH_INITIALIZER, TENSOR_RAW_DATA = 7, 5, 9


def onnx_package() -> Any:
    """The package ``onnx``.

    Raises:
        LayerGraphError: it is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise LayerGraphError(
            "ONNX needs the package onnx, which is not installed: pip install 'layergraph[onnx]'"
        ) from None
    return onnx


def element_type(dtype: str) -> int:
    """ONNX's number of one of ``DTYPES``."""
    names = {"float32": "FLOAT", "float64": "DOUBLE"}
    number: int = onnx_package().TensorProto.DataType.Value(names.get(dtype, dtype.upper()))
    return number


def tensor(name: str, array: Array) -> onnx.TensorProto:
    """A small array as a whole message; text within it is bytes."""
    onnx = onnx_package()
    dtype = dtype_name(array.dtype)
    proto = onnx.TensorProto(name=name, data_type=element_type(dtype), dims=array.shape)
    if dtype == STRING:
        proto.string_data.extend(array.ravel().tolist())
    else:
        proto.raw_data = _raw(array).tobytes()
    return proto  # type: ignore[no-any-return]


def write_model(
    model: onnx.ModelProto,
    arrays: Mapping[str, Array],
    file: IO[bytes],
    *,
    beside: IO[bytes] | None = None,
    location: str = "",
) -> None:
    """Write a model whose graph lacks its initializers, and these.

    Args:
        model: the model.
        arrays: initializers by name.
        file: receives the model.
        beside: receives the data of large arrays instead of ``file``.
        location: name of that file, as the model mentions it.
    """
    graph = model.graph.SerializeToString()
    heads = [_head(name, array, beside, location) for name, array in arrays.items()]
    whole = len(graph) + sum(
        len(_prefix(GRAPH_INITIALIZER, size)) + size
        for size in (len(head) + _tail_size(array, beside) for head, array in heads)
    )
    model.ClearField("graph")
    file.write(model.SerializeToString())
    file.write(_prefix(MODEL_GRAPH, whole))
    file.write(graph)
    for head, array in heads:
        file.write(_prefix(GRAPH_INITIALIZER, len(head) + _tail_size(array, beside)))
        file.write(head)
        if not _is_text(array) and not _is_beside(array, beside):
            file.write(_prefix(TENSOR_RAW_DATA, array.nbytes))
            file.write(_raw(array).data)


def _head(name: str, array: Array, beside: IO[bytes] | None, location: str) -> tuple[bytes, Array]:
    """A tensor without its raw data, which is written to the other file if it goes there."""
    onnx = onnx_package()
    if _is_text(array):
        return tensor(name, array).SerializeToString(), array
    proto = onnx.TensorProto(
        name=name, data_type=element_type(dtype_name(array.dtype)), dims=array.shape
    )
    if beside is not None and _is_beside(array, beside):
        # Aligned so that a reader may map the data.
        beside.write(bytes(-beside.tell() % 4096))
        place = {"location": location, "offset": beside.tell(), "length": array.nbytes}
        proto.data_location = onnx.TensorProto.EXTERNAL
        for key, value in place.items():
            proto.external_data.add(key=key, value=str(value))
        beside.write(_raw(array).data)
    return proto.SerializeToString(), array


def _is_text(array: Array) -> bool:
    return array.dtype == object


def _is_beside(array: Array, beside: IO[bytes] | None) -> bool:
    return beside is not None and array.nbytes >= EXTERNAL


def _tail_size(array: Array, beside: IO[bytes] | None) -> int:
    if _is_text(array) or _is_beside(array, beside):
        return 0
    return len(_prefix(TENSOR_RAW_DATA, array.nbytes)) + array.nbytes


def _prefix(field: int, size: int) -> bytes:
    """What stands before a field of ``size`` bytes."""
    return _varint(field << 3 | 2) + _varint(size)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _raw(array: Array) -> Any:
    """Bytes in ONNX's order: little-endian, row-major."""
    flat = np.ascontiguousarray(array)
    if sys.byteorder == "big":
        flat = flat.byteswap()
    return flat.reshape(-1).view(np.uint8)


def total_bytes(arrays: Iterable[Array]) -> int:
    """Bytes of all arrays together."""
    return sum(a.nbytes for a in arrays)
