"""The OpenBLAS that NumPy is linked with: its threads, and products added to what is there.

``np.matmul`` overwrites its result. BLAS itself can add to it, which spares a pass
for each term of a sum of products. Other libraries than OpenBLAS are left alone.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from layergraph.backends.numpy.processor import numpy_extension
from layergraph.ir.types import Array

PREFIXES = ("scipy_", "")
"""Of the symbols, in wheels of NumPy and in libraries of a system."""

INTEGERS = {"64_": ctypes.c_int64, "": ctypes.c_int}
"""Type of sizes, by the ending of the symbols."""

GEMM: dict[str, tuple[str, Any]] = {
    "float32": ("cblas_sgemm", ctypes.c_float),
    "float64": ("cblas_dgemm", ctypes.c_double),
}

ROW_MAJOR, AS_IT_IS = 101, 111
"""``CblasRowMajor`` and ``CblasNoTrans`` of cblas.h."""


@cache
def _library() -> Any:
    """What NumPy's extension is linked with, or ``None``."""
    try:
        # Symbols are looked up in what the extension is linked with, too.
        return ctypes.CDLL(numpy_extension().__file__)
    except (AttributeError, OSError):
        return None


def _symbol(name: str) -> tuple[Any, Any]:
    """A function of OpenBLAS and its type of integers; ``None`` where there is none."""
    for prefix in PREFIXES:
        for suffix, integer in INTEGERS.items():
            found = getattr(_library(), f"{prefix}{name}{suffix}", None)
            if found is not None:
                return found, integer
    return None, None


@cache
def thread_count() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """Reader and setter of the number of threads."""
    (get, _), (put, _) = _symbol("openblas_get_num_threads"), _symbol("openblas_set_num_threads")
    if get is None or put is None:
        return None
    get.restype, get.argtypes = ctypes.c_int, []
    put.restype, put.argtypes = None, [ctypes.c_int]
    return get, put


@cache
def _gemm(dtype: str) -> Any:
    name, scalar = GEMM.get(dtype, ("", None))
    found, integer = _symbol(name) if name and thread_count() else (None, None)
    if found is None:
        return None
    pointer = ctypes.c_void_p
    found.restype = None
    found.argtypes = [
        *[ctypes.c_int] * 3, *[integer] * 3,
        scalar, pointer, integer, pointer, integer, scalar, pointer, integer,
    ]  # fmt: skip
    return found


def adds_products(dtype: np.dtype) -> bool:
    """Whether ``AddedProduct`` is to be had for a dtype here."""
    return _gemm(np.dtype(dtype).name) is not None


class AddedProduct:
    """``out += a @ b``, for arrays that stay where they are.

    Args:
        a, b, out: matrices of one dtype (see ``adds_products``), rows of each in one piece.
        add: false to overwrite ``out``.

    Raises:
        ValueError: the matrices do not fit each other, or lie as BLAS cannot read them.
    """

    def __init__(self, a: Array, b: Array, out: Array, add: bool = True) -> None:
        self._held = a, b, out
        self._call = _gemm(out.dtype.name)
        self._arguments = _arguments(a, b, out, add)

    def __call__(self) -> None:
        """Compute it from what the matrices hold now."""
        self._call(*self._arguments)


def add_product(a: Array, b: Array, out: Array) -> None:
    """``out += a @ b``, once; arguments and errors as of ``AddedProduct``."""
    _gemm(out.dtype.name)(*_arguments(a, b, out, True))


def _arguments(a: Array, b: Array, out: Array, add: bool) -> tuple[Any, ...]:
    (rows, inner), (depth, columns) = a.shape, b.shape
    if depth != inner or out.shape != (rows, columns):
        raise ValueError(f"{a.shape} @ {b.shape} is not {out.shape}")
    return (
        ROW_MAJOR, AS_IT_IS, AS_IT_IS, rows, columns, inner,
        1.0, _address(a), _leading(a, out), _address(b), _leading(b, out),
        1.0 if add else 0.0, _address(out), _leading(out, out),
    )  # fmt: skip


def _address(matrix: Array) -> int:
    # A third of the time that ``matrix.ctypes.data`` takes.
    address: int = matrix.__array_interface__["data"][0]
    return address


def _leading(matrix: Array, out: Array) -> int:
    """Elements from one row to the next."""
    across, along = matrix.strides
    step, between = divmod(across, matrix.itemsize)
    if len(matrix) <= 1:
        step, between = max(matrix.shape[1], 1), 0
    fits = (along == matrix.itemsize or matrix.shape[1] <= 1) and not between
    if not fits or step < max(matrix.shape[1], 1) or matrix.dtype != out.dtype:
        raise ValueError(f"BLAS cannot read {matrix.dtype} of strides {matrix.strides}")
    return step
