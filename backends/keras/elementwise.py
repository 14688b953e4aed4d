"""Functions of one element, and of two: a row each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from layergraph.backends.keras.activation import PLAIN_2, activation
from layergraph.backends.keras.formulas import (
    BINARY_2,
    BINARY_TERMS_2,
    MATH_2,
    MATH_TERMS_2,
    TRUTH_2,
    UNARY_2,
    signed_bit,
)
from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import as_dtype, as_tensor, f, first, part, type_in, write
from layergraph.backends.keras.writer import Operand, Writer, dtype_of
from layergraph.ir.ops.elementwise import (
    TRUTHS,
    Binary,
    Cast,
    Clip,
    Complex,
    IsClose,
    IsIn,
    Math,
    NanToNum,
    NotEqual,
    RealAndImaginary,
    RoundTo,
    SaturateCast,
    Scale,
    Unary,
    Where,
)
from layergraph.ir.types import FLOATS, Array, largest, numpy_dtype, promote, real_of

spellings = Spellings()


# --- activations -----------------------------------------------------------------------


@spellings.spells(Unary)
def unary(w: Writer, op: Unary, x: Tensor) -> Any:
    """An activation; what Keras 2 has no name for is made of TensorFlow's functions."""
    if w.keras3 or op.kind in PLAIN_2 or op.kind not in UNARY_2:
        return activation(w, op, x)
    if op.kind == "hard_tanh":
        w.spelled_out()  # one function of TensorFlow, which says two operators
    return write(w, UNARY_2[op.kind](w.tensor(x)))


# --- one element -----------------------------------------------------------------------

NAMES_3 = {"conj": "Conjugate"}
LACKING_3 = ("lgamma", "digamma", "i0e")


@spellings.spells(Math)
def math_(w: Writer, op: Math, x: Tensor) -> Any:
    """A function of ``keras.ops``; of TensorFlow, in the dtype of the result."""
    x, kind, result = w.tensor(x), op.kind, w.node.types[0].dtype
    if w.keras3:
        if kind in LACKING_3:
            raise RefusedError(f"keras.ops has no {kind}")
        name = NAMES_3.get(kind, "".join(part.capitalize() for part in kind.split("_")))
        return w.op(name, x)
    if kind in TRUTHS:
        return _truth(w, kind, x)
    if x.type.is_complex:
        return write(w, _of_complex(w, kind, x))
    if kind in KEPT_2 or (kind in ("trunc", "round") and not x.type.is_float):
        w.spelled_out()
        return w.tf("zeros_like" if kind == "imag" else "identity", x)
    if kind == "bitwise_not":
        return w.tf("math.logical_not" if x.dtype == "bool" else "bitwise.invert", x)
    given = w.tensor(as_dtype(w, x, result))
    if kind in ("absolute", "sign") and given.dtype in UNSIGNED:
        return w.tf("identity", given) if kind == "absolute" else w.tf("math.minimum", given, y=1)
    if given.dtype == "bool":
        raise RefusedError(f"TensorFlow has no {kind} of booleans")
    if kind in MATH_2:
        return w.tf(f"math.{MATH_2[kind]}", given)
    w.spelled_out()
    return write(w, MATH_TERMS_2[kind](given))


KEPT_2 = ("real", "imag", "conj")
"""Functions of the parts of a number, that a real one is or lacks."""

UNSIGNED = ("uint8", "uint16", "uint32", "uint64")


def _truth(w: Writer, kind: str, x: Tensor) -> Any:
    """A function that gives booleans."""
    if kind == "logical_not":
        return w.tf("math.logical_not", w.tensor(as_dtype(w, x, "bool")))
    if x.type.is_complex:
        return write(w, _truth_of_complex(kind, x))
    if kind == "isreal":
        return w.tf("ones_like", x, dtype="bool")
    if kind == "signbit":
        return write(w, _sign_of_real(x))
    given = x if x.type.is_float else w.tensor(as_dtype(w, x, "float32"))
    if kind in MATH_2:
        return w.tf(f"math.{MATH_2[kind]}", given)
    w.spelled_out()
    return write(w, MATH_TERMS_2[kind](given))


def _truth_of_complex(kind: str, x: Tensor) -> Any:
    if kind == "isreal":
        return f("math.equal", f("math.imag", x, types=x.type.with_dtype(real_of(x.dtype))), 0.0)
    if kind in ("isposinf", "isneginf", "signbit"):
        raise RefusedError(f"TensorFlow has no {kind} of complex numbers")
    joined = "math.logical_and" if kind == "isfinite" else "math.logical_or"
    one = f"math.{MATH_2[kind]}"
    return f(joined, f(one, f("math.real", x)), f(one, f("math.imag", x)))


def _sign_of_real(x: Tensor) -> Any:
    if x.type.is_float:
        return signed_bit(x)
    if x.dtype == "bool" or x.dtype in UNSIGNED:
        return f("zeros_like", x, dtype="bool")
    return f("math.less", x, 0)


def _of_complex(w: Writer, kind: str, x: Tensor) -> Any:
    """Functions of complex numbers that TensorFlow has."""
    named = (
        "absolute",
        "negative",
        "square",
        "sqrt",
        "rsqrt",
        "reciprocal",
        "exp",
        "expm1",
        "log",
        "log1p",
        "sin",
        "cos",
        "tan",
        "sinh",
        "cosh",
        "tanh",
        "arcsin",
        "arccos",
        "arctan",
        "arcsinh",
        "arccosh",
        "arctanh",
        "real",
        "imag",
        "conj",
        "angle",
        "sign",
    )
    wanted = w.node.types[0].dtype
    if kind not in named or (wanted not in (x.dtype, real_of(x.dtype)) and kind != "angle"):
        raise RefusedError(f"TensorFlow has no {kind} of {x.dtype} that Keras 2 can save")
    if kind == "angle" and wanted != real_of(x.dtype):
        return f("cast", f("math.angle", x), dtype=wanted)
    return f(f"math.{MATH_2[kind]}", x)


@spellings.spells(Cast)
def cast(w: Writer, op: Cast, x: Tensor) -> Any:
    """An operation."""
    if w.keras3:
        return w.op("Cast", w.tensor(x), dtype=op.dtype)
    return w.tf("cast", w.tensor(x), dtype=op.dtype)


@spellings.spells(SaturateCast)
def saturate_cast(w: Writer, op: SaturateCast, x: Tensor) -> Any:
    """An operation."""
    if w.keras3:
        return w.op("SaturateCast", w.tensor(x), dtype=op.dtype)
    x = w.tensor(as_dtype(w, x, "int32") if dtype_of(x) == "bool" else x)
    if op.dtype == "bool":
        raise RefusedError("TensorFlow's saturate_cast gives no booleans")
    return w.tf("saturate_cast", x, dtype=op.dtype)


@spellings.spells(NotEqual)
def not_equal(w: Writer, op: NotEqual, x: Tensor) -> Any:
    """An operation."""
    x = w.tensor(x)
    value = op.value if x.type.is_float else int(op.value)
    if w.keras3:
        return w.op("NotEqual", x, value)
    return w.tf("math.not_equal", x, y=value)


@spellings.spells(Scale)
def scale(
    w: Writer, op: Scale, x: Tensor, *, scale: Array | None = None, offset: Array | None = None
) -> Any:
    """Rescaling, which always has both; operations where it would cast whole numbers."""
    x = w.tensor(x)
    factor = np.asarray(op.factor) if scale is None else op.factor * scale.astype("float64")
    wide = (scale is not None and scale.ndim > x.rank) or (
        offset is not None and offset.ndim > x.rank
    )
    if x.type.is_float and not wide:
        shift = 0.0 if offset is None else offset.astype("float64").tolist()
        return w.layer("Rescaling", x, scale=factor.tolist(), offset=shift)
    times, plus = ("Multiply", "Add") if w.keras3 else ("math.multiply", "math.add")
    term = f(times, x, factor.astype(x.dtype))
    return write(w, term if offset is None else f(plus, term, offset))


@spellings.spells(Clip)
def clip(w: Writer, op: Clip, x: Tensor) -> Any:
    """An operation; with one bound the larger or the smaller of two."""
    if not w.keras3 or op.low is None or op.high is None:
        w.spelled_out()
    x = w.tensor(x)
    low, high = (_bound(v, x) for v in (op.low, op.high))
    if w.keras3:
        if low is None or high is None:
            name, bound = ("Minimum", high) if low is None else ("Maximum", low)
            return w.op(name, x, (x.type.is_float and float(bound)) or bound)
        return w.op("Clip", x, x_min=low, x_max=high)
    x = w.tensor(as_dtype(w, x, w.node.types[0].dtype))
    if low is None or high is None:
        name, bound = ("math.minimum", high) if low is None else ("math.maximum", low)
        return w.tf(name, x, y=bound)
    return w.tf("clip_by_value", x, clip_value_min=low, clip_value_max=high)


def _bound(value: float | None, x: Tensor) -> Any:
    if value is None or x.type.is_float:
        return value
    return int(value)


@spellings.spells(RoundTo)
def round_to(w: Writer, op: RoundTo, x: Tensor) -> Any:
    """An operation; TensorFlow's rounds to whole numbers."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("Round", x, decimals=op.decimals)
    if not x.type.is_float and op.decimals >= 0:
        return w.tf("identity", x)
    dtype = x.dtype if x.type.is_float else "float32"
    given, factor = as_dtype(w, x, dtype), 10.0**op.decimals
    rounded = f("math.round", f("math.multiply", given, factor))
    term = f("math.divide", rounded, factor)
    return write(w, term if dtype == x.dtype else f("cast", term, dtype=x.dtype))


@spellings.spells(NanToNum)
def nan_to_num(w: Writer, op: NanToNum, x: Tensor) -> Any:
    """An operation; three choices of TensorFlow's."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("NanToNum", x, nan=op.nan, posinf=op.posinf, neginf=op.neginf)
    if not x.type.is_float:
        return w.tf("identity", x)
    high = largest(x.dtype) if op.posinf is None else op.posinf
    low = -largest(x.dtype) if op.neginf is None else op.neginf

    def chosen(condition: Any, value: float, otherwise: Any) -> Any:
        return f("where", condition, x=f("math.multiply", f("ones_like", x), value), y=otherwise)

    term = chosen(f("math.is_nan", x), op.nan, x)
    term = chosen(f("math.equal", x, math.inf), high, term)
    return write(w, chosen(f("math.equal", x, -math.inf), low, term))


# --- two elements ----------------------------------------------------------------------

BINARY_3 = {
    "left_shift": "LeftShift", "right_shift": "RightShift", "arctan2": "Arctan2",
}  # fmt: skip


NO_NUMBER = ("gcd", "lcm")


LACKING_2 = {"nextafter": ("float16", "bfloat16"), "fmod": ("float16",)}
"""Dtypes in which TensorFlow has no kernel of a function."""


@spellings.spells(Binary)
def binary(w: Writer, op: Binary, x1: Operand, x2: Operand) -> Any:
    """An operation, on values in one dtype where it is TensorFlow's."""
    kind = op.kind
    if w.keras3:
        return _binary_3(w, kind, x1, x2)
    if kind in NO_NUMBER:
        raise RefusedError(f"TensorFlow has no {kind}")
    if kind == "ldexp":
        dtype = w.node.types[0].dtype
        x1, x2 = as_dtype(w, x1, dtype), as_dtype(w, x2, dtype)
        exponent = _tensor(w, x2, x1)
        two = first(w, np.array(2, numpy_dtype(dtype)), exponent)
        return write(w, f("math.multiply", f("math.pow", two, exponent), x1))
    x1, x2 = _alike(w, op, x1, x2)
    dtype = dtype_of(x1)
    if dtype in LACKING_2.get(kind, ()):
        raise RefusedError(f"TensorFlow computes no {kind} of {dtype}")
    if kind in ("fmax", "fmin") and dtype not in FLOATS:
        return w.tf("math.maximum" if kind == "fmax" else "math.minimum", first(w, x1, x2), y=x2)
    if dtype == "bool" and kind in TRUTH_2:
        return w.tf(TRUTH_2[kind], x1, y=x2)
    if kind == "arctan2":
        return w.tf("math.atan2", first(w, x1, x2), x=x2)
    if kind == "nextafter":
        return w.tf("math.nextafter", first(w, x1, x2), x2=x2)
    if kind in BINARY_2:
        return w.tf(BINARY_2[kind], first(w, x1, x2), y=x2)
    return write(w, BINARY_TERMS_2[kind](_tensor(w, x1, x2), _tensor(w, x2, x1)))


def _tensor(w: Writer, x: Operand, other: Operand) -> Tensor:
    if isinstance(x, Tensor):
        return x
    return as_tensor(w, x, w.tensor(other))


def _alike(w: Writer, op: Binary, x1: Operand, x2: Operand) -> list[Operand]:
    """Both in the dtype that TensorFlow computes the function in."""
    common = promote(dtype_of(x1), dtype_of(x2))
    if op.kind == "logical_xor":
        common = "bool"
    elif w.node.types[0].dtype != "bool":
        common = w.node.types[0].dtype
    elif common == "bool" and op.kind not in ("equal", "not_equal"):
        common = "int32"
    return w.alike([x1, x2], common)


def _binary_3(w: Writer, kind: str, x1: Operand, x2: Operand) -> Any:
    if kind == "squared_difference":
        return write(w, f("Square", f("Subtract", x1, x2)))
    if kind == "copysign":
        size, sign = f("Absolute", x1), f("Signbit", x2, types=type_in(x2).with_dtype("bool"))
        return write(w, f("Where", sign, f("Negative", size), size))
    name = BINARY_3.get(kind, "".join(word.capitalize() for word in kind.split("_")))
    return w.op(name, x1, x2)


@spellings.spells(Where)
def where(w: Writer, op: Where, condition: Operand, x1: Operand, x2: Operand) -> Any:
    """An operation."""
    if w.keras3:
        return w.op("Where", condition, x1, x2)
    condition = as_dtype(w, condition, "bool")
    x1, x2 = w.alike([x1, x2], w.node.types[0].dtype)
    if not isinstance(x1, Tensor):
        tensor = next((v for v in (x2, condition) if isinstance(v, Tensor)), None)
        assert tensor is not None
        x1 = first(w, x1, tensor)
    if not isinstance(x2, Tensor) and not isinstance(x1, Tensor):
        x2 = first(w, x2, condition)
    return w.tf("where", condition, x=x1, y=x2)


@spellings.spells(IsClose)
def is_close(w: Writer, op: IsClose, x1: Operand, x2: Operand, rtol: Operand, atol: Operand) -> Any:
    """An operation; with infinities, and in TensorFlow, by definition."""
    truth = w.node.types[0]
    if w.keras3 and not op.infinities:
        config: dict[str, Any] = {"equal_nan": op.equal_nan}
        return w.op("Isclose", x1, x2, kwargs={"rtol": rtol, "atol": atol}, **config)
    dtype = promote(dtype_of(x1), dtype_of(x2))
    x1, x2 = w.alike([x1, x2], dtype)
    a, b = _tensor(w, x1, x2), _tensor(w, x2, x1)
    if dtype not in FLOATS:
        return write(w, f("Equal" if w.keras3 else "math.equal", a, b))
    rtol, atol = as_dtype(w, rtol, dtype), as_dtype(w, atol, dtype)
    t = _words(w)
    away = f(t["abs"], f(t["sub"], a, b))
    bound = f(t["add"], f(t["mul"], f(t["abs"], b), rtol), atol)
    term = f(t["le"], away, bound, types=truth)
    if op.infinities:
        finite = f(t["and"], f(t["finite"], a), f(t["finite"], b), types=truth)
        term = f(t["or"], f(t["and"], finite, term), f(t["eq"], a, b), types=truth)
    if op.equal_nan:
        both = f(t["and"], f(t["nan"], a), f(t["nan"], b), types=truth)
        term = f(t["or"], term, both, types=truth)
    return write(w, term)


def _words(w: Writer) -> dict[str, str]:
    """Names of plain functions in either Keras."""
    if w.keras3:
        return {"abs": "Absolute", "sub": "Subtract", "add": "Add", "mul": "Multiply",
                "le": "LessEqual", "and": "LogicalAnd", "or": "LogicalOr", "eq": "Equal",
                "finite": "Isfinite", "nan": "Isnan"}  # fmt: skip
    return {"abs": "math.abs", "sub": "math.subtract", "add": "math.add", "mul": "math.multiply",
            "le": "math.less_equal", "and": "math.logical_and", "or": "math.logical_or",
            "eq": "math.equal", "finite": "math.is_finite", "nan": "math.is_nan"}  # fmt: skip


@spellings.spells(IsIn)
def is_in(w: Writer, op: IsIn, x1: Operand, x2: Operand) -> Any:
    """An operation; in TensorFlow each element is compared with all."""
    if w.keras3:
        return w.op("IsIn", x1, x2, invert=op.invert)
    x1, x2 = w.alike([x1, x2])
    flat: Any = x2.reshape(-1) if not isinstance(x2, Tensor) else f("reshape", x2, shape=[-1])
    column = f("expand_dims", _tensor(w, x1, x2), axis=-1)
    hit = f("math.reduce_any", f("math.equal", column, flat), axis=[-1])
    return write(w, f("math.logical_not", hit) if op.invert else hit)


# --- complex numbers -------------------------------------------------------------------


@spellings.spells(Complex)
def complex_(w: Writer, op: Complex, real: Operand, imaginary: Operand) -> Any:
    """TensorFlow's ``complex``; in Keras 3 a view of pairs."""
    parts = real_of(op.dtype)
    real, imaginary = (as_dtype(w, v, parts) for v in (real, imaginary))
    a, b = _tensor(w, real, imaginary), _tensor(w, imaginary, real)
    if not w.keras3:
        return w.tf("dtypes.complex", a, imag=b)
    if a.shape != b.shape:
        wide = w.node.types[0].with_dtype(parts)
        a, b = (part(w, f("Add", x, f("ZerosLike", y)), "wide", wide) for x, y in ((a, b), (b, a)))
    if op.dtype == "complex128":
        raise RefusedError("keras.ops makes complex64 of pairs of real numbers, not complex128")
    # With TensorFlow it multiplies 1j by what it is given, and by complex numbers only.
    a, b = (w.tensor(as_dtype(w, x, "complex64")) for x in (a, b))
    pairs = f("Stack", [a, b], axis=-1, types=a.type.with_shape((*a.shape, 2)))
    return write(w, f("ViewAsComplex", pairs))


@spellings.spells(RealAndImaginary)
def real_and_imaginary(w: Writer, op: RealAndImaginary, x: Tensor) -> Any:
    """An operation."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("ViewAsReal", x)
    parts = x.type.with_dtype(real_of(x.dtype))
    pair = [f("math.real", x, types=parts), f("math.imag", x, types=parts)]
    return write(w, f("stack", pair, axis=-1))
