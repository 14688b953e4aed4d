"""Functions of elements in TensorFlow: by name, or by formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.terms import f

UNARY_2: dict[str, Callable[[Any], Any]] = {
    "log_sigmoid": lambda x: f("math.log_sigmoid", x),
    "hard_tanh": lambda x: _between(x, -1.0, 1.0),
    "hard_silu": lambda x: f("math.multiply", x, _line(_between(x, -3.0, 3.0), 1 / 6, 0.5)),
    "tanh_shrink": lambda x: f("math.subtract", x, f("math.tanh", x)),
    "sparse_sigmoid": lambda x: _line(_between(x, -1.0, 1.0), 0.5, 0.5),
    "sparse_plus": lambda x: f(
        "math.add",
        f("math.square", _line(_between(x, -1.0, 1.0), 0.5, 0.5)),
        f("nn.relu", f("math.subtract", x, 1.0)),
    ),
}
"""Activations that Keras 2 knows no name for."""


def _between(x: Any, low: float, high: float) -> Any:
    return f("clip_by_value", x, clip_value_min=low, clip_value_max=high)


def _line(x: Any, slope: float, offset: float) -> Any:
    return f("math.add", f("math.multiply", x, slope), offset)


MATH_2 = {
    "absolute": "abs", "fabs": "abs", "negative": "negative", "sign": "sign", "square": "square",
    "floor": "floor", "ceil": "ceil", "round": "round", "sqrt": "sqrt", "rsqrt": "rsqrt",
    "reciprocal": "reciprocal", "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p",
    "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh", "erf": "erf", "erfc": "erfc", "erfinv": "erfinv",
    "logical_not": "logical_not", "isnan": "is_nan", "isinf": "is_inf", "isfinite": "is_finite",
    "real": "real", "imag": "imag", "conj": "conj", "angle": "angle", "lgamma": "lgamma",
    "digamma": "digamma", "i0": "bessel_i0", "i0e": "bessel_i0e",
}  # fmt: skip
"""Functions of ``tf.math``."""


BITS = {"float16": "int16", "bfloat16": "int16", "float32": "int32", "float64": "int64"}


def _sinc(x: Any) -> Any:
    turns = f("math.multiply", x, math.pi)
    one = f("ones_like", x)
    zero = f("math.equal", x, 0.0)
    safe = f("where", zero, x=one, y=turns)
    return f("where", zero, x=one, y=f("math.divide", f("math.sin", safe), safe))


MATH_TERMS_2: dict[str, Callable[[Any], Any]] = {
    "cbrt": lambda x: f("math.multiply", f("math.sign", x), f("math.pow", f("math.abs", x), 1 / 3)),
    "exp2": lambda x: f("math.exp", f("math.multiply", x, math.log(2))),
    "log2": lambda x: f("math.divide", f("math.log", x), math.log(2)),
    "log10": lambda x: f("math.divide", f("math.log", x), math.log(10)),
    "deg2rad": lambda x: f("math.multiply", x, math.pi / 180),
    "rad2deg": lambda x: f("math.multiply", x, 180 / math.pi),
    "sinc": _sinc,
    "trunc": lambda x: f("math.multiply", f("math.sign", x), f("math.floor", f("math.abs", x))),
    "isposinf": lambda x: f("math.equal", x, math.inf),
    "isneginf": lambda x: f("math.equal", x, -math.inf),
}
"""Functions that TensorFlow has no name for."""


def signed_bit(x: Tensor) -> Any:
    """Whether the first bit of a float is set, that of -0 included."""
    bits = BITS[x.dtype]
    number = f("bitcast", x, type=bits, types=x.type.with_dtype(bits))
    return f("math.less", number, 0, types=x.type.with_dtype("bool"))


BINARY_2 = {
    "divide": "math.divide", "divide_no_nan": "math.divide_no_nan",
    "floor_divide": "math.floordiv", "mod": "math.floormod", "fmod": "truncatemod",
    "power": "math.pow", "nextafter": "math.nextafter", "equal": "math.equal",
    "not_equal": "math.not_equal", "greater": "math.greater",
    "greater_equal": "math.greater_equal", "less": "math.less", "less_equal": "math.less_equal",
    "logical_xor": "math.logical_xor", "bitwise_and": "bitwise.bitwise_and",
    "bitwise_or": "bitwise.bitwise_or", "bitwise_xor": "bitwise.bitwise_xor",
    "left_shift": "bitwise.left_shift", "right_shift": "bitwise.right_shift",
    "squared_difference": "math.squared_difference",
}  # fmt: skip
"""Functions of TensorFlow, on two values of one dtype."""


TRUTH_2 = {"bitwise_and": "math.logical_and", "bitwise_or": "math.logical_or",
           "bitwise_xor": "math.logical_xor"}  # fmt: skip


def _logaddexp(x: Any, y: Any) -> Any:
    difference = f("math.subtract", x, y)
    tail = f("math.log1p", f("math.exp", f("math.negative", f("math.abs", difference))))
    total = f("math.add", f("math.maximum", x, y), tail)
    # Of equal infinities the difference is no number.
    return f("where", f("math.is_nan", difference), x=f("math.add", x, y), y=total)


def _with_numbers(name: str) -> Callable[[Any, Any], Any]:
    def term(x: Any, y: Any) -> Any:
        other = f("where", f("math.is_nan", y), x=x, y=f(name, x, y))
        return f("where", f("math.is_nan", x), x=y, y=other)

    return term


def _signed(x: Any, y: Any) -> Any:
    size = f("math.abs", x)
    return f("where", signed_bit(y), x=f("math.negative", size), y=size)


def _step(x: Any, y: Any) -> Any:
    zero, one = f("zeros_like", x), f("ones_like", x)
    ends = f(
        "where", f("math.less", x, 0.0), x=zero, y=f("where", f("math.equal", x, 0.0), x=y, y=one)
    )
    return f("where", f("math.is_nan", x), x=x, y=ends)


BINARY_TERMS_2: dict[str, Callable[[Any, Any], Any]] = {
    "hypot": lambda x, y: f("math.sqrt", f("math.add", f("math.square", x), f("math.square", y))),
    "logaddexp": _logaddexp,
    "logaddexp2": lambda x, y: f(
        "math.divide",
        _logaddexp(f("math.multiply", x, math.log(2)), f("math.multiply", y, math.log(2))),
        math.log(2),
    ),
    "fmax": _with_numbers("math.maximum"),
    "fmin": _with_numbers("math.minimum"),
    "heaviside": _step,
    "copysign": _signed,
}
"""Functions that TensorFlow has no name for."""
