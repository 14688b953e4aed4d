"""What a model file may ask of us, checked before memory is taken.

Each limit names the harm it stops; none is reached by a model that Keras wrote.
"""

from __future__ import annotations

from layergraph.ir.errors import FileFormatError

MAX_CONFIG_BYTES = 64 << 20
"""Largest model config, unpacked; a 10 000-layer model's is below 20 MiB. Python needs up to
twenty times the bytes of a JSON text for what it describes."""

MAX_CONFIG_DEPTH = 200
"""Deepest nesting of a model config: a nested model adds some eight levels, hostile JSON
thousands, which would overflow the stack of whoever walks them."""

MAX_OBJECTS = 100_000
"""Most members of an archive, or groups and datasets of an HDF5 file. The largest models
have some ten thousand."""

MAX_GROUP_DEPTH = 200
"""Deepest HDF5 group; Keras' are as deep as models nest. Path lengths grow with it."""

MAX_DIRECTORY_BYTES = 32 << 20
"""Largest central directory of an archive. Python's zip reader takes some ten times as much
to list it, before it can be asked how many members there are."""

FREE_BYTES = 64 << 20
"""Memory a file may ask for without storing as much."""

MAX_RATIO_H5 = 1000
"""Most bytes that compressed HDF5 data may declare for each byte stored; gzip reaches 1032
on zeros."""

MAX_RATIO_ZIP = 100
"""Most bytes an archive member may unpack to for each byte stored. Keras stores members
uncompressed; weights that were zipped again shrink by a tenth, configs by 95 %."""

MAX_HEAP_BYTES = 1 << 30
"""Most bytes a list of texts can come to when each of them is as long as the longest text in
the file: HDF5 lets thousands of entries point at one long text."""

FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
"""HDF5 filters that are read. Any other number makes the HDF5 library look for a plugin to
load, which is code, or (szip) believes the size that stands in the data."""

DEFLATE, LZF = 1, 32000

MAX_DEFLATE_RATIO = 1032
"""Most bytes that deflate yields for one."""

MAX_LZF_CHUNK_BYTES = 4 << 20
"""Largest chunk read through lzf, whose output is only known by producing it; h5py chooses
chunks of at most 1 MiB."""


def refused(file: str, what: str) -> FileFormatError:
    """The error for a file that is built to do harm, or looks like it."""
    return FileFormatError(
        f"{file}: refused for safety: {what}; Keras writes no such file, get it from a "
        "source you trust"
    )


def is_bomb(declared: int, stored: int, ratio: int) -> bool:
    """Whether data declares far more bytes than the file holds for it."""
    return declared > FREE_BYTES and declared > ratio * stored


def nests_deeper(value: object, limit: int) -> bool:
    """Whether lists and dicts nest more than ``limit`` levels; does not recurse."""
    level = [value]
    for _ in range(limit + 1):
        level = [
            child
            for item in level
            for child in (
                item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
            )
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True
