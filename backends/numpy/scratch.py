"""Shape-specialised kernels and the work buffers they reuse between calls."""

from __future__ import annotations

from collections.abc import Callable
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

    def __call__(self, *arrays: Array | None) -> Any:
        key = tuple([None if a is None else a.shape for a in arrays])
        kernel = self._known.get(key)
        if kernel is None:
            kernel = self._make(*key)
            while len(self._known) >= self._keep:
                self._known.pop(next(iter(self._known), key), None)
            self._known[key] = kernel
        return kernel(*arrays)


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
