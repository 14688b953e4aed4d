"""Layers that work on each element by itself, and those that do nothing at inference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.operands import as_array, constant, dtype_of, operands
from layergraph.frontends.keras.registry import OPERATIONS, reads
from layergraph.ir.ops.elementwise import (
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
    Where,
)
from layergraph.ir.ops.indexing import Nonzero, Slice
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import ExpandDims, Identity
from layergraph.ir.types import NUMBERS

TRAINING = ("rate", "stddev", "l1", "l2", "data_format", "beta")


@reads(
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout",
    "GaussianDropout", "GaussianNoise", "ActivityRegularization", "Identity",
    masking="pass",
)  # fmt: skip
def identity(call: LayerCall) -> Tensor:
    """Nothing at inference: keras/src/layers/regularization/*.py."""
    call.config.ignore(*TRAINING)
    return call.emit(Identity(), call.input())


@reads("Masking", masking="own")
def masking(call: LayerCall) -> Tensor:
    """Zeroes the steps whose features all equal ``mask_value``, and masks them.

    Source: keras/src/layers/core/masking.py, Keras 3.15.
    """
    x = call.input()
    differs = call.emit(NotEqual(value=call.config.float("mask_value", 0.0)), x, part="not_equal")
    mask = call.emit(Reduce(kind="any", axis=(-1,)), differs, part="mask")
    kept = call.emit(ExpandDims(axis=-1), mask, part="kept")
    factor = call.emit(Cast(dtype=x.type.dtype), kept, part="factor")
    return call.emit(Merge(kind="multiply"), x, factor).masked(mask.value)


# --- operations ------------------------------------------------------------------------


def _class_name(function: str) -> str:
    return "".join(part.capitalize() for part in function.split("_"))


MATH: dict[str, MathKind] = {
    **{_class_name(kind): kind for kind in get_args(MathKind)},
    "Abs": "absolute",
    "BitwiseInvert": "bitwise_not",
    "Conjugate": "conj",
}
BINARY: dict[str, BinaryKind] = {
    **{_class_name(kind): kind for kind in get_args(BinaryKind)},
    "BitwiseLeftShift": "left_shift",
    "BitwiseRightShift": "right_shift",
    "TrueDivide": "divide",
}
BITS = tuple(f"Bitwise{name}" for name in ("And", "Or", "Xor"))
SHIFTS = ("BitwiseLeftShift", "BitwiseRightShift", "LeftShift", "RightShift")
WEAK = ("Divide", "DivideNoNan", "Fmax", "Fmin", "FloorDivide", "Power", "TrueDivide", *SHIFTS)
"""Functions in which a Python number takes the dtype of the tensor it meets."""


def _operations(family: Iterable[str]) -> list[str]:
    listed = OPERATIONS["elementwise"].split()
    return [f"ops.{name}" for name in family if name in listed]


@reads(*_operations(MATH), arguments=("x",))
def math(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py, functions of one tensor."""
    (x,) = operands(call, "x")
    if call.spec.class_name == "Round" and (decimals := call.config.int("decimals", 0)):
        return call.emit(RoundTo(decimals=decimals), x)
    return call.emit(Math(kind=MATH[call.spec.class_name]), x)


@reads(*(n for n in _operations(BINARY) if n[4:] not in (*BITS, *SHIFTS)), arguments=("x1", "x2"))
def binary(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py, functions of two tensors."""
    name = call.spec.class_name
    return call.emit(Binary(kind=BINARY[name]), *operands(call, "x1", "x2", weak=name in WEAK))


@reads(*(f"ops.{name}" for name in (*BITS, *SHIFTS)), arguments=("x", "y"))
def bitwise(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py, functions of the bits of two tensors."""
    name = call.spec.class_name
    return call.emit(Binary(kind=BINARY[name]), *operands(call, "x", "y", weak=name in WEAK))


@reads("ops.Cast", arguments=("x",))
def cast(call: LayerCall) -> Tensor:
    """keras/src/ops/core.py ``Cast``."""
    return call.emit(Cast(dtype=call.config.choice("dtype", NUMBERS)), *operands(call, "x"))


@reads("ops.Copy", "ops.StopGradient", masking="pass", arguments=("x",))
def copy(call: LayerCall) -> Tensor:
    """The value itself."""
    return call.emit(Identity(), call.input())


@reads("ops.ConvertToTensor", "ops.Array", masking="pass", arguments=("x",))
def convert_to_tensor(call: LayerCall) -> Tensor:
    """keras/src/ops/core.py ``ConvertToTensor``, keras/src/ops/numpy.py ``Array``."""
    dtype = call.argument("dtype") or call.config.take("dtype", None)
    call.config.ignore("sparse", "ragged")
    return call.emit(Cast(dtype=dtype) if dtype else Identity(), *operands(call, "x"))


@reads("ops.Clip", arguments=("x",))
def clip(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Clip``; bounds may be lists that broadcast."""
    (x,), bounds = operands(call, "x"), [call.config.take(key) for key in ("x_min", "x_max")]
    if not any(isinstance(b, list) for b in bounds):
        low, high = (call.config.optional_float(key) for key in ("x_min", "x_max"))
        return call.emit(Clip(low=low, high=high), x)
    if x.type.dtype == "bool":
        x = call.emit(Cast(dtype="int32"), x, part="whole")
    low_, high_ = (
        constant(call, key, np.asarray(b).astype(x.type.dtype))
        for key, b in zip(("x_min", "x_max"), bounds, strict=True)
    )
    x = call.emit(Merge(kind="minimum"), x, high_, part="minimum")
    return call.emit(Merge(kind="maximum"), x, low_)


@reads("ops.NanToNum", arguments=("x",))
def nan_to_num(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``NanToNum``."""
    op = NanToNum(
        nan=call.config.float("nan", 0.0),
        posinf=call.config.optional_float("posinf"),
        neginf=call.config.optional_float("neginf"),
    )
    return call.emit(op, *operands(call, "x"))


@reads("ops.Isclose", "ops.AllClose", arguments=("x1", "x2", "rtol", "atol"))
def is_close(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Isclose``; ``AllClose`` has its tolerances in the config."""
    every = call.spec.class_name == "AllClose"
    pair = operands(call, "x1", "x2", weak=False)
    bounds = []
    for name, default in (("rtol", 1e-5), ("atol", 1e-8)):
        found = call.config.take(name, default) if every else call.argument(name, default)
        is_tensor = isinstance(found, Tensor)
        bounds.append(found if is_tensor else constant(call, name, as_array(call, found)))
    op = IsClose(equal_nan=call.config.bool("equal_nan", False), infinities=every)
    if not every:
        return call.emit(op, *pair, *bounds)
    close = call.emit(op, *pair, *bounds, part="close")
    return call.emit(Reduce(kind="all", axis=tuple(range(len(close.shape)))), close)


@reads("ops.IsIn", arguments=("x1", "x2"))
def is_in(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``IsIn``; ``assume_unique`` changes no result."""
    call.config.ignore("assume_unique")
    op = IsIn(invert=call.config.bool("invert", False))
    return call.emit(op, *operands(call, "x1", "x2", weak=False))


@reads("ops.Where", arguments=("condition", "x1", "x2"))
def where(call: LayerCall) -> Any:
    """keras/src/ops/numpy.py ``Where``; without values the places of what is true."""
    (condition,) = operands(call, "condition")
    if call.argument("x1") is None and call.argument("x2") is None:
        return list(call.emit_all(Nonzero(), condition))
    return call.emit(Where(), condition, *operands(call, "x1", "x2"))


@reads("ops.ViewAsComplex", arguments=("x",))
def view_as_complex(call: LayerCall) -> Tensor:
    """keras/src/ops/math.py ``ViewAsComplex``: complex64 whatever the dtype of the pairs."""
    (x,) = operands(call, "x")
    real, imaginary = (
        call.emit(Slice(key=("...", i)), x, part=part) for i, part in enumerate(("real", "imag"))
    )
    if x.type.is_complex:
        unit = constant(call, "unit", np.asarray(1j, x.type.dtype))
        turned = call.emit(Merge(kind="multiply"), imaginary, unit, part="turned")
        return call.emit(Merge(kind="add"), real, turned, then=[Cast(dtype="complex64")])
    return call.emit(Complex(dtype="complex64"), real, imaginary)


@reads("ops.ViewAsReal", arguments=("x",))
def view_as_real(call: LayerCall) -> Tensor:
    """keras/src/ops/math.py ``ViewAsReal``."""
    return call.emit(RealAndImaginary(), *operands(call, "x"))


@reads("ops.Polar", arguments=("abs_", "angle"))
def polar(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``Polar``."""
    length, angle = operands(call, "abs_", "angle")
    functions: dict[str, MathKind] = {"real": "cos", "imag": "sin"}
    parts = []
    for part, kind in functions.items():
        factor = call.emit(Math(kind=kind), angle, part=kind)
        parts.append(call.emit(Merge(kind="multiply"), length, factor, part=part))
    wide = "complex128" if parts[0].type.dtype == "float64" else "complex64"
    return call.emit(Complex(dtype=wide), *parts)


@reads("ops.SaturateCast", arguments=("x",))
def saturate_cast(call: LayerCall) -> Tensor:
    """keras/src/ops/core.py ``SaturateCast``."""
    return call.emit(SaturateCast(dtype=call.config.choice("dtype", NUMBERS)), *operands(call, "x"))


@reads("ops.Select", arguments=("condlist", "choicelist", "default"))
def select(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Select``: the first choice whose condition is true."""
    conditions = _tensors(call, "condition", call.argument("condlist"))
    given = [call.argument("default", 0), *call.argument("choicelist")]
    # TensorFlow's function follows NumPy here, not Keras: numbers give way to dtypes.
    kinds = [v if isinstance(v, (bool, int, float)) else np.dtype(dtype_of(call, v)) for v in given]
    wide = np.result_type(*kinds).name
    y, *choices = (
        constant(call, f"choice_{i}", as_array(call, v, wide))
        if not isinstance(v, Tensor)
        else v
        if v.type.dtype == wide
        else call.emit(Cast(dtype=wide), v, part=f"wide_{i}")
        for i, v in enumerate(given)
    )
    pairs = list(zip(conditions, choices, strict=True))
    for i, (condition, choice) in reversed(list(enumerate(pairs))):
        y = call.emit(Where(), condition, choice, y, part=f"choice_{i}" if i else "")
    return y


def _tensors(call: LayerCall, name: str, values: Any) -> list[Tensor]:
    return [
        v if isinstance(v, Tensor) else constant(call, f"{name}_{i}", as_array(call, v))
        for i, v in enumerate(values)
    ]
