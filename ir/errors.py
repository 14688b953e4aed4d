"""All errors a user of layergraph can meet.

Each class also derives from the builtin a caller would expect, so that code
written as ``except ValueError`` keeps working. Every message is one sentence
that names the file, layer, class or option concerned and the way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class LayerGraphError(Exception):
    """Base of every error layergraph raises on purpose."""


class FileFormatError(LayerGraphError, ValueError):
    """The file is not one we read, is damaged, or is built to do harm."""


class GraphError(LayerGraphError, ValueError):
    """A graph contradicts itself: names, order, arity, shapes or dtypes."""


class InputError(LayerGraphError, ValueError):
    """A run was fed arrays that do not fit the graph's inputs."""


class KernelError(LayerGraphError, RuntimeError):
    """A kernel failed on inputs that passed every check: a bug of ours."""


@dataclass(frozen=True)
class Unsupported:
    """One thing in a model file that layergraph cannot run.

    Attributes:
        layer: scoped layer name, ``encoder/lambda_1``.
        class_name: Keras class of the layer.
        reason: what exactly is not supported, option and value included.
        remedy: what the user can do about it.
    """

    layer: str
    class_name: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"layer {self.layer!r} ({self.class_name}): {self.reason}; {self.remedy}"


class UnsupportedError(LayerGraphError, NotImplementedError):
    """The model needs layers, options or dtypes we do not have.

    Attributes:
        items: every unsupported thing found, not only the first.
    """

    def __init__(self, items: Sequence[Unsupported], *, file: str | None = None) -> None:
        self.items = tuple(items)
        self.file = file
        where = f"{file}: " if file else ""
        super().__init__(where + " | ".join(str(item) for item in self.items))
