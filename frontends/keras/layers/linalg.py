"""Functions of matrices: operation nodes only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layergraph.frontends.keras.config import Config
from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.operands import operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.op import Op
from layergraph.ir.ops.elementwise import Math
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
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import ExpandDims

MATRIX: dict[str, Callable[[Config], Op]] = {
    "Cholesky": lambda config: Cholesky(upper=config.bool("upper", False)),
    "CholeskyInverse": lambda config: CholeskyInverse(upper=config.bool("upper", False)),
    "Det": lambda config: Determinant(),
    "Eig": lambda config: Eigen(hermitian=False),
    "Eigh": lambda config: Eigen(hermitian=True),
    "Inv": lambda config: Inverse(),
    "Logdet": lambda config: Determinant(log=True),
    "LuFactor": lambda config: LuFactor(),
    "MatrixRank": lambda config: MatrixRank(tol=config.optional_float("tol")),
    "Pinv": lambda config: PseudoInverse(rcond=config.optional_float("rcond")),
    "Qr": lambda config: Qr(mode=config.choice("mode", ("reduced", "complete"), "reduced")),
    "SVD": lambda config: Svd(
        full_matrices=config.bool("full_matrices", True),
        compute_uv=config.bool("compute_uv", True),
    ),
    "Slogdet": lambda config: SignLogDeterminant(),
}
"""Functions of one matrix, from their options."""


@reads(*(f"ops.{name}" for name in MATRIX), arguments=("x",))
def matrix(call: LayerCall) -> Tensor | list[Tensor]:
    """keras/src/ops/linalg.py, functions of one matrix."""
    found = call.emit_all(MATRIX[call.spec.class_name](call.config), *operands(call, "x"))
    return found[0] if len(found) == 1 else list(found)


@reads("ops.Solve", "ops.SolveTriangular", arguments=("a", "b"))
def solve(call: LayerCall) -> Tensor:
    """keras/src/ops/linalg.py ``Solve`` and ``SolveTriangular``."""
    triangle: Any = ""
    if call.spec.class_name == "SolveTriangular":
        triangle = "lower" if call.config.bool("lower", False) else "upper"
    return call.emit(Solve(triangle=triangle), *operands(call, "a", "b"))


@reads("ops.Lstsq", arguments=("a", "b"))
def least_squares(call: LayerCall) -> Tensor:
    """keras/src/ops/linalg.py ``Lstsq``."""
    op = LeastSquares(rcond=call.config.optional_float("rcond"))
    return call.emit(op, *operands(call, "a", "b"))


@reads("ops.Norm", arguments=("x",))
def norm(call: LayerCall) -> Tensor:
    """keras/src/ops/linalg.py ``Norm``."""
    (x,) = operands(call, "x")
    order: Any = call.config.take("ord", None)
    op = norm_of(call, x, call.config.take("axis", None), None if order == "euclidean" else order)
    return call.emit(op, x)


def norm_of(call: LayerCall, x: Tensor, axis: Any, order: Any, keepdims: Any = None) -> Norm:
    """The norm along axes: all when ``axis`` is ``None``."""
    axes = range(len(x.shape)) if axis is None else axis if isinstance(axis, list) else [axis]
    if isinstance(order, str) and (order not in ("fro", "nuc") or len(axes) != 2):
        raise call.refusal(f"ord={order!r} is no norm of {len(axes)} axes")
    if len(axes) == 2 and order not in (None, "fro", "nuc", 1, -1, 2, -2, *INFINITE):
        raise call.refusal(f"ord={order!r} is no norm of matrices")
    if keepdims is None:
        keepdims = call.config.bool("keepdims", False)
    return Norm(axis=tuple(axes), ord=order, keepdims=keepdims)


INFINITE = (float("inf"), float("-inf"))


@reads("ops.CDist", arguments=("x", "y"))
def distances(call: LayerCall) -> Tensor:
    """keras/src/ops/math.py ``CDist``: the length of every difference of two rows."""
    x, y = operands(call, "x", "y")
    rows = call.emit(ExpandDims(axis=-2), x, part="rows")
    columns = call.emit(ExpandDims(axis=-3), y, part="columns")
    difference = call.emit(Merge(kind="subtract"), rows, columns, part="difference")
    squares = call.emit(Math(kind="square"), difference, part="squares")
    total = call.emit(Reduce(kind="sum", axis=(-1,)), squares, part="total")
    return call.emit(Math(kind="sqrt"), total)
