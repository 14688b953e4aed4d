"""Functions of one element: one class, one table row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from layergraph.ir.op import Activation, Op
from layergraph.ir.types import TensorType, broadcast_shapes, promote

UnaryKind = Literal[
    "relu", "relu6", "sigmoid", "tanh", "exponential", "softplus", "softsign", "silu",
    "selu", "mish", "log_sigmoid", "hard_tanh", "hard_silu", "tanh_shrink", "sparse_plus",
    "sparse_sigmoid",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Activation):
    """A parameter-free function of each element.

    Inputs: x, any shape. Output: same type.
    Source: keras/src/activations/activations.py, Keras 3.15; each kind carries
    the name of the Keras function.

    Attributes:
        kind: which function.
    """

    pointwise: ClassVar[bool] = True

    kind: UnaryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast(Op):
    """Convert to another dtype.

    Source: keras/src/ops/core.py ``cast``, Keras 3.15.

    Attributes:
        dtype: target dtype.
    """

    dtype: str

    def infer(self, x: TensorType) -> TensorType:
        """The shape of ``x`` with the target dtype."""
        return x.with_dtype(self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaturateCast(Op):
    """Convert to another dtype, what it cannot hold to its nearest number.

    Keras clips float32 to 2147483648 for int32, which does not hold that, so
    that what it gives for larger numbers is left to the processor.

    Source: keras/src/ops/core.py ``saturate_cast``, Keras 3.15.

    Attributes:
        dtype: target dtype.
    """

    dtype: str

    def infer(self, x: TensorType) -> TensorType:
        """The shape of ``x`` with the target dtype."""
        return x.with_dtype(self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotEqual(Op):
    """``x != value`` element by element; how Keras computes a mask.

    Source: keras/src/layers/core/masking.py ``Masking.compute_mask`` and
    embedding.py ``Embedding.compute_mask``, Keras 3.15.

    Attributes:
        value: number compared with.
    """

    value: float

    def infer(self, x: TensorType) -> TensorType:
        """Booleans of the shape of ``x``."""
        return x.with_dtype("bool")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale(Op):
    """``x * factor * scale + offset``.

    Parameters, optional, that broadcast with x: scale, offset.
    Source: keras/src/layers/preprocessing/rescaling.py, Keras 3.15.

    Attributes:
        factor: a number.
    """

    factor: float = 1.0

    def infer(
        self, x: TensorType, *, scale: TensorType | None = None, offset: TensorType | None = None
    ) -> TensorType:
        """The broadcast shape, the dtype of ``x``."""
        shapes = [x.shape, *(p.shape for p in (scale, offset) if p is not None)]
        return x.with_shape(broadcast_shapes(*shapes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Complex(Op):
    """``real + i * imaginary``.

    Source: keras/src/ops/math.py ``view_as_complex`` and nn.py ``polar``, Keras 3.15.

    Attributes:
        dtype: complex dtype of the result.
    """

    dtype: str

    def infer(self, real: TensorType, imaginary: TensorType) -> TensorType:
        """The broadcast shape."""
        return TensorType(broadcast_shapes(real.shape, imaginary.shape), self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class RealAndImaginary(Op):
    """Real and imaginary part side by side along a new last axis.

    Source: keras/src/ops/math.py ``view_as_real``, Keras 3.15.
    """

    def infer(self, x: TensorType) -> TensorType:
        """``(..., 2)`` of the dtype of the parts."""
        dtype = {"complex64": "float32", "complex128": "float64"}.get(x.dtype, x.dtype)
        return TensorType((*x.shape, 2), dtype)


MathKind = Literal[
    "absolute", "negative", "sign", "square", "floor", "ceil", "trunc", "round",
    "sqrt", "rsqrt", "reciprocal", "cbrt", "exp", "exp2", "expm1", "log", "log1p", "log2", "log10",
    "sin", "cos", "tan", "sinh", "cosh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh",
    "arctanh", "deg2rad", "rad2deg", "sinc", "i0", "erf", "erfc", "erfinv",
    "logical_not", "isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit",
    "bitwise_not",
]  # fmt: skip

TRUTHS = ("logical_not", "isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit")
KEEPING = ("absolute", "negative", "sign", "square", "bitwise_not", "floor", "ceil", "trunc",
           "round")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Math(Op):
    """A mathematical function of each element.

    Whole numbers become float32 where the function has fractions.
    Source: keras/src/ops/numpy.py and math.py, Keras 3.15; each kind carries
    the name of the Keras function.

    Attributes:
        kind: which function.
    """

    pointwise: ClassVar[bool] = True

    kind: MathKind

    def infer(self, x: TensorType) -> TensorType:
        """The shape of ``x``; bool, its dtype, or a floating one."""
        if self.kind in TRUTHS:
            return x.with_dtype("bool")
        if self.kind in ("floor", "ceil") and not x.is_float:
            return x.with_dtype("float32")
        return x if x.is_float or self.kind in KEEPING else x.with_dtype("float32")


BinaryKind = Literal[
    "divide", "divide_no_nan", "floor_divide", "mod", "power", "arctan2", "hypot", "logaddexp",
    "equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "logical_xor",
    "fmax", "fmin", "fmod", "heaviside", "copysign", "bitwise_and", "bitwise_or", "bitwise_xor",
    "squared_difference",
]  # fmt: skip

COMPARISONS = ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal",
               "logical_xor")  # fmt: skip
FRACTIONS = ("divide", "divide_no_nan", "arctan2", "hypot", "logaddexp", "heaviside")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary(Op):
    """A function of the elements of two values, broadcast by NumPy's rule.

    Source: keras/src/ops/numpy.py, Keras 3.15; each kind carries the name of
    the Keras function.

    Attributes:
        kind: which function.
    """

    kind: BinaryKind

    def infer(self, x1: TensorType, x2: TensorType) -> TensorType:
        """The broadcast shape; bool, the common dtype, or a floating one."""
        shape = broadcast_shapes(x1.shape, x2.shape)
        if self.kind in COMPARISONS:
            return TensorType(shape, "bool")
        common = TensorType(shape, promote(x1.dtype, x2.dtype))
        if self.kind in FRACTIONS and not common.is_float:
            return common.with_dtype("float32")
        return common


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip(Op):
    """``min(max(x, low), high)``.

    Source: keras/src/ops/numpy.py ``clip``, Keras 3.15.
    """

    pointwise: ClassVar[bool] = True

    low: float | None = None
    high: float | None = None

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``; whole numbers stand for truth values."""
        return x.with_dtype("int32") if x.dtype == "bool" else x


@dataclass(frozen=True, slots=True, kw_only=True)
class Where(Op):
    """``x1`` where the condition is true, ``x2`` elsewhere.

    Source: keras/src/ops/numpy.py ``where``, Keras 3.15.
    """

    def infer(self, condition: TensorType, x1: TensorType, x2: TensorType) -> TensorType:
        """The broadcast shape, the common dtype."""
        shape = broadcast_shapes(condition.shape, x1.shape, x2.shape)
        return TensorType(shape, promote(x1.dtype, x2.dtype))
