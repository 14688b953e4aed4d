"""Products of tensors and functions of matrices, as TensorFlow spells them."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import whole, wholes
from layergraph.frontends.keras.tensorflow import listed, tensors
from layergraph.ir.ops.elementwise import Math
from layergraph.ir.ops.indexing import Triangle
from layergraph.ir.ops.linear import Einsum
from layergraph.ir.ops.merge import Matmul
from layergraph.ir.ops.shape import ExpandDims, Squeeze, Transpose

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _turned(call: LayerCall, x: Tensor, flags: tuple[str, str], part: str) -> Tensor:
    """The matrices transposed when one of the flags is set."""
    plain, conjugate = (call.argument(flag, False) for flag in flags)
    if not plain and not conjugate:
        return x
    if conjugate and x.type.is_complex:
        x = call.emit(Math(kind="conj"), x, part=f"{part}_conj")
    axes = list(range(len(x.shape)))
    return call.emit(Transpose(axes=(*axes[:-2], axes[-1], axes[-2])), x, part=part)


def _factors(call: LayerCall) -> tuple[Tensor, Tensor]:
    a, b = tensors(call, "a", "b")
    for name in ("a_is_sparse", "b_is_sparse", "output_type", "grad_a", "grad_b", "grad_x",
                 "grad_y"):  # fmt: skip
        call.argument(name)
    return (
        _turned(call, a, ("transpose_a", "adjoint_a"), "a_transposed"),
        _turned(call, b, ("transpose_b", "adjoint_b"), "b_transposed"),
    )


@reads("tf.Matmul", arguments=("a",))
def matmul(call: LayerCall) -> Tensor:
    """tf.linalg.matmul."""
    return call.emit(Matmul(), *_factors(call))


@reads("tf.Matvec", arguments=("a",))
def matvec(call: LayerCall) -> Tensor:
    """tf.linalg.matvec: matrices times vectors."""
    a, b = _factors(call)
    column = call.emit(ExpandDims(axis=-1), b, part="column")
    return call.emit(Matmul(), a, column, then=[Squeeze(axis=(-1,))])


@reads("tf.Einsum", arguments=("equation",))
def einsum(call: LayerCall) -> Tensor:
    """tf.einsum; tf-keras saves its tensors only when they are named."""
    call.argument("optimize")
    values = call.argument("inputs")
    if not values:
        raise call.refusal(
            "Keras 2 saves tf.einsum without its tensors and cannot load it either",
            "use tf.matmul or a layer instead",
        )
    equation = str(call.argument("equation"))
    return call.emit(Einsum(equation=equation), *listed(call, values, "value"))


@reads("tf.Tensordot", arguments=("a",))
def tensordot(call: LayerCall) -> Tensor:
    """tf.tensordot: a number of axes, or the axes of each."""
    a, b = tensors(call, "a", "b")
    axes: Any = call.argument("axes")
    first, second = len(a.shape), len(b.shape)
    if isinstance(axes, int):
        pairs = (tuple(range(first - axes, first)), tuple(range(axes)))
    else:
        pairs = (wholes(call, axes[0], "axes"), wholes(call, axes[1], "axes"))
    left, right = list(LETTERS[:first]), list(LETTERS[first : first + second])
    for i, j in zip(*pairs, strict=True):
        right[j] = left[i]
    summed = {left[i] for i in pairs[0]}
    result = [c for c in (*left, *right) if c not in summed]
    return call.emit(Einsum(equation=f"{''.join(left)},{''.join(right)}->{''.join(result)}"), a, b)


@reads("tf.MatrixTranspose", "tf.Adjoint", arguments=("a",))
def matrix_transpose(call: LayerCall) -> Tensor:
    """tf.linalg.matrix_transpose and adjoint."""
    (x,) = tensors(call, "a")
    conjugate = call.argument("conjugate", call.spec.class_name == "Adjoint")
    if conjugate and x.type.is_complex:
        x = call.emit(Math(kind="conj"), x, part="conj")
    axes = list(range(len(x.shape)))
    return call.emit(Transpose(axes=(*axes[:-2], axes[-1], axes[-2])), x)


@reads("tf.BandPart", arguments=("input",))
def band_part(call: LayerCall) -> Tensor:
    """tf.linalg.band_part: so many diagonals below and above the main one; negative is all."""
    (x,) = tensors(call, "input")
    low, high = (whole(call, call.argument(n), n) for n in ("num_lower", "num_upper"))
    steps = []
    if low >= 0:
        steps.append(Triangle(upper=True, k=-low))
    if high >= 0:
        steps.append(Triangle(upper=False, k=high))
    if not steps:
        steps.append(Triangle(upper=False, k=max(x.shape[-1] or 2**30, 0)))
    return call.emit(steps[0], x, then=steps[1:])
