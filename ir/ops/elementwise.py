"""Functions of one element: one class, one table row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from layergraph.ir.op import Activation, Op
from layergraph.ir.types import TensorType, broadcast_shapes, promote, real_of

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
    "absolute", "fabs", "negative", "sign", "square", "floor", "ceil", "trunc", "round",
    "sqrt", "rsqrt", "reciprocal", "cbrt", "exp", "exp2", "expm1", "log", "log1p", "log2", "log10",
    "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh",
    "arctanh", "deg2rad", "rad2deg", "sinc", "i0", "erf", "erfc", "erfinv",
    "logical_not", "isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "signbit",
    "bitwise_not", "real", "imag", "conj", "angle", "lgamma", "digamma", "i0e",
]  # fmt: skip

TRUTHS = ("logical_not", "isnan", "isinf", "isfinite", "isposinf", "isneginf", "isreal", "signbit")
KEEPING = ("absolute", "negative", "sign", "square", "bitwise_not", "trunc", "round", "real",
           "imag", "conj")  # fmt: skip
PARTS = ("absolute", "fabs", "real", "imag", "angle")
"""Functions that make one real number of a complex one."""
WIDENING = ("cbrt", "deg2rad", "rad2deg", "i0")
"""Functions that make float64 of int64."""
EXACT = ("exp", "exp2", "expm1", "rsqrt", "reciprocal", "deg2rad", "rad2deg")
"""Functions that keep complex128."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Math(Op):
    """A mathematical function of each element.

    Whole numbers become float32 where the function has fractions.
    Source: keras/src/ops/numpy.py and math.py, dtypes as in
    keras/src/backend/tensorflow/numpy.py, Keras 3.15; each kind carries the
    name of the Keras function, ``lgamma``, ``digamma`` and ``i0e`` that of tf.math.

    Attributes:
        kind: which function.
    """

    pointwise: ClassVar[bool] = True

    kind: MathKind

    def infer(self, x: TensorType) -> TensorType:
        """The shape of ``x``; bool, its dtype, or a floating one."""
        if self.kind in TRUTHS:
            return x.with_dtype("bool")
        if x.is_complex and self.kind in PARTS:
            kept = promote(x.dtype, "float") if self.kind == "angle" else x.dtype
            return x.with_dtype(real_of(kept))
        if x.is_complex and self.kind in ("cbrt", "i0"):
            return x.with_dtype("float32")
        if self.kind == "square" and x.dtype == "bool":
            return x.with_dtype("int32")
        if self.kind in KEEPING or (self.kind in EXACT and x.is_complex):
            return x
        if self.kind in WIDENING and x.dtype == "int64":
            return x.with_dtype("float64")
        return x.with_dtype(promote(x.dtype, "float"))


BinaryKind = Literal[
    "divide", "divide_no_nan", "floor_divide", "mod", "power", "arctan2", "hypot", "logaddexp",
    "logaddexp2", "nextafter", "ldexp", "gcd", "lcm",
    "equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "logical_xor",
    "fmax", "fmin", "fmod", "heaviside", "copysign", "bitwise_and", "bitwise_or", "bitwise_xor",
    "left_shift", "right_shift", "squared_difference",
]  # fmt: skip

COMPARISONS = ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal",
               "logical_xor")  # fmt: skip
FRACTIONS = ("divide", "divide_no_nan", "arctan2", "logaddexp", "logaddexp2", "nextafter", "ldexp")
REALS = ("hypot", "heaviside")
"""Functions that make float64 of int64 and float32 of the other whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary(Op):
    """A function of the elements of two values, broadcast by NumPy's rule.

    Source: keras/src/ops/numpy.py, dtypes as in
    keras/src/backend/tensorflow/numpy.py, Keras 3.15; each kind carries the
    name of the Keras function.

    Attributes:
        kind: which function.
    """

    kind: BinaryKind

    def infer(self, x1: TensorType, x2: TensorType) -> TensorType:
        """The broadcast shape; bool, the common dtype, or a floating one."""
        shape = broadcast_shapes(x1.shape, x2.shape)
        if self.kind in COMPARISONS:
            return TensorType(shape, "bool")
        dtype = promote(x1.dtype, x2.dtype)
        if self.kind in FRACTIONS:
            dtype = promote(dtype, "float")
        elif self.kind in REALS and dtype == "int64":
            dtype = "float64"
        elif self.kind in REALS:
            dtype = promote(dtype, "float")
        elif self.kind in ("mod", "fmod") and dtype == "bool":
            dtype = "int32"
        return TensorType(shape, dtype)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTo(Op):
    """Rounded to a place after the point, halves to the even digit.

    Source: keras/src/backend/tensorflow/numpy.py ``round``, Keras 3.15.

    Attributes:
        decimals: the place; negative ones stand before the point.
    """

    decimals: int

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class NanToNum(Op):
    """NaN and infinities replaced by numbers.

    Source: keras/src/backend/tensorflow/numpy.py ``nan_to_num``, Keras 3.15.

    Attributes:
        nan: what NaN becomes.
        posinf, neginf: what infinities become; ``None`` for the largest and the
            smallest number of the dtype.
    """

    nan: float = 0.0
    posinf: float | None = None
    neginf: float | None = None

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class IsClose(Op):
    """``|x1 - x2| <= atol + rtol * |x2|``; equality for what has no fractions.

    Inputs: x1, x2, rtol and atol, that broadcast.
    Source: keras/src/backend/tensorflow/numpy.py ``isclose`` and ``allclose``,
    Keras 3.15.

    Attributes:
        equal_nan: NaN is close to NaN.
        infinities: an infinity is close to itself and to nothing else.
    """

    equal_nan: bool = False
    infinities: bool = False

    def infer(
        self, x1: TensorType, x2: TensorType, rtol: TensorType, atol: TensorType
    ) -> TensorType:
        """Booleans of the broadcast shape."""
        shapes = [t.shape for t in (x1, x2, rtol, atol)]
        return TensorType(broadcast_shapes(*shapes), "bool")


@dataclass(frozen=True, slots=True, kw_only=True)
class IsIn(Op):
    """Whether each element of ``x1`` is among those of ``x2``.

    Source: keras/src/backend/tensorflow/numpy.py ``isin``, Keras 3.15.

    Attributes:
        invert: whether it is not.
    """

    invert: bool = False

    def infer(self, x1: TensorType, x2: TensorType) -> TensorType:
        """Booleans of the shape of ``x1``."""
        return x1.with_dtype("bool")
