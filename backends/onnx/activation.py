"""Activations that have parameters of their own or look at more than one element."""

from __future__ import annotations

import math

import numpy as np

from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.activation import (
    CELU,
    ELU,
    GELU,
    GLU,
    HardShrink,
    HardSigmoid,
    LeakyReLU,
    LogSoftmax,
    ParametricSoftplus,
    PReLU,
    ReLU,
    Softmax,
    SoftShrink,
    Sparsemax,
    Squareplus,
    SReLU,
    Threshold,
)
from layergraph.ir.types import Array

spellings = Spellings()


def clip(w: Writer, x: str | Tensor, low: float | None, high: float | None, dtype: str) -> str:
    """Between two numbers, either of which may be open."""
    ends = [None if b is None else w.number(b, dtype) for b in (low, high)]
    name: str = w.op("Clip", x, *ends)
    return name


@spellings.spells(Softmax)
def softmax(w: Writer, op: Softmax, x: Tensor) -> str:
    """A node over one axis, else its parts."""
    return softmax_of(w, w.name_of(x), op.axis)


def softmax_of(w: Writer, x: str, axes: tuple[int, ...]) -> str:
    """Softmax of an ONNX value over axes."""
    name: str
    if len(axes) == 1:
        name = w.op("Softmax", x, axis=axes[0])
        return name
    powers = w.op("Exp", w.op("Sub", x, w.reduce("ReduceMax", x, axes)))
    name = w.op("Div", powers, w.reduce("ReduceSum", powers, axes))
    return name


@spellings.spells(LogSoftmax)
def log_softmax(w: Writer, op: LogSoftmax, x: Tensor) -> str:
    """A node over one axis; over all, its parts."""
    name: str
    if op.axis is not None:
        name = w.op("LogSoftmax", x, axis=op.axis)
        return name
    axes = tuple(range(x.rank))
    moved = w.op("Sub", x, w.reduce("ReduceMax", x, axes))
    name = w.op("Sub", moved, w.op("Log", w.reduce("ReduceSum", w.op("Exp", moved), axes)))
    return name


@spellings.spells(Sparsemax)
def sparsemax(w: Writer, op: Sparsemax, x: Tensor) -> str:
    """The threshold is found on the sorted vector."""
    axis = op.axis % x.rank
    axes = (axis,)
    size = w.size(x, axis)
    ordered, _ = w.op("TopK", x, size, axis=axis, largest=1, sorted=1, outputs=2)
    totals = w.op("CumSum", ordered, np.int64(axis))
    count = w.op("Range", np.int64(1), w.op("Add", w.op("Squeeze", size), np.int64(1)), np.int64(1))
    ranks = w.cast(w.reshape(count, *(-1 if i == axis else 1 for i in range(x.rank))), "int64",
                   x.dtype)  # fmt: skip
    one, zero = w.number(1, x.dtype), w.number(0, x.dtype)
    rest = w.op("Sub", ordered, w.op("Div", w.op("Sub", totals, one), ranks))
    support = w.op("Greater", rest, zero)
    number = w.reduce("ReduceSum", w.cast(support, "bool", x.dtype), axes)
    total = w.reduce("ReduceSum", w.op("Where", support, totals, zero), axes)
    tau = w.op("Div", w.op("Sub", total, one), number)
    name: str = w.op("Relu", w.op("Sub", x, tau))
    return name


@spellings.spells(HardSigmoid, follows=True)
def hard_sigmoid(w: Writer, op: HardSigmoid, x: Tensor) -> str:
    """A line, clipped."""
    name: str = w.op("HardSigmoid", x, alpha=op.slope, beta=op.offset)
    return name


@spellings.spells(ReLU, follows=True)
def relu(w: Writer, op: ReLU, x: Tensor) -> str:
    """A node where the line starts at 0; Keras' order otherwise."""
    name: str
    if not op.threshold and not op.negative_slope:
        plain = op.max_value is None
        return w.op("Relu", x) if plain else clip(w, x, 0, op.max_value, x.dtype)
    if not op.threshold:
        name = w.op("LeakyRelu", x, alpha=op.negative_slope)
    else:
        edge = w.number(op.threshold, x.dtype)
        below = w.number(0, x.dtype)
        if op.negative_slope:
            below = w.op("Mul", w.op("Sub", x, edge), w.number(op.negative_slope, x.dtype))
        name = w.op("Where", w.op("GreaterOrEqual", x, edge), x, below)
    if op.max_value is not None:
        name = w.op("Min", name, w.number(op.max_value, x.dtype))
    return name


@spellings.spells(LeakyReLU, follows=True)
def leaky_relu(w: Writer, op: LeakyReLU, x: Tensor) -> str:
    """A node."""
    name: str = w.op("LeakyRelu", x, alpha=op.negative_slope)
    return name


@spellings.spells(ELU, follows=True)
def elu(w: Writer, op: ELU, x: Tensor) -> str:
    """A node."""
    name: str = w.op("Elu", x, alpha=op.alpha)
    return name


@spellings.spells(CELU, follows=True)
def celu(w: Writer, op: CELU, x: Tensor) -> str:
    """A node."""
    name: str = w.op("Celu", x, alpha=op.alpha)
    return name


@spellings.spells(GELU, follows=True)
def gelu(w: Writer, op: GELU, x: Tensor) -> str:
    """A node from opset 20 on, before that its parts."""
    name: str
    if w.opset >= 20:
        name = w.op("Gelu", x, approximate="tanh" if op.approximate else "none")
        return name

    def number(value: float) -> str:
        return w.number(value, x.dtype)

    if op.approximate:
        cube = w.op("Mul", x, w.op("Mul", x, x))
        inner = w.op("Add", x, w.op("Mul", cube, number(0.044715)))
        gate = w.op("Tanh", w.op("Mul", inner, number(math.sqrt(2 / math.pi))))
    else:
        gate = w.op("Erf", w.op("Mul", x, number(math.sqrt(0.5))))
    half = w.op("Mul", w.op("Add", gate, number(1)), number(0.5))
    name = w.op("Mul", x, half)
    return name


@spellings.spells(HardShrink, follows=True)
def hard_shrink(w: Writer, op: HardShrink, x: Tensor) -> str:
    """Small values become 0."""
    name: str = w.op("Shrink", x, lambd=op.threshold, bias=0.0)
    return name


@spellings.spells(SoftShrink, follows=True)
def soft_shrink(w: Writer, op: SoftShrink, x: Tensor) -> str:
    """All values move towards 0."""
    name: str
    if x.dtype in WIDER:
        name = _soft_shrink_unsigned(w, int(op.threshold), x, WIDER[x.dtype])
    elif x.dtype == "uint64":
        raise RefusedError("soft_shrink of uint64, beyond which it has no integers")
    else:
        name = w.op("Shrink", x, lambd=op.threshold, bias=op.threshold)
    return name


WIDER = {"uint8": "int32", "uint16": "int32", "uint32": "int64"}


def _soft_shrink_unsigned(w: Writer, edge: int, x: Tensor, wide: str) -> str:
    """TensorFlow compares with the negated threshold too, which wraps around."""
    given, amount = w.as_dtype(x, wide), w.number(edge, wide)
    below = w.op("Less", given, w.number(-edge % (np.iinfo(x.dtype).max + 1), wide))
    low = w.op("Where", below, w.op("Add", given, amount), w.number(0, wide))
    high = w.op("Greater", given, amount)
    return w.cast(w.op("Where", high, w.op("Sub", given, amount), low), wide, x.dtype)


@spellings.spells(Threshold, follows=True)
def threshold(w: Writer, op: Threshold, x: Tensor) -> str:
    """Small values become ``value``."""
    above = w.op("Greater", x, w.number(op.threshold, x.dtype))
    name: str = w.op("Where", above, x, w.number(op.value, x.dtype))
    return name


@spellings.spells(Squareplus, follows=True)
def squareplus(w: Writer, op: Squareplus, x: Tensor) -> str:
    """A smooth relu."""
    root = w.op("Sqrt", w.op("Add", w.op("Mul", x, x), w.number(op.b, x.dtype)))
    name: str = w.op("Mul", w.op("Add", x, root), w.number(0.5, x.dtype))
    return name


@spellings.spells(PReLU, follows=True)
def prelu(w: Writer, op: PReLU, x: Tensor, *, alpha: Array) -> str:
    """A node."""
    name: str = w.op("PRelu", x, w.array(alpha, "alpha"))
    return name


@spellings.spells(ParametricSoftplus, follows=True)
def parametric_softplus(
    w: Writer, op: ParametricSoftplus, x: Tensor, *, alpha: Array, beta: Array
) -> str:
    """Both factors are learned."""
    inner = w.op("Softplus", w.op("Mul", x, w.array(beta, "beta")))
    name: str = w.op("Mul", inner, w.array(alpha, "alpha"))
    return name


@spellings.spells(SReLU, follows=True)
def s_relu(
    w: Writer, op: SReLU, x: Tensor, *,
    left: Array, left_slope: Array, width: Array, right_slope: Array,
) -> str:  # fmt: skip
    """The middle piece, and what reaches beyond it on either side."""
    low, high = w.array(left, "left"), w.array(left + np.abs(width), "right")
    zero = w.number(0, x.dtype)
    middle = w.op("Min", w.op("Max", x, low), high)
    below = w.op("Mul", w.op("Min", w.op("Sub", x, low), zero), w.array(left_slope, "left_slope"))
    above = w.op(
        "Mul", w.op("Max", w.op("Sub", x, high), zero), w.array(right_slope, "right_slope")
    )
    name: str = w.op("Add", w.op("Add", middle, below), above)
    return name


@spellings.spells(GLU)
def glu(w: Writer, op: GLU, x: Tensor) -> str:
    """One half gates the other."""
    value, gate = w.op(
        "Split", x, outputs=2, axis=op.axis, num_outputs=2 if w.opset >= 18 else None
    )
    name: str = w.op("Mul", value, w.op("Sigmoid", gate))
    return name
