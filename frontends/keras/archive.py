"""The members of a ``.keras`` archive or of its unzipped folder, read without unpacking.

Nothing is ever written to disk: no member can climb out of a folder.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from pathlib import Path
from typing import IO, Protocol

from layergraph.frontends.keras import limits
from layergraph.ir.errors import FileFormatError


class Members(Protocol):
    """Named byte members of a saved model."""

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
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
            raise FileFormatError(
                f"{path}: the .keras archive is damaged or truncated ({error}); fetch the file again"
            ) from error
        try:
            self._check()
        except BaseException:
            self._zip.close()
            raise

    def _check(self) -> None:
        entries = self._zip.infolist()
        if len(entries) > limits.MAX_MEMBERS:
            raise self._refused("", f"{len(entries)} members")
        if len({e.filename for e in entries}) != len(entries):
            raise self._refused("", "two members of one name")
        available = os.path.getsize(self.path)
        # Members that overlap, or sizes that lie, add up to more than the file holds.
        if sum(e.compress_size for e in entries) > available:
            raise self._refused("", "members that overlap or are larger than the file")
        for entry in entries:
            self._check_entry(entry)
        if limits.bomb(sum(e.file_size for e in entries), available, limits.MAX_RATIO_ZIP):
            raise self._refused("", "members that unpack to far more than the file stores")

    def _check_entry(self, entry: zipfile.ZipInfo) -> None:
        name = entry.filename
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\\" in name:
            raise self._refused(name, "a path that climbs out of its folder")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise self._refused(name, "a symbolic link")
        if entry.flag_bits & 0x1:
            raise self._refused(name, "an encrypted member")
        if limits.bomb(entry.file_size, entry.compress_size, limits.MAX_RATIO_ZIP):
            raise self._refused(name, f"{entry.compress_size} bytes that unpack to {entry.file_size}")

    def _refused(self, name: str, what: str) -> FileFormatError:
        where = f"member {name!r} is" if name else "it holds"
        return FileFormatError(
            f"{self.path}: refused for safety: {where} {what}, which Keras never writes; "
            "do not trust this file"
        )

    def has(self, name: str) -> bool:
        """Whether the archive has the member."""
        return name in self._zip.namelist()

    def size(self, name: str) -> int:
        """Its bytes when unpacked."""
        return self._zip.getinfo(name).file_size

    def open(self, name: str) -> IO[bytes]:
        """The member; read whole, which also checks its CRC."""
        try:
            return io.BytesIO(self._zip.read(name))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError,
                RuntimeError, MemoryError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]  # fmt: skip
            raise FileFormatError(
                f"{self.path}: member {name!r} is damaged ({error}); fetch the file again"
            ) from error

    def close(self) -> None:
        """Close the archive."""
        self._zip.close()


class FolderMembers:
    """Members of an unzipped ``.keras`` folder; links out of it are refused."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._root = Path(path).resolve()

    def _file(self, name: str) -> Path:
        file = (self._root / name).resolve()
        if not file.is_relative_to(self._root):
            raise FileFormatError(
                f"{self.path}: refused for safety: {name} is a link out of the folder; "
                "do not trust this folder"
            )
        return file

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
