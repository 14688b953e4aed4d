"""Decompositions and what follows from them; ONNX has the determinant alone."""

from __future__ import annotations

from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops import linalg
from layergraph.ir.ops.linalg import Determinant

spellings = Spellings()


@spellings.spells(Determinant)
def determinant(w: Writer, op: Determinant, x: Tensor) -> str:
    """A node."""
    if getattr(op, "log", False):
        raise RefusedError("it has no logarithm of a determinant")
    name: str = w.op("Det", x)
    return name


for _name in (
    "Cholesky", "CholeskyInverse", "Inverse", "SignLogDeterminant", "Eigen", "LuFactor", "Qr",
    "Svd", "Solve", "LeastSquares", "PseudoInverse", "MatrixRank", "Norm",
):  # fmt: skip
    spellings.refuses(getattr(linalg, _name), "it has no decomposition of matrices")
