"""Which files a graph can be written to, and by what."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from layergraph.ir.errors import FileFormatError


@dataclass(frozen=True)
class Target:
    """One kind of file.

    Attributes:
        about: what it is.
        module, function: ``function(graph, path, **options)`` of the module writes it,
            atomically, and returns a list of what the user should know, or nothing.
        options: options it takes.
        checks: it takes ``check=``, called with the file before that is put in place.
        reports: it takes ``progress=``, called with the bytes written and to be written.
    """

    about: str
    module: str
    function: str
    options: tuple[str, ...] = ()
    checks: bool = False
    reports: bool = False

    @property
    def write(self) -> Callable[..., Any]:
        """The writer; imported when it is asked for."""
        found: Callable[..., Any] = getattr(import_module(self.module), self.function)
        return found


TARGETS: dict[str, Target] = {
    "lg": Target("the IR file", "layergraph.ir.file", "write_graph", checks=True, reports=True),
    "onnx": Target(
        "an ONNX model",
        "layergraph.backends.onnx.model",
        "write",
        ("opset",),
        checks=True,
        reports=True,
    ),
    "keras": Target(
        "a Keras 3 archive", "layergraph.backends.keras.files", "write_keras", checks=True
    ),
    "h5": Target("a Keras 2 file", "layergraph.backends.keras.files", "write_h5", checks=True),
}
"""By extension."""


def target_kind(path: str | os.PathLike[str], to: str | None = None) -> str:
    """What a file is to become: what is asked for, or what its extension says.

    Raises:
        FileFormatError: it is none that we write.
    """
    kind = (to or Path(path).suffix.removeprefix(".")).lower()
    if kind not in TARGETS:
        shown = f"{to!r}" if to else Path(path).suffix or "files without extension"
        written = ", ".join(f".{k} ({t.about})" for k, t in TARGETS.items())
        raise FileFormatError(f"{os.fspath(path)}: cannot write {shown}; it writes {written}")
    return kind


def chosen_options(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """Options that were given, all of which the kind must take.

    Raises:
        FileFormatError: it does not take one.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if unknown := sorted(set(given) - set(TARGETS[kind].options)):
        raise FileFormatError(f"{unknown[0]} means nothing to .{kind}; leave it out")
    return given
