"""Linear maps and products of tensors."""

from __future__ import annotations

from typing import Any

from layergraph.backends.onnx.table import Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.linear import (
    Cross,
    Dense,
    Einsum,
    EinsumDense,
    Kron,
    Tensordot,
    einsum_labels,
)
from layergraph.ir.types import Array

spellings = Spellings()


@spellings.spells(Dense)
def dense(w: Writer, op: Dense, x: Tensor, *, kernel: Array, bias: Array | None = None) -> Any:
    """``Gemm`` of matrices, ``MatMul`` of anything else."""
    dtype = w.type.dtype
    given = w.as_dtype(x, dtype)
    weight = w.param(
        "kernel", kernel.astype(dtype, copy=False) if kernel.dtype != dtype else kernel
    )
    if x.rank == 2 and bias is not None:
        name = w.op("Gemm", given, weight, w.param("bias", bias))
    else:
        name = w.op("MatMul", given, weight)
        name = name if bias is None else w.op("Add", name, w.param("bias", bias))
    return w.activated(name, op.activation, w.type.rank, dtype)


def einsum_of(w: Writer, equation: str, ranks: list[int], *values: Any) -> str:
    """An ``Einsum`` whose labels are all spelled out."""
    inputs, output = einsum_labels(equation, ranks)
    name: str = w.op("Einsum", *values, equation=f"{','.join(inputs)}->{output}")
    return name


@spellings.spells(Einsum)
def einsum(w: Writer, op: Einsum, *values: Tensor) -> str:
    """A node, in the dtype of the result."""
    given = [w.as_dtype(v, w.type.dtype) for v in values]
    return einsum_of(w, op.equation, [v.rank for v in values], *given)


@spellings.spells(EinsumDense)
def einsum_dense(
    w: Writer, op: EinsumDense, x: Tensor, *, kernel: Array, bias: Array | None = None
) -> Any:
    """A node and its bias."""
    given = w.as_dtype(x, w.type.dtype)
    weight = w.param("kernel", kernel)
    name = einsum_of(w, op.equation, [x.rank, kernel.ndim], given, weight)
    name = name if bias is None else w.op("Add", name, w.param("bias", bias))
    return w.activated(name, op.activation, w.type.rank, w.type.dtype)


LETTERS = "abcdefghijklmnopqrstuvwxyz"


@spellings.spells(Tensordot)
def tensordot(w: Writer, op: Tensordot, x1: Tensor, x2: Tensor) -> str:
    """An ``Einsum``."""
    first = list(LETTERS[: x1.rank])
    second = list(LETTERS[x1.rank : x1.rank + x2.rank])
    for a, b in zip(*op.axes, strict=True):
        second[b] = first[a]
    left = [c for i, c in enumerate(first) if i not in op.axes[0]]
    right = [c for i, c in enumerate(second) if i not in op.axes[1]]
    equation = f"{''.join(first)},{''.join(second)}->{''.join(left + right)}"
    given = [w.as_dtype(x, w.type.dtype) for x in (x1, x2)]
    name: str = w.op("Einsum", *given, equation=equation)
    return name


@spellings.spells(Kron)
def kron(w: Writer, op: Kron, x1: Tensor, x2: Tensor) -> str:
    """An outer product whose axes are joined pairwise."""
    rank = max(x1.rank, x2.rank)
    a, b = (w.as_dtype(x, w.type.dtype) for x in (x1, x2))

    def spread(x: Tensor, place: int) -> str:
        missing = rank - x.rank
        axes = [2 * i + place for i in range(rank)] + [2 * i + 1 - place for i in range(missing)]
        name: str = w.op("Unsqueeze", x, w.ints(*sorted(axes)))
        return name

    product = w.op("Mul", spread(a, 1), spread(b, 0))
    sizes = w.op("Reshape", w.op("Shape", product), w.ints(rank, 2))
    shape = w.reduce("ReduceProd", sizes, [1], False)
    name: str = w.op("Reshape", product, shape)
    return name


@spellings.spells(Cross)
def cross(w: Writer, op: Cross, x1: Tensor, x2: Tensor) -> str:
    """Products of the coordinates, a missing third one 0."""
    dtype = w.type.dtype
    sides = []
    for x, axis in zip((x1, x2), op.axes, strict=True):
        given = w.as_dtype(x, dtype)
        count = x.type.shape[axis] or 0
        parts = [w.op("Gather", given, w.array(_index(i)), axis=axis) for i in range(count)]
        sides.append(parts)
    a, b = sides
    flat = len(a) == len(b) == 2
    zero = w.number(0, dtype)
    a, b = ([*p, zero] if len(p) == 2 else p for p in (a, b))

    def minor(i: int, j: int) -> str:
        name: str = w.op("Sub", w.op("Mul", a[i], b[j]), w.op("Mul", a[j], b[i]))
        return name

    if flat:
        return minor(0, 1)
    place = op.result % w.type.rank
    parts = [minor(1, 2), minor(2, 0), minor(0, 1)]
    shape = w.op("Shape", w.op("Add", w.op("Add", parts[0], parts[1]), parts[2]))
    grown = [w.op("Unsqueeze", w.op("Expand", p, shape), w.ints(place)) for p in parts]
    name: str = w.op("Concat", *grown, axis=place)
    return name


def _index(number: int) -> Any:
    import numpy as np

    return np.array(number, np.int64)
