"""Linear maps and products of tensors."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from layergraph.ir.op import Activation, Op
from layergraph.ir.types import Shape, TensorType, broadcast_shapes, product, promote


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense(Op):
    """``activation(x @ kernel + bias)`` over the last axis.

    Inputs: x ``(..., in)``.
    Parameters: kernel ``(in, units)``, bias ``(units,)`` optional.
    Output: ``(..., units)``.
    Source: keras/src/layers/core/dense.py ``Dense.call``, Keras 3.15.

    Attributes:
        activation: fused activation, set by the pass ``fuse_activation`` only.
    """

    fuses_activation: ClassVar[bool] = True

    activation: Activation | None = None

    def infer(
        self, x: TensorType, *, kernel: TensorType, bias: TensorType | None = None
    ) -> TensorType:
        """``(..., units)``."""
        if x.shape[-1] is not None and x.shape[-1] != kernel.shape[0]:
            raise ValueError(f"last axis is {x.shape[-1]}, the kernel expects {kernel.shape[0]}")
        if bias is not None and bias.shape != kernel.shape[1:]:
            raise ValueError(f"bias {bias.shape} does not match kernel {kernel.shape}")
        return TensorType((*x.shape[:-1], kernel.shape[1]), promote(x.dtype, kernel.dtype))


@dataclass(frozen=True, slots=True, kw_only=True)
class Einsum(Op):
    """A product of tensors, summed over the labels that the result lacks.

    Source: keras/src/ops/numpy.py ``einsum``, Keras 3.15.

    Attributes:
        equation: labels of the inputs and of the result, ``"bqd,bkd->bqk"``;
            ``...`` stands for any further axes.
    """

    equation: str

    def infer(self, *values: TensorType) -> TensorType:
        """The sizes of the result's labels."""
        shape = einsum_shape(self.equation, [v.shape for v in values])
        return TensorType(shape, product_dtype(*(v.dtype for v in values)))


@dataclass(frozen=True, slots=True, kw_only=True)
class EinsumDense(Op):
    """``einsum(equation, x, kernel) + bias``, a Dense layer over any axes.

    Parameters: kernel, of the shape its labels ask for; bias, that broadcasts
    with the result, optional.
    Source: keras/src/layers/core/einsum_dense.py, Keras 3.15.

    Attributes:
        equation: labels of x, kernel and result.
        activation: set by the pass ``fuse_activation`` only.
    """

    fuses_activation: ClassVar[bool] = True

    equation: str
    activation: Activation | None = None

    def infer(
        self, x: TensorType, *, kernel: TensorType, bias: TensorType | None = None
    ) -> TensorType:
        """The sizes of the result's labels."""
        shape = einsum_shape(self.equation, [x.shape, kernel.shape])
        return TensorType(shape, promote(x.dtype, kernel.dtype))


def einsum_labels(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """Labels of inputs and result, with an unused letter for each axis of ``...``.

    Raises:
        ValueError: the equation does not fit the ranks.
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"{equation!r} is for {len(terms)} tensors, there are {len(ranks)}")
    extra = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    if any(n < 0 or (n > 0 and "..." not in t) for n, t in zip(extra, terms, strict=True)):
        raise ValueError(f"{equation!r} does not fit tensors of rank {list(ranks)}")
    free = [c for c in string.ascii_letters[::-1] if c not in equation]
    letters = "".join(free[: max([0, *extra])])
    inputs = [
        term.replace("...", letters[len(letters) - n :])
        for term, n in zip(terms, extra, strict=True)
    ]
    if not arrow:
        once = [c for c in dict.fromkeys("".join(terms)) if left.count(c) == 1 and c.isalpha()]
        right = ("..." if "..." in left else "") + "".join(sorted(once))
    return inputs, right.replace("...", letters)


def einsum_shape(equation: str, shapes: Sequence[Shape]) -> Shape:
    """Shape of the result.

    Raises:
        ValueError: a label has two sizes, or the equation does not fit.
    """
    inputs, output = einsum_labels(equation, [len(s) for s in shapes])
    sizes: dict[str, int | None] = {}
    for term, shape in zip(inputs, shapes, strict=True):
        for label, size in zip(term, shape, strict=True):
            known = sizes.get(label)
            if size is None or (size == 1 and known is not None):
                sizes.setdefault(label, size)
            elif known in (None, 1) or known == size:
                sizes[label] = size
            else:
                raise ValueError(f"label {label!r} of {equation!r} has sizes {known} and {size}")
    return tuple(sizes[label] for label in output)


def product_dtype(*dtypes: str) -> str:
    """Dtype of sums of products: int8 alone widens.

    Source: keras/src/backend/tensorflow/numpy.py ``matmul`` and ``einsum``, Keras 3.15.
    """
    return "int32" if set(dtypes) == {"int8"} else promote(*dtypes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensordot(Op):
    """Products summed over pairs of axes.

    Output: the other axes of x1, then those of x2.
    Source: keras/src/backend/tensorflow/numpy.py ``tensordot``, ``dot``,
    ``inner`` and ``vdot``, Keras 3.15.

    Attributes:
        axes: axes of x1 and those of x2 they meet, never negative.
        exact: whole numbers of 32 and 64 bits are not multiplied as float32.
    """

    axes: tuple[tuple[int, ...], tuple[int, ...]]
    exact: bool = False

    def infer(self, x1: TensorType, x2: TensorType) -> TensorType:
        """See above."""
        for a, b in zip(*self.axes, strict=True):
            if None not in (x1.shape[a], x2.shape[b]) and x1.shape[a] != x2.shape[b]:
                raise ValueError(f"axes of sizes {x1.shape[a]} and {x2.shape[b]} do not meet")
        shape = [
            d
            for x, axes in zip((x1, x2), self.axes, strict=True)
            for i, d in enumerate(x.shape)
            if i not in axes
        ]
        return TensorType(tuple(shape), promote(x1.dtype, x2.dtype))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kron(Op):
    """Every element of x1 times the whole of x2.

    Source: keras/src/backend/tensorflow/numpy.py ``kron``, Keras 3.15.
    """

    def infer(self, x1: TensorType, x2: TensorType) -> TensorType:
        """Sizes multiplied, missing axes in front counted as 1."""
        rank = max(x1.rank, x2.rank)
        pairs = zip(*((1,) * (rank - x.rank) + x.shape for x in (x1, x2)), strict=True)
        return TensorType(tuple(product(p) for p in pairs), promote(x1.dtype, x2.dtype))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cross(Op):
    """Vector product along an axis of size 2 or 3; of two flat vectors a number.

    Source: keras/src/backend/tensorflow/numpy.py ``cross``, Keras 3.15.

    Attributes:
        axes: the axis of x1 and that of x2, never negative.
        result: where the vectors stand in the result, negative from the end.
    """

    axes: tuple[int, int]
    result: int = -1

    def infer(self, x1: TensorType, x2: TensorType) -> TensorType:
        """The other axes broadcast, with that of the vectors unless both are flat."""
        sizes = [x.shape[a] for x, a in zip((x1, x2), self.axes, strict=True)]
        if not set(sizes) <= {2, 3}:
            raise ValueError(f"vectors of sizes {sizes}, 2 or 3 expected")
        rest = [
            tuple(d for i, d in enumerate(x.shape) if i != a)
            for x, a in zip((x1, x2), self.axes, strict=True)
        ]
        shape, dtype = broadcast_shapes(*rest), promote(x1.dtype, x2.dtype)
        if sizes == [2, 2]:
            return TensorType(shape, dtype)
        place = self.result % (len(shape) + 1)
        return TensorType((*shape[:place], 3, *shape[place:]), dtype)
