"""The members of a ``.keras`` archive or of its unzipped folder, read without unpacking.

Nothing is ever written to disk: no member can climb out of a folder. Uncompressed
members, as Keras writes them, are read in place.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from layergraph.frontends.keras import limits
from layergraph.ir.errors import FileFormatError

PARSE_ERRORS = (
    zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError, LookupError, struct.error,
    zlib.error, OverflowError, MemoryError,
)  # fmt: skip
"""What zipfile raises on bytes that make no sense; encryption is a RuntimeError."""

LOCAL_HEADER = struct.Struct("<4s22xHH")
"""Of a member: signature, length of its name, length of its extra field."""

BLOCK = 1 << 20


class Members(Protocol):
    """Named byte members of a saved model."""

    def names(self) -> list[str]:
        """Members there are; of a folder, the top level."""

    def has(self, name: str) -> bool:
        """Whether the member exists."""

    def size(self, name: str) -> int:
        """Its bytes when unpacked."""

    def open(self, name: str) -> IO[bytes]:
        """The member as a seekable file."""

    def close(self) -> None:
        """Release the file."""


class ZipMembers:
    """Members of a zip archive, all checked before the first is read.

    Raises:
        FileFormatError: damaged, or built to do harm.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        with self._damage_reported("the archive"):
            self._file = _Capped(io.FileIO(path))
            try:
                self._zip = zipfile.ZipFile(self._file)
                self._entries = {entry.filename: entry for entry in self._zip.infolist()}
                self._check(self._zip.infolist(), os.fstat(self._file.fileno()).st_size)
            except BaseException:
                self._file.close()
                raise
            self._file.cap = None

    def _check(self, entries: list[zipfile.ZipInfo], available: int) -> None:
        if len(entries) > limits.MAX_OBJECTS:
            raise limits.refused(self.path, f"it holds {len(entries)} members")
        if len(self._entries) != len(entries):
            raise limits.refused(self.path, "two of its members have one name")
        for entry in entries:
            self._check_entry(entry)
        ends = sorted((e.header_offset, e.header_offset + _least_size(e)) for e in entries)
        starts = [start for start, _ in ends[1:]] + [available]
        if any(end > start for (_, end), start in zip(ends, starts, strict=False)):
            raise limits.refused(self.path, "its members overlap or are larger than the file")
        unpacked = sum(entry.file_size for entry in entries)
        if limits.is_bomb(unpacked, available, limits.MAX_RATIO_ZIP):
            raise limits.refused(self.path, f"its members unpack to {unpacked} bytes")

    def _check_entry(self, entry: zipfile.ZipInfo) -> None:
        name = entry.orig_filename
        parts = name.split("/")
        plain = entry.compress_type == zipfile.ZIP_STORED
        checks = {
            "has a path that leaves the archive": (
                name.startswith("/") or ".." in parts or ":" in parts[0] or "\\" in name
            ),
            "has an unprintable name": "\0" in name,
            "is a symbolic link": stat.S_ISLNK(entry.external_attr >> 16),
            "is encrypted": bool(entry.flag_bits & 0x41),
            "is packed in another way than zip's usual one": (
                entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            ),
            "contradicts itself about its size": plain and entry.file_size != entry.compress_size,
            f"unpacks from {entry.compress_size} to {entry.file_size} bytes": (
                limits.is_bomb(entry.file_size, entry.compress_size, limits.MAX_RATIO_ZIP)
            ),
        }
        for what, holds in checks.items():
            if holds:
                raise limits.refused(self.path, f"its member {name!r} {what}")

    @contextmanager
    def _damage_reported(self, what: str) -> Iterator[None]:
        try:
            yield
        except FileFormatError:
            raise
        except PARSE_ERRORS as error:
            raise FileFormatError(
                f"{self.path}: {what} is damaged or cut off ({error}); fetch the file again"
            ) from error

    def names(self) -> list[str]:
        """Members there are."""
        return list(self._entries)

    def has(self, name: str) -> bool:
        """Whether the archive has the member."""
        return name in self._entries

    def size(self, name: str) -> int:
        """Its bytes when unpacked."""
        return self._entries[name].file_size

    def open(self, name: str) -> IO[bytes]:
        """The member, its checksum verified."""
        entry = self._entries[name]
        with self._damage_reported(f"member {name!r}"):
            if entry.compress_type != zipfile.ZIP_STORED:
                return io.BytesIO(self._zip.read(entry))
            # Opening compares the directory with the header before the member.
            self._zip.open(entry).close()
            self._file.seek(entry.header_offset)
            _, name_size, extra_size = LOCAL_HEADER.unpack(self._file.read(LOCAL_HEADER.size))
            start = entry.header_offset + LOCAL_HEADER.size + name_size + extra_size
            window = _Window(self._file, start, entry.file_size)
            if _checksum(window) != entry.CRC:
                raise zipfile.BadZipFile("its checksum differs")
            return io.BufferedReader(window)

    def close(self) -> None:
        """Close the archive."""
        self._zip.close()
        self._file.close()


class _Capped(io.BufferedReader):
    """A file that refuses a large read while the zip directory is being read."""

    cap: int | None = limits.MAX_DIRECTORY_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        if self.cap is None:
            return super().read(size)
        whole = size is None or size < 0 or size > self.cap
        data = super().read(self.cap + 1 if whole else size)
        if len(data) > self.cap:
            raise zipfile.BadZipFile("its list of members is too long")
        return data


class _Window(io.RawIOBase):
    """A part of a file as a file; moves the position of the whole."""

    def __init__(self, whole: IO[bytes], start: int, size: int) -> None:
        self._whole = whole
        self._start = start
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        count = max(min(len(view), self._size - self._position), 0)
        self._whole.seek(self._start + self._position)
        done: int = self._whole.readinto(view[:count])  # type: ignore[attr-defined]
        self._position += done
        return done


class FolderMembers:
    """Members of an unzipped ``.keras`` folder; links out of it are refused."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._root = Path(path).resolve()

    def _file(self, name: str) -> Path:
        try:
            file = (self._root / name).resolve()
        except (OSError, RuntimeError) as error:  # a loop of links, before and since Python 3.13
            raise FileFormatError(f"{self.path}: cannot read {name}: {error}") from error
        if not file.is_relative_to(self._root):
            raise FileFormatError(
                f"{self.path}: refused for safety: {name} is a link out of the folder; if you "
                "trust it, copy the folder with `cp -rL`, which replaces links by files"
            )
        return file

    def names(self) -> list[str]:
        """Files and folders at the top level."""
        try:
            return sorted(os.listdir(self._root))
        except OSError as error:
            raise FileFormatError(f"{self.path}: cannot be read: {error.strerror}") from error

    def has(self, name: str) -> bool:
        """Whether the folder has the file."""
        return self._file(name).is_file()

    def size(self, name: str) -> int:
        """Its bytes."""
        return self._file(name).stat().st_size

    def open(self, name: str) -> IO[bytes]:
        """The file."""
        try:
            return open(self._file(name), "rb")
        except OSError as error:
            raise FileFormatError(f"{self.path}: cannot read {name}: {error.strerror}") from error

    def close(self) -> None:
        """Nothing to release."""


def _least_size(entry: zipfile.ZipInfo) -> int:
    """Bytes a member takes at least: its header, its name, its data."""
    return LOCAL_HEADER.size + len(entry.orig_filename) + entry.compress_size


def _checksum(file: io.RawIOBase) -> int:
    checksum = 0
    while block := file.read(BLOCK):
        checksum = zlib.crc32(block, checksum)
    file.seek(0)
    return checksum
