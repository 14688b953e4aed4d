"""Memory of a run: shape-specialised kernels, their work buffers, and an arena of outputs."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from layergraph.ir.types import Array

T = TypeVar("T")


class Specialised:
    """A kernel made once an input shape, then found by it.

    Args:
        make: called with the shapes of the input arrays (``None`` for an
            absent one); returns the function to call with the arrays. Two
            threads may both make one for a new shape; either serves.
        keep: how many shapes to remember; the oldest is forgotten first, so
            that ever-changing shapes do not grow memory without end.
    """

    def __init__(self, make: Callable[..., Callable[..., Any]], keep: int = 16) -> None:
        self._make = make
        self._keep = keep
        self._known: dict[tuple[Any, ...], Callable[..., Any]] = {}
        self._last: Any = None

    def __call__(self, *arrays: Array | None) -> Any:
        key = tuple([None if a is None else a.shape for a in arrays])
        kernel = self._known.get(key)
        if kernel is None:
            kernel = self._make(*key)
            while len(self._known) >= self._keep:
                self._known.pop(next(iter(self._known), key), None)
            self._known[key] = kernel
        self._last = kernel
        return kernel(*arrays)

    @property
    def variant(self) -> str:
        """Name of the way of computing chosen for the latest shape, where there are several."""
        return str(getattr(self._last, "variant", ""))


class Pool:
    """Work buffers of one kind, each lent to one call at a time.

    ``list.append`` and ``list.pop`` are atomic, so threads never share one.

    Args:
        make: makes a new set of buffers.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make: Callable[[], Any] = make
        self._free: list[Any] = []

    def take(self) -> Any:
        """A set of buffers nobody else holds; contents are undefined."""
        try:
            return self._free.pop()
        except IndexError:
            return self._make()

    def give(self, buffers: Any) -> None:
        """Return a set taken before."""
        self._free.append(buffers)


def buffer(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Pool:
    """A pool of single uninitialised arrays."""
    return Pool(lambda: np.empty(shape, dtype))


LINE = 64
"""Bytes of a cache line, at which large arrays begin."""


class _Temporaries(threading.local):
    """Memory that a thread's functions compute in, of the largest size asked for lately."""

    room = np.empty(0, np.uint8)


_temporaries = _Temporaries()

LARGE_BYTES = 4 << 20
"""Of temporaries, above which they are not kept."""


def temporaries(like: Array, count: int) -> list[Array]:
    """Uninitialised arrays of an array's shape and dtype, C order, for use within one function.

    They are a thread's own, and the next function's too. Arrays of a few hundred KiB
    go back to the system at once when freed, and fetching them anew, in two threads
    above all, takes longer than computing with them.
    """
    size = -(-like.nbytes // LINE) * LINE
    if size * count > LARGE_BYTES:
        return [np.empty(like.shape, like.dtype) for _ in range(count)]
    if len(_temporaries.room) < size * count + LINE:
        _temporaries.room = np.empty(size * count + LINE, np.uint8)
    room = _temporaries.room
    first = -room.ctypes.data % LINE
    return [
        room[first + i * size : first + i * size + like.nbytes].view(like.dtype).reshape(like.shape)
        for i in range(count)
    ]


SMALL_BYTES = 1 << 17
"""Outputs below this size come from the C library, which keeps small blocks at hand."""


class Arena:
    """Memory for the outputs of one run, used again as soon as no array needs it.

    A fresh large block costs a page fault every 4 KiB, often more than computing
    what goes there. A block is free when the last array and view of it is gone,
    so that reuse needs no knowledge of which operators return views, and what a
    caller keeps is never overwritten.
    """

    def __init__(self) -> None:
        self._free: dict[int, list[Any]] = {}
        self._idle: dict[int, list[Any]] = {}

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """An uninitialised array, C order."""
        size = _size_class(prod(shape) * np.dtype(dtype).itemsize)
        raw = _popped(self._free, size)
        if raw is None:
            raw = _popped(self._idle, size)
        if raw is None:
            fresh: Any = np.empty(size + LINE, np.uint8)
            raw = (ctypes.c_char * size).from_buffer(fresh, -fresh.ctypes.data % LINE)
        # A view's base is the last of a chain of arrays of one type. The block is of
        # another type than both what it lies on and what lies on it, so it stays.
        block = _Block((len(raw),), np.uint8, raw)
        block.arena = self
        return np.ndarray(shape, dtype, block)

    def end_run(self) -> None:
        """Let go of blocks that the run had no use for."""
        self._idle, self._free = self._free, {}

    def take_back(self, raw: Any) -> None:
        """Memory that no array needs any more."""
        self._free.setdefault(len(raw), []).append(raw)


class _Block(np.ndarray):
    """What arrays of an arena are views of; gives its memory back when they are gone."""

    arena: Arena | None = None

    def __del__(self) -> None:
        if self.arena is not None:
            self.arena.take_back(self.base)


def _size_class(size: int) -> int:
    """Rounded up to an eighth of a power of two, so that near sizes share blocks."""
    step = 1 << max(size.bit_length() - 4, 12)
    return -(-size // step) * step


def _popped(blocks: dict[int, list[Any]], size: int) -> Any:
    """A block of at least this size and at most twice as large, the smallest first."""
    for found in sorted(blocks):
        if size <= found <= 2 * size:
            try:
                return blocks[found].pop()
            except IndexError:
                continue
    return None


class _Current(threading.local):
    """What the run of this thread computes with."""

    arena: Arena | None = None
    threads: int = 1
    single: bool = False
    """Whether the inputs have one row."""


current = _Current()


@contextmanager
def computing(arena: Arena) -> Iterator[None]:
    """Take outputs from an arena meanwhile."""
    before, current.arena = current.arena, arena
    try:
        yield
    finally:
        current.arena = before


def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """An uninitialised output; from the run's arena where a fresh one would cost much."""
    arena = current.arena
    if arena is None or prod(shape) * np.dtype(dtype).itemsize < SMALL_BYTES:
        return np.empty(shape, dtype)
    return arena.empty(shape, dtype)
