"""Functions of matrices by LAPACK, where NumPy has them, and by their definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.errors import InputError
from layergraph.ir.ops.linalg import (
    Cholesky,
    CholeskyInverse,
    Determinant,
    Eigen,
    Inverse,
    LeastSquares,
    LuFactor,
    MatrixRank,
    Norm,
    PseudoInverse,
    Qr,
    SignLogDeterminant,
    Solve,
    Svd,
)
from layergraph.ir.types import Array, type_of

kernels = Kernels()


def _adjoint(x: Array) -> Array:
    return x.conj().swapaxes(-1, -2)


@kernels.computes(Cholesky)
def cholesky(op: Cholesky, x: Array) -> Array:
    """LAPACK's."""
    try:
        factor = np.linalg.cholesky(x)
    except np.linalg.LinAlgError as error:
        raise InputError("a Cholesky factor needs positive definite matrices") from error
    return np.ascontiguousarray(_adjoint(factor)) if op.upper else factor


@kernels.computes(CholeskyInverse)
def cholesky_inverse(op: CholeskyInverse, x: Array) -> Array:
    """The inverted factor times itself."""
    unit = np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)
    inverse = _substituted(x, unit, lower=not op.upper)
    other = inverse.swapaxes(-1, -2)
    return np.asarray(inverse @ other if op.upper else other @ inverse)


def _substituted(a: Array, b: Array, *, lower: bool) -> Array:
    """Solve by substitution, row after row, all matrices at once."""
    count = a.shape[-1]
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x = np.empty((*batch, *b.shape[-2:]), b.dtype)
    for row in range(count) if lower else reversed(range(count)):
        known = slice(0, row) if lower else slice(row + 1, count)
        rest = b[..., row, :] - np.matmul(a[..., row, None, known], x[..., known, :])[..., 0, :]
        x[..., row, :] = rest / a[..., row, row, None]
    return x


@kernels.computes(Inverse)
def inverse(op: Inverse, x: Array) -> Array:
    """LAPACK's."""
    return _regular(np.linalg.inv, x)


def _regular(function: Callable[..., Array], *arrays: Array) -> Array:
    try:
        return np.asarray(function(*arrays))
    except np.linalg.LinAlgError as error:
        raise InputError("a matrix is singular and cannot be inverted") from error


@kernels.computes(Determinant)
def determinant(op: Determinant, x: Array) -> Array:
    """By LU factors, and by Cholesky's for the logarithm."""
    if not op.log:
        return np.asarray(np.linalg.det(x))
    diagonal = np.empty(x.shape[:-1], x.dtype)
    for at in np.ndindex(*x.shape[:-2]):
        try:
            diagonal[at] = np.linalg.cholesky(x[at]).diagonal()
        except np.linalg.LinAlgError:
            diagonal[at] = np.nan
    return np.asarray(2 * np.log(diagonal.real).sum(axis=-1)).astype(x.real.dtype)


@kernels.computes(SignLogDeterminant)
def sign_log_determinant(op: SignLogDeterminant, x: Array) -> tuple[Array, Array]:
    """NumPy's own."""
    sign, logarithm = np.linalg.slogdet(x)
    return np.asarray(sign), np.asarray(logarithm, x.dtype)


@kernels.computes(Eigen)
def eigen(op: Eigen, x: Array) -> tuple[Array, Array]:
    """LAPACK's."""
    if op.hermitian:
        values, vectors = np.linalg.eigh(x)
        return np.asarray(values, x.dtype), np.asarray(vectors)
    # NumPy gives real arrays where all eigenvalues happen to be real.
    dtype = op.infer(type_of(x))[0].dtype
    values, vectors = np.linalg.eig(x)
    return values.astype(dtype), vectors.astype(dtype)


@kernels.computes(LuFactor)
def lu_factor(op: LuFactor, x: Array) -> tuple[Array, Array]:
    """Column after column, all matrices at once."""
    count = x.shape[-1]
    lu = x.reshape(-1, count, count).copy()
    order = np.broadcast_to(np.arange(count), lu.shape[:2]).copy()
    each = np.arange(len(lu))
    for k in range(count):
        pivot = k + np.abs(lu[:, k:, k]).argmax(axis=1)
        for array in (lu, order):
            array[each, k], array[each, pivot] = array[each, pivot], array[each, k].copy()
        with np.errstate(all="ignore"):
            lu[:, k + 1 :, k] /= lu[:, k, k, None]
        lu[:, k + 1 :, k + 1 :] -= lu[:, k + 1 :, k, None] * lu[:, k, None, k + 1 :]
    place = np.argsort(order, axis=1).astype("int32")
    return lu.reshape(x.shape), place.reshape(x.shape[:-1])


@kernels.computes(Qr)
def qr(op: Qr, x: Array) -> tuple[Array, Array]:
    """LAPACK's, by Householder reflections."""
    q, r = np.linalg.qr(x, mode=op.mode)
    return np.asarray(q), np.asarray(r)


@kernels.computes(Svd)
def svd(op: Svd, x: Array) -> Any:
    """LAPACK's."""
    if not op.compute_uv:
        return np.asarray(np.linalg.svd(x, compute_uv=False))
    return tuple(np.linalg.svd(x, full_matrices=op.full_matrices))


@kernels.computes(Solve)
def solve(op: Solve, a: Array, b: Array) -> Array:
    """LAPACK's, or substitution in a triangle."""
    columns = b[..., None] if b.ndim == a.ndim - 1 else b
    if op.triangle:
        if not np.diagonal(a, axis1=-2, axis2=-1).all():
            raise InputError("a triangular matrix with a zero on its diagonal cannot be inverted")
        x = _substituted(a, columns, lower=op.triangle == "lower")
    else:
        x = _regular(np.linalg.solve, a, columns)
    return x[..., 0] if b.ndim == a.ndim - 1 else x


@kernels.computes(LeastSquares)
def least_squares(op: LeastSquares, a: Array, b: Array) -> Array:
    """By singular values."""
    precision = float(np.finfo(a.dtype).eps)
    rcond = precision * max(a.shape) if op.rcond is None else op.rcond
    rcond = precision if rcond < 0 else rcond
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    kept = s >= a.dtype.type(rcond) * s[:1]
    scale = np.where(kept, 1 / np.where(kept, s, s.dtype.type(1)), s.dtype.type(0))
    columns = b[:, None] if b.ndim == 1 else b
    x = _adjoint(vh) @ (scale[:, None] * (_adjoint(u) @ columns))
    return np.asarray(x[:, 0] if b.ndim == 1 else x)


@kernels.computes(PseudoInverse)
def pseudo_inverse(op: PseudoInverse, x: Array) -> Array:
    """By singular values."""
    rcond = 10 * max(x.shape[-2:]) * np.finfo(x.dtype).eps if op.rcond is None else op.rcond
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    kept = s > s.dtype.type(rcond) * s.max(axis=-1, keepdims=True, initial=0)
    scale = np.where(kept, 1 / np.where(kept, s, s.dtype.type(1)), s.dtype.type(0))
    return np.asarray((_adjoint(vh) * scale[..., None, :]) @ _adjoint(u))


@kernels.computes(MatrixRank)
def matrix_rank(op: MatrixRank, x: Array) -> Array:
    """Singular values counted."""
    s = np.linalg.svd(x, compute_uv=False)
    tol: Any = op.tol
    if tol is None:
        precision = np.finfo(x.dtype).eps * max(x.shape[-2:])
        tol = s.dtype.type(precision) * s.max(axis=-1, keepdims=True, initial=0)
    return np.asarray((s > tol).sum(axis=-1, dtype="int32"))


@kernels.computes(Norm)
def norm(op: Norm, x: Array) -> Array:
    """Of vectors by powers, of matrices by sums of rows and columns or singular values."""
    wanted = op.infer(type_of(x))
    x = x if x.dtype.kind == "c" else x.astype(wanted.dtype, copy=False)
    if op.ord in (None, "fro"):
        y = np.sqrt((x * x.conj()).sum(axis=op.axis, keepdims=op.keepdims))
    elif len(op.axis) == 1:
        y = _vector_norm(x, op.ord, op.axis[0], op.keepdims)
    elif op.by_singular_values:
        y = _spectral_norm(op, x)
    else:
        y = _largest_sum(op, x)
    return np.asarray(y, wanted.dtype)


def _vector_norm(x: Array, order: Any, axis: int, keepdims: bool) -> Array:
    if order == 2:
        return np.asarray(np.sqrt((x * x.conj()).sum(axis=axis, keepdims=keepdims)))
    if order in (np.inf, -np.inf):
        return _extreme(np.abs(x), order, axis, keepdims)
    if order == 0:
        return np.asarray((x != 0).astype(x.dtype).sum(axis=axis, keepdims=keepdims))
    power = x.dtype.type(order)
    with np.errstate(divide="ignore"):
        total = np.power(np.abs(x), power).sum(axis=axis, keepdims=keepdims)
        return np.asarray(np.power(total, 1 / power))


def _extreme(x: Array, order: Any, axis: int, keepdims: bool) -> Array:
    """The largest element for a positive order, the smallest for a negative one."""
    return np.asarray((x.max if order > 0 else x.min)(axis=axis, keepdims=keepdims))


def _largest_sum(op: Norm, x: Array) -> Array:
    """Orders 1 and -1 add up columns, infinite ones rows."""
    rows, columns = (a % x.ndim for a in op.axis)
    summed, searched = (rows, columns) if op.ord in (1, -1) else (columns, rows)
    sums = np.abs(x).sum(axis=summed, keepdims=True)
    y = _extreme(sums, op.ord, searched, True)
    return y if op.keepdims else y.squeeze((rows, columns))


def _spectral_norm(op: Norm, x: Array) -> Array:
    s = np.linalg.svd(np.moveaxis(x, op.axis, (-2, -1)), compute_uv=False)
    y = s.sum(axis=-1) if op.ord == "nuc" else _extreme(s, op.ord, -1, False)
    return np.asarray(y).reshape(op.restored(x.shape)) if op.keepdims else y  # type: ignore[arg-type]
