"""Compare the arrays a file stores for a layer with those its config asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import TypeAlias

from layergraph.ir.errors import FileFormatError
from layergraph.ir.types import Array, Shape

Shapes: TypeAlias = Mapping[str, "Shape | EllipsisType"]
"""Expected shapes by role, in storing order."""


def matched(
    file: str, where: str, stored: Sequence[tuple[str, Array]], shapes: Shapes
) -> dict[str, Array]:
    """Stored arrays by role.

    Raises:
        FileFormatError: the count, a name or a shape differs.
    """
    if len(stored) != len(shapes):
        raise FileFormatError(
            f"{file}: {where} needs {len(shapes)} arrays ({', '.join(shapes)}), the file "
            f"stores {len(stored)}; config and weights do not belong together"
        )
    stored = _in_order(stored, tuple(shapes))
    for (name, array), (role, shape) in zip(stored, shapes.items(), strict=True):
        fits = shape is ... or (
            len(shape) == array.ndim
            and all(
                want is None or want == got for want, got in zip(shape, array.shape, strict=True)
            )
        )
        if not fits:
            spelled = f" ({name})" if name else ""
            raise FileFormatError(
                f"{file}: {where} expects {role} of shape {shape}, the file stores "
                f"{array.shape}{spelled}; config and weights do not belong together"
            )
    return {role: array for role, (_, array) in zip(shapes, stored, strict=True)}


def _in_order(
    stored: Sequence[tuple[str, Array]], roles: tuple[str, ...]
) -> Sequence[tuple[str, Array]]:
    """Stored arrays in the order of the roles when their names are exactly the roles.

    Names settle the order where they can; a wrapper's or an old version's
    spelling that differs leaves the stored order, which Keras itself goes by.
    """
    names = [name.rsplit("/", 1)[-1].split(":")[0] for name, _ in stored]
    if sorted(names) != sorted(roles) or len(set(names)) != len(names):
        return stored
    return [stored[names.index(role)] for role in roles]
