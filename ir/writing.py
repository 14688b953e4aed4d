"""Write files so that a reader sees the old one or the whole new one.

A draft has no name until it is complete, where the system can do that (``O_TMPFILE`` of
Linux), so that not even a kill leaves anything behind. Elsewhere, and for writers that
want a name, it lies beside its target under a hidden name.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from layergraph.ir.errors import FileFormatError

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the bytes written so far, and the bytes there are to write."""

CHUNK = 1 << 24
"""Bytes between two reports of progress."""


@dataclass
class Draft:
    """A file being written.

    Attributes:
        target: where it is to stand; may be changed until it does.
        path: where this process can open it until then.
        file: it, open for writing.
        progress: told about bytes written with ``write``.
        total: how many these will be.
        done: how many these were so far.
    """

    target: Path
    path: Path
    file: IO[bytes]
    progress: Progress | None = None
    total: int = 0
    done: int = 0

    def write(self, data: bytes | memoryview) -> None:
        """Write bytes, in pieces, and report progress."""
        for start in range(0, len(data), CHUNK):
            piece = data[start : start + CHUNK]
            self.file.write(piece)
            self.done += len(piece)
            if self.progress is not None:
                self.progress(self.done, self.total)


@contextmanager
def drafted(
    path: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
    total: int = 0,
    named: bool = False,
) -> Iterator[Draft]:
    """A draft of ``path``, put in place when the block ends well and dropped otherwise.

    Args:
        path: the file to write; an existing one is replaced.
        progress, total: see ``Draft``.
        named: the draft needs a path in the folder of its target.

    Raises:
        FileFormatError: the folder does not exist, or the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    hidden = target.with_name(f".{target.stem[:64]}.{secrets.token_hex(8)}{target.suffix}")
    try:
        number = None if named else _nameless(target.parent)
        file = hidden.open("xb") if number is None else os.fdopen(number, "wb")
    except OSError as error:
        raise _unwritable(target, error) from error
    shown = hidden if number is None else Path(f"/proc/self/fd/{number}")
    draft = Draft(target, shown, file, progress, total)
    try:
        with file:
            yield draft
            file.flush()
            os.fsync(file.fileno())
            if number is not None:
                _give_name(number, hidden)
        os.replace(hidden, draft.target)
        _sync_folder(draft.target.parent)
    except OSError as error:
        raise _unwritable(draft.target, error) from error
    finally:
        hidden.unlink(missing_ok=True)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path``, for writers that open files themselves.

    It is renamed to ``path`` when the block ends well.

    Raises:
        FileFormatError: the folder does not exist, or the file cannot be written.
    """
    with drafted(path, named=True) as draft:
        permissions = draft.path.stat().st_mode
        yield draft.path
        # Writers that make the file anew may make it private.
        draft.path.chmod(permissions)
        with draft.path.open("rb+") as file:
            os.fsync(file.fileno())


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A path of an empty file for the length of a block, for what is made on the way.

    Args:
        folder: where it lies: there is room for the target, so that there is for it.

    Raises:
        OSError: it cannot be made.
    """
    number = _nameless(folder)
    hidden = folder / f".{secrets.token_hex(8)}"
    try:
        with hidden.open("xb") if number is None else os.fdopen(number, "wb"):
            yield hidden if number is None else Path(f"/proc/self/fd/{number}")
    finally:
        hidden.unlink(missing_ok=True)


def _nameless(folder: Path) -> int | None:
    """An open file without a name, or ``None`` where there is no such thing."""
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not Path("/proc/self/fd").exists():
        return None
    try:
        return os.open(folder, flag | os.O_RDWR, 0o666)
    except OSError:
        # File systems without it say so in several ways; what is really wrong with the
        # folder shows when a named file is made.
        return None


def _give_name(number: int, path: Path) -> None:
    # With a folder's descriptor Python calls `linkat`, which follows the link in /proc.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.link(f"/proc/self/fd/{number}", path, src_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power failure, where folders can be opened."""
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _unwritable(target: Path, error: OSError) -> FileFormatError:
    return FileFormatError(
        f"{target}: cannot be written ({error.strerror or error}); "
        "choose a folder that exists and that you may write to, with enough space"
    )
