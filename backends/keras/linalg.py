"""Decompositions and other functions of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import (
    Item,
    Term,
    as_dtype,
    as_tensor,
    f,
    part,
    write,
)
from layergraph.backends.keras.writer import Operand, Writer
from layergraph.ir.op import Op
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
from layergraph.ir.types import TensorType

spellings = Spellings()

MATRIX_3: dict[type[Op], Callable[[Any], tuple[str, dict[str, Any]]]] = {
    Cholesky: lambda op: ("Cholesky", {"upper": op.upper}),
    CholeskyInverse: lambda op: ("CholeskyInverse", {"upper": op.upper}),
    Inverse: lambda op: ("Inv", {}),
    Determinant: lambda op: ("Logdet" if op.log else "Det", {}),
    SignLogDeterminant: lambda op: ("Slogdet", {}),
    Eigen: lambda op: ("Eigh" if op.hermitian else "Eig", {}),
    LuFactor: lambda op: ("LuFactor", {}),
    Qr: lambda op: ("Qr", {"mode": op.mode}),
    Svd: lambda op: ("SVD", {"full_matrices": op.full_matrices, "compute_uv": op.compute_uv}),
    PseudoInverse: lambda op: ("Pinv", {"rcond": op.rcond}),
    MatrixRank: lambda op: ("MatrixRank", {"tol": op.tol}),
}
"""Functions of one matrix: the operation of Keras 3 and its options."""


@spellings.spells(*MATRIX_3)
def matrix(w: Writer, op: Op, x: Tensor) -> Any:
    """A function of one matrix."""
    x = w.tensor(x)
    if w.keras3:
        if isinstance(op, LuFactor) and x.rank > 2:
            # keras/src/backend/tensorflow/linalg.py ``lu_factor``, Keras 3.15.
            raise RefusedError("LuFactor takes one matrix, not several, when TensorFlow runs it")
        name, config = MATRIX_3[type(op)](op)
        return w.op(name, x, **config)
    return MATRIX_2[type(op)](w, op, x)


def _adjoint(x: Any, rank: int, is_complex: bool) -> Term:
    order = [*range(rank - 2), rank - 1, rank - 2]
    return f("transpose", f("math.conj", x) if is_complex else x, perm=order)


def _cholesky(w: Writer, op: Cholesky, x: Tensor) -> Any:
    factor = f("linalg.cholesky", x)
    return write(w, _adjoint(factor, x.rank, x.type.is_complex) if op.upper else factor)


def _cholesky_inverse(w: Writer, op: CholeskyInverse, x: Tensor) -> Any:
    """Of the lower factor; TensorFlow's solver reads no other triangle."""
    lower = _adjoint(x, x.rank, x.type.is_complex) if op.upper else f("identity", x)
    lower = f("linalg.band_part", lower, num_lower=-1, num_upper=0)
    inner = f("linalg.inv", lower)
    return write(w, f("linalg.matmul", _adjoint(inner, x.rank, x.type.is_complex), b=inner))


def _determinant(w: Writer, op: Determinant, x: Tensor) -> Any:
    if not op.log:
        return w.tf("linalg.det", x)
    factor = f("linalg.cholesky", x)
    pivots = f("linalg.diag_part", factor)
    if x.type.is_complex:
        pivots = f("math.real", pivots)
    total = f("math.reduce_sum", f("math.log", pivots), axis=[-1])
    return write(w, f("math.multiply", total, 2.0))


def _sign_and_logarithm(w: Writer, op: SignLogDeterminant, x: Tensor) -> Any:
    if x.type.is_complex:
        raise RefusedError("Keras 2 cannot save TensorFlow's slogdet of complex matrices")
    found = part(w, f("linalg.det", x), "det", w.node.types[0])
    sign = w.tf("math.sign", found, part="sign", types=w.node.types[0])
    # The product of the pivots is the determinant but for its sign, and does not overflow.
    triangle = f("linalg.qr", x, count=2)
    pivots = f("math.log", f("math.abs", f("linalg.diag_part", Item(triangle, 1))))
    return sign, write(w, f("math.reduce_sum", pivots, axis=[-1]), w.node.types[1])


def _eigen(w: Writer, op: Eigen, x: Tensor) -> Any:
    return w.tf("linalg.eigh" if op.hermitian else "linalg.eig", x)


def _lu(w: Writer, op: LuFactor, x: Tensor) -> Any:
    triangles, rows = w.tf("linalg.lu", x, part="lu")
    return triangles, w.tf("argsort", rows, axis=-1, types=w.node.types[1])


def _qr(w: Writer, op: Qr, x: Tensor) -> Any:
    return w.tf("linalg.qr", x, full_matrices=op.mode == "complete")


def _svd(w: Writer, op: Svd, x: Tensor) -> Any:
    if not op.compute_uv:
        return w.tf("linalg.svd", x, compute_uv=False)
    left, values, right = w.node.types
    turned = right.with_shape((*right.shape[:-2], right.shape[-1], right.shape[-2]))
    found = w.tf("linalg.svd", x, full_matrices=op.full_matrices, part="svd",
                 types=[values, left, turned])  # fmt: skip
    back = _adjoint(found[2], x.rank, x.type.is_complex)
    return found[1], found[0], write(w, back, right)


def _pinv(w: Writer, op: PseudoInverse, x: Tensor) -> Any:
    return w.tf("linalg.pinv", x, rcond=op.rcond)


def _rank(w: Writer, op: MatrixRank, x: Tensor) -> Any:
    return w.tf("linalg.matrix_rank", x, tol=op.tol)


MATRIX_2: dict[type[Op], Any] = {
    Cholesky: _cholesky,
    CholeskyInverse: _cholesky_inverse,
    Inverse: lambda w, op, x: w.tf("linalg.inv", x),
    Determinant: _determinant,
    SignLogDeterminant: _sign_and_logarithm,
    Eigen: _eigen,
    LuFactor: _lu,
    Qr: _qr,
    Svd: _svd,
    PseudoInverse: _pinv,
    MatrixRank: _rank,
}
"""The same in TensorFlow."""


@spellings.spells(Solve)
def solve(w: Writer, op: Solve, a: Operand, b: Operand) -> Any:
    """An operation; vectors are columns to TensorFlow, whose batches are equal."""
    if w.keras3:
        if op.triangle:
            return w.op("SolveTriangular", a, b, lower=op.triangle == "lower")
        return w.op("Solve", a, b)
    source = next(v for v in (a, b) if isinstance(v, Tensor))
    dtype = w.node.types[0].dtype
    left, right = (w.tensor(as_dtype(w, as_tensor(w, v, source), dtype)) for v in (a, b))
    column = right.rank == left.rank - 1
    given: Any = f("expand_dims", right, axis=-1) if column else right
    if left.shape[:-2] != right.shape[: left.rank - 2]:
        raise RefusedError("it broadcasts its matrices, which TensorFlow's solver does not")
    if op.triangle:
        found = f("linalg.triangular_solve", left, rhs=given, lower=op.triangle == "lower")
    else:
        found = f("linalg.solve", left, rhs=given)
    return write(w, f("squeeze", found, axis=[-1]) if column else found)


@spellings.spells(LeastSquares)
def least_squares(w: Writer, op: LeastSquares, a: Operand, b: Operand) -> Any:
    """An operation; in Keras 2 a product with the pseudo-inverse."""
    if w.keras3:
        return w.op("Lstsq", a, b, rcond=op.rcond)
    source = next(v for v in (a, b) if isinstance(v, Tensor))
    left, right = as_tensor(w, a, source), as_tensor(w, b, source)
    rcond = op.rcond
    if rcond is None:
        if None in left.shape:
            raise RefusedError("the size of its matrix is not known before the model runs")
        rcond = float(np.finfo(left.dtype).eps) * max(n or 0 for n in left.shape)
    inverse = f("linalg.pinv", left, rcond=rcond)
    column = right.rank == 1
    given: Any = f("expand_dims", right, axis=-1) if column else right
    found = f("linalg.matmul", inverse, b=given)
    return write(w, f("squeeze", found, axis=[-1]) if column else found)


@spellings.spells(Norm)
def norm(w: Writer, op: Norm, x: Tensor) -> Any:
    """An operation; of TensorFlow's, those it has, else by definition."""
    x = w.tensor(x)
    axes = list(op.axis)
    if w.keras3:
        if len(axes) > 2:
            return write(w, _length(w, x, axes, op.keepdims))
        axis = axes[0] if len(axes) == 1 else axes
        return w.op("Norm", x, ord=op.ord, axis=axis, keepdims=op.keepdims)
    dtype = w.node.types[0].dtype
    if x.type.is_complex:
        raise RefusedError("Keras 2 has no norm of complex numbers of that dtype")
    given = w.tensor(as_dtype(w, x, dtype))
    order: Any = op.ord
    if order is not None:
        w.spelled_out()
    if order is None or order == "fro" or (len(axes) == 1 and order == 2):
        return write(w, _length(w, given, axes, op.keepdims))
    if len(axes) == 1:
        return write(w, _vector_norm(given, order, axes[0], op.keepdims))
    if order in (1, -1, np.inf, -np.inf):
        return write(w, _matrix_norm(given, order, [a % x.rank for a in axes], op.keepdims))
    found = _by_values(given, order, [a % x.rank for a in axes], dtype)
    if op.keepdims:
        shape = [-1 if d is None else d for d in op.restored(x.shape)]
        found = f("reshape", found, shape=shape)
    return write(w, found)


def _length(w: Writer, x: Tensor, axes: list[int], keepdims: bool) -> Term:
    if w.keras3:
        total = f("Sum", f("Square", f("Absolute", x)), axis=axes, keepdims=keepdims)
        return f("Sqrt", total)
    return f("math.reduce_euclidean_norm", x, axis=axes, keepdims=keepdims)


def _vector_norm(x: Tensor, order: float, axis: int, keepdims: bool) -> Term:
    size = f("math.abs", x)
    config: dict[str, Any] = {"axis": [axis], "keepdims": keepdims}
    if order in (np.inf, -np.inf):
        return f(f"math.reduce_{'max' if order > 0 else 'min'}", size, **config)
    if order == 0:
        hits = f("cast", f("math.not_equal", x, 0.0), dtype=x.dtype)
        return f("math.reduce_sum", hits, **config)
    powers = f("math.reduce_sum", f("math.pow", size, float(order)), **config)
    return f("math.pow", powers, 1.0 / order)


def _matrix_norm(x: Tensor, order: float, axes: list[int], keepdims: bool) -> Term:
    """The largest or smallest sum of a column or a row."""
    summed, compared = (axes[0], axes[1]) if abs(order) == 1 else (axes[1], axes[0])
    sums = f("math.reduce_sum", f("math.abs", x), axis=[summed], keepdims=True)
    found = f(f"math.reduce_{'max' if order > 0 else 'min'}", sums, axis=[compared], keepdims=True)
    return found if keepdims else f("squeeze", found, axis=axes)


def _by_values(x: Tensor, order: Any, axes: list[int], dtype: str) -> Term:
    rest = [i for i in range(x.rank) if i not in axes]
    turned = f("transpose", x, perm=rest + axes)
    values = f("linalg.svd", turned, compute_uv=False, types=TensorType((), dtype))
    name = {"nuc": "sum", 2: "max", -2: "min"}[order]
    return f(f"math.reduce_{name}", values, axis=[-1])
