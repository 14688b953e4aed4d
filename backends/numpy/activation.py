"""Activations with parameters; every ``f(op, x, out)`` works where ``out`` is ``x``."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from layergraph.backends.numpy.elementwise import sigmoid, softplus
from layergraph.backends.numpy.scratch import temporaries
from layergraph.backends.numpy.table import Kernel, Kernels
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

kernels = Kernels()


@kernels.applies(Softmax)
def softmax(op: Softmax, x: Array, out: Array) -> None:
    """Shifted by the maximum, so that nothing overflows."""
    if not x.size:
        return
    np.subtract(x, x.max(axis=op.axis, keepdims=True), out=out)
    np.exp(out, out=out)
    out /= out.sum(axis=op.axis, keepdims=True)


@kernels.applies(LogSoftmax)
def log_softmax(op: LogSoftmax, x: Array, out: Array) -> None:
    """Shifted by the maximum, so that nothing overflows."""
    if not x.size:
        return
    np.subtract(x, x.max(axis=op.axis, keepdims=True), out=out)
    out -= np.log(np.exp(out).sum(axis=op.axis, keepdims=True))


@kernels.applies(Sparsemax)
def sparsemax(op: Sparsemax, x: Array, out: Array) -> None:
    """The threshold is found on the sorted vector."""
    if not x.size:
        return
    ordered = -np.sort(-x, axis=op.axis)
    totals = np.cumsum(ordered, axis=op.axis)
    shape = [1] * x.ndim
    shape[op.axis] = x.shape[op.axis]
    ranks = np.arange(1, x.shape[op.axis] + 1, dtype=x.dtype).reshape(shape)
    support = ordered - (totals - 1) / ranks > 0
    count = support.sum(axis=op.axis, keepdims=True, dtype=x.dtype)
    tau = (np.where(support, totals, 0).sum(axis=op.axis, keepdims=True) - 1) / count
    np.maximum(x - tau, 0, out=out)


@kernels.applies(HardSigmoid)
def hard_sigmoid(op: HardSigmoid, x: Array, out: Array) -> None:
    """A line, clipped."""
    np.multiply(x, op.slope, out=out)
    out += op.offset
    np.clip(out, 0, 1, out=out)


@kernels.applies(ReLU)
def relu(op: ReLU, x: Array, out: Array) -> None:
    """Keras' order: the slope below the threshold, then the cap above it."""
    if not op.negative_slope and not op.threshold and x.dtype.kind == "f":
        x.clip(0, np.inf if op.max_value is None else op.max_value, out=out)
        return
    below = op.negative_slope * (x - x.dtype.type(op.threshold)) if op.negative_slope else 0
    kept = np.where(x >= op.threshold, x, below)
    if op.max_value is not None:
        kept = np.minimum(kept, op.max_value)
    out[...] = kept


@kernels.applies(LeakyReLU)
def leaky_relu(op: LeakyReLU, x: Array, out: Array) -> None:
    """A slope on each side of zero."""
    below = x * x.dtype.type(op.negative_slope)
    if 0 < op.negative_slope < 1:
        np.maximum(x, below, out=out)
    else:
        out[...] = np.where(x > 0, x, below)


@kernels.applies(ELU)
def elu(op: ELU, x: Array, out: Array) -> None:
    """Exponential below zero."""
    below = np.expm1(np.minimum(x, 0))
    if op.alpha != 1:
        below *= x.dtype.type(op.alpha)
    out[...] = np.where(x > 0, x, below)


@kernels.applies(CELU)
def celu(op: CELU, x: Array, out: Array) -> None:
    """Exponential below zero, smooth for every alpha."""
    below = np.expm1(np.minimum(x, 0) / x.dtype.type(op.alpha)) * x.dtype.type(op.alpha)
    np.maximum(x, 0, out=out)
    out += below


@kernels.applies(GELU)
def gelu(op: GELU, x: Array, out: Array) -> None:
    """``0.5 x (1 + erf(x / sqrt 2))``, or with a tanh for the error function."""
    gate, *work = temporaries(x, 3)
    if op.approximate:
        np.multiply(x, x, out=gate)
        gate *= 0.044715
        gate += 1
        gate *= x
        gate *= math.sqrt(2 / math.pi)
        np.tanh(gate, out=gate)
    else:
        np.multiply(x, x.dtype.type(math.sqrt(0.5)), out=gate)
        erf_into(gate, *work)
    gate += 1
    gate *= 0.5
    np.multiply(x, gate, out=out)


ERF_TOP = (
    -2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
    -7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02,
)  # fmt: skip
ERF_BOTTOM = (
    -1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03,
    -1.42647390514189e-02,
)  # fmt: skip
_exact_erf = np.frompyfunc(math.erf, 1, 1)


def erf(x: Array) -> Array:
    """The error function; see ``erf_into``."""
    y = np.array(x)
    erf_into(y, np.empty_like(y), np.empty_like(y))
    return y


def erf_into(x: Array, square: Array, work: Array) -> None:
    """The error function where its argument lies; for float32 the rational approximation
    TensorFlow's own kernel uses, so that both round alike; exact beyond.

    Args:
        x: any shape; overwritten.
        square, work: arrays like it to compute in.
    """
    if x.dtype != np.float32:
        x[...] = np.asarray(_exact_erf(x), x.dtype).reshape(x.shape)
        return
    x.clip(-4, 4, out=x)
    np.multiply(x, x, out=square)
    polynomial(ERF_TOP, square, work)
    x *= work
    polynomial(ERF_BOTTOM, square, work)
    x /= work


def polynomial(factors: Sequence[float], x: Array, out: Array) -> None:
    """A polynomial by Horner's rule, the factor of the highest power first."""
    np.multiply(x, x.dtype.type(factors[0]), out=out)
    out += x.dtype.type(factors[1])
    for factor in factors[2:]:
        out *= x
        out += x.dtype.type(factor)


@kernels.applies(HardShrink)
def hard_shrink(op: HardShrink, x: Array, out: Array) -> None:
    """Small values become 0."""
    out[...] = np.where(np.abs(x) > op.threshold, x, 0)


@kernels.applies(SoftShrink)
def soft_shrink(op: SoftShrink, x: Array, out: Array) -> None:
    """All values move towards 0; NaN, which is on neither side, becomes it."""
    high = x.dtype.type(op.threshold)
    unsigned = x.dtype.kind == "u"
    # TensorFlow compares with the negated threshold, which wraps around.
    low = np.asarray(-int(op.threshold)).astype(x.dtype) if unsigned else -high
    out[...] = np.where(x > high, x - high, np.where(x < low, x + high, 0))


@kernels.applies(Threshold)
def threshold(op: Threshold, x: Array, out: Array) -> None:
    """Small values become ``value``."""
    # Below zero, unsigned numbers count from above.
    whole = x.dtype.kind in "iu"
    value = np.asarray(int(op.value) if whole else op.value).astype(x.dtype)
    out[...] = np.where(x > op.threshold, x, value)


@kernels.applies(Squareplus)
def squareplus(op: Squareplus, x: Array, out: Array) -> None:
    """A smooth relu."""
    root = np.sqrt(x * x + x.dtype.type(op.b))
    np.add(x, root, out=out)
    out *= 0.5


@kernels.prepares(PReLU)
def prelu(op: PReLU, *, alpha: Array) -> Kernel:
    """A learned slope below zero."""
    return lambda x: np.where(x > 0, x, x * alpha)


@kernels.prepares(ParametricSoftplus)
def parametric_softplus(op: ParametricSoftplus, *, alpha: Array, beta: Array) -> Kernel:
    """Both factors are learned."""

    def run(x: Array) -> Array:
        out: Array = x * beta
        softplus(out, out)
        out *= alpha
        return out

    return run


@kernels.prepares(SReLU)
def s_relu(
    op: SReLU, *, left: Array, left_slope: Array, width: Array, right_slope: Array
) -> Kernel:
    """The middle piece, and what reaches beyond it on either side."""
    right = left + np.abs(width)

    def run(x: Array) -> Array:
        out: Array = np.clip(x, left, right)
        out += np.minimum(x - left, 0) * left_slope
        out += np.maximum(x - right, 0) * right_slope
        return out

    return run


@kernels.computes(GLU)
def glu(op: GLU, x: Array) -> Array:
    """One half gates the other."""
    value, gate = np.split(x, 2, axis=op.axis)
    out = np.empty(gate.shape, gate.dtype)
    sigmoid(gate, out)
    out *= value
    return out
