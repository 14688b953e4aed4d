"""Decompositions and what follows from them; ONNX has the determinant alone."""

from __future__ import annotations

from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops import linalg
from layergraph.ir.ops.linalg import Determinant, Norm

spellings = Spellings()


@spellings.spells(Determinant)
def determinant(w: Writer, op: Determinant, x: Tensor) -> str:
    """A node."""
    if getattr(op, "log", False):
        raise RefusedError("it has no logarithm of a determinant")
    name: str = w.op("Det", x)
    return name


@spellings.spells(Norm)
def norm(w: Writer, op: Norm, x: Tensor) -> str:
    """Those that are reductions."""
    axes = [a % x.rank for a in op.axis]
    given = w.as_dtype(x, w.type.dtype)
    whole = op.ord is None or (op.ord == "fro" and len(axes) == 2)
    if whole or (op.ord == 2 and len(axes) == 1):
        return w.reduce("ReduceL2", given, axes, op.keepdims)
    if len(axes) == 1 and op.ord == 1:
        return w.reduce("ReduceL1", given, axes, op.keepdims)
    if len(axes) == 1 and op.ord in (float("inf"), float("-inf")):
        kind = "ReduceMax" if op.ord == float("inf") else "ReduceMin"
        return w.reduce(kind, w.op("Abs", given), axes, op.keepdims)
    raise RefusedError(f"it has no norm of order {op.ord!r}")


for _name in (
    "Cholesky", "CholeskyInverse", "Inverse", "SignLogDeterminant", "Eigen", "LuFactor", "Qr",
    "Svd", "Solve", "LeastSquares", "PseudoInverse", "MatrixRank",
):  # fmt: skip
    spellings.refuses(getattr(linalg, _name), "it has no decomposition of matrices")
