"""HDF5 read without following, loading or believing anything a hostile file offers.

``checked_file`` walks the whole file once through h5py's low-level calls and
refuses what Keras never writes: links that leave their place, data stored
elsewhere, filters that load plugins, sizes the file cannot back. Only then is
an array read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import h5py
import numpy as np
from h5py import h5d, h5g, h5l, h5o, h5s, h5t

from layergraph.frontends.keras import limits
from layergraph.ir.errors import FileFormatError
from layergraph.ir.types import Array

NUMERIC = (h5t.INTEGER, h5t.FLOAT, h5t.ENUM)


@contextmanager
def damage_reported(file: str) -> Iterator[None]:
    """Turn whatever HDF5 raises on a damaged file into our error."""
    try:
        yield
    except FileFormatError:
        raise
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError,
            OverflowError, MemoryError, RecursionError, IndexError) as error:  # fmt: skip
        reason = str(error).split("\n", 1)[0][:200]
        raise FileFormatError(
            f"{file}: the HDF5 data is damaged or truncated ({reason}); fetch the file again"
        ) from error


def checked_file(source: str | IO[bytes], file: str, size: int) -> h5py.File:
    """Open an HDF5 file and check all of it.

    Args:
        source: path, or a seekable binary file.
        file: path for errors.
        size: bytes of the file, the measure of what it can back.

    Raises:
        FileFormatError: not HDF5, damaged, or built to do harm.
    """
    with damage_reported(file):
        opened = h5py.File(source, "r", locking=False) if isinstance(source, str) else h5py.File(source, "r")
        try:
            _Check(file, size).group(opened.id, "")
        except BaseException:
            opened.close()
            raise
        return opened


class _Check:
    """One walk over a file."""

    def __init__(self, file: str, size: int) -> None:
        self.file = file
        self.size = size
        self.seen: set[tuple[int, int]] = set()
        self.count = 0
        self.declared = 0

    def group(self, root: Any, path: str) -> None:
        """Check a group and, without recursion, all below it."""
        pending = [(root, path)]
        while pending:
            group, path = pending.pop()
            for name in group:
                self.count += 1
                if self.count > limits.MAX_MEMBERS:
                    raise self.refused("/", f"more than {limits.MAX_MEMBERS} objects")
                child = f"{path}/{name.decode('utf-8', 'replace')}"
                kind = group.links.get_info(name).type
                if kind != h5l.TYPE_HARD:
                    names = {h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "an external link"}
                    raise self.refused(child, names.get(kind, "a user-defined link"))
                found = h5o.open(group, name)
                info = h5o.get_info(found)
                key = (info.fileno, info.addr)
                if key in self.seen:
                    raise self.refused(child, "a second link to an object")
                self.seen.add(key)
                if isinstance(found, h5g.GroupID):
                    pending.append((found, child))
                elif isinstance(found, h5d.DatasetID):
                    self.dataset(found, child)
                else:
                    raise self.refused(child, "a named datatype")

    def dataset(self, found: Any, path: str) -> None:
        """Check where a dataset's bytes are and whether the file backs its size."""
        plist = found.get_create_plist()
        if plist.get_external_count():
            raise self.refused(path, "data stored in another file")
        if plist.get_layout() == h5d.VIRTUAL:
            raise self.refused(path, "a virtual dataset over other files")
        for i in range(plist.get_nfilters()):
            if plist.get_filter(i)[0] not in limits.FILTERS:
                raise self.refused(path, f"a filter that needs a plugin ({plist.get_filter(i)[0]})")
        space = found.get_space()
        if space.get_simple_extent_type() == h5s.NULL:
            return
        declared = found.get_type().get_size()
        for dim in space.get_simple_extent_dims():
            declared *= int(dim)
        stored = min(found.get_storage_size(), self.size)
        # The sum counts as well: many small lies would add up to a large one.
        self.declared += declared
        if limits.bomb(declared, stored, limits.MAX_RATIO_H5) or limits.bomb(
            self.declared, self.size, limits.MAX_RATIO_H5
        ):
            raise self.refused(path, f"a dataset of {declared} bytes of which {stored} are stored")

    def refused(self, path: str, what: str) -> FileFormatError:
        return FileFormatError(
            f"{self.file}: refused for safety: {path} is {what}, which Keras never writes; "
            "do not trust this file"
        )


def read_array(dataset: Any, file: str) -> Array:
    """A numeric dataset as an array; bfloat16 is widened to float32, which is exact.

    Raises:
        FileFormatError: not numeric.
    """
    with damage_reported(file):
        if not isinstance(dataset, h5py.Dataset):
            raise FileFormatError(f"{file}: {dataset.name} is a group where an array is expected")
        kind = dataset.id.get_type().get_class()
        label = dataset.attrs.get("dtype")
        if kind == h5t.OPAQUE and label in ("bfloat16", b"bfloat16") and dataset.dtype.itemsize == 2:
            raw = np.asarray(dataset[()]).view(np.uint16).astype(np.uint32)
            return (raw << 16).view(np.float32)
        if kind not in NUMERIC:
            raise FileFormatError(
                f"{file}: {dataset.name} holds {dataset.dtype}, not numbers; weights are numbers"
            )
        return np.asarray(dataset[()])


def read_text(holder: Any, name: str, file: str) -> str | None:
    """A text attribute, ``None`` when absent; writers store str, bytes or arrays of them."""
    with damage_reported(file):
        if name not in holder.attrs:
            return None
        _check_attribute(holder, name, file)
        return _text(holder.attrs[name], file)


def read_texts(holder: Any, name: str, file: str) -> list[str] | None:
    """A list of texts; too long ones are stored in parts ``name0``, ``name1``, ...

    Source: tf_keras/src/saving/legacy/hdf5_format.py
    ``load_attributes_from_hdf5_group``, tf-keras 2.21.
    """
    with damage_reported(file):
        parts = [name] if name in holder.attrs else []
        while not parts or parts[0] != name:
            key = f"{name}{len(parts)}"
            if key not in holder.attrs:
                break
            parts.append(key)
        if not parts:
            return None
        for part in parts:
            _check_attribute(holder, part, file)
        # An empty list is stored as a float array of size 0.
        return [_text(item, file) for part in parts for item in np.ravel(holder.attrs[part])]


def _check_attribute(holder: Any, name: str, file: str) -> None:
    attribute = holder.attrs.get_id(name)
    count = int(np.prod(attribute.shape or (0,), dtype=float))
    if count * attribute.dtype.itemsize > limits.MAX_ATTRIBUTE_BYTES:
        raise FileFormatError(f"{file}: attribute {name!r} is too large to be a model's")


def _text(value: Any, file: str) -> str:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise FileFormatError(f"{file}: an attribute is not UTF-8 text; the file is damaged") from None
    if isinstance(value, str):
        return value
    raise FileFormatError(f"{file}: expected text in an attribute, found {type(value).__name__}")


__all__ = ["checked_file", "damage_reported", "read_array", "read_text", "read_texts"]
