"""Functions of one element."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from layergraph.backends.numpy.elementwise import _limits as limits
from layergraph.backends.onnx.activation import clip as clipped
from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
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
from layergraph.ir.types import FLOATS, Array, promote

spellings = Spellings()

Function = Callable[[Writer, Tensor], str]


def node(kind: str) -> Function:
    """The ONNX operator of that name."""
    return lambda w, x: w.op(kind, x)


def _log_sigmoid(w: Writer, x: Tensor) -> str:
    return w.op("Neg", w.op("Softplus", w.op("Neg", x)))  # type: ignore[no-any-return]


def _mish(w: Writer, x: Tensor) -> str:
    # A node Mish exists from opset 18 on, but not in every runtime.
    return w.op("Mul", x, w.op("Tanh", w.op("Softplus", x)))  # type: ignore[no-any-return]


def _sparse_plus(w: Writer, x: Tensor) -> str:
    one, zero = w.number(1, x.dtype), w.number(0, x.dtype)
    moved = w.op("Add", x, one)
    bend = w.op("Mul", w.op("Mul", moved, moved), w.number(0.25, x.dtype))
    upper = w.op("Where", w.op("Less", x, one), bend, x)
    below = w.op("LessOrEqual", x, w.number(-1, x.dtype))
    return w.op("Where", below, zero, upper)  # type: ignore[no-any-return]


UNARY: dict[UnaryKind, Function] = {
    # Relu takes no unsigned numbers, which it would leave as they are.
    "relu": lambda w, x: w.op("Identity" if x.dtype.startswith("uint") else "Relu", x),
    "relu6": lambda w, x: clipped(w, x, 0, 6, x.dtype),
    "sigmoid": node("Sigmoid"),
    "tanh": node("Tanh"),
    "exponential": node("Exp"),
    "softplus": node("Softplus"),
    "softsign": node("Softsign"),
    "silu": lambda w, x: w.op("Mul", x, w.op("Sigmoid", x)),
    "selu": node("Selu"),
    "mish": _mish,
    "log_sigmoid": _log_sigmoid,
    "hard_tanh": lambda w, x: clipped(w, x, -1, 1, x.dtype),
    "hard_silu": node("HardSwish"),
    "tanh_shrink": lambda w, x: w.op("Sub", x, w.op("Tanh", x)),
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": lambda w, x: w.op("HardSigmoid", x, alpha=0.5, beta=0.5),
}


@spellings.spells(Unary, follows=True)
def unary(w: Writer, op: Unary, x: Tensor) -> str:
    """The table row of the operator's kind."""
    return UNARY[op.kind](w, x)


@spellings.spells(Cast, follows=True)
def cast(w: Writer, op: Cast, x: Tensor) -> str:
    """A node."""
    return w.cast(x, x.dtype, op.dtype)


@spellings.spells(SaturateCast, follows=True)
def saturate_cast(w: Writer, op: SaturateCast, x: Tensor) -> str:
    """Clipped to what both dtypes hold, then cast."""
    if "bfloat16" in (x.dtype, op.dtype):
        return w.cast(x, x.dtype, op.dtype)
    given = w.as_dtype(x, "int32") if x.dtype == "bool" else x
    kind = np.dtype(given.dtype).type
    (first, last), (low, high) = (limits(np.dtype(d)) for d in (given.dtype, op.dtype))
    least, most = kind(max(first, low)), kind(min(last, high))
    # Rounded to the dtype of the value, a limit may lie beyond what the target holds.
    least = np.nextafter(least, kind(0)) if int(least) < low else least
    most = np.nextafter(most, kind(0)) if int(most) > high else most
    name = w.op("Clip", given, np.asarray(least), np.asarray(most))
    return w.cast(name, given.dtype, op.dtype)


@spellings.spells(NotEqual, follows=True)
def not_equal(w: Writer, op: NotEqual, x: Tensor) -> str:
    """No node of its own."""
    if x.dtype == "bool":
        return w.op("Xor", x, w.number(op.value, "bool"))  # type: ignore[no-any-return]
    return w.op("Not", w.op("Equal", x, w.number(op.value, x.dtype)))  # type: ignore[no-any-return]


@spellings.spells(Scale, follows=True)
def scale_(
    w: Writer, op: Scale, x: Tensor, *, scale: Array | None = None, offset: Array | None = None
) -> str:
    """One multiplication, one addition."""
    name = w.name_of(x)
    if op.factor != 1 or (scale is None and offset is None):
        name = w.op("Mul", name, w.number(op.factor, x.dtype))
    if scale is not None:
        name = w.op("Mul", name, w.array(scale.astype(x.dtype, copy=False), "scale"))
    if offset is not None:
        name = w.op("Add", name, w.array(offset.astype(x.dtype, copy=False), "offset"))
    return name


def _times(factor: float) -> Function:
    return lambda w, x: w.op("Mul", x, w.number(factor, x.dtype))


def _divided_log(base: float) -> Function:
    return lambda w, x: w.op("Mul", w.op("Log", x), w.number(1 / math.log(base), x.dtype))


def _expm1(w: Writer, x: Tensor) -> str:
    # Exact near 0, where exp(x) - 1 is not: 2 sinh(x/2) exp(x/2).
    half = w.op("Mul", x, w.number(0.5, x.dtype))
    product = w.op("Mul", w.op("Sinh", half), w.op("Exp", half))
    return w.op("Mul", product, w.number(2, x.dtype))  # type: ignore[no-any-return]


def _log1p(w: Writer, x: Tensor) -> str:
    # log(1 + x) = 2 artanh(x / (2 + x)), which is exact near 0; the logarithm itself beyond.
    one = w.number(1, x.dtype)
    near = w.op("Less", w.op("Abs", x), w.number(0.5, x.dtype))
    small = w.op("Where", near, x, w.number(0, x.dtype))
    ratio = w.op("Div", small, w.op("Add", small, w.number(2, x.dtype)))
    inner = w.op("Mul", w.op("Atanh", ratio), w.number(2, x.dtype))
    return w.op("Where", near, inner, w.op("Log", w.op("Add", x, one)))  # type: ignore[no-any-return]


def _cbrt(w: Writer, x: Tensor) -> str:
    root = w.op("Pow", w.op("Abs", x), w.number(1 / 3, x.dtype))
    return w.op("Mul", w.op("Sign", x), root)  # type: ignore[no-any-return]


def _trunc(w: Writer, x: Tensor) -> str:
    return w.op("Mul", w.op("Sign", x), w.op("Floor", w.op("Abs", x)))  # type: ignore[no-any-return]


def _sinc(w: Writer, x: Tensor) -> str:
    angle = w.op("Mul", x, w.number(math.pi, x.dtype))
    zero = w.op("Equal", x, w.number(0, x.dtype))
    one = w.number(1, x.dtype)
    safe = w.op("Where", zero, one, angle)
    return w.op("Where", zero, one, w.op("Div", w.op("Sin", safe), safe))  # type: ignore[no-any-return]


def _is_finite(w: Writer, x: Tensor) -> str:
    return w.op("Not", w.op("Or", w.op("IsInf", x), w.op("IsNaN", x)))  # type: ignore[no-any-return]


MATH: dict[MathKind, Function] = {
    "absolute": node("Abs"), "fabs": node("Abs"), "negative": node("Neg"), "sign": node("Sign"),
    "square": lambda w, x: w.op("Mul", x, x),
    "floor": node("Floor"), "ceil": node("Ceil"), "trunc": _trunc, "round": node("Round"),
    "sqrt": node("Sqrt"), "rsqrt": lambda w, x: w.op("Reciprocal", w.op("Sqrt", x)),
    "reciprocal": node("Reciprocal"), "cbrt": _cbrt,
    "exp": node("Exp"), "exp2": lambda w, x: w.op("Pow", w.number(2, x.dtype), x),
    "expm1": _expm1, "log": node("Log"), "log1p": _log1p,
    "log2": _divided_log(2), "log10": _divided_log(10),
    "sin": node("Sin"), "cos": node("Cos"), "tan": node("Tan"), "sinh": node("Sinh"),
    "cosh": node("Cosh"), "tanh": node("Tanh"), "arcsin": node("Asin"), "arccos": node("Acos"),
    "arctan": node("Atan"), "arcsinh": node("Asinh"), "arccosh": node("Acosh"),
    "arctanh": node("Atanh"), "deg2rad": _times(math.pi / 180), "rad2deg": _times(180 / math.pi),
    "sinc": _sinc, "erf": node("Erf"),
    "erfc": lambda w, x: w.op("Sub", w.number(1, x.dtype), w.op("Erf", x)),
    "logical_not": node("Not"), "isnan": node("IsNaN"), "isinf": node("IsInf"),
    "isfinite": _is_finite,
    "isposinf": lambda w, x: w.op("IsInf", x, detect_negative=0),
    "isneginf": lambda w, x: w.op("IsInf", x, detect_positive=0),
    "real": node("Identity"), "conj": node("Identity"),
}  # fmt: skip

WHOLE_THEMSELVES = ("trunc", "round")
FALSE_OF_WHOLE = {"isnan": False, "isinf": False, "isfinite": True, "isposinf": False,
                  "isneginf": False}  # fmt: skip


@spellings.spells(Math, follows=True)
def math_(w: Writer, op: Math, x: Tensor) -> str:
    """The table row of the operator's kind, in the dtype Keras computes it in."""
    if op.kind == "bitwise_not":
        return w.op("Not" if x.dtype == "bool" else "BitwiseNot", x)  # type: ignore[no-any-return]
    if op.kind not in MATH:
        raise RefusedError(f"it has no operator for {op.kind}")
    if op.kind in FALSE_OF_WHOLE and not x.type.is_float:
        shape = w.op("Shape", x)
        found: str = w.op("Expand", w.array(np.array(FALSE_OF_WHOLE[op.kind])), shape)
        return found
    if op.kind in WHOLE_THEMSELVES and not x.type.is_float:
        return w.name_of(x)
    if op.kind == "logical_not":
        return w.op("Not", truth(w, x))  # type: ignore[no-any-return]
    wanted = op.infer(x.type).dtype
    return MATH[op.kind](w, x if op.kind in TRUTHS else w.as_dtype(x, wanted))


def truth(w: Writer, x: Tensor) -> str:
    """Whether each element is not 0."""
    return w.name_of(x) if x.dtype == "bool" else w.op("Cast", x, to=9)


Pair = Callable[[Writer, Tensor, Tensor], str]


def both(kind: str) -> Pair:
    """The ONNX operator of that name."""
    return lambda w, a, b: w.op(kind, a, b)


def _divide_no_nan(w: Writer, a: Tensor, b: Tensor) -> str:
    zero = w.number(0, b.dtype)
    missing = w.op("Equal", b, zero)
    quotient = w.op("Div", a, w.op("Where", missing, w.number(1, b.dtype), b))
    return w.op("Where", missing, zero, quotient)  # type: ignore[no-any-return]


def _floor_divide(w: Writer, a: Tensor, b: Tensor) -> str:
    if a.type.is_float:
        return w.op("Floor", w.op("Div", a, b))  # type: ignore[no-any-return]
    # Whole numbers: what the rounded-down remainder leaves divides without rest.
    return w.op("Div", w.op("Sub", a, w.op("Mod", a, b)), b)  # type: ignore[no-any-return]


def _mod(w: Writer, a: Tensor, b: Tensor) -> str:
    if not a.type.is_float:
        return w.op("Mod", a, b)  # type: ignore[no-any-return]
    rest = w.op("Mod", a, b, fmod=1)
    zero = w.number(0, a.dtype)
    other = w.op("Xor", w.op("Less", rest, zero), w.op("Less", b, zero))
    moved = w.op("And", other, w.op("Not", w.op("Equal", rest, zero)))
    return w.op("Where", moved, w.op("Add", rest, b), rest)  # type: ignore[no-any-return]


def _logaddexp(w: Writer, a: Tensor, b: Tensor) -> str:
    apart = w.op("Neg", w.op("Abs", w.op("Sub", a, b)))
    return w.op("Add", w.op("Max", a, b), w.op("Softplus", apart))  # type: ignore[no-any-return]


def _squared_difference(w: Writer, a: Tensor, b: Tensor) -> str:
    apart = w.op("Sub", a, b)
    return w.op("Mul", apart, apart)  # type: ignore[no-any-return]


def _hypot(w: Writer, a: Tensor, b: Tensor) -> str:
    return w.op("Sqrt", w.op("Add", w.op("Mul", a, a), w.op("Mul", b, b)))  # type: ignore[no-any-return]


def _arctan2(w: Writer, a: Tensor, b: Tensor) -> str:
    zero, pi = w.number(0, a.dtype), w.number(math.pi, a.dtype)
    half = w.number(math.pi / 2, a.dtype)
    on_axis = w.op("Equal", b, zero)
    angle = w.op("Atan", w.op("Div", a, w.op("Where", on_axis, w.number(1, b.dtype), b)))
    turn = w.op("Where", w.op("Less", a, zero), w.op("Neg", pi), pi)
    whole = w.op("Where", w.op("Less", b, zero), w.op("Add", angle, turn), angle)
    return w.op("Where", on_axis, w.op("Mul", w.op("Sign", a), half), whole)  # type: ignore[no-any-return]


def _extreme(kind: str) -> Pair:
    """The larger or smaller of two, of which a NaN is neither."""

    def spell(w: Writer, a: Tensor, b: Tensor) -> str:
        found = w.op(kind, a, b)
        if a.type.is_float:
            found = w.op("Where", w.op("IsNaN", b), a, found)
            found = w.op("Where", w.op("IsNaN", a), b, found)
        return str(found)

    return spell


def _power(w: Writer, a: Tensor, b: Tensor) -> str:
    """ONNX takes powers of floats and of integers from 32 bits on."""
    if a.type.is_float or a.dtype in ("int32", "int64"):
        return str(w.op("Pow", a, b))
    wide = w.op("Pow", w.as_dtype(a, "int64"), w.as_dtype(b, "int64"))
    return w.cast(wide, "int64", a.dtype)


def _ldexp(w: Writer, a: Tensor, b: Tensor) -> str:
    kept = w.op("Or", w.op("IsInf", a), w.op("Equal", a, w.number(0, a.dtype)))
    product = w.op("Mul", a, w.op("Pow", w.number(2, a.dtype), b))
    return str(w.op("Where", kept, a, product))


def _signbit(w: Writer, x: Tensor) -> str:
    if not x.type.is_float:
        return str(w.op("Less", w.as_dtype(x, "int64"), np.int64(0)))
    # Of both zeros, the reciprocal of one alone is minus infinity.
    below = w.op("Less", x, w.number(0, x.dtype))
    return str(w.op("Or", below, w.op("IsInf", w.op("Reciprocal", x), detect_positive=0)))


MATH["signbit"] = _signbit

BINARY: dict[BinaryKind, Pair] = {
    "divide": both("Div"), "divide_no_nan": _divide_no_nan, "floor_divide": _floor_divide,
    "mod": _mod, "fmod": lambda w, a, b: w.op("Mod", a, b, fmod=1), "power": _power,
    "arctan2": _arctan2, "hypot": _hypot, "logaddexp": _logaddexp,
    "equal": both("Equal"), "not_equal": lambda w, a, b: w.op("Not", w.op("Equal", a, b)),
    "greater": both("Greater"), "greater_equal": both("GreaterOrEqual"), "less": both("Less"),
    "fmax": _extreme("Max"), "fmin": _extreme("Min"), "ldexp": _ldexp,
    "less_equal": both("LessOrEqual"), "squared_difference": _squared_difference,
}  # fmt: skip

BITS = {"bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor"}


@spellings.spells(Binary, follows=True)
def binary(w: Writer, op: Binary, x1: Tensor, x2: Tensor) -> str:
    """The table row of the operator's kind, on operands of the common dtype."""
    if op.kind == "logical_xor":
        return w.op("Xor", truth(w, x1), truth(w, x2))  # type: ignore[no-any-return]
    wanted = op.infer(x1.type, x2.type).dtype
    common = promote(x1.dtype, x2.dtype) if op.kind in COMPARISONS else wanted
    if common == "bool" and op.kind in COMPARISONS and op.kind not in ("equal", "not_equal"):
        common = "int32"
    a, b = w.as_dtype(x1, common), w.as_dtype(x2, common)
    if op.kind in BITS:
        prefix = "" if common == "bool" else "Bitwise"
        return w.op(prefix + BITS[op.kind], a, b)  # type: ignore[no-any-return]
    if op.kind not in BINARY:
        raise RefusedError(f"it has no operator for {op.kind}")
    return BINARY[op.kind](w, a, b)


@spellings.spells(Clip, follows=True)
def clip(w: Writer, op: Clip, x: Tensor) -> str:
    """A node."""
    x = w.as_dtype(x, "int32") if x.dtype == "bool" else x
    return clipped(w, x, op.low, op.high, x.dtype)


@spellings.spells(Where, follows=True)
def where(w: Writer, op: Where, condition: Tensor, x1: Tensor, x2: Tensor) -> str:
    """A node; of truth values, what it stands for."""
    dtype = promote(x1.dtype, x2.dtype)
    chosen, a, b = truth(w, condition), w.as_dtype(x1, dtype), w.as_dtype(x2, dtype)
    return choice(w, chosen, w.name_of(a), w.name_of(b), dtype)


def choice(w: Writer, condition: str, a: str, b: str, dtype: str) -> str:
    """``Where``, which runtimes lack for truth values and small numbers."""
    name: str
    if dtype == "bool":
        other = w.op("And", w.op("Not", condition), b)
        name = w.op("Or", w.op("And", condition, a), other)
        return name
    between = {"int8": "int32", "int16": "int32", "uint16": "int32", "uint32": "int64"}
    wide = between.get(dtype, dtype)
    name = w.op("Where", condition, w.cast(a, dtype, wide), w.cast(b, dtype, wide))
    return w.cast(name, wide, dtype)


@spellings.spells(RoundTo, follows=True)
def round_to(w: Writer, op: RoundTo, x: Tensor) -> str:
    """Scaled, rounded, scaled back."""
    if not x.type.is_float and op.decimals >= 0:
        return w.name_of(x)
    dtype = x.dtype if x.type.is_float else "float32"
    factor = w.number(10.0**op.decimals, dtype)
    rounded = w.op("Round", w.op("Mul", w.as_dtype(x, dtype), factor))
    return w.cast(w.op("Div", rounded, factor), dtype, x.dtype)


@spellings.spells(NanToNum, follows=True)
def nan_to_num(w: Writer, op: NanToNum, x: Tensor) -> str:
    """Three choices."""
    if not x.type.is_float:
        return w.name_of(x)
    info = np.finfo(x.dtype)
    name = w.name_of(x)
    ends = {
        "detect_negative": float(info.max) if op.posinf is None else op.posinf,
        "detect_positive": float(info.min) if op.neginf is None else op.neginf,
    }
    for ignored, value in ends.items():
        found = w.op("IsInf", x, **{ignored: 0})
        name = w.op("Where", found, w.number(value, x.dtype), name)
    name = w.op("Where", w.op("IsNaN", x), w.number(op.nan, x.dtype), name)
    return str(name)


@spellings.spells(IsClose)
def is_close(w: Writer, op: IsClose, x1: Tensor, x2: Tensor, rtol: Tensor, atol: Tensor) -> str:
    """The formula itself, in the common dtype."""
    dtype = promote(x1.dtype, x2.dtype)
    a, b = w.as_dtype(x1, dtype), w.as_dtype(x2, dtype)
    equal = w.op("Equal", a, b)
    if dtype not in FLOATS:
        return equal  # type: ignore[no-any-return]
    reach = w.op("Mul", w.as_dtype(rtol, dtype), w.op("Abs", b))
    limit = w.op("Add", w.as_dtype(atol, dtype), reach)
    close = w.op("LessOrEqual", w.op("Abs", w.op("Sub", a, b)), limit)
    if op.infinities:
        for side in (a, b):
            close = w.op("And", close, w.op("Not", w.op("IsInf", side)))
        close = w.op("Or", close, equal)
    if op.equal_nan:
        close = w.op("Or", close, w.op("And", w.op("IsNaN", a), w.op("IsNaN", b)))
    return close  # type: ignore[no-any-return]


@spellings.spells(IsIn)
def is_in(w: Writer, op: IsIn, x1: Tensor, x2: Tensor) -> str:
    """Every pair compared."""
    dtype = promote(x1.dtype, x2.dtype)
    one = w.op("Unsqueeze", w.as_dtype(x1, dtype), w.ints(-1))
    pairs = w.op("Equal", one, w.reshape(w.name_of(w.as_dtype(x2, dtype)), -1))
    count = w.reduce("ReduceSum", w.op("Cast", pairs, to=6), [x1.rank], False)
    found = w.op("Greater", count, w.number(0, "int32"))
    return w.op("Not", found) if op.invert else found  # type: ignore[no-any-return]


for _op in (Complex, RealAndImaginary):
    spellings.refuses(_op, "it has no complex numbers")
