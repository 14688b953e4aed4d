"""ONNX models as bytes: written piece by piece, so that weights are never held twice.

``onnx.helper`` makes everything but the data of initializers; these are streamed
behind it. A protobuf message is the concatenation of its fields in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from layergraph.ir.errors import LayerGraphError
from layergraph.ir.types import STRING, Array, dtype_name, little_endian
from layergraph.ir.writing import Draft

if TYPE_CHECKING:
    import onnx

LARGEST = 2**31 - 2**20
"""Bytes a protobuf message may have, with room for what is no data."""

EXTERNAL = 2**10
"""Arrays of at least so many bytes go to the file beside the model, if there is one."""

# Field numbers of onnx.proto.
MODEL_GRAPH, GRAPH_INITIALIZER, TENSOR_RAW_DATA = 7, 5, 9


class Place(NamedTuple):
    """Where an array is in a file of arrays; named as ONNX names these."""

    offset: int
    length: int


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
        proto.raw_data = little_endian(array).tobytes()
    return proto  # type: ignore[no-any-return]


def write_data(arrays: Mapping[str, Array], draft: Draft) -> dict[str, Place]:
    """Write large arrays to a file of their own; returns where each is."""
    places: dict[str, Place] = {}
    for name, array in arrays.items():
        if _is_text(array) or array.nbytes < EXTERNAL:
            continue
        # Aligned so that a reader may map the data.
        draft.write(bytes(-draft.done % 4096))
        places[name] = Place(draft.done, array.nbytes)
        draft.write(little_endian(array))
    return places


def write_model(
    model: onnx.ModelProto,
    arrays: Mapping[str, Array],
    write: Callable[[bytes | memoryview], Any],
    *,
    beside: Mapping[str, Place] | None = None,
    location: str = "",
) -> None:
    """Write a model whose graph lacks its initializers, and these.

    Args:
        model: the model.
        arrays: initializers by name.
        write: takes the next bytes of the file.
        beside: where those are that stand in a file of their own.
        location: name of that file.
    """
    graph = model.graph.SerializeToString()
    elsewhere = beside or {}
    heads = [(_head(n, a, elsewhere.get(n), location), n, a) for n, a in arrays.items()]
    within = {n: _within(a, n in elsewhere) for n, a in arrays.items()}
    whole = len(graph) + sum(
        len(_prefix(GRAPH_INITIALIZER, size)) + size
        for size in (len(head) + within[name] for head, name, _ in heads)
    )
    model.ClearField("graph")
    write(model.SerializeToString() + _prefix(MODEL_GRAPH, whole) + graph)
    for head, name, array in heads:
        start = _prefix(GRAPH_INITIALIZER, len(head) + within[name]) + head
        if within[name]:
            write(start + _prefix(TENSOR_RAW_DATA, array.nbytes))
            write(little_endian(array))
        else:
            write(start)


def _head(name: str, array: Array, place: Place | None, location: str) -> bytes:
    """A tensor without its raw data."""
    onnx = onnx_package()
    if _is_text(array):
        whole: bytes = tensor(name, array).SerializeToString()
        return whole
    proto = onnx.TensorProto(
        name=name, data_type=element_type(dtype_name(array.dtype)), dims=array.shape
    )
    if place is not None:
        proto.data_location = onnx.TensorProto.EXTERNAL
        for key, value in {"location": location, **place._asdict()}.items():
            proto.external_data.add(key=key, value=str(value))
    head: bytes = proto.SerializeToString()
    return head


def _within(array: Array, elsewhere: bool) -> int:
    """Bytes that an array's raw data takes in its tensor."""
    if _is_text(array) or elsewhere:
        return 0
    return len(_prefix(TENSOR_RAW_DATA, array.nbytes)) + array.nbytes


def _is_text(array: Array) -> bool:
    return array.dtype == object


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


def total_bytes(arrays: Iterable[Array]) -> int:
    """Bytes of all arrays together."""
    return sum(a.nbytes for a in arrays)
