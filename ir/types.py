"""Value types of the graph: shapes with unknown dimensions, dtypes, tensor types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""An array of any dtype."""

Shape: TypeAlias = tuple[int | None, ...]
"""Dimensions in order, ``None`` where the size is only known at run time."""

FLOATS = ("float16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES = (*FLOATS, *INTEGERS, "bool")


@dataclass(frozen=True, slots=True)
class TensorType:
    """Type of one value: its shape and its dtype.

    Attributes:
        shape: dimensions, batch first; ``None`` for unknown.
        dtype: one of ``DTYPES``, in NumPy's spelling.
    """

    shape: Shape
    dtype: str = "float32"

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ValueError(f"unknown dtype {self.dtype!r}, expected one of {', '.join(DTYPES)}")

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def is_float(self) -> bool:
        """Whether the dtype is a floating-point one."""
        return self.dtype in FLOATS

    def with_shape(self, shape: Sequence[int | None]) -> TensorType:
        """The same dtype with another shape."""
        return TensorType(tuple(shape), self.dtype)

    def with_dtype(self, dtype: str) -> TensorType:
        """The same shape with another dtype."""
        return TensorType(self.shape, dtype)

    def accepts(self, shape: Sequence[int]) -> bool:
        """Whether an array of this shape is one of this type."""
        return len(shape) == len(self.shape) and all(
            want is None or want == got for want, got in zip(self.shape, shape, strict=True)
        )

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join('?' if d is None else str(d) for d in self.shape)}]"


def type_of(array: Array) -> TensorType:
    """The tensor type of an array."""
    return TensorType(array.shape, array.dtype.name)


def promote(*dtypes: str) -> str:
    """Common dtype of several operands, as Keras computes it.

    Floats win over integers without widening (``int32`` with ``float32`` is
    ``float32``, where NumPy would give ``float64``).
    Source: keras/src/backend/common/dtypes.py, Keras 3.15 (JAX-like lattice).
    """
    floats = [d for d in dtypes if d in FLOATS]
    chosen = floats or [d for d in dtypes if d != "bool"] or list(dtypes)
    return np.result_type(*chosen).name


def product(dims: Sequence[int | None]) -> int | None:
    """Product of dimensions, ``None`` when one of them is unknown."""
    total = 1
    for dim in dims:
        if dim is None:
            return None
        total *= dim
    return total


def broadcast_shapes(*shapes: Shape) -> Shape:
    """Broadcast shapes by NumPy's rule, unknown dimensions included.

    Raises:
        ValueError: two known dimensions differ and neither is 1.
    """
    rank = max(len(s) for s in shapes)
    padded = [(1,) * (rank - len(s)) + tuple(s) for s in shapes]
    out: list[int | None] = []
    for dims in zip(*padded, strict=True):
        known = {d for d in dims if d is not None and d != 1}
        if len(known) > 1:
            raise ValueError(f"shapes {', '.join(map(str, shapes))} do not broadcast")
        out.append(known.pop() if known else (None if None in dims else 1))
    return tuple(out)
