"""Layers that work on each element by itself, and those that do nothing at inference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.operands import operands
from layergraph.frontends.keras.registry import OPERATIONS, reads
from layergraph.ir.ops.elementwise import (
    Binary,
    BinaryKind,
    Cast,
    Clip,
    Complex,
    Math,
    MathKind,
    NotEqual,
    RealAndImaginary,
    SaturateCast,
    Where,
)
from layergraph.ir.ops.indexing import Slice
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
    "Fabs": "absolute",
    "BitwiseInvert": "bitwise_not",
}
BINARY: dict[str, BinaryKind] = {
    **{_class_name(kind): kind for kind in get_args(BinaryKind)},
    "TrueDivide": "divide",
}
SECOND = {"BitwiseAnd": "y", "BitwiseOr": "y", "BitwiseXor": "y"}


def _operations(family: Iterable[str]) -> list[str]:
    listed = OPERATIONS["elementwise"].split()
    return [f"ops.{name}" for name in family if name in listed]


@reads(*_operations(MATH), arguments=("x",))
def math(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py, functions of one tensor."""
    if call.spec.class_name == "Round" and call.config.take("decimals", 0):
        raise call.refusal("it rounds to decimals, which is not supported yet")
    return call.emit(Math(kind=MATH[call.spec.class_name]), *operands(call, "x"))


@reads(*(n for n in _operations(BINARY) if "Bitwise" not in n), arguments=("x1", "x2"))
def binary(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py, functions of two tensors."""
    return call.emit(Binary(kind=BINARY[call.spec.class_name]), *operands(call, "x1", "x2"))


@reads(*(f"ops.{name}" for name in SECOND), arguments=("x", "y"))
def bitwise(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py, functions of the bits of two tensors."""
    return call.emit(Binary(kind=BINARY[call.spec.class_name]), *operands(call, "x", "y"))


@reads("ops.Cast", arguments=("x",))
def cast(call: LayerCall) -> Tensor:
    """keras/src/ops/core.py ``Cast``."""
    return call.emit(Cast(dtype=call.config.choice("dtype", NUMBERS)), *operands(call, "x"))


@reads("ops.Copy", "ops.StopGradient", masking="pass", arguments=("x",))
def copy(call: LayerCall) -> Tensor:
    """The value itself."""
    return call.emit(Identity(), call.input())


@reads("ops.ConvertToTensor", masking="pass", arguments=("x",))
def convert_to_tensor(call: LayerCall) -> Tensor:
    """keras/src/ops/core.py ``ConvertToTensor``."""
    dtype = call.argument("dtype") or call.config.take("dtype", None)
    call.config.ignore("sparse", "ragged")
    return call.emit(Cast(dtype=dtype) if dtype else Identity(), *operands(call, "x"))


@reads("ops.Clip", arguments=("x",))
def clip(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Clip``."""
    low, high = (call.config.optional_float(key) for key in ("x_min", "x_max"))
    return call.emit(Clip(low=low, high=high), *operands(call, "x"))


@reads("ops.Where", arguments=("condition", "x1", "x2"))
def where(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Where``."""
    if call.argument("x1") is None:
        raise call.refusal("without values it gives places, whose number is not known before")
    (condition,) = operands(call, "condition")
    return call.emit(Where(), condition, *operands(call, "x1", "x2"))


@reads("ops.ViewAsComplex", arguments=("x",))
def view_as_complex(call: LayerCall) -> Tensor:
    """keras/src/ops/math.py ``ViewAsComplex``: complex64 whatever the dtype of the pairs."""
    (x,) = operands(call, "x")
    real, imaginary = (
        call.emit(Slice(key=("...", i)), x, part=part) for i, part in enumerate(("real", "imag"))
    )
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
