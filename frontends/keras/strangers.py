"""Name a file that is no saved Keras model, and the way to one."""

from __future__ import annotations

from collections.abc import Collection

from layergraph.ir.errors import FileFormatError

FULL_MODEL = "load it with the Keras that wrote it and save the whole model as .keras"
SOURCE_MODEL = "save the Keras model it was made from as .keras"
REBUILD = (
    "load the model's architecture (model.to_json(), or its config.json) and pass this as its "
    "weights: load('model.json', weights=...), on the command line --weights"
)
UNPICKLE = "nothing is ever unpickled here; save the model as .keras"
DOWNLOAD = "download the file itself"

MAGIC: tuple[tuple[bytes, int, str, str], ...] = (
    (b"version https://git-lfs", 0, "a Git LFS pointer", "fetch the model with `git lfs pull`"),
    (b"TFL3", 4, "a TensorFlow Lite model", SOURCE_MODEL),
    (b"\x80\x02\x8a\x0a", 0, "a PyTorch pickle", UNPICKLE),
    (b"\x80\x02", 0, "a Python pickle", UNPICKLE),
    (b"\x80\x03", 0, "a Python pickle", UNPICKLE),
    (b"\x80\x04", 0, "a Python pickle", UNPICKLE),
    (b"\x80\x05", 0, "a Python pickle", UNPICKLE),
    (b"\x93NUMPY", 0, "a NumPy array", "pass it as input to a model"),
    (b"GGUF", 0, "a GGUF model", SOURCE_MODEL),
    (b"\x08\x01\x12", 0, "a TensorFlow SavedModel's graph", FULL_MODEL),
    (b"\x1f\x8b", 0, "a gzip file", "unpack it first"),
    (b"BZh", 0, "a bzip2 file", "unpack it first"),
    (b"\xfd7zXZ", 0, "an xz file", "unpack it first"),
    (b"7z\xbc\xaf", 0, "a 7-Zip file", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", 0, "a zstd file", "unpack it first"),
    (b"ustar", 257, "a tar archive", "unpack it first"),
    (b"<!DOCTYPE", 0, "a web page", DOWNLOAD),
    (b"<!doctype", 0, "a web page", DOWNLOAD),
    (b"<html", 0, "a web page", DOWNLOAD),
)
"""Magic bytes, their offset, what the file is, and what to do."""

JSON: tuple[tuple[bytes, str, str], ...] = (
    (b'"weight_map"', "the index of sharded weights, without the model", REBUILD),
    (b'"class_name"', "JSON: a model's architecture without its weights",
     "pass its weights beside it: load(path, weights=...), on the command line --weights"),
    (b"", "JSON", FULL_MODEL),
)  # fmt: skip
"""What stands in a JSON file, what the file is, and what to do."""

MEMBERS: tuple[tuple[str, str, str], ...] = (
    ("data.pkl", "a PyTorch file", UNPICKLE),
    ("coefficients.bin", "a DL4J model", SOURCE_MODEL),
    ("saved_model.pb", "a TensorFlow SavedModel", FULL_MODEL),
    ("variables.h5", "the experimental .keras format of TensorFlow 2.11", FULL_MODEL),
    ("keras_metadata.pb", "a TensorFlow SavedModel", FULL_MODEL),
    ("manifest.json", "a Core ML package", SOURCE_MODEL),
    ("model.safetensors", "a safetensors folder", SOURCE_MODEL),
    ("model.weights.h5", "weights without the model", REBUILD),
)
"""A member of an archive or folder without model config, what it is, and what to do."""


def strange_file(file: str, head: bytes, member: str = "") -> FileFormatError:
    """The error for a file whose first bytes are neither HDF5's nor zip's.

    Args:
        file: the file as the user named it.
        head: its first bytes, some thousand.
        member: member of the file the bytes are of.
    """
    what, remedy = _name(head, member or file)
    where = f"{file}: {member} in it" if member else f"{file}: this"
    return FileFormatError(f"{where} is {what}, not a saved Keras model; {remedy}")


def _name(head: bytes, file: str) -> tuple[str, str]:
    if not head.strip(b"\0"):
        return ("empty" if not head else "nothing but zeros"), "fetch the file again"
    for magic, offset, what, remedy in MAGIC:
        if head.startswith(magic, offset):
            return what, remedy
    if head.lstrip().startswith((b"{", b"[")):
        return next((what, remedy) for mark, what, remedy in JSON if mark in head)
    if head[8:9] == b"{" and head[4:8] == bytes(4):
        return "a safetensors file without a layer graph", SOURCE_MODEL
    if head[0] == 8 and head[1] < 32 and head[2:3] in (b"\x12", b"\x1a", b"\x22", b"\x3a", b"\x42"):
        return "an ONNX model or another Protobuf file", SOURCE_MODEL
    if file.endswith(".pb") or (head[0] == 10 and (b"Placeholder" in head or b"Const" in head)):
        return "a TensorFlow graph", FULL_MODEL
    return "of unknown kind", "layergraph reads Keras .h5 and .keras files and its own .lg"


def strange_members(file: str, names: Collection[str]) -> FileFormatError:
    """The error for an archive or folder without a model config."""
    if inner := next((n for n in sorted(names) if n.endswith("/config.json")), None):
        return FileFormatError(
            f"{file}: config.json is in {inner.rpartition('/')[0]!r} and not at the top; zip "
            "the contents of that folder instead of the folder"
        )
    held = {name.rpartition("/")[2] for name in names}
    for member, what, remedy in MEMBERS:
        if member in held:
            return FileFormatError(
                f"{file}: this is {what}, not a saved Keras model: it has no config.json; {remedy}"
            )
    if held and all(name.endswith(".npy") for name in held):
        return FileFormatError(
            f"{file}: these are NumPy arrays (.npz), not a saved Keras model; {FULL_MODEL}"
        )
    return FileFormatError(f"{file}: no saved Keras model: it has no config.json; {FULL_MODEL}")


def strange_hdf5(file: str, names: Collection[str], attributes: Collection[str]) -> FileFormatError:
    """The error for an HDF5 file without model config, by what its root holds."""
    if {"layer_names", "layer_names0", "nb_layers"} & set(attributes):
        what, remedy = "weights without the model (legacy weights file)", REBUILD
    elif {"layers", "vars", "_layer_checkpoint_dependencies"} & set(names):
        what, remedy = "weights without the model (.weights.h5)", REBUILD
    else:
        held = ", ".join(sorted(names)[:5]) or "nothing"
        what, remedy = f"an HDF5 file of another kind (it holds {held})", FULL_MODEL
    return FileFormatError(f"{file}: this is {what}, not a saved Keras model; {remedy}")
