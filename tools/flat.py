"""What a model returns, an array, a list or a dict of them, as one flat dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from layergraph.ir.types import Array


def flat(structure: Any, prefix: str = "") -> dict[str, Array]:
    """Arrays by path: ``0`` for one; ``0``, ``1`` for a list; the keys, sorted, for a dict.

    Example:

        >>> {k: int(v) for k, v in flat({"b": [1, 2], "a": 3}).items()}
        {'a': 3, 'b/0': 1, 'b/1': 2}
    """
    if isinstance(structure, Mapping):
        parts = [(str(key), structure[key]) for key in sorted(structure)]
    elif isinstance(structure, (list, tuple)):
        parts = [(str(number), part) for number, part in enumerate(structure)]
    else:
        return {prefix or "0": np.asarray(structure)}
    arrays: dict[str, Array] = {}
    for key, part in parts:
        arrays |= flat(part, f"{prefix}/{key}" if prefix else key)
    return arrays
