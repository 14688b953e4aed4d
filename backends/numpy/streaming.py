"""Predict rows batch by batch: inputs and outputs may be larger than memory.

Call tree::

    Interpreter.stream                     yields the outputs of each batch
        stream
            forget                         lets go of mapped pages that were read
            Progress (progress.py)         a bar on a terminal, lines elsewhere
    Interpreter.predict                    collects what stream yields
        sinks -> Gathered | Filled | Written
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from layergraph.backends.numpy.feeds import batches_joined
from layergraph.ir.errors import InputError
from layergraph.ir.types import Array
from layergraph.ir.writing import replacing


def batch_rows(
    feeds: Mapping[str, Array], shapes: Sequence[tuple[int | None, ...]], batch_size: int
) -> tuple[int, int]:
    """How many rows there are, and how many of them make a batch.

    Args:
        feeds: all rows, by input name.
        shapes: of the model's inputs; a fixed first dimension is the batch.
        batch_size: rows a batch, for a model that takes any number.

    Raises:
        InputError: the rows do not fill the batches the model was made for.
    """
    if batch_size < 1:
        raise InputError(f"batch_size is {batch_size}, at least 1 is needed")
    rows = min((a.shape[0] for a in feeds.values() if a.ndim), default=0)
    fixed = {shape[0] for shape in shapes if shape} - {None}
    step = min((size for size in fixed if size), default=batch_size)
    if fixed and rows % step:
        raise InputError(
            f"the model was made for batches of {step} rows, {rows} rows do not fill them"
        )
    return rows, step


def stream(
    run: Callable[[dict[str, Array]], list[Array]],
    feeds: Mapping[str, Array],
    rows: int,
    step: int,
    advance: Callable[[int], None] | None = None,
) -> Iterator[list[Array]]:
    """Outputs of one batch after another; one empty batch where there are no rows.

    Args:
        run: computes one batch.
        feeds: all rows, by input name.
        rows, step: as ``batch_rows`` says.
        advance: told how many rows were done.
    """
    for start in range(0, max(rows, 1), step):
        parts = {name: a[start : start + step] for name, a in feeds.items()}
        outputs = run(parts)
        for part in parts.values():
            forget(part)
        yield outputs
        if advance is not None:
            advance(min(step, rows - start))


def forget(part: Array) -> None:
    """Take pages of a mapped file that were read, or written, out of this process.

    They stay in the system's file cache as long as there is room. Without it they would
    count as this process's memory until something else needs it.
    """
    found = _mapping(part)
    if found is None or not part.flags.c_contiguous or not part.nbytes:
        return
    first = np.frombuffer(found, np.uint8).ctypes.data
    begin = part.ctypes.data - first
    end = min(begin + part.nbytes, len(found))
    begin -= begin % mmap.PAGESIZE
    if 0 <= begin < end:
        found.madvise(mmap.MADV_DONTNEED, begin, end - begin)


def _mapping(array: Any) -> mmap.mmap | None:
    """The mapped file an array lies in, unless what was written to it is the process's own."""
    if not hasattr(mmap, "MADV_DONTNEED"):
        return None
    while array is not None:
        if isinstance(array, np.memmap):
            found = getattr(array, "_mmap", None)
            shared = array.mode in ("r", "r+", "w+")
            return found if shared and isinstance(found, mmap.mmap) else None
        array = getattr(array, "base", None)
    return None


class Sink(Protocol):
    """Takes one output's batches, and gives the whole."""

    def add(self, part: Array) -> None:
        """Take the next batch."""

    def whole(self) -> Array:
        """All of them, after the last."""


class Gathered:
    """Batches joined in memory."""

    def __init__(self) -> None:
        self._parts: list[Array] = []

    def add(self, part: Array) -> None:
        """Keep a batch."""
        self._parts.append(part)

    def whole(self) -> Array:
        """One new array.

        Raises:
            InputError: the batches are of different width.
        """
        return batches_joined(self._parts)


class Filled:
    """Batches written into an array that the caller made.

    Args:
        name: of the output, for errors.
        out: the array, mapped or not.
    """

    def __init__(self, name: str, out: Array) -> None:
        self._name = name
        self._out = out
        self._at = 0

    def add(self, part: Array) -> None:
        """Write a batch.

        Raises:
            InputError: it does not fit.
        """
        end = self._at + len(part)
        fits = part.shape[1:] == self._out.shape[1:] and end <= len(self._out)
        if not fits or not np.can_cast(part.dtype, self._out.dtype, "same_kind"):
            raise InputError(
                f"out of {self._name!r} is {self._out.dtype}{list(self._out.shape)}, and rows "
                f"{self._at} to {end} are {part.dtype}{list(part.shape[1:])}; make it for all rows"
            )
        target = self._out[self._at : end]
        target[...] = part
        forget(target)
        self._at = end

    def whole(self) -> Array:
        """The array.

        Raises:
            InputError: it has more rows than came.
        """
        if self._at != len(self._out):
            raise InputError(
                f"out of {self._name!r} has {len(self._out)} rows, the predictions {self._at}"
            )
        return self._out


class Written:
    """Batches written to a ``.npy`` file as they come; the file is put in place when whole.

    Args:
        name: of the output, for errors.
        path: the file.
    """

    def __init__(self, name: str, path: str | os.PathLike[str]) -> None:
        if Path(path).suffix.lower() != ".npy":
            raise InputError(f"{os.fspath(path)}: predictions are streamed to .npy files only")
        self._name = name
        self._path = path
        self._rows = 0
        self._like: Array | None = None
        self._file: IO[bytes] | None = None

    def open(self) -> AbstractContextManager[None]:
        """The time during which the file is written; a failure leaves nothing behind."""
        return _Writing(self, self._path)

    def begin(self, file: IO[bytes] | None) -> None:
        """The file to write to."""
        self._file = file

    def add(self, part: Array) -> None:
        """Write a batch.

        Raises:
            InputError: it is text, or of another width than those before.
        """
        assert self._file is not None
        if part.dtype == object:
            raise InputError(
                f"the output {self._name!r} is text, which .npy cannot hold as it comes; leave "
                "out= away"
            )
        if self._like is None:
            self._like = part[:0]
            self._header()
        elif part.shape[1:] != self._like.shape[1:]:
            batches_joined([self._like, part])
        self._file.write(np.ascontiguousarray(part).tobytes())
        self._rows += len(part)

    def end(self) -> None:
        """Write how many rows there are."""
        assert self._file is not None
        self._file.seek(0)
        self._header()

    def whole(self) -> Array:
        """The file, mapped."""
        found: Array = np.load(self._path, mmap_mode="r" if self._rows else None)
        return found

    def _header(self) -> None:
        assert self._file is not None
        assert self._like is not None
        about = {
            "descr": np.lib.format.dtype_to_descr(self._like.dtype),
            "fortran_order": False,
            "shape": (self._rows, *self._like.shape[1:]),
        }
        # NumPy leaves room for the number of rows to grow.
        np.lib.format.write_array_header_1_0(self._file, about)


class _Writing:
    """See ``Written.open``."""

    def __init__(self, sink: Written, path: str | os.PathLike[str]) -> None:
        self._sink = sink
        self._replacing = replacing(path)
        self._file: IO[bytes] | None = None

    def __enter__(self) -> None:
        self._file = self._replacing.__enter__().open("wb")
        self._sink.begin(self._file)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        assert self._file is not None
        try:
            if kind is None:
                self._sink.end()
        finally:
            self._file.close()
            self._replacing.__exit__(kind, error, trace)


def sinks(out: Any, names: Sequence[str]) -> list[Gathered | Filled | Written]:
    """Where each output goes.

    Args:
        out: ``None`` for new arrays; a path or an array for a model of one output; a
            list of these in order, or a mapping of them by output name.
        names: of the outputs.

    Raises:
        InputError: it does not say where each output goes.
    """
    if isinstance(out, Mapping):
        if set(out) != set(names):
            raise InputError(f"out has {sorted(map(str, out))}, the outputs are {list(names)}")
        out = [out[name] for name in names]
    elif out is None or not isinstance(out, (list, tuple)):
        if out is not None and len(names) != 1:
            raise InputError(
                f"the model has {len(names)} outputs ({', '.join(names)}); out takes a path or an "
                "array for each, by name"
            )
        out = [out] * len(names)
    if len(out) != len(names):
        raise InputError(f"out has {len(out)} entries, the model {len(names)} outputs")
    return [_sink(one, name) for one, name in zip(out, names, strict=True)]


def _sink(out: Any, name: str) -> Gathered | Filled | Written:
    if out is None:
        return Gathered()
    if isinstance(out, np.ndarray):
        return Filled(name, out)
    if isinstance(out, (str, os.PathLike)):
        return Written(name, out)
    raise InputError(f"out of {name!r} is a {type(out).__name__}; a path or an array is expected")


def opened(sink: Sink) -> AbstractContextManager[None]:
    """The time during which a sink takes batches."""
    return sink.open() if isinstance(sink, Written) else nullcontext()
