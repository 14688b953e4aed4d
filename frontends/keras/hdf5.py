"""HDF5 read without following, loading or believing anything a hostile file offers.

Opening walks the whole file once through h5py's low-level calls and refuses what
Keras never writes: links that leave their place, data stored elsewhere, filters
that load plugins, sizes the file cannot back. Only then is an array read. What the
HDF5 library does while it decodes its own tables is out of reach from here: keep it
up to date.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5l, h5o, h5s, h5t
from h5py.h5g import GroupID

from layergraph.frontends.keras import limits
from layergraph.ir.errors import FileFormatError
from layergraph.ir.types import Array

NUMERIC = (h5t.INTEGER, h5t.FLOAT, h5t.ENUM)

LINKS = {h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "a link into another file"}

PARSE_ERRORS = (
    OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError, ArithmeticError,
    EOFError, SystemError, zlib.error,
)  # fmt: skip
"""What h5py, NumPy and zlib raise on bytes that make no sense."""


@contextmanager
def damage_reported(file: str) -> Iterator[None]:
    """Turn whatever is raised on damaged HDF5 data into one of our errors."""
    try:
        yield
    except FileFormatError:
        raise
    except MemoryError as error:
        raise FileFormatError(
            f"{file}: its arrays need more memory than there is; use a machine with more"
        ) from error
    except BlockingIOError as error:
        raise FileFormatError(
            f"{file}: another program is writing it; read it when that has ended"
        ) from error
    except PARSE_ERRORS as error:
        reason = " ".join(str(error).split())[:200]
        raise FileFormatError(
            f"{file}: the HDF5 data is damaged or cut off ({reason}); fetch the file again"
        ) from error


class Hdf5File:
    """An HDF5 file, all of it checked.

    Args:
        source: path, or a seekable binary file.
        file: the file as the user named it, for errors.
        size: bytes of the file, the measure of what it can back.

    Attributes:
        groups: path of every group, ``""`` for the root.
        datasets: path of every dataset.

    Raises:
        FileFormatError: not HDF5, damaged, or built to do harm.
    """

    def __init__(self, source: str | IO[bytes], file: str, size: int) -> None:
        self.file = file
        self._source = source
        self._size = size
        with damage_reported(file), ExitStack() as opened:
            if isinstance(source, str) and not os.path.exists(os.path.realpath(source)):
                # HDF5 opens what a path leads to by its name; a draft has none yet.
                source = opened.enter_context(open(source, "rb"))
            self._id = opened.enter_context(h5py.File(source, "r")).id
            check = _Check(file, size)
            check.walk(self._id)
            self._opened = opened.pop_all()
        self.groups = frozenset(check.groups)
        self.datasets = frozenset(check.datasets)

    def close(self) -> None:
        """Release the file."""
        self._opened.close()

    def top(self) -> set[str]:
        """Names at the root."""
        return {path for path in self.groups | self.datasets if path and "/" not in path}

    def read(self, path: str) -> Array:
        """The array at a path, in native byte order.

        bfloat16, which NumPy lacks and Keras stores as two opaque bytes, becomes
        float32: the upper half of its bits, hence exact.

        Raises:
            FileFormatError: no dataset there, or not of numbers.
        """
        if path not in self.datasets:
            raise FileFormatError(
                f"{self.file}: there is no array {path!r}; the file is damaged, fetch it again"
            )
        with damage_reported(self.file):
            found = h5d.open(self._id, path.encode())
            kind = found.get_type()
            if kind.get_class() == h5t.OPAQUE and kind.get_size() == 2:
                return self._bfloat16(found, path)
            if kind.get_class() not in NUMERIC:
                raise FileFormatError(
                    f"{self.file}: {path!r} holds {found.dtype}, weights are plain numbers; "
                    "save the model again with Keras"
                )
            return _values(found, found.dtype.newbyteorder("="))

    def _bfloat16(self, found: Any, path: str) -> Array:
        # Keras 3 labels it; a legacy .h5 does not, and no other NumPy extension type that
        # Keras stores has two bytes.
        label = self.text(path, "dtype") or "bfloat16"
        if label != "bfloat16":
            raise FileFormatError(
                f"{self.file}: {path!r} is stored as {label}, which is not read; save the "
                "model with weights of float32"
            )
        bits = _values(found, found.dtype).view(np.uint16).astype(np.uint32)
        return (bits << 16).view(np.float32)

    def text(self, path: str, name: str) -> str | None:
        """A text attribute of the object at a path, ``None`` when it has none.

        Raises:
            FileFormatError: it holds something else.
        """
        with damage_reported(self.file):
            found = self._attribute(path, name)
        if found is None:
            return None
        if len(found) != 1:
            raise FileFormatError(
                f"{self.file}: attribute {name!r} holds {len(found)} texts instead of one; "
                "the file is damaged, fetch it again"
            )
        return found[0]

    def texts(self, path: str, name: str) -> list[str] | None:
        """A list of texts, ``None`` when there is none.

        What exceeds the 64 KiB of an HDF5 object header is stored in parts
        ``name0``, ``name1``, ... Source: keras/src/legacy/saving/legacy_h5_format.py
        ``load_attributes_from_hdf5_group``, Keras 3.15.
        """
        with damage_reported(self.file):
            whole = self._attribute(path, name)
            if whole is not None:
                return whole
            parts: list[list[str]] = []
            while (part := self._attribute(path, f"{name}{len(parts)}")) is not None:
                parts.append(part)
            return [text for part in parts for text in part] if parts else None

    def has_attribute(self, path: str, name: str) -> bool:
        """Whether the object at a path has an attribute of the name."""
        with damage_reported(self.file):
            return bool(h5a.exists(self._id, name.encode(), obj_name=path.encode() or b"."))

    def _attribute(self, path: str, name: str) -> list[str] | None:
        if not self.has_attribute(path, name):
            return None
        attribute = h5a.open(self._id, name.encode(), obj_name=path.encode() or b".")
        count = math.prod(attribute.shape)
        if count == 0:  # an empty list, whose type NumPy takes for float64
            return []
        kind = attribute.get_type()
        if kind.get_class() != h5t.STRING:
            raise FileFormatError(
                f"{self.file}: attribute {name!r} is not text; the file is damaged, fetch it again"
            )
        if count * kind.get_size() > self._size:
            raise limits.refused(self.file, f"attribute {name!r} is larger than the file")
        if kind.is_variable_str() and self._heap_bytes(count) > limits.MAX_HEAP_BYTES:
            raise limits.refused(self.file, f"attribute {name!r} repeats one long text")
        values = np.zeros(attribute.shape, attribute.dtype)
        attribute.read(values)
        return [text.decode("utf-8") for text in values.ravel().tolist()]

    def _heap_bytes(self, count: int) -> int:
        """What ``count`` texts can come to; looks at the file only when that may be much."""
        if count == 1 or count * self._size <= limits.MAX_HEAP_BYTES:
            return self._size
        if not isinstance(self._source, str):
            return count * self._size
        with open(self._source, "rb") as file:
            return count * min(_largest_heap(file), self._size)


class _Check:
    """One walk over a file."""

    def __init__(self, file: str, size: int) -> None:
        self.file = file
        self.size = size
        self.groups: list[str] = [""]
        self.datasets: list[str] = []
        self.seen: set[int] = set()
        self.stored = 0
        self.unbacked = 0

    def walk(self, root: Any) -> None:
        """Check every object of the file; does not recurse."""
        self.seen.add(h5o.get_info(root).addr)
        pending = [(h5o.open(root, b"/"), "", 0)]
        while pending:
            group, path, depth = pending.pop()
            for name in self.names(group, path):
                child = f"{path}/{name.decode('utf-8')}".lstrip("/")
                found = self.object(group, name, child)
                if isinstance(found, GroupID):
                    self.groups.append(child)
                    pending.append((found, child, depth + 1))
                else:
                    self.datasets.append(child)
            if depth > limits.MAX_GROUP_DEPTH:
                raise self.refused("its groups nest too deeply")

    def names(self, group: Any, path: str) -> list[bytes]:
        """Names in a group, all of them links that stay in the file."""
        total = len(self.groups) + len(self.datasets) + group.get_num_objs()
        if total > limits.MAX_OBJECTS:
            raise self.refused(f"it holds {total} objects")
        links: list[tuple[bytes, int, int]] = []
        # Cython garbles what is raised in a callback, and hands one object to all of them.
        group.links.iterate(lambda name, at: links.append((name, at.type, at.u)), info=True)
        for name, kind, address in links:
            where = f"{path}/{name.decode('utf-8', 'replace')}"
            if kind != h5l.TYPE_HARD:
                raise self.refused(f"{where!r} is {LINKS.get(kind, 'a user-defined link')}")
            if address in self.seen:
                raise self.refused(f"{where!r} is a second name of another object")
            self.seen.add(address)
        return [name for name, *_ in links]

    def object(self, group: Any, name: bytes, path: str) -> Any:
        """The group or dataset of a name."""
        found = h5o.open(group, name)
        if isinstance(found, h5d.DatasetID):
            self.dataset(found, path)
        elif not isinstance(found, GroupID):
            raise self.refused(f"{path!r} is a named datatype")
        return found

    def dataset(self, found: Any, path: str) -> None:
        """Check where a dataset's bytes are and whether the file backs its size."""
        plist = found.get_create_plist()
        layout = plist.get_layout()
        if layout == h5d.VIRTUAL:
            raise self.refused(f"{path!r} is a virtual dataset over other files")
        if plist.get_external_count():
            raise self.refused(f"{path!r} keeps its data in another file")
        declared = _declared(found)
        stored = found.get_storage_size()
        if layout == h5d.CONTIGUOUS and stored and found.get_offset() + stored > self.size:
            raise self.refused(f"{path!r} lies beyond the end of the file")
        filters = self.filters(plist, path)
        if layout == h5d.CHUNKED:
            chunk = math.prod(plist.get_chunk()) * found.get_type().get_size()
            if chunk > max(declared, limits.FREE_BYTES):
                raise self.refused(f"{path!r} is stored in chunks larger than itself")
            _check_chunks(found, filters, chunk, self.refused)
        self.account(path, declared, stored, limits.MAX_RATIO_H5 if filters else 1)

    def filters(self, plist: Any, path: str) -> list[int]:
        """Numbers of a dataset's filters."""
        found = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
        if unknown := [number for number in found if number not in limits.FILTERS]:
            raise FileFormatError(
                f"{self.file}: {path!r} is stored through HDF5 filter {unknown[0]}, which would "
                "load a plugin; store it plainly with `h5repack -f NONE`"
            )
        if len(set(found)) != len(found) or {limits.DEFLATE, limits.LZF} <= set(found):
            raise self.refused(f"{path!r} is compressed twice")
        return found

    def account(self, path: str, declared: int, stored: int, ratio: int) -> None:
        """Add a dataset to the sums: many small lies make a large one."""
        self.stored += stored
        if self.stored > self.size:
            raise self.refused(f"{path!r} and what precedes it claim more bytes than the file has")
        self.unbacked += max(declared - ratio * stored, 0)
        if self.unbacked > limits.FREE_BYTES:
            raise self.refused(f"{path!r} declares {declared} bytes and stores {stored}")

    def refused(self, what: str) -> FileFormatError:
        return limits.refused(self.file, what)


def _check_chunks(found: Any, filters: list[int], chunk: int, refused: Any) -> None:
    """Refuse compressed chunks that unpack to more than a chunk.

    The HDF5 library inflates to the end of the data and compares sizes afterwards.
    """
    if limits.LZF in filters and chunk > limits.MAX_LZF_CHUNK_BYTES:
        raise refused("a dataset has very large chunks under lzf")
    if limits.DEFLATE not in filters:
        return
    skipped = 1 << filters.index(limits.DEFLATE)
    suspects: list[tuple[int, ...]] = []

    def visit(info: Any) -> None:
        grows = info.size * limits.MAX_DEFLATE_RATIO > limits.FREE_BYTES
        if grows and not info.filter_mask & skipped:
            suspects.append(info.chunk_offset)

    found.chunk_iter(visit)
    for offset in suspects:
        packed = found.read_direct_chunk(offset)[1]
        if len(zlib.decompressobj().decompress(packed, chunk + 1)) > chunk:
            raise refused("a compressed chunk unpacks to more than a chunk")


def _declared(found: Any) -> int:
    """Bytes a dataset takes in memory."""
    space = found.get_space()
    if space.get_simple_extent_type() == h5s.NULL:
        return 0
    return math.prod(map(int, space.get_simple_extent_dims())) * int(found.get_type().get_size())


def _values(found: Any, dtype: Any) -> Array:
    # Zeros, which cost nothing: HDF5 leaves holes in the data untouched.
    values: Array = np.zeros(found.shape, dtype)
    if values.size:
        found.read(h5s.ALL, h5s.ALL, values)
    return values


def _largest_heap(file: IO[bytes]) -> int:
    """Size of the largest heap of texts in a file, found by its signature."""
    import mmap
    import re

    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        # Signature, version, three reserved bytes, size.
        sizes = [m[1] for m in re.finditer(rb"GCOL\x01\0\0\0(.{8})", data, re.DOTALL)]
    return max((int.from_bytes(size, "little") for size in sizes), default=0)
