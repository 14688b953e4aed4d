"""Open a saved Keras model of any container, recognised by its content."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np

from layergraph.frontends.keras import limits
from layergraph.frontends.keras.archive import FolderMembers, Members, ZipMembers
from layergraph.ir.errors import FileFormatError
from layergraph.ir.types import Array

CONFIG, METADATA = "config.json", "metadata.json"
WEIGHTS, WEIGHTS_NPZ = "model.weights.h5", "model.weights.npz"

HDF5_MAGIC, ZIP_MAGIC = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"

STRANGERS: tuple[tuple[bytes, int, str, str], ...] = (
    (b"TFL3", 4, "a TensorFlow Lite model", "convert the Keras model it was made from"),
    (b"\x80\x02", 0, "a Python pickle", "nothing is ever unpickled; save as .keras instead"),
    (b"\x80\x03", 0, "a Python pickle", "nothing is ever unpickled; save as .keras instead"),
    (b"\x80\x04", 0, "a Python pickle", "nothing is ever unpickled; save as .keras instead"),
    (b"\x80\x05", 0, "a Python pickle", "nothing is ever unpickled; save as .keras instead"),
    (b"version https://git-lfs", 0, "a Git LFS pointer", "run `git lfs pull` to fetch the model"),
    (b"\x93NUMPY", 0, "a NumPy array", "pass the model, and the array as --input"),
    (b"<!DOCTYPE", 0, "a web page", "download the file itself, not its page"),
    (b"<html", 0, "a web page", "download the file itself, not its page"),
    (b"\x1f\x8b", 0, "a gzip file", "unpack it first"),
)
"""Magic bytes, their offset, what the file is, and what to do instead."""


class LegacyWeights:
    """Arrays of an ``.h5`` by layer name, in storing order.

    Args:
        group: the ``model_weights`` group.
        file: path, for errors.
    """

    def __init__(self, group: Any, file: str) -> None:
        from layergraph.frontends.keras.hdf5 import read_texts

        self._group = group
        self._file = file
        self._names = tuple(read_texts(group, "layer_names", file) or ())

    def layer_names(self) -> tuple[str, ...]:
        """Layers the file has a group for."""
        return self._names

    def weights(self, layer: str) -> list[tuple[str, Array]]:
        """Names and arrays of a layer.

        Raises:
            FileFormatError: a listed array is missing or not numeric.
        """
        from layergraph.frontends.keras.hdf5 import damage_reported, read_array, read_texts

        with damage_reported(self._file):
            if layer not in self._group:
                raise FileFormatError(f"{self._file}: no weights are stored for layer {layer!r}")
            group = self._group[layer]
            names = read_texts(group, "weight_names", self._file) or []
            if missing := [name for name in names if name not in group]:
                raise FileFormatError(
                    f"{self._file}: array {missing[0]!r} of layer {layer!r} is listed but not "
                    "stored; the file is damaged"
                )
            return [(name, read_array(group[name], self._file)) for name in names]


class VariableTree:
    """Arrays of a ``model.weights.h5`` by path.

    Args:
        root: the opened HDF5 file, or arrays by ``path/vars/i`` of an npz.
        file: path, for errors.
    """

    def __init__(self, root: Any, file: str) -> None:
        self._root = root
        self._file = file
        self._groups = tuple(sorted(self._walk(), key=_natural))

    def groups(self) -> tuple[str, ...]:
        """Paths that hold arrays, numbers in natural order."""
        return self._groups

    def variables(self, path: str) -> list[Array]:
        """Arrays of a path in storing order; none when it has none."""
        from layergraph.frontends.keras.hdf5 import damage_reported, read_array

        with damage_reported(self._file):
            key = f"{path}/vars".lstrip("/")
            if key not in self._root:
                return []
            group = self._root[key]
            return [read_array(group[name], self._file) for name in sorted(group, key=_natural)]

    def label(self, path: str) -> str | None:
        """Layer name written beside a path's arrays (Keras 3.6 and later)."""
        from layergraph.frontends.keras.hdf5 import read_text

        key = f"{path}/vars".lstrip("/")
        return read_text(self._root[key], "name", self._file) if key in self._root else None

    def _walk(self) -> list[str]:
        from layergraph.frontends.keras.hdf5 import damage_reported

        found: list[str] = []
        with damage_reported(self._file):

            def visit(name: str, item: Any) -> None:
                if name.rpartition("/")[2] == "vars" and hasattr(item, "keys") and len(item):
                    found.append(name.rpartition("/")[0])

            self._root.visititems(visit)
        return found


class ArrayTree:
    """The same as ``VariableTree`` for a ``model.weights.npz``."""

    def __init__(self, arrays: dict[str, dict[str, Array]]) -> None:
        self._arrays = arrays

    def groups(self) -> tuple[str, ...]:
        """Paths that hold arrays."""
        return tuple(sorted(self._arrays, key=_natural))

    def variables(self, path: str) -> list[Array]:
        """Arrays of a path in storing order."""
        held = self._arrays.get(path, {})
        return [held[name] for name in sorted(held, key=_natural)]

    def label(self, path: str) -> str | None:
        """npz files carry no labels."""
        return None


class SavedModel:
    """An opened model file; a context manager that releases it.

    Attributes:
        path: the file, as the user named it.
        container: kind of file.
        config: the model config as parsed.
        keras_version: version that wrote it; "1" when an ``.h5`` names none.
        backend: Keras backend that wrote it.
        legacy: arrays by layer name, of an ``.h5``.
        variables: arrays by path, of a ``.keras``.
    """

    def __init__(
        self,
        path: str,
        container: Literal["h5", "keras", "folder"],
        config: dict[str, Any],
        *,
        keras_version: str,
        backend: str,
        legacy: LegacyWeights | None = None,
        variables: VariableTree | ArrayTree | None = None,
        opened: tuple[Any, ...] = (),
    ) -> None:
        self.path = path
        self.container = container
        self.config = config
        self.keras_version = keras_version
        self.backend = backend
        self.legacy = legacy
        self.variables = variables
        self._opened = opened

    def close(self) -> None:
        """Release the file."""
        for item in self._opened:
            item.close()

    def __enter__(self) -> SavedModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_saved_model(path: str | os.PathLike[str]) -> SavedModel:
    """Open a saved model and check it for safety.

    Raises:
        FileFormatError: not a saved Keras model (says what it is), damaged, or
            built to do harm.
    """
    name = os.fspath(path)
    if os.path.isdir(name):
        return _from_folder(name)
    head = _head(name)
    if head.startswith(ZIP_MAGIC):
        return _from_archive(name, "keras", ZipMembers(name))
    if head.startswith(HDF5_MAGIC):
        return _from_hdf5(name)
    raise _stranger(name, head)


def _head(name: str) -> bytes:
    try:
        with open(name, "rb") as file:
            return file.read(64)
    except FileNotFoundError:
        raise FileFormatError(f"{name}: there is no such file") from None
    except OSError as error:
        raise FileFormatError(f"{name}: cannot be read: {error.strerror}") from error


def _stranger(name: str, head: bytes) -> FileFormatError:
    """The error for a file that is something else, saying what."""
    for magic, offset, what, remedy in STRANGERS:
        if head[offset:].startswith(magic):
            return FileFormatError(f"{name}: this is {what}, not a saved Keras model; {remedy}")
    if not head:
        return FileFormatError(f"{name}: the file is empty")
    if head.lstrip().startswith(b"{"):
        return FileFormatError(
            f"{name}: this is JSON, an architecture without weights; save the whole model as .keras"
        )
    if name.endswith(".pb"):
        return FileFormatError(
            f"{name}: this is a TensorFlow graph, not a saved Keras model; save it as .keras"
        )
    return FileFormatError(
        f"{name}: not a file layergraph reads; it reads Keras .h5 and .keras files and .lg"
    )


def _from_folder(name: str) -> SavedModel:
    if (Path(name) / "saved_model.pb").exists():
        raise FileFormatError(
            f"{name}: this is a TensorFlow SavedModel, which holds a compiled graph; load it "
            "with Keras and save it as .keras"
        )
    if not (Path(name) / CONFIG).exists():
        raise FileFormatError(f"{name}: the folder has no {CONFIG}; it is no unzipped .keras file")
    return _from_archive(name, "folder", FolderMembers(name))


def _from_archive(name: str, container: Literal["keras", "folder"], members: Members) -> SavedModel:
    opened: list[Any] = [members]
    with _closing(opened):
        if not members.has(CONFIG):
            what = "a NumPy or PyTorch archive or some other zip file"
            raise FileFormatError(f"{name}: no {CONFIG} in it; this is {what}, not a .keras file")
        config = _json(_text_member(members, CONFIG, name), name)
        metadata = _json(_text_member(members, METADATA, name), name) if members.has(METADATA) else {}
        version = metadata.get("keras_version") if isinstance(metadata, dict) else None
        variables = _variables(members, name, opened)
        if not isinstance(config, dict):
            raise FileFormatError(f"{name}: {CONFIG} holds no model; the file is damaged")
        return SavedModel(
            name, container, config,
            keras_version=str(version or "3"), backend="tensorflow",
            variables=variables, opened=tuple(reversed(opened)),
        )  # fmt: skip


def _variables(members: Members, name: str, opened: list[Any]) -> VariableTree | ArrayTree:
    from layergraph.frontends.keras.hdf5 import checked_file

    if members.has(WEIGHTS):
        stream = members.open(WEIGHTS)
        opened.append(stream)
        root = checked_file(stream, name, members.size(WEIGHTS))
        opened.append(root)
        return VariableTree(root, name)
    if members.has(WEIGHTS_NPZ):
        return _npz_tree(members, name)
    raise FileFormatError(f"{name}: no {WEIGHTS} in it; the model was saved without its weights")


def _npz_tree(members: Members, name: str) -> ArrayTree:
    found: dict[str, dict[str, Array]] = {}
    try:
        with members.open(WEIGHTS_NPZ) as stream, np.load(stream, allow_pickle=False) as arrays:
            for key in arrays.files:
                value = arrays[key]
                path, _, index = key.rpartition("/vars/")
                if value.dtype != object:
                    found.setdefault(path, {})[index] = value
    except (ValueError, OSError, KeyError, EOFError) as error:
        raise FileFormatError(f"{name}: {WEIGHTS_NPZ} is damaged ({error})") from error
    return ArrayTree(found)


def _from_hdf5(name: str) -> SavedModel:
    from layergraph.frontends.keras.hdf5 import checked_file, damage_reported, read_text

    root = checked_file(name, name, os.path.getsize(name))
    opened: list[Any] = [root]
    with _closing(opened), damage_reported(name):
        text = read_text(root, "model_config", name)
        if text is None:
            raise _weights_only(name, root)
        config = _json(text, name)
        if not isinstance(config, dict):
            raise FileFormatError(f"{name}: model_config holds no model; the file is damaged")
        if "model_weights" not in root:
            raise FileFormatError(f"{name}: the file has a model config and no weights; save it again")
        weights = root["model_weights"]
        version = read_text(root, "keras_version", name) or read_text(weights, "keras_version", name)
        backend = read_text(root, "backend", name) or read_text(weights, "backend", name)
        return SavedModel(
            name, "h5", config,
            keras_version=version or "1", backend=backend or "tensorflow",
            legacy=LegacyWeights(weights, name), opened=tuple(opened),
        )  # fmt: skip


def _weights_only(name: str, root: Any) -> FileFormatError:
    holds_weights = "layer_names" in root.attrs or "layer_names0" in root.attrs or any(
        key in root for key in ("layers", "vars", "_layer_checkpoint_dependencies")
    )
    if holds_weights:
        return FileFormatError(
            f"{name}: the file holds weights without the model; save the whole model as .keras"
        )
    return FileFormatError(f"{name}: this HDF5 file holds no Keras model")


def _text_member(members: Members, name: str, file: str) -> str:
    if members.size(name) > limits.MAX_CONFIG_BYTES:
        raise FileFormatError(f"{file}: {name} is too large to be a model config")
    with members.open(name) as stream:
        try:
            return stream.read().decode("utf-8")
        except UnicodeDecodeError:
            raise FileFormatError(f"{file}: {name} is not UTF-8 text; the file is damaged") from None


def _json(text: str, file: str) -> Any:
    try:
        if len(text) > 1000 and limits.too_deep(text):
            raise FileFormatError(f"{file}: refused for safety: the model config nests too deeply")
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(f"{file}: the model config is not JSON ({error}); the file is damaged") from error


@contextmanager
def _closing(opened: list[Any]) -> Iterator[None]:
    """Close what was opened when opening the rest fails."""
    try:
        yield
    except BaseException:
        for item in reversed(opened):
            item.close()
        raise


def _natural(path: str) -> tuple[Any, ...]:
    """Sort key under which ``dense_10`` follows ``dense_9``."""
    return tuple((int(p) if p.isdigit() else -1, p) for p in re.split(r"(\d+)", path))
