"""Linear maps and products of tensors: everything as matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from layergraph.backends.numpy.gemm import Finish, Product, product_time
from layergraph.backends.numpy.scratch import Specialised, empty
from layergraph.backends.numpy.table import Kernel, Kernels, in_place
from layergraph.backends.numpy.threads import spread
from layergraph.ir.ops.linear import (
    Cross,
    Dense,
    Einsum,
    EinsumDense,
    Kron,
    Tensordot,
    einsum_labels,
    product_dtype,
)
from layergraph.ir.types import Array, promote

kernels = Kernels()


@kernels.prepares(Dense)
def dense(op: Dense, *, kernel: Array, bias: Array | None = None) -> Kernel:
    """One GEMM over all leading axes, bias and activation applied where it lies."""
    kernel = np.ascontiguousarray(kernel)
    finish = Finish(bias, op.activation)
    multiply = Product(kernel, finish)

    def run(x: Array) -> Array:
        # Whole numbers would make NumPy go to float64.
        x = x if x.dtype == kernel.dtype else x.astype(kernel.dtype)
        y = empty((*x.shape[:-1], kernel.shape[1]), kernel.dtype)
        multiply(x.reshape(-1, kernel.shape[0]), y.reshape(-1, kernel.shape[1]))
        return y

    return run


@kernels.prepares(Einsum)
def einsum(op: Einsum) -> Kernel:
    """Two tensors as one batched matrix product where the labels allow."""

    def make(*shapes: tuple[int, ...]) -> Kernel:
        return product_of(op.equation, shapes)

    multiply = Specialised(make)

    def run(*values: Array) -> Array:
        names = [v.dtype.name for v in values]
        wanted, compute = product_dtype(*names), fractional(*names)
        y = multiply(*(v.astype(compute, copy=False) for v in values))
        return np.asarray(y).astype(wanted, copy=False)

    return run


@kernels.prepares(EinsumDense)
def einsum_dense(op: EinsumDense, *, kernel: Array, bias: Array | None = None) -> Kernel:
    """The product with the kernel, then bias and activation where it lies."""
    activate = in_place(op.activation)

    def make(shape: tuple[int, ...]) -> Kernel:
        summed = _summed_as_in_dense(op.equation, len(shape), kernel.ndim)
        if summed and (bias is None or bias.ndim <= kernel.ndim - summed):
            return _as_dense(op, kernel, bias, summed)
        multiply = product_of(op.equation, (shape, kernel.shape))

        def run(x: Array) -> Array:
            y = np.ascontiguousarray(multiply(x, kernel))
            if bias is not None:
                y += bias
            if activate is not None:
                activate(y)
            return y

        return run

    return Specialised(make)


def _summed_as_in_dense(equation: str, rank: int, kernel_rank: int) -> int:
    """How many axes are summed, if those are the input's last and the kernel's first and
    nothing changes places; else 0."""
    (first, second), output = einsum_labels(equation, [rank, kernel_rank])
    count = sum(c not in output for c in first)
    distinct = len(set(first + second)) == rank + kernel_rank - count
    alike = (
        first[rank - count :] == second[:count] and output == first[: rank - count] + second[count:]
    )
    return count if distinct and alike else 0


def _as_dense(op: EinsumDense, kernel: Array, bias: Array | None, summed: int) -> Kernel:
    """One GEMM in tiles, as of ``Dense``."""
    columns = kernel.shape[summed:]
    matrix = np.ascontiguousarray(kernel.reshape(prod(kernel.shape[:summed]), prod(columns)))
    fused = op.activation if op.activation is None or op.activation.pointwise else None
    activate = None if fused is op.activation else in_place(op.activation)
    if bias is not None:
        bias = np.ascontiguousarray(np.broadcast_to(bias, columns)).reshape(-1)
    multiply = Product(matrix, Finish(bias, fused))

    def run(x: Array) -> Array:
        y = empty((*x.shape[: x.ndim - summed], *columns), matrix.dtype)
        multiply(x.reshape(-1, len(matrix)), y.reshape(-1, matrix.shape[1]))
        if activate is not None:
            activate(y)
        return y

    return run


def product_of(equation: str, shapes: Sequence[tuple[int, ...]]) -> Kernel:
    """A function that computes an einsum of arrays of these shapes.

    Labels fall into four groups: in both tensors and the result (batch), in
    both only (summed), in one and the result (rows, columns). With those the
    product is a batched matrix product. Anything else is left to NumPy.
    """
    inputs, output = einsum_labels(equation, [len(s) for s in shapes])
    plain = ",".join(inputs) + "->" + output
    if len(inputs) != 2 or not _is_matrix_product(inputs, output, shapes):
        return lambda *arrays: np.array(np.einsum(plain, *arrays))
    if _columns_first(inputs[0], inputs[1], output):
        # So that the product comes out in order, or nearly so.
        swapped = product_of(f"{inputs[1]},{inputs[0]}->{output}", shapes[::-1])
        return lambda x, y: swapped(y, x)
    first, second = inputs
    sizes = dict(zip(first, shapes[0], strict=True)) | dict(zip(second, shapes[1], strict=True))
    batch = [c for c in first if c in second and c in output]
    summed = [c for c in first if c in second and c not in output]
    rows = [c for c in first if c not in second]
    columns = [c for c in second if c not in first]
    left = [first.index(c) for c in (*batch, *rows, *summed)]
    right = [second.index(c) for c in (*batch, *summed, *columns)]
    result = [(*batch, *rows, *columns).index(c) for c in output]

    def size(labels: Sequence[str]) -> list[int]:
        return [sizes[c] for c in labels]

    m, k, n = prod(size(rows)), prod(size(summed)), prod(size(columns))
    shape = size([*batch, *rows, *columns])
    cost = prod(size(batch)) * product_time(m, k, n)

    def run(x: Array, y: Array) -> Array:
        a = x.transpose(left).reshape(*size(batch), m, k)
        b = y.transpose(right).reshape(*size(batch), k, n)
        return _batched(a, b, cost).reshape(shape).transpose(result)

    return run


def _batched(a: Array, b: Array, cost: float) -> Array:
    """A matrix product of each pair, the pairs spread over threads along the longest axis.

    Args:
        a, b: ``(*batch, m, k)`` and ``(*batch, k, n)``.
        cost: about how many nanoseconds all products take one thread.
    """
    y = empty((*a.shape[:-1], b.shape[-1]), np.result_type(a, b))
    if a.ndim == 2:
        np.matmul(a, b, out=y)
        return y
    axis = max(range(a.ndim - 2), key=lambda i: a.shape[i])
    step = max(-(-a.shape[axis] // 4), 1)

    def some(i: int) -> None:
        part = (slice(None),) * axis + (slice(i * step, (i + 1) * step),)
        np.matmul(a[part], b[part], out=y[part])

    spread(some, -(-a.shape[axis] // step), cost)
    return y


def _columns_first(first: str, second: str, output: str) -> bool:
    """Whether what only the second tensor has stands before what only the first has."""
    own = [c for c in output if (c in first) != (c in second)]
    return bool(own) and own[0] in second and own[-1] in first


def _is_matrix_product(
    inputs: Sequence[str], output: str, shapes: Sequence[tuple[int, ...]]
) -> bool:
    first, second = inputs
    distinct = all(len(set(term)) == len(term) for term in (first, second, output))
    kept = all(c in output or (c in first and c in second) for c in first + second)
    sizes: dict[str, int] = {}
    alike = all(
        sizes.setdefault(c, n) == n
        for term, shape in zip(inputs, shapes, strict=True)
        for c, n in zip(term, shape, strict=True)
    )
    return distinct and kept and alike


def fractional(*dtypes: str) -> str:
    """The dtype products are computed in: floating, so that BLAS does it, as Keras does."""
    return promote(*dtypes, "float")


@kernels.computes(Tensordot)
def tensordot(op: Tensordot, x1: Array, x2: Array) -> Array:
    """One matrix product."""
    names = (x1.dtype.name, x2.dtype.name)
    wanted = promote(*names)
    compute = wanted if op.exact and wanted in ("int32", "int64") else fractional(*names)
    a, b = x1.astype(compute, copy=False), x2.astype(compute, copy=False)
    return np.asarray(np.tensordot(a, b, op.axes)).astype(wanted, copy=False)


@kernels.computes(Kron)
def kron(op: Kron, x1: Array, x2: Array) -> Array:
    """NumPy's own."""
    dtype = promote(x1.dtype.name, x2.dtype.name)
    return np.array(np.kron(x1.astype(dtype, copy=False), x2.astype(dtype, copy=False)))


@kernels.computes(Cross)
def cross(op: Cross, x1: Array, x2: Array) -> Array:
    """Flat vectors get a third coordinate, 0."""
    dtype = promote(x1.dtype.name, x2.dtype.name)
    first, second = (
        np.moveaxis(x.astype(dtype, copy=False), axis, -1)
        for x, axis in zip((x1, x2), op.axes, strict=True)
    )
    a, b = ([*np.moveaxis(x, -1, 0), np.zeros(x.shape[:-1], dtype)][:3] for x in (first, second))
    if first.shape[-1] == second.shape[-1] == 2:
        return np.asarray(a[0] * b[1] - a[1] * b[0])
    parts = [a[i - 2] * b[i - 1] - a[i - 1] * b[i - 2] for i in range(3)]
    return np.stack(parts, axis=op.result)
