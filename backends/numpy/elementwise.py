"""Functions of one element: a dictionary row each.

Every row is ``f(x, out)`` where ``out`` may be ``x`` itself. Formulas follow
keras/src/backend/tensorflow/nn.py, Keras 3.15; where a textbook formula
overflows, the branch-free form that does not is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from layergraph.backends.numpy.scratch import temporaries
from layergraph.backends.numpy.special import digamma, i0e, lgamma
from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.elementwise import (
    COMPARISONS,
    TRUTHS,
    Binary,
    BinaryKind,
    Cast,
    Clip,
    Complex,
    IsClose,
    IsIn,
    Math,
    MathKind,
    NanToNum,
    NotEqual,
    RealAndImaginary,
    RoundTo,
    SaturateCast,
    Scale,
    Unary,
    UnaryKind,
    Where,
)
from layergraph.ir.types import Array, numpy_dtype, promote, type_of

kernels = Kernels()

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def sigmoid(x: Array, out: Array) -> None:
    """``1 / (1 + exp(-x))`` through tanh, which neither overflows nor branches."""
    np.multiply(x, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5


def softplus(x: Array, out: Array) -> None:
    """``log(1 + exp(x))`` as ``max(x, 0) + log(1 + exp(-|x|))``, faster than ``logaddexp``."""
    tail = np.abs(x)
    np.negative(tail, out=tail)
    np.exp(tail, out=tail)
    np.log1p(tail, out=tail)
    np.maximum(x, x.dtype.type(0), out=out)
    out += tail


def _relu(x: Array, out: Array) -> None:
    if x.dtype.kind == "f":
        # NumPy compares with a number twice as fast in ``clip`` as in ``maximum``.
        x.clip(0, np.inf, out=out)
    else:
        np.maximum(x, 0, out=out)


def _relu6(x: Array, out: Array) -> None:
    np.clip(x, 0, 6, out=out)


def _softsign(x: Array, out: Array) -> None:
    np.divide(x, np.abs(x) + 1, out=out)


def _silu(x: Array, out: Array) -> None:
    # ``exp`` takes half the time of ``tanh``; where it overflows, the quotient is -0.
    (gate,) = temporaries(x, 1)
    np.negative(x, out=gate)
    with np.errstate(over="ignore"):
        np.exp(gate, out=gate)
    gate += 1
    np.divide(x, gate, out=out)


def _selu(x: Array, out: Array) -> None:
    negative = np.expm1(np.minimum(x, 0)) * SELU_ALPHA
    np.maximum(x, 0, out=out)
    out += negative
    out *= SELU_SCALE


def _mish(x: Array, out: Array) -> None:
    gate = np.empty_like(x)
    softplus(x, gate)
    np.tanh(gate, out=gate)
    np.multiply(x, gate, out=out)


def _log_sigmoid(x: Array, out: Array) -> None:
    np.negative(x, out=out)
    softplus(out, out)
    np.negative(out, out=out)


def _hard_tanh(x: Array, out: Array) -> None:
    np.clip(x, -1, 1, out=out)


def _hard_silu(x: Array, out: Array) -> None:
    np.multiply(x, np.clip(x + 3, 0, 6) / 6, out=out)


def _tanh_shrink(x: Array, out: Array) -> None:
    np.subtract(x, np.tanh(x), out=out)


def _sparse_plus(x: Array, out: Array) -> None:
    out[...] = np.where(x <= -1, 0, np.where(x < 1, 0.25 * (x + 1) ** 2, x))


def _sparse_sigmoid(x: Array, out: Array) -> None:
    np.clip(0.5 * (x + 1), 0, 1, out=out)


FUNCTIONS: dict[UnaryKind, Callable[[Array, Array], Any]] = {
    "relu": _relu,
    "relu6": _relu6,
    "sigmoid": sigmoid,
    "tanh": lambda x, out: np.tanh(x, out=out),
    "exponential": lambda x, out: np.exp(x, out=out),
    "softplus": softplus,
    "softsign": _softsign,
    "silu": _silu,
    "selu": _selu,
    "mish": _mish,
    "log_sigmoid": _log_sigmoid,
    "hard_tanh": _hard_tanh,
    "hard_silu": _hard_silu,
    "tanh_shrink": _tanh_shrink,
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": _sparse_sigmoid,
}


@kernels.applies(Unary)
def unary(op: Unary, x: Array, out: Array) -> None:
    """The table row of the operator's kind."""
    FUNCTIONS[op.kind](x, out)


@kernels.computes(Cast, halves=True)
def cast(op: Cast, x: Array) -> Array:
    """Another dtype; the real part where it has one only.

    What it cannot hold becomes infinite, as in TensorFlow.
    """
    real = x.dtype.kind == "c" and op.dtype[0] != "c"
    with np.errstate(over="ignore", invalid="ignore"):
        return (x.real if real else x).astype(numpy_dtype(op.dtype))


@kernels.computes(SaturateCast)
def saturate_cast(op: SaturateCast, x: Array) -> Array:
    """Clipped to numbers that both dtypes have, so that the conversion never wraps."""
    x = x.astype("int32") if x.dtype == bool else x
    if numpy_dtype(op.dtype).kind not in "biuf":
        return np.asarray(cast(Cast(dtype=op.dtype), x))
    limits = [_limits(x.dtype), _limits(np.dtype(op.dtype))]
    low, high = x.dtype.type(max(lo for lo, _ in limits)), x.dtype.type(min(hi for _, hi in limits))
    # Rounded to the dtype of ``x``, a limit may lie beyond what the target holds.
    if int(low) < limits[1][0]:
        low = np.nextafter(low, x.dtype.type(0))
    if int(high) > limits[1][1]:
        high = np.nextafter(high, x.dtype.type(0))
    with np.errstate(invalid="ignore"):
        return np.clip(x, low, high).astype(op.dtype)


def _limits(dtype: Any) -> tuple[int, int]:
    """The smallest and the largest number, exactly."""
    if dtype.kind == "b":
        return 0, 1
    info: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return int(info.min), int(info.max)


@kernels.computes(Complex)
def complex_(op: Complex, real: Array, imaginary: Array) -> Array:
    """Both parts written where they lie."""
    y = np.empty(np.broadcast_shapes(real.shape, imaginary.shape), op.dtype)
    y.real, y.imag = real, imaginary
    return y


@kernels.computes(RealAndImaginary)
def real_and_imaginary(op: RealAndImaginary, x: Array) -> Array:
    """Parts side by side."""
    return np.stack([x.real, x.imag], axis=-1)


@kernels.computes(NotEqual)
def not_equal(op: NotEqual, x: Array) -> Array:
    """Comparison with a number in the dtype of ``x``, as TensorFlow compares."""
    return np.asarray(x != x.dtype.type(op.value))


@kernels.computes(Scale)
def scale_(
    op: Scale, x: Array, *, scale: Array | None = None, offset: Array | None = None
) -> Array:
    """One multiplication, one addition."""
    y: Array = x * x.dtype.type(op.factor) if op.factor != 1 or scale is None else x
    y = y if scale is None else y * scale
    return y if offset is None else np.asarray(y + offset)


def _erf(x: Array) -> Array:
    # Imported here: the activation family builds on this file.
    from layergraph.backends.numpy.activation import erf

    return erf(x)


def _erfinv(x: Array) -> Array:
    from layergraph.backends.numpy.erfinv import erfinv

    return erfinv(x)


def _unit(x: Array) -> Array:
    """Sign of a complex number: of length 1, or 0."""
    length = np.abs(x)
    return np.asarray(np.where(length == 0, x.dtype.type(0), x / np.where(length == 0, 1, length)))


MATH: dict[MathKind, Callable[[Array], Any]] = {
    **{
        kind: getattr(np, kind)
        for kind in (
            "absolute", "negative", "sign", "square", "floor", "ceil", "trunc", "sqrt",
            "reciprocal", "cbrt", "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sin",
            "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arcsinh",
            "arccosh", "arctanh", "deg2rad", "rad2deg", "sinc", "i0", "logical_not", "isnan",
            "isinf", "isfinite", "isposinf", "isneginf", "isreal", "signbit", "real", "imag",
            "conj", "angle",
        )
    },
    "fabs": np.absolute,
    "round": np.rint,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "erf": _erf,
    "erfc": lambda x: 1 - _erf(x),
    "erfinv": _erfinv,
    "bitwise_not": np.invert,
    "lgamma": lgamma,
    "digamma": digamma,
    "i0e": i0e,
}  # fmt: skip

COMPLEX_MATH: dict[MathKind, Callable[[Array], Any]] = {
    "sign": _unit,
    "exp2": lambda x: np.exp(x * np.log(2)),
    "deg2rad": lambda x: x * (np.pi / 180),
    "rad2deg": lambda x: x * (180 / np.pi),
    "isposinf": lambda x: x == np.inf,
    "isneginf": lambda x: x == -np.inf,
    "signbit": lambda x: np.signbit(x.real),
    "cbrt": lambda x: np.cbrt(x.real),
    "i0": lambda x: np.i0(x.real),
}
"""Where NumPy has no function of complex numbers, or another one."""


@kernels.computes(Math)
def math_(op: Math, x: Array) -> Array:
    """The table row of the operator's kind; quiet about NaN, as TensorFlow is."""
    wanted = op.infer(type_of(x)).dtype
    function = MATH[op.kind]
    if x.dtype.kind == "c":
        function = COMPLEX_MATH.get(op.kind, function)
    # Of complex numbers some functions give real ones.
    if op.kind not in TRUTHS and (x.dtype.kind != "c" or np.dtype(wanted).kind == "c"):
        x = x.astype(wanted, copy=False)
    with np.errstate(all="ignore"):
        y = np.asarray(function(x)).astype(wanted, copy=False)
    # The real part of real numbers is those numbers.
    return y.copy() if y is x or y.base is not None else y


def _divide_no_nan(x1: Array, x2: Array) -> Array:
    return np.where(x2 == 0, x1.dtype.type(0), x1 / np.where(x2 == 0, x2.dtype.type(1), x2))


def _floor_divide(x1: Array, x2: Array) -> Array:
    # TensorFlow rounds the quotient down, where NumPy avoids its rounding.
    return np.floor(x1 / x2) if x1.dtype.kind == "f" else np.floor_divide(x1, x2)


def _power(x1: Array, x2: Array) -> Array:
    if x1.dtype.kind == "u":
        x1, x2 = x1.astype("int32"), x2.astype("int32")
    return np.asarray(np.power(x1, x2))


def _shift(function: Callable[..., Array]) -> Callable[[Array, Array], Array]:
    """Shifts by more bits than there are count as one less than there are."""

    def run(x1: Array, x2: Array) -> Array:
        most = 8 * x2.dtype.itemsize - 1
        return function(x1, np.clip(x2, x2.dtype.type(0), x2.dtype.type(most)))

    return run


def _ldexp(x1: Array, x2: Array) -> Array:
    y = x1 * np.power(x1.dtype.type(2), x2)
    return np.where(np.isinf(x1) | (x1 == 0), x1, y)


BINARY: dict[BinaryKind, Callable[[Array, Array], Any]] = {
    **{
        kind: getattr(np, kind)
        for kind in (
            "divide", "mod", "arctan2", "hypot", "logaddexp", "logaddexp2", "equal", "not_equal",
            "greater", "greater_equal", "less", "less_equal", "logical_xor", "fmax", "fmin",
            "fmod", "heaviside", "copysign", "bitwise_and", "bitwise_or", "bitwise_xor", "gcd",
            "lcm",
        )
    },
    "divide_no_nan": _divide_no_nan,
    "floor_divide": _floor_divide,
    "power": _power,
    "left_shift": _shift(np.left_shift),
    "right_shift": _shift(np.right_shift),
    "ldexp": _ldexp,
    # TensorFlow's step is one of float64, so that float32 stays where it is.
    "nextafter": lambda x1, x2: np.nextafter(x1.astype("float64"), x2.astype("float64")),
    "squared_difference": lambda x1, x2: np.square(x1 - x2),
}  # fmt: skip


@kernels.computes(Binary)
def binary(op: Binary, x1: Array, x2: Array) -> Array:
    """The table row of the operator's kind, on operands of the common dtype."""
    wanted = op.infer(type_of(x1), type_of(x2)).dtype
    common = promote(x1.dtype.name, x2.dtype.name) if op.kind in COMPARISONS else wanted
    with np.errstate(all="ignore"):
        y = BINARY[op.kind](x1.astype(common, copy=False), x2.astype(common, copy=False))
    return np.asarray(y).astype(wanted, copy=False)


@kernels.computes(Clip)
def clip(op: Clip, x: Array) -> Array:
    """Both bounds at once."""
    x = x.astype("int32") if x.dtype == bool else x
    low, high = (None if b is None else x.dtype.type(b) for b in (op.low, op.high))
    return np.asarray(np.clip(x, low, high))


@kernels.computes(Where)
def where(op: Where, condition: Array, x1: Array, x2: Array) -> Array:
    """A choice element by element."""
    common = promote(x1.dtype.name, x2.dtype.name)
    return np.where(condition, x1.astype(common, copy=False), x2.astype(common, copy=False))


@kernels.computes(RoundTo)
def round_to(op: RoundTo, x: Array) -> Array:
    """Scaled, rounded, scaled back."""
    if x.dtype.kind != "f":
        if op.decimals >= 0:
            return x.copy()
        y = x.astype("float32")
    else:
        y = x
    factor = y.dtype.type(10.0**op.decimals)
    return np.asarray(np.rint(y * factor) / factor).astype(x.dtype)


@kernels.computes(NanToNum)
def nan_to_num(op: NanToNum, x: Array) -> Array:
    """NumPy's own, which leaves whole numbers alone."""
    return np.array(np.nan_to_num(x, nan=op.nan, posinf=op.posinf, neginf=op.neginf))


@kernels.computes(IsClose)
def is_close(op: IsClose, x1: Array, x2: Array, rtol: Array, atol: Array) -> Array:
    """The formula itself, in the common dtype."""
    dtype = np.dtype(promote(x1.dtype.name, x2.dtype.name))
    a, b = x1.astype(dtype, copy=False), x2.astype(dtype, copy=False)
    if dtype.kind != "f":
        return np.asarray(a == b)
    with np.errstate(all="ignore"):
        close = np.abs(a - b) <= atol.astype(dtype) + rtol.astype(dtype) * np.abs(b)
    if op.infinities:
        close = (np.isfinite(a) & np.isfinite(b) & close) | (a == b)
    if op.equal_nan:
        close = close | (np.isnan(a) & np.isnan(b))
    return np.asarray(close)


@kernels.computes(IsIn)
def is_in(op: IsIn, x1: Array, x2: Array) -> Array:
    """NumPy's own; nothing is in or out of nothing."""
    if not x1.size or not x2.size:
        return np.zeros(x1.shape, bool)
    dtype = promote(x1.dtype.name, x2.dtype.name)
    found = np.isin(x1.astype(dtype, copy=False), x2.astype(dtype, copy=False), invert=op.invert)
    return np.asarray(found)
