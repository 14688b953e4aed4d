"""Value types of the graph: shapes with unknown dimensions, dtypes, tensor types."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from layergraph.ir.errors import Unsupported, UnsupportedError

Array: TypeAlias = npt.NDArray[Any]
"""An array of any dtype."""

Shape: TypeAlias = tuple[int | None, ...]
"""Dimensions in order, ``None`` where the size is only known at run time."""

HALVES = ("float16", "bfloat16")
"""Floats of two bytes: stored as such, computed with in float32."""

FLOATS = (*HALVES, "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
COMPLEX = ("complex64", "complex128")
NUMBERS = (*FLOATS, *INTEGERS, *COMPLEX, "bool")
STRING = "string"
"""Text. Held as TensorFlow holds it, as bytes: arrays of NumPy's dtype ``object`` whose
elements are ``bytes`` of any length, UTF-8 where Keras made them of text."""

DTYPES = (*NUMBERS, STRING)


@dataclass(frozen=True, slots=True)
class TensorType:
    """Type of one value: its shape and its dtype.

    Attributes:
        shape: dimensions, batch first; ``None`` for unknown.
        dtype: one of ``DTYPES``, in NumPy's spelling but for ``"string"``.
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

    @property
    def is_complex(self) -> bool:
        """Whether the dtype has a real and an imaginary part."""
        return self.dtype in COMPLEX

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


def real_of(dtype: str) -> str:
    """Dtype of the parts of a complex dtype; any other dtype itself."""
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The NumPy dtype that holds values of one of ``DTYPES``.

    Raises:
        UnsupportedError: bfloat16, and the package that brings it to NumPy is
            not installed.
    """
    if name == "bfloat16":
        try:
            import ml_dtypes  # type: ignore[import-not-found, unused-ignore]
        except ImportError:
            raise UnsupportedError(
                [
                    Unsupported(
                        "the model",
                        "bfloat16",
                        "it computes in bfloat16, which NumPy lacks",
                        "pip install 'layergraph[bfloat16]', or run it in another dtype: "
                        'load(path, dtype="float32"), --dtype float32',
                    )
                ]
            ) from None
        name = ml_dtypes.bfloat16
    found: np.dtype[Any] = np.dtype(object if name == STRING else name)
    return found


def is_float(array: Array) -> bool:
    """Whether an array holds floats, bfloat16 included, which NumPy calls no float."""
    return array.dtype.kind == "f" or array.dtype.name == "bfloat16"


def largest(dtype: str) -> float:
    """The largest number of a float dtype."""
    return (2 - 2.0**-7) * 2.0**127 if dtype == "bfloat16" else float(np.finfo(dtype).max)


def type_of(array: Array) -> TensorType:
    """The tensor type of an array."""
    return TensorType(array.shape, dtype_name(array.dtype))


def dtype_name(dtype: np.dtype[Any]) -> str:
    """Our name of a NumPy dtype: objects, and NumPy's own texts and bytes, are ``"string"``."""
    return STRING if dtype.kind in "OSU" else dtype.name


def little_endian(array: Array) -> memoryview:
    """The bytes of an array's elements, row by row, as files hold them."""
    # Not ascontiguousarray, which gives a scalar an axis.
    plain: Array = np.asarray(array, order="C")
    if sys.byteorder == "big":
        plain = plain.byteswap()
    return plain.reshape(-1).view(np.uint8).data


def strings(data: Any) -> Array:
    """Text or bytes, nested in any way, as an array of dtype ``object`` that holds bytes.

    Text is encoded as UTF-8, surrogates as the bytes they stand for.

    Raises:
        TypeError: an element is neither text nor bytes.
    """
    array = np.asarray(data)
    if array.dtype.kind in "SU":
        array = array.astype(object)
    if array.dtype != object:
        raise TypeError(f"{array.dtype} is not text")
    out = np.empty(array.size, object)
    out[:] = [_bytes(item) for item in array.ravel().tolist()]
    return out.reshape(array.shape)


def _bytes(item: Any) -> bytes:
    if isinstance(item, bytes):
        return item
    if isinstance(item, str):
        return item.encode("utf-8", "surrogateescape")
    raise TypeError(f"{type(item).__name__} is not text")


_WIDER = {
    "bool": ("int",),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": ("float",),
    "int": ("uint8", "int8", "complex64"),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": ("float",),
    "float": ("bfloat16", "float16"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex64": ("complex128",),
    "complex128": (),
}
"""The next wider dtypes of each; ``int`` and ``float`` are those of Python numbers."""

_NARROWED = {"int": "int32", "float": "float32", "uint64": "uint32", "complex128": "complex64"}
"""What Keras makes of a result on TensorFlow, as JAX has no 64 bits by default."""


def promote(*dtypes: str) -> str:
    """Common dtype of several operands, as Keras computes it.

    The narrowest dtype that all operands lead to: ``int32`` with ``float16``
    is ``float16``, where NumPy would give ``float64``. ``"int"`` and
    ``"float"`` stand for Python numbers, which widen an operand only when it
    is of a lower kind.
    Source: keras/src/backend/common/dtypes.py ``result_type``, Keras 3.15.

    Raises:
        ValueError: one of the dtypes takes part in no arithmetic.
    """
    return _promoted(frozenset(dtypes))


def joined(*dtypes: str) -> str:
    """Dtype of values put side by side: their own if it is one, else the common one.

    Source: keras/src/backend/tensorflow/numpy.py ``concatenate``, Keras 3.15.
    """
    return dtypes[0] if len(set(dtypes)) == 1 else promote(*dtypes)


@cache
def _promoted(dtypes: frozenset[str]) -> str:
    if unknown := sorted(dtypes - _WIDER.keys()):
        raise ValueError(f"dtype {unknown[0]!r} takes part in no arithmetic")
    common = frozenset.intersection(*(_reached(d) for d in dtypes))
    least = next(d for d in common if common <= _reached(d))
    return _NARROWED.get(least, least)


@cache
def _reached(dtype: str) -> frozenset[str]:
    return frozenset({dtype}).union(*(_reached(d) for d in _WIDER[dtype]))


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
