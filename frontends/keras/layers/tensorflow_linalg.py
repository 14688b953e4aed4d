"""Factors and solutions of matrices, as TensorFlow spells them."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.tensorflow import listed, tensors
from layergraph.ir.ops.elementwise import Binary, Math
from layergraph.ir.ops.linalg import Eigen, Inverse, LuFactor, Qr, Solve, Svd
from layergraph.ir.ops.merge import Matmul, Merge
from layergraph.ir.ops.reduction import Reduce, Sort
from layergraph.ir.ops.shape import Transpose


def transposed(x: Tensor) -> Transpose:
    """The last two axes change places."""
    axes = tuple(range(len(x.shape)))
    return Transpose(axes=(*axes[:-2], axes[-1], axes[-2]))


def adjoint(call: LayerCall, x: Tensor, part: str) -> Tensor:
    """The conjugate transpose."""
    if x.type.is_complex:
        x = call.emit(Math(kind="conj"), x, part=f"{part}_conj")
    return call.emit(transposed(x), x, part=part)


@reads("tf.EigenvaluesHermitian", arguments=("tensor",))
def eigenvalues(call: LayerCall) -> Tensor:
    """tf.linalg.eigvalsh."""
    return call.emit_all(Eigen(hermitian=True), *tensors(call, "tensor"))[0]


@reads("tf.Qr", arguments=("input",))
def qr(call: LayerCall) -> list[Tensor]:
    """tf.linalg.qr."""
    mode: Any = "complete" if call.argument("full_matrices", False) else "reduced"
    return list(call.emit_all(Qr(mode=mode), *tensors(call, "input")))


@reads("tf.Svd", arguments=("tensor",))
def svd(call: LayerCall) -> Tensor | list[Tensor]:
    """tf.linalg.svd: values first, and the right factor as its columns stand."""
    (x,) = tensors(call, "tensor")
    wide, both = call.argument("full_matrices", False), call.argument("compute_uv", True)
    found = call.emit_all(Svd(full_matrices=bool(wide), compute_uv=bool(both)), x)
    if len(found) == 1:
        return found[0]
    left, values, right = found
    return [values, left, adjoint(call, right, "right")]


@reads("tf.Eig", "tf.Eigenvalues", arguments=("tensor",))
def eigen(call: LayerCall) -> Tensor | list[Tensor]:
    """tf.linalg.eig and eigvals: complex, in an arbitrary order."""
    found = call.emit_all(Eigen(hermitian=False), *tensors(call, "tensor"))
    return list(found) if call.spec.class_name == "Eig" else found[0]


@reads("tf.Lu", arguments=("input",))
def lu(call: LayerCall) -> list[Tensor]:
    """tf.linalg.lu: both triangles, and which row of the matrix each row of theirs is."""
    call.argument("output_idx_type")
    triangles, places = call.emit_all(LuFactor(), *tensors(call, "input"), part="lu")
    return [triangles, call.emit(Sort(axis=-1, places=True), places)]


def _solved(call: LayerCall, a: Tensor, b: Tensor, triangle: Any, part: str = "") -> Tensor:
    return call.emit(Solve(triangle=triangle), a, b, part=part)


@reads("tf.TriangularSolve", arguments=("matrix",))
def triangular_solve(call: LayerCall) -> Tensor:
    """tf.linalg.triangular_solve."""
    a, b = tensors(call, "matrix", "rhs")
    lower, turned = bool(call.argument("lower", True)), bool(call.argument("adjoint", False))
    if turned:
        a = adjoint(call, a, "adjoint")
    return _solved(call, a, b, "lower" if lower != turned else "upper")


@reads("tf.CholeskySolve", arguments=("chol",))
def cholesky_solve(call: LayerCall) -> Tensor:
    """tf.linalg.cholesky_solve: forwards, then backwards."""
    factor, b = tensors(call, "chol", "rhs")
    half = _solved(call, factor, b, "lower", "half")
    return _solved(call, adjoint(call, factor, "adjoint"), half, "upper")


@reads("tf.Inverse", arguments=("input",))
def inverse(call: LayerCall) -> Tensor:
    """tf.linalg.inv."""
    (x,) = tensors(call, "input")
    if call.argument("adjoint", False):
        x = adjoint(call, x, "adjoint")
    return call.emit(Inverse(), x)


@reads("tf.Solve", arguments=("matrix",))
def solve(call: LayerCall) -> Tensor:
    """tf.linalg.solve."""
    a, b = tensors(call, "matrix", "rhs")
    if call.argument("adjoint", False):
        a = adjoint(call, a, "adjoint")
    return _solved(call, a, b, "")


@reads("tf.LeastSquares", arguments=("matrix",))
def least_squares(call: LayerCall) -> Tensor:
    """tf.linalg.lstsq, by the normal equations as TensorFlow does.

    Source: tensorflow/python/ops/linalg_ops.py ``matrix_solve_ls``, TensorFlow 2.21.
    """
    a, b = tensors(call, "matrix", "rhs")
    call.argument("fast")
    rows, columns = a.shape[-2:]
    if rows is None or columns is None:
        raise call.refusal("matrices of unknown size are not supported", "use a known size")
    turned = adjoint(call, a, "adjoint")
    tall = rows >= columns
    left, right = (turned, a) if tall else (a, turned)
    normal = call.emit(Matmul(), left, right, part="normal")
    weight = call.argument("l2_regularizer", 0.0)
    if weight:
        ridge = np.eye(min(rows, columns), dtype=normal.type.dtype) * weight
        ridge_ = call.constant("ridge", ridge.astype(normal.type.dtype))
        normal = call.emit(Merge(kind="add"), normal, ridge_, part="ridged")
    if tall:
        return _solved(call, normal, call.emit(Matmul(), turned, b, part="projected"), "")
    return call.emit(Matmul(), turned, _solved(call, normal, b, "", "solved"))


def _length(call: LayerCall, values: list[Tensor], part: str) -> Tensor:
    """The Euclidean norm of all values together."""
    sums = []
    for i, x in enumerate(values):
        squares = call.emit(Math(kind="square"), x, part=f"square_{i}")
        axes = tuple(range(len(x.shape)))
        sums.append(call.emit(Reduce(kind="sum", axis=axes), squares, part=f"sum_{i}"))
    total = call.emit(Merge(kind="add"), *sums, part="total") if len(sums) > 1 else sums[0]
    return call.emit(Math(kind="sqrt"), total, part=part)


@reads("tf.GlobalNorm", arguments=("t_list",))
def global_norm(call: LayerCall) -> Tensor:
    """tf.linalg.global_norm."""
    return _length(call, listed(call, call.argument("t_list"), "value"), "")


@reads("tf.ClipByGlobalNorm", arguments=("t_list",))
def clip_by_global_norm(call: LayerCall) -> list[Any]:
    """tf.clip_by_global_norm: the values scaled, and their norm."""
    values = listed(call, call.argument("t_list"), "value")
    given = call.argument("use_norm")
    norm = given if isinstance(given, Tensor) else _length(call, values, "norm")
    dtype = norm.type.dtype
    limit = float(call.argument("clip_norm"))
    most = call.constant("limit", np.array(limit, dtype))
    longest = call.emit(Merge(kind="maximum"), norm, most, part="longest")
    scale = call.emit(Binary(kind="divide"), most, longest, part="scale")
    last = len(values) - 1
    return [
        [
            call.emit(Merge(kind="multiply"), x, scale, part="" if i == last else f"clipped_{i}")
            for i, x in enumerate(values)
        ],
        norm,
    ]
