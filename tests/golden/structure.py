"""What a model returns, an array, a list or a dict, as one flat dictionary; and on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

Array = NDArray[Any]


def flat(structure: Any, prefix: str = "") -> dict[str, Array]:
    """Arrays by path: `{"0": ...}` for one, `{"0": ..., "1": ...}` for a list, keys for a dict."""
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


def write_arrays(arrays: Mapping[str, Array], path: Path) -> None:
    """A safetensors file that all may read; the library's `save_file` makes it private."""
    path.write_bytes(save({name: np.ascontiguousarray(value) for name, value in arrays.items()}))
