"""Linear maps and products of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layergraph.backends.keras.activation import absorbed
from layergraph.backends.keras.convolution import stored
from layergraph.backends.keras.model import Stored, Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import as_tensor
from layergraph.backends.keras.writer import Operand, Writer, dtype_of
from layergraph.ir.ops.linear import (
    Cross,
    Dense,
    Einsum,
    EinsumDense,
    Kron,
    Tensordot,
    einsum_labels,
)
from layergraph.ir.types import Array, Shape

spellings = Spellings()


@spellings.spells(Dense)
def dense(w: Writer, op: Dense, x: Tensor, *, kernel: Array, bias: Array | None = None) -> Any:
    """Dense."""
    return w.layer(
        "Dense", w.tensor(x), arrays=[Stored("kernel", kernel), stored("bias", bias)],
        units=kernel.shape[1], use_bias=bias is not None, activation=absorbed(w),
    )  # fmt: skip


@spellings.spells(EinsumDense)
def einsum_dense(
    w: Writer, op: EinsumDense, x: Tensor, *, kernel: Array, bias: Array | None = None
) -> Any:
    """EinsumDense; what the kernel does not say of the result's sizes is left open."""
    x, shape = w.tensor(x), w.node.types[0].shape
    output_shape, axes = einsum_options(op.equation, shape, kernel.shape, bias)
    return w.layer(
        "EinsumDense", x, arrays=[Stored("kernel", kernel), stored("bias", bias)],
        equation=op.equation, output_shape=output_shape, bias_axes=axes, activation=absorbed(w),
    )  # fmt: skip


def einsum_options(
    equation: str, shape: Shape, kernel: Shape, bias: Array | None
) -> tuple[list[int | None], str | None]:
    """Options ``output_shape`` and ``bias_axes`` of an EinsumDense.

    Source: keras/src/layers/core/einsum_dense.py ``_analyze_einsum_string``, Keras 3.15.
    """
    left, _, output = equation.replace(" ", "").partition("->")
    held = left.split(",")[1]
    sizes = dict(zip(held, kernel, strict=True))
    labels = output.replace("...", "")
    known = [sizes.get(label) for label in labels]
    if "..." not in output:
        known = known[1:]
    elif output.endswith("..."):
        raise RefusedError(f"the layer does not know the axes of {equation!r} behind its own")
    if bias is None:
        return known, None
    tail = labels[len(labels) - bias.ndim :]
    whole = shape[len(shape) - bias.ndim :]
    axes = [
        label
        for i, (label, held_size, size) in enumerate(zip(tail, bias.shape, whole, strict=True))
        if i == 0 or held_size > 1 or size == 1
    ]
    return known, "".join(axes)


@spellings.spells(Einsum)
def einsum(w: Writer, op: Einsum, *values: Operand) -> Any:
    """An operation; Keras 2 cannot save TensorFlow's, and has it as a product of two."""
    if w.keras3:
        return w.op("Einsum", *values, subscripts=op.equation)
    if len(values) != 2:
        raise RefusedError(f"Keras 2 cannot save an einsum of {len(values)} values")
    w.spelled_out()
    source = next(v for v in values if isinstance(v, Tensor))
    given = w.alike(values, w.node.types[0].dtype)
    return _as_product(w, op.equation, *(as_tensor(w, v, source) for v in given))


def _as_product(w: Writer, equation: str, a: Tensor, b: Tensor) -> Any:
    """A product of two tensors: ``tensordot``, or one of matrices where both have axes of it."""
    (one, two), out = einsum_labels(equation, [a.rank, b.rank])
    sizes = dict(zip(one + two, a.shape + b.shape, strict=False))
    batch = [c for c in out if c in one and c in two]
    summed = [c for c in one if c in two and c not in out]
    rows = [c for c in one if c not in two]
    columns = [c for c in two if c not in one]
    plain = len(set(one)) == len(one) and len(set(two)) == len(two)
    if not plain or any(c not in out for c in rows + columns):
        raise RefusedError(f"einsum {equation!r} is no product of matrices")
    if not batch:
        axes = [[one.index(c) for c in summed], [two.index(c) for c in summed]]
        return _turned(w, "tensordot", a, b, sizes, rows + columns, out, axes=axes)
    if len(rows) != 1 or len(columns) != 1 or len(summed) != 1:
        raise RefusedError(f"einsum {equation!r} is no product of matrices without reshaping")
    left, right = [*batch, *rows, *summed], [*batch, *summed, *columns]
    a = _ordered(w, a, one, left, "left")
    b = _ordered(w, b, two, right, "right")
    return _turned(w, "linalg.matmul", a, b, sizes, [*batch, *rows, *columns], out)


def _turned(
    w: Writer, name: str, a: Tensor, b: Tensor, sizes: Mapping[str, int | None],
    found: list[str], out: str, **options: Any,
) -> Any:  # fmt: skip
    """A product with these axes, in the order of ``out``."""
    turned = found != list(out)
    types = a.type.with_shape([sizes[c] for c in found])
    y = w.tf(name, a, b=b, types=types, part="product" if turned else "", **options)
    return _ordered(w, y, "".join(found), list(out), "") if turned else y


def _ordered(w: Writer, x: Tensor, labels: str, wanted: list[str], part: str) -> Tensor:
    axes = [labels.index(c) for c in wanted]
    if axes == list(range(x.rank)):
        return x
    types = x.type.with_shape([x.shape[a] for a in axes])
    found: Tensor = w.tf("transpose", x, perm=axes, types=types, part=part)
    return found


@spellings.spells(Tensordot)
def tensordot(w: Writer, op: Tensordot, x1: Operand, x2: Operand) -> Any:
    """``tensordot``; ``dot`` and ``inner`` where whole numbers are multiplied as floats."""
    ranks = [v.rank if isinstance(v, Tensor) else v.ndim for v in (x1, x2)]
    if not w.keras3:
        w.spelled_out()
        a, b = w.alike([x1, x2], w.node.types[0].dtype)
        return w.tf("tensordot", a, b=b, axes=[list(axes) for axes in op.axes])
    as_floats = not op.exact and {dtype_of(x1), dtype_of(x2)} & {"int32", "int64"}
    if not as_floats and not (not op.exact and _is_dot(op, ranks)):
        return w.op("Tensordot", x1, x2, axes=[list(axes) for axes in op.axes])
    if _is_dot(op, ranks):
        return w.op("Dot", x1, x2)
    if op.axes == ((ranks[0] - 1,), (ranks[1] - 1,)):
        return w.op("Inner", x1, x2)
    raise RefusedError(f"whole numbers are multiplied as floats over the axes {op.axes}")


def _is_dot(op: Tensordot, ranks: list[int]) -> bool:
    return op.axes == ((ranks[0] - 1,), (max(ranks[1] - 2, 0),))


@spellings.spells(Kron)
def kron(w: Writer, op: Kron, x1: Operand, x2: Operand) -> Any:
    """An operation of Keras 3."""
    if not w.keras3:
        raise RefusedError("TensorFlow has no Kronecker product that Keras 2 can save")
    return w.op("Kron", x1, x2)


@spellings.spells(Cross)
def cross(w: Writer, op: Cross, x1: Operand, x2: Operand) -> Any:
    """``cross``; TensorFlow's has vectors of three along the last axis."""
    if w.keras3:
        return w.op("Cross", x1, x2, axisa=op.axes[0], axisb=op.axes[1], axisc=op.result, axis=None)
    a, b = w.alike([x1, x2], w.node.types[0].dtype)
    shapes = [v.shape for v in (a, b)]
    lasts = all(axis == len(s) - 1 for axis, s in zip(op.axes, shapes, strict=True))
    if not lasts or op.result not in (-1, len(shapes[0]) - 1) or shapes[0] != shapes[1]:
        raise RefusedError("TensorFlow's cross takes the last axis of equal shapes")
    if shapes[0][-1] != 3:
        raise RefusedError("TensorFlow's cross takes vectors of three")
    return w.tf("linalg.cross", a, b=b)
