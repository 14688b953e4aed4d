"""Functions of elements as operation nodes beside real Keras: dtypes, numbers, complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from support import case, parity

BOTH = {"writers": ("keras",), "batch0": False}
# Keras 3 writes arrays and slices to .h5 that it cannot read back.
ARCHIVE = {**BOTH, "containers": (".keras",)}

EVERYWHERE = (
    "absolute fabs sign square ceil floor sqrt cbrt exp exp2 expm1 log1p sin cos tan sinh cosh arctan "
    "arcsinh deg2rad rad2deg sinc i0 logical_not isfinite isinf isnan isreal signbit round trunc real "
    "nan_to_num angle"
).split()
COMPLEX = (
    "absolute negative sign square sqrt rsqrt reciprocal exp exp2 expm1 log log1p log2 log10 sin cos "
    "tan sinh cosh arcsin arccos arctan arcsinh arccosh arctanh deg2rad rad2deg sinc isposinf isneginf "
    "isreal signbit real imag conj conjugate angle"
).split()
WHOLE = "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift left_shift right_shift gcd lcm ldexp".split()
TWO = (
    "true_divide divide_no_nan mod fmod hypot heaviside logaddexp logaddexp2 nextafter arctan2 isclose isin fmax fmin "
    "floor_divide equal less maximum"
).split()
WEAK = "add subtract multiply divide power floor_divide maximum minimum fmax fmin divide_no_nan".split()
STRONG = "mod arctan2 logaddexp equal greater less_equal".split()


def _all_of(names: list[str], *without: str) -> Any:
    return lambda k, x: [getattr(k.ops, n)(x) for n in names if n not in without]


def _pairs_of(names: list[str]) -> Any:
    return lambda k, a, b: [getattr(k.ops, n)(a, b) for n in names]


def _numbers(k: Any, x: Any) -> Any:
    o, found = k.ops, []
    for name in (*WEAK, *STRONG):
        for number in (2, 0.5):
            found += [getattr(o, name)(x, number), getattr(o, name)(number, x + 1)]
    return [*found, o.where(x > 1, 1, 0), o.where(x > 1, x, 0), o.where(x > 1, 0.5, x), o.where(x > 1, 1, 0.0),
            x + 1, 2 - x, x * 2.5, 1 / (x + 1), x // 2, x % 2, x**2]  # fmt: skip


def _close(k: Any, a: Any, b: Any) -> Any:
    o = k.ops
    infinite = a / 0.0
    return [o.isclose(a, b, rtol=0.5, atol=0.2), o.isclose(a, 0.5, atol=1.0), o.isclose(infinite, a), o.isclose(a, infinite),
            o.allclose(a, b), o.allclose(a, a + 1e-4, rtol=1e-3), o.allclose(infinite, infinite),
            o.isclose(o.log(a), o.log(a), equal_nan=True), o.allclose(o.log(a), o.log(a), equal_nan=True),
            o.isin(o.round(a), o.round(b[0])), o.isin(o.round(a), [1.0, 2.0], invert=True, assume_unique=True)]  # fmt: skip


def _limited(k: Any, a: Any, b: Any) -> Any:
    o = k.ops
    return [o.clip(a, [-1.0, 0.0, 1.0, -2.0], [0.0, 1.0, 2.0, 3.0]), o.clip(a, -1, 1), o.round(a, 1), o.round(a * 10, -1),
            o.round(o.cast(a * 9, "int32"), -1), o.round(o.cast(a, "int8"), 2), o.nan_to_num(o.log(a) / 0.0),
            o.nan_to_num(o.log(a) / 0.0, nan=1.5, posinf=9.0, neginf=-9.0), o.array(a), o.array(a, dtype="float16")]  # fmt: skip


def _chosen(k: Any, a: Any, b: Any) -> Any:
    o = k.ops
    whole = o.cast(a, "int32")
    return [o.select([a > 1, b > 0], [a, b], default=3), o.select([a > 1, b > 0], [a, b]), o.select([a > 1], [b], default=a),
            o.select([a > 1, b > 0], [whole, whole], default=0.5), o.select([a > 1, b > 0], [whole, a]),
            o.where(a > 0), o.where(a, b, 1.0)]  # fmt: skip


def _views(k: Any, a: Any, b: Any) -> Any:
    return [k.ops.view(a, d) for d in ("int32", "uint8", "int64", "float16", "float32")]


def _shifted(k: Any, a: Any) -> Any:
    o = k.ops
    return [o.left_shift(a, 2), o.left_shift(a, 40), o.right_shift(-a, 1), o.right_shift(-a, a), o.bitwise_left_shift(a, 7 * a),
            o.gcd(a, 6), o.gcd(-a, a + 2), o.lcm(a, np.array([4, 6], "int32")[:, None]), o.ldexp(1.5, a)]  # fmt: skip


PAIR = [(5, 4), (5, 4)]
NARROW = ("bool", "int8", "int32", "int64", "uint8", "uint32", "float16", "float64")
BOOL_HAS_NO = ("angle", "exp2", "real", "round", "sign")

CASES = [
    *(case(f"functions of {d}", _all_of(EVERYWHERE, *(BOOL_HAS_NO if d == "bool" else ())), [(5, 4)], dtype=d, rtol=2e-3 if d == "float16" else 1e-5, **BOTH) for d in NARROW),
    case("functions of complex64", _all_of(COMPLEX), [(5, 4)], dtype="complex64", **BOTH),
    case("functions of complex128", _all_of(COMPLEX), [(5, 4)], dtype="complex128", **BOTH),
    *(case(f"numbers beside {d}", _numbers, [(5, 4)], dtype=d, make="ids", rtol=3e-3 if d == "float16" else 1e-5, **BOTH) for d in ("int8", "int32", "int64", "float16", "float32", "float64")),
    *(case(f"{a} and {b}", _pairs_of(TWO), PAIR, dtype=(a, b), make="ids", rtol=3e-3 if "float16" in (a, b) else 1e-5, **ARCHIVE) for a, b in [("int8", "float16"), ("int64", "float32"), ("float16", "float32"), ("float32", "float64")]),
    *(case(f"whole {a} and {b}", _pairs_of(WHOLE), [(5,), (5,)], dtype=(a, b), **ARCHIVE) for a, b in [("int32", "int32"), ("int8", "uint8"), ("int64", "int16")]),
    case("close", _close, PAIR, **ARCHIVE),
    case("limited", _limited, PAIR, **BOTH),
    case("chosen", _chosen, PAIR, **BOTH),
    case("views", _views, PAIR, **BOTH),
    case("shifted", _shifted, [(2, 5)], dtype="int32", **ARCHIVE),
]  # fmt: skip


@parity(CASES)
def test_functions_of_elements(run: Any) -> None:
    """Same as Keras."""
    run()
