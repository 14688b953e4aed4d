"""Write files so that a reader sees the old one or the whole new one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layergraph.ir.errors import FileFormatError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path``; it is renamed to ``path`` when the block ends well.

    Raises:
        FileFormatError: the folder does not exist, or the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.stem[:64]}.{secrets.token_hex(8)}{target.suffix}")
    try:
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise _unwritable(target, error) from error
    permissions = temporary.stat().st_mode
    try:
        yield temporary
        # Writers that make the file anew may make it private.
        temporary.chmod(permissions)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(target: Path, error: OSError) -> FileFormatError:
    return FileFormatError(
        f"{target}: cannot be written ({error.strerror or error}); "
        "choose a folder that exists and that you may write to"
    )
