"""A TensorFlow operation as ``TensorFlowOpLayer`` stores it, in any of its forms.

TensorFlow 2.0 wrote a serialised NodeDef message, later ones its JSON form.
Source: tf_keras/src/engine/base_layer.py ``TensorFlowOpLayer``, tf-keras 2.21;
tensorflow/core/framework/{node_def,attr_value,types}.proto, TensorFlow 2.21;
protobuf.dev, the wire, text and JSON formats.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DTYPE_NUMBERS = {
    1: "DT_FLOAT", 2: "DT_DOUBLE", 3: "DT_INT32", 4: "DT_UINT8", 5: "DT_INT16", 6: "DT_INT8",
    7: "DT_STRING", 8: "DT_COMPLEX64", 9: "DT_INT64", 10: "DT_BOOL", 14: "DT_BFLOAT16",
    17: "DT_UINT16", 18: "DT_COMPLEX128", 19: "DT_HALF", 22: "DT_UINT32", 23: "DT_UINT64",
}  # fmt: skip
RENAMED = {"float": "float32", "double": "float64", "half": "float16"}

Message = dict[str, list[Any]]
"""Values by field name, each as often as it stands there."""


@dataclass(frozen=True)
class NodeDef:
    """One operation.

    Attributes:
        op: type of the operation, ``AddV2``.
        inputs: names of what it reads; only their number matters.
        attributes: Python values by name; dtypes in NumPy's spelling.
    """

    op: str
    inputs: tuple[str, ...]
    attributes: dict[str, Any]


def parse(data: Any) -> NodeDef:
    """The operation of a config's ``node_def``.

    Args:
        data: a dict; or a text that holds JSON, protobuf's text format, or the
            serialised message as it is or in base64.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(data, str):
        text = data.strip()
        if text.startswith("{"):
            data = json.loads(text)
        elif re.match(r"(name|op|input|device|attr)\s*[:{]", text):
            return _from_message(_text_message(text))
        else:
            return _from_message(_wire_message(_as_bytes(data), NODE))
    if not isinstance(data, dict) or not isinstance(data.get("op"), str):
        raise ValueError("it holds no operation")
    attributes = {key: _from_json(value) for key, value in (data.get("attr") or {}).items()}
    return NodeDef(data["op"], _read(data.get("input") or ()), attributes)


def _read(names: Any) -> tuple[str, ...]:
    """Inputs without those that only say what runs before."""
    return tuple(str(name) for name in names if not str(name).startswith("^"))


def _as_bytes(text: str) -> bytes:
    """The message a text holds: in base64, or its bytes read as UTF-8."""
    try:
        decoded = base64.b64decode(text, validate=True)
        if decoded[:1] in (b"\n", b"\x12"):
            return decoded
    except (binascii.Error, ValueError):
        pass
    return text.encode("utf-8")


# --- JSON ------------------------------------------------------------------------------


def _from_json(value: Any) -> Any:
    """One attribute of the JSON form: numbers may be texts, bytes are base64."""
    if not isinstance(value, dict) or not value:
        return None
    (kind, found), *_ = value.items()
    if kind == "list":
        (inner, items), *_ = found.items() if found else [("i", [])]
        return [_from_json({inner: item}) for item in items]
    if kind == "s":
        return base64.b64decode(found).decode("utf-8", "replace")
    if kind == "shape":
        return [int(d.get("size", 0)) for d in found.get("dim", ())]
    return _scalar(kind, found)


def _scalar(kind: str, found: Any) -> Any:
    if kind == "i":
        return int(found)
    if kind == "f":
        return float(found)
    if kind == "b":
        return found if isinstance(found, bool) else found in ("true", 1)
    if kind == "type":
        return dtype_named(DTYPE_NUMBERS.get(found, found))
    return found


def dtype_named(name: Any) -> str:
    """``DT_FLOAT`` in NumPy's spelling."""
    plain = str(name).removeprefix("DT_").lower()
    return RENAMED.get(plain, plain)


# --- the wire format -------------------------------------------------------------------

SHAPE = {2: ("dim", {1: ("size", "int")})}
LIST = {
    2: ("s", "bytes"), 3: ("i", "int"), 4: ("f", "float"), 5: ("b", "int"), 6: ("type", "int"),
    7: ("shape", SHAPE),
}  # fmt: skip
VALUE = {**LIST, 1: ("list", LIST)}
NODE = {
    1: ("name", "text"), 2: ("op", "text"), 3: ("input", "text"), 4: ("device", "text"),
    5: ("attr", {1: ("key", "text"), 2: ("value", VALUE)}),
}  # fmt: skip
"""Fields of the messages by number."""


def _wire_message(data: bytes, fields: Any) -> Message:
    found: Message = {}
    for number, wire, raw in _wire_fields(data):
        name, kind = fields.get(number, (None, None))
        if name is None:
            continue
        if isinstance(kind, dict):
            values: list[Any] = [_wire_message(raw, kind)]
        elif kind in ("text", "bytes"):
            values = [raw.decode("utf-8", "replace")]
        elif kind == "float":
            values = [v for (v,) in struct.iter_unpack("<f", raw)]
        else:
            values = [raw] if wire == 0 else list(_varints(raw))
        found.setdefault(name, []).extend(values)
    return found


def _wire_fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and content of each field."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, place = _varint(data, place)
            yield number, wire, value
            continue
        if wire == 2:
            size, place = _varint(data, place)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError("it is no serialised NodeDef")
        if place + size > len(data):
            raise ValueError("it ends in the middle of a field")
        yield number, wire, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 64:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return (value - (1 << 64) if value >> 63 else value), place
    raise ValueError("it is no serialised NodeDef")


def _varints(data: bytes) -> Iterator[int]:
    place = 0
    while place < len(data):
        value, place = _varint(data, place)
        yield value


# --- the text format -------------------------------------------------------------------

TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([{}<>:,;\[\]])|([^\s{}<>:,;\[\]"]+))')


def _text_message(text: str) -> Message:
    tokens = []
    for quoted, sign, word in TOKEN.findall(text):
        unquoted = quoted.encode("latin-1", "replace").decode("unicode_escape")
        tokens.append(("text", unquoted) if not sign and not word else ("", sign or word))
    message, rest = _text_fields(tokens, 0)
    if rest != len(tokens):
        raise ValueError("its text format is damaged")
    return message


def _text_fields(tokens: list[tuple[str, str]], place: int) -> tuple[Message, int]:
    found: Message = {}
    while place < len(tokens) and tokens[place][1] not in ("}", ">"):
        name = tokens[place][1]
        place += 1
        if place < len(tokens) and tokens[place] == ("", ":"):
            place += 1
        if place >= len(tokens):
            raise ValueError("its text format is damaged")
        if tokens[place][1] in ("{", "<") and not tokens[place][0]:
            value, place = _text_fields(tokens, place + 1)
            place += 1
        else:
            value, place = tokens[place][1], place + 1  # type: ignore[assignment]
        found.setdefault(name, []).append(value)
    return found, place


# --- both ------------------------------------------------------------------------------


def _from_message(message: Message) -> NodeDef:
    if not message.get("op"):
        raise ValueError("it holds no operation")
    attributes = {}
    for entry in message.get("attr", ()):
        value = entry.get("value", [{}])[0]
        attributes[entry["key"][0]] = _attribute(value)
    return NodeDef(message["op"][0], _read(message.get("input", ())), attributes)


def _attribute(value: Message) -> Any:
    if "list" in value:
        (kind, items), *_ = value["list"][0].items() if value["list"][0] else [("i", [])]
        return [_item(kind, item) for item in items]
    (kind, items), *_ = value.items() if value else [("", [None])]
    return _item(kind, items[-1])


def _item(kind: str, item: Any) -> Any:
    if kind == "shape":
        return [int(d.get("size", [0])[0]) for d in item.get("dim", ())]
    return item if kind == "s" else _scalar(kind, item)
