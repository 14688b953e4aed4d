"""Open a saved Keras model of any container, recognised by its content."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from layergraph.frontends.keras import limits, strangers
from layergraph.frontends.keras.archive import FolderMembers, Members, ZipMembers
from layergraph.frontends.keras.eras.arrays import Writer
from layergraph.ir.errors import FileFormatError
from layergraph.ir.types import Array

if TYPE_CHECKING:
    from layergraph.frontends.keras.hdf5 import Hdf5File

Container = Literal["h5", "keras", "folder"]

CONFIG, METADATA = "config.json", "metadata.json"
WEIGHTS, WEIGHTS_NPZ = "model.weights.h5", "model.weights.npz"
LEGACY_WEIGHTS, OWN_WEIGHTS = "model_weights", "top_level_model_weights"

HDF5_MAGIC, ZIP_MAGIC = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
HEAD_BYTES = 4096

VERSION = re.compile(r"\d{1,4}(\.[\w.+-]{1,40})?", re.ASCII)
"""``2.2.4``, ``2.2.4-tf``, ``3.0.0.dev2024``."""

LONE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class LegacyWeights:
    """Arrays of an ``.h5`` by layer name, in storing order.

    Args:
        stored: the file.
        group: path of the group that holds the layers.
    """

    def __init__(self, stored: Hdf5File, group: str = LEGACY_WEIGHTS) -> None:
        self._stored = stored
        self._group = group
        names = stored.texts(group, "layer_names") or []
        if OWN_WEIGHTS not in names and self._names(_joined(group, OWN_WEIGHTS)):
            names.append(OWN_WEIGHTS)
        self._layers = tuple(names)

    def layer_names(self) -> tuple[str, ...]:
        """Layers the file has a group for.

        Arrays that a model itself owns are listed last, under
        ``top_level_model_weights`` (tf_keras/src/saving/legacy/hdf5_format.py
        ``save_weights_to_hdf5_group``, tf-keras 2.21); few models own any.
        """
        return self._layers

    def weights(self, layer: str) -> list[tuple[str, Array]]:
        """Stored names and arrays of a layer, none for one without weights.

        Raises:
            FileFormatError: no such layer, or a listed array is missing or not of
                numbers.
        """
        group = _joined(self._group, layer)
        if layer not in self._layers or group not in self._stored.groups:
            raise FileFormatError(
                f"{self._stored.file}: no weights are stored for layer {layer!r}; config and "
                "weights do not belong together, save the model again"
            )
        return [(name, self._stored.read(_joined(group, name))) for name in self._names(group)]

    def _names(self, group: str) -> list[str]:
        if group not in self._stored.groups:
            return []
        return self._stored.texts(group, "weight_names") or []


class NumberedWeights(LegacyWeights):
    """Arrays of a file of Keras 0, which numbers layers instead of naming them.

    Args:
        stored: the file.
        group: path of the group that holds the layers.
    """

    def __init__(self, stored: Hdf5File, group: str = "") -> None:
        self._stored = stored
        self._group = group
        numbered = {
            path
            for path in stored.groups
            if re.fullmatch(r"layer_\d+", path[len(group) :].lstrip("/"))
        }
        self._layers = tuple(path.rpartition("/")[2] for path in sorted(numbered, key=natural))

    def _names(self, group: str) -> list[str]:
        held = [path for path in self._stored.datasets if path.startswith(f"{group}/param_")]
        return [path.rpartition("/")[2] for path in sorted(held, key=natural)]


class VariableTree:
    """Arrays of a ``model.weights.h5`` by path, and the text files stored beside it.

    Args:
        stored: the file, or the files it is split into.
        members: the archive that holds them, where there is one.
    """

    def __init__(self, *stored: Hdf5File, members: Members | None = None) -> None:
        self._files = stored
        self._members = members
        held: dict[str, dict[str, Hdf5File]] = {}
        for file in stored:
            for path in file.datasets:
                group, _, index = path.rpartition("/")
                if group == "vars" or group.endswith("/vars"):
                    held.setdefault(group[:-4].rstrip("/"), {})[index] = file
        self._held = {
            path: {index: held[path][index] for index in sorted(held[path], key=natural)}
            for path in sorted(held, key=natural)
        }

    def groups(self) -> tuple[str, ...]:
        """Paths that hold arrays, ``layers/dense``, ``""`` for the model; ``_10`` after ``_9``."""
        return tuple(self._held)

    def variables(self, path: str) -> list[Array]:
        """Arrays of a path in storing order; none when it has none.

        bfloat16 is widened to float32.

        Raises:
            FileFormatError: an array is not of numbers.
        """
        vars_ = _vars(path)
        held = self._held.get(path, {})
        return [file.read(f"{vars_}/{index}") for index, file in held.items()]

    def asset(self, path: str, name: str) -> str | None:
        """A text file of the layer at a path, ``None`` when it has none.

        Raises:
            FileFormatError: too large, or not UTF-8.
        """
        member = "/".join(part for part in ("assets", path, name) if part)
        if self._members is None or not self._members.has(member):
            return None
        return _member_text(self._members, member, self._files[0].file)

    def label(self, path: str) -> str | None:
        """Layer name written beside a path's arrays (Keras 3.6 and later)."""
        vars_ = _vars(path)
        labels = (file.text(vars_, "name") for file in self._files if vars_ in file.groups)
        return next((label for label in labels if label is not None), None)


class SavedModel:
    """An opened model file; a context manager that releases it.

    Attributes:
        path: the file, as the user named it.
        container: kind of file.
        config: the model config as parsed.
        keras_version: version that wrote it; "1" when an ``.h5`` names none.
        backend: Keras backend that wrote it; "tensorflow" when the file names none.
        legacy: arrays by layer name, of an ``.h5``.
        variables: arrays by path, of a ``.keras`` or its folder.
        weights_path: the file the arrays are in, when it is another.
        weights_version: version that wrote it.
    """

    def __init__(
        self,
        path: str,
        container: Container,
        config: dict[str, Any],
        *,
        keras_version: str,
        backend: str,
        legacy: LegacyWeights | None = None,
        variables: VariableTree | None = None,
        weights_path: str = "",
        weights_version: str = "",
        opened: tuple[Any, ...] = (),
    ) -> None:
        self.path = path
        self.container: Container = container
        self.config = config
        self.keras_version = keras_version
        self.backend = backend
        self.legacy = legacy
        self.variables = variables
        self.weights_path = weights_path or path
        self.weights_version = weights_version or keras_version
        self._opened = opened

    @property
    def writer(self) -> Writer:
        """What wrote the arrays."""
        return Writer(int(self.weights_version.split(".")[0]), self.backend == "theano")

    def close(self) -> None:
        """Release the file; arrays that were read stay."""
        for item in reversed(self._opened):
            item.close()

    def __enter__(self) -> SavedModel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_saved_model(path: str | os.PathLike[str]) -> SavedModel:
    """Open a saved model and check it for safety; no array is read yet.

    Raises:
        FileFormatError: not a saved Keras model (says what it is), damaged, or
            built to do harm.
    """
    name = os.fsdecode(path)
    if is_folder(name):
        return _from_members(name, "folder", FolderMembers(name))
    head = file_head(name)
    if head.startswith(ZIP_MAGIC):
        return _from_members(name, "keras", ZipMembers(name))
    if head.startswith(HDF5_MAGIC):
        return _from_hdf5(name)
    raise strangers.strange_file(name, head)


def _kind(name: str) -> int:
    try:
        return os.stat(name).st_mode
    except FileNotFoundError:
        raise FileFormatError(f"{name}: there is no such file; check the path") from None
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{name}: cannot be read: {error}; check the path") from error


def is_folder(name: str) -> bool:
    """Whether a path is a folder.

    Raises:
        FileFormatError: it is neither a folder nor a file.
    """
    kind = _kind(name)
    if not stat.S_ISDIR(kind) and not stat.S_ISREG(kind):
        raise FileFormatError(f"{name}: neither a file nor a folder; copy the model to a file")
    return stat.S_ISDIR(kind)


def file_head(name: str) -> bytes:
    """The first bytes of a file."""
    is_folder(name)
    try:
        with open(name, "rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise FileFormatError(f"{name}: cannot be read: {error.strerror}") from error


# --- .keras and its folder --------------------------------------------------------


def _from_members(name: str, container: Container, members: Members) -> SavedModel:
    with _closed_on_error(members) as opened:
        if not members.has(CONFIG):
            raise strangers.strange_members(name, members.names())
        config = model_config(_member_text(members, CONFIG, name), CONFIG, name)
        if not members.has(METADATA):
            raise FileFormatError(
                f"{name}: it has no {METADATA}, which names the Keras version that decides what "
                "layers compute; save the model again"
            )
        metadata = model_config(_member_text(members, METADATA, name), METADATA, name)
        version = version_text(str(metadata.get("keras_version")), name)
        variables = VariableTree(weights_member(members, name, opened), members=members)
        return SavedModel(
            name, container, config,
            keras_version=version, backend="tensorflow",
            variables=variables, opened=tuple(opened),
        )  # fmt: skip


def weights_member(members: Members, name: str, opened: list[Any]) -> Hdf5File:
    """The HDF5 file of weights within an archive or folder."""
    from layergraph.frontends.keras.hdf5 import Hdf5File

    if not members.has(WEIGHTS):
        raise FileFormatError(
            f"{name}: its weights are Python pickles in {WEIGHTS_NPZ}, which nothing here "
            f"unpickles; load it with the Keras that wrote it and save it with {WEIGHTS}"
            if members.has(WEIGHTS_NPZ)
            else f"{name}: it has no {WEIGHTS}; save the whole model again"
        )
    stream = members.open(WEIGHTS)
    opened.append(stream)
    head = stream.read(HEAD_BYTES)
    if not head.startswith(HDF5_MAGIC):
        raise strangers.strange_file(name, head, WEIGHTS)
    stored = Hdf5File(stream, name, members.size(WEIGHTS))
    opened.append(stored)
    return stored


def _member_text(members: Members, member: str, name: str) -> str:
    if members.size(member) > limits.MAX_CONFIG_BYTES:
        raise limits.refused(name, f"{member} has {members.size(member)} bytes")
    with members.open(member) as stream:
        data = stream.read(limits.MAX_CONFIG_BYTES)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{name}: {member} is not UTF-8 text; the file is damaged, fetch it again"
        ) from error


# --- .h5 --------------------------------------------------------------------------


def _from_hdf5(name: str) -> SavedModel:
    from layergraph.frontends.keras.hdf5 import Hdf5File

    stored = Hdf5File(name, name, os.path.getsize(name))
    with _closed_on_error(stored) as opened:
        text = stored.text("", "model_config")
        if text is None:
            known = ("layer_names", "layer_names0", "nb_layers")
            attributes = [key for key in known if stored.has_attribute("", key)]
            raise strangers.strange_hdf5(name, stored.top(), attributes)
        config = model_config(text, "model_config", name)
        if LEGACY_WEIGHTS not in stored.groups:
            raise FileFormatError(
                f"{name}: it holds a model config and no weights; save the whole model again"
            )
        version, backend = (
            stored.text("", key) or stored.text(LEGACY_WEIGHTS, key)
            for key in ("keras_version", "backend")
        )
        return SavedModel(
            name, "h5", config,
            keras_version=version_text(version or "1", name), backend=backend or "tensorflow",
            legacy=LegacyWeights(stored), opened=tuple(opened),
        )  # fmt: skip


# --- shared -----------------------------------------------------------------------


def model_config(text: str, what: str, name: str) -> dict[str, Any]:
    """A JSON object that is safe to walk and to print."""
    if len(text) > limits.MAX_CONFIG_BYTES:
        raise limits.refused(name, f"{what} has {len(text)} characters")
    try:
        config = json.loads(text)
        if LONE_SURROGATE.search(text):
            json.dumps(config, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise limits.refused(name, f"{what} nests too deeply") from None
    except ValueError as error:
        raise FileFormatError(
            f"{name}: {what} is not JSON ({error}); the file is damaged, fetch it again"
        ) from error
    if not isinstance(config, dict):
        raise FileFormatError(f"{name}: {what} describes no model; save the whole model again")
    if limits.nests_deeper(config, limits.MAX_CONFIG_DEPTH):
        raise limits.refused(name, f"{what} nests too deeply")
    return config


def version_text(text: str, name: str) -> str:
    """A version of Keras, checked."""
    if not VERSION.fullmatch(text):
        raise FileFormatError(
            f"{name}: the Keras version that wrote it reads {text[:40]!r}, which is none; save "
            "the model again"
        )
    return text


@contextmanager
def _closed_on_error(first: Any) -> Iterator[list[Any]]:
    """What was opened, closed again in reverse when opening the rest fails."""
    opened = [first]
    try:
        yield opened
    except BaseException:
        for item in reversed(opened):
            item.close()
        raise


def _joined(group: str, name: str) -> str:
    """Path of a name in a group as HDF5 resolves it: from the root with a leading slash."""
    path = name if name.startswith("/") else f"{group}/{name}"
    return "/".join(part for part in path.split("/") if part)


def _vars(path: str) -> str:
    return f"{path}/vars" if path else "vars"


def natural(path: str) -> tuple[tuple[int, str], ...]:
    """Sort key under which ``dense_10`` follows ``dense_9``."""
    parts = re.split("([0-9]+)", path)
    # Longer numbers are larger; text stands at even places, numbers at odd ones.
    digits = (part.lstrip("0") for part in parts[1::2])
    keys = [(0, part) for part in parts]
    keys[1::2] = [(len(number), number) for number in digits]
    return tuple(keys)
