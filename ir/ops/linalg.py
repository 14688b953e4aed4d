"""Decompositions and other functions of matrices, which are the last two axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import (
    COMPLEX,
    FLOATS,
    Shape,
    TensorType,
    broadcast_shapes,
    promote,
    real_of,
)

REAL = {"complex64": "float32", "complex128": "float64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cholesky(Op):
    """The triangular factor L of ``L @ L^H``, from a positive definite matrix.

    Source: keras/src/ops/linalg.py ``Cholesky``, Keras 3.15.

    Attributes:
        upper: give ``L^H`` instead.
    """

    upper: bool = False

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        return _square(x)


@dataclass(frozen=True, slots=True, kw_only=True)
class CholeskyInverse(Op):
    """The inverse of the matrix whose Cholesky factor is given.

    Source: keras/src/backend/tensorflow/linalg.py ``cholesky_inverse``, Keras 3.15.

    Attributes:
        upper: which triangle the factor is; the other is not read.
    """

    upper: bool = False

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        return _square(x)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverse(Op):
    """The inverse matrix.

    Source: keras/src/ops/linalg.py ``Inv``, Keras 3.15.
    """

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        return _square(x)


@dataclass(frozen=True, slots=True, kw_only=True)
class Determinant(Op):
    """The determinant, or its logarithm.

    Source: keras/src/ops/linalg.py ``Det`` and math.py ``Logdet``, Keras 3.15.

    Attributes:
        log: give the logarithm, by way of the Cholesky factor: NaN for a matrix
            that is not positive definite.
    """

    log: bool = False

    def infer(self, x: TensorType) -> TensorType:
        """The shape without the last two axes; logarithms are real."""
        found = _square(x).with_shape(x.shape[:-2])
        return found.with_dtype(real_of(x.dtype)) if self.log else found


@dataclass(frozen=True, slots=True, kw_only=True)
class SignLogDeterminant(Op):
    """Sign of the determinant and logarithm of its absolute value.

    Outputs: sign; logarithm.
    Source: keras/src/ops/numpy.py ``Slogdet``, Keras 3.15.
    """

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        """The shape without the last two axes, twice."""
        found = _square(x).with_shape(x.shape[:-2])
        return found, found


@dataclass(frozen=True, slots=True, kw_only=True)
class Eigen(Op):
    """Eigenvalues, and eigenvectors as columns.

    The length of a vector is 1, its sign or phase is arbitrary.
    Outputs: eigenvalues; eigenvectors.
    Source: keras/src/ops/linalg.py ``Eig`` and ``Eigh``, Keras 3.15.

    Attributes:
        hermitian: the matrix equals its conjugate transpose, of which only the
            lower triangle is read: real eigenvalues, ascending. Else both
            outputs are complex and the order is arbitrary.
    """

    hermitian: bool

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        """``(..., n)`` and ``(..., n, n)``."""
        dtype = _square(x).dtype
        if not self.hermitian:
            dtype = {"float32": "complex64", "float64": "complex128"}.get(dtype, dtype)
        return TensorType(x.shape[:-1], dtype), TensorType(x.shape, dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class LuFactor(Op):
    """Both triangles of ``x[rows] = L @ U`` in one matrix, by partial pivoting.

    L has a diagonal of ones, which is not stored.
    Outputs: triangles; for each row of ``x`` its place in ``L @ U``, int32.
    Source: keras/src/backend/tensorflow/linalg.py ``lu_factor``, Keras 3.15.
    """

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        """``(..., n, n)`` and ``(..., n)``."""
        return _square(x), TensorType(x.shape[:-1], "int32")


@dataclass(frozen=True, slots=True, kw_only=True)
class Qr(Op):
    """Orthonormal columns times an upper triangle.

    Columns, and rows of the triangle, may come with either sign.
    Outputs: columns; triangle.
    Source: keras/src/ops/linalg.py ``Qr``, Keras 3.15.

    Attributes:
        mode: ``complete`` gives as many columns as there are rows.
    """

    mode: Literal["reduced", "complete"] = "reduced"

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        """``(..., m, k)`` and ``(..., k, n)``."""
        *batch, rows, columns = _matrix(x).shape
        inner = rows if self.mode == "complete" else _least(rows, columns)
        return x.with_shape((*batch, rows, inner)), x.with_shape((*batch, inner, columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Svd(Op):
    """Singular values, descending, and the vectors on either side.

    Pairs of vectors may come with either sign.
    Outputs: left vectors as columns; values; right vectors as conjugate rows.
    Only the values without ``compute_uv``.
    Source: keras/src/backend/tensorflow/linalg.py ``svd``, Keras 3.15.

    Attributes:
        full_matrices: complete the vectors to a basis.
        compute_uv: give the vectors at all.
    """

    full_matrices: bool = True
    compute_uv: bool = True

    def infer(self, x: TensorType) -> TensorType | tuple[TensorType, ...]:
        """``(..., m, k)``, ``(..., k)``, ``(..., k, n)``."""
        *batch, rows, columns = _matrix(x).shape
        least = _least(rows, columns)
        values = TensorType((*batch, least), REAL.get(x.dtype, x.dtype))
        if not self.compute_uv:
            return values
        left = rows if self.full_matrices else least
        right = columns if self.full_matrices else least
        return x.with_shape((*batch, rows, left)), values, x.with_shape((*batch, right, columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Solve(Op):
    """The x of ``a @ x = b``.

    Inputs: a ``(..., n, n)``; b ``(..., n, k)``, or ``(..., n)`` with an axis
    less than a.
    Source: keras/src/backend/tensorflow/linalg.py ``solve`` and
    ``solve_triangular``, Keras 3.15.

    Attributes:
        triangle: read that triangle of a only and take the other to be zero.
    """

    triangle: Literal["", "lower", "upper"] = ""

    def infer(self, a: TensorType, b: TensorType) -> TensorType:
        """The shape of ``b``, broadcast over the leading axes."""
        _square(a)
        inner = b.shape[-1:] if b.rank == a.rank - 1 else b.shape[-2:]
        batch = broadcast_shapes(a.shape[:-2], b.shape[: b.rank - len(inner)])
        return TensorType((*batch, *inner), promote(a.dtype, b.dtype))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastSquares(Op):
    """The shortest x that brings ``a @ x`` nearest to ``b``.

    Inputs: a ``(m, n)``; b ``(m,)`` or ``(m, k)``.
    Source: keras/src/backend/tensorflow/linalg.py ``lstsq``, Keras 3.15.

    Attributes:
        rcond: singular values below that part of the largest count as zero;
            ``None`` for machine precision times the larger side.
    """

    rcond: float | None = None

    def infer(self, a: TensorType, b: TensorType) -> TensorType:
        """``(n,)`` or ``(n, k)``."""
        if _matrix(a).rank != 2 or b.rank not in (1, 2):
            raise ValueError(f"one matrix and one or two axes are expected, not {a} and {b}")
        return a.with_shape((a.shape[1], *b.shape[1:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudoInverse(Op):
    """The Moore-Penrose inverse.

    Source: keras/src/backend/tensorflow/linalg.py ``pinv``, Keras 3.15.

    Attributes:
        rcond: singular values up to that part of the largest count as zero;
            ``None`` for ten times machine precision times the larger side.
    """

    rcond: float | None = None

    def infer(self, x: TensorType) -> TensorType:
        """``(..., n, m)``."""
        return _matrix(x).with_shape((*x.shape[:-2], x.shape[-1], x.shape[-2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRank(Op):
    """How many singular values are not zero, int32.

    Source: keras/src/backend/tensorflow/linalg.py ``matrix_rank``, Keras 3.15.

    Attributes:
        tol: values up to it count as zero; ``None`` for machine precision times
            the larger side times the largest.
    """

    tol: float | None = None

    def infer(self, x: TensorType) -> TensorType:
        """The shape without the last two axes."""
        return TensorType(_matrix(x).shape[:-2], "int32")


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm(Op):
    """A norm of the vectors along one axis or of the matrices along two.

    Source: keras/src/backend/tensorflow/linalg.py ``norm``, Keras 3.15.

    Attributes:
        axis: one axis or two, negative from the end; more are read as one
            vector when ``ord`` is ``None``.
        ord: which norm, as ``numpy.linalg.norm`` has it.
        keepdims: keep the axes with size 1.
    """

    axis: tuple[int, ...]
    ord: float | Literal["fro", "nuc"] | None = None
    keepdims: bool = False

    def infer(self, x: TensorType) -> TensorType:
        """The axes gone, or 1."""
        if len(self.axis) > 2 and self.ord is not None:
            raise ValueError(f"a norm of {len(self.axis)} axes")
        if self.keepdims and self.by_singular_values:
            return TensorType(self.restored(x.shape), self._dtype(x))
        axes = {a % x.rank for a in self.axis}
        kept = [1 if i in axes else d for i, d in enumerate(x.shape)]
        if not self.keepdims:
            kept = [d for i, d in enumerate(x.shape) if i not in axes]
        return TensorType(tuple(kept), self._dtype(x))

    @property
    def by_singular_values(self) -> bool:
        """Whether the singular values of the matrices are wanted."""
        return len(self.axis) == 2 and self.ord in ("nuc", 2, -2)

    def restored(self, shape: Shape) -> Shape:
        """The shape with both axes put back, as Keras puts them.

        It inserts the one, then the other where each is named, so that two
        axes counted from the end come to lie elsewhere.
        """
        gone = {a % len(shape) for a in self.axis}
        kept = [d for i, d in enumerate(shape) if i not in gone]
        for axis in self.axis:
            kept.insert(axis % (len(kept) + 1), 1)
        return tuple(kept)

    def _dtype(self, x: TensorType) -> str:
        if x.dtype in COMPLEX:
            complex_ = self.ord in (None, "fro", 0) or (len(self.axis) == 1 and self.ord == 2)
            return x.dtype if complex_ else REAL[x.dtype]
        return "float32" if x.dtype == "int64" else promote(x.dtype, "float")


def _matrix(x: TensorType) -> TensorType:
    if x.rank < 2 or x.dtype not in (*FLOATS, *COMPLEX):
        raise ValueError(f"matrices of floating numbers are expected, not {x}")
    return x


def _square(x: TensorType) -> TensorType:
    rows, columns = _matrix(x).shape[-2:]
    if None not in (rows, columns) and rows != columns:
        raise ValueError(f"square matrices are expected, not {rows} by {columns}")
    return x


def _least(rows: int | None, columns: int | None) -> int | None:
    return None if rows is None or columns is None else min(rows, columns)
