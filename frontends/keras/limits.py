"""What a model file may ask of us, checked before memory is taken.

Each limit names the harm it stops; none is reached by a model that Keras wrote.
"""

from __future__ import annotations

import re
from itertools import accumulate

MAX_CONFIG_BYTES = 256 << 20
"""Largest model config; a 10 000-layer model's is below 20 MiB."""

MAX_CONFIG_DEPTH = 200
"""Deepest nesting of a model config; models nest a few levels, hostile JSON thousands."""

MAX_MEMBERS = 100_000
"""Most members of a ``.keras`` archive or objects of an HDF5 file."""

FREE_BYTES = 64 << 20
"""Data up to this size needs no proof that the file stores it."""

MAX_RATIO_H5 = 1000
"""Most bytes a dataset may declare for each byte stored (gzip reaches 1032:1)."""

MAX_RATIO_ZIP = 100
"""Most bytes an archive member may unpack to for each byte stored; Keras stores
members uncompressed."""

MAX_ATTRIBUTE_BYTES = MAX_CONFIG_BYTES
"""Largest HDF5 attribute; the model config is one."""

FILTERS = frozenset({1, 2, 3, 4, 32000})
"""HDF5 filters that read: deflate, shuffle, fletcher32, szip, lzf. Any other would make
the HDF5 library load a plugin, which is code."""


def bomb(declared: int, stored: int, ratio: int) -> bool:
    """Whether data declares far more bytes than the file holds for it."""
    return declared > FREE_BYTES and declared > ratio * stored


def too_deep(text: str) -> bool:
    """Whether JSON text nests deeper than any model config."""
    brackets = re.sub(r'"(?:[^"\\]|\\.)*"|[^][{}"]+', "", text)
    depths = accumulate(1 if char in "[{" else -1 for char in brackets)
    return max(depths, default=0) > MAX_CONFIG_DEPTH
