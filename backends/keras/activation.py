"""Activations: options of other layers, layers of their own, operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from layergraph.backends.keras.model import Stored, Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import f, write
from layergraph.backends.keras.writer import Writer
from layergraph.ir.op import Activation, Op
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
from layergraph.ir.ops.elementwise import Unary
from layergraph.ir.types import Array

spellings = Spellings()

SIXTH, FIFTH = HardSigmoid(), HardSigmoid(slope=0.2)
"""What Keras 3 and Keras 2 call ``hard_sigmoid``."""

NAMED_3: dict[Op, str] = {
    CELU(): "celu", ELU(): "elu", GELU(): "gelu", HardShrink(): "hard_shrink",
    SIXTH: "hard_sigmoid", LeakyReLU(negative_slope=0.2): "leaky_relu",
    LogSoftmax(): "log_softmax", SoftShrink(): "soft_shrink", Softmax(): "softmax",
    Sparsemax(): "sparsemax", Squareplus(): "squareplus",
}  # fmt: skip
"""Functions of keras/src/activations, Keras 3.15; those of one element have their kind's name."""

NAMED_2: dict[Op, str] = {
    ELU(): "elu", GELU(): "gelu", FIFTH: "hard_sigmoid", Softmax(): "softmax",
    LeakyReLU(negative_slope=0.2): "leaky_relu", LogSoftmax(): "log_softmax",
    Unary(kind="silu"): "swish",
}  # fmt: skip
PLAIN_2 = (
    "exponential", "mish", "relu", "relu6", "selu", "sigmoid", "softplus", "softsign", "tanh",
)  # fmt: skip
"""Functions of tf_keras/src/activations.py, tf-keras 2.21, and of ``tf.nn`` that it adds."""


def as_option(w: Writer, op: Activation | None) -> Any:
    """An activation as a layer's option: a name, a layer's config; ``None`` if it has none."""
    if op is None:
        return "linear"
    kind = op.kind if isinstance(op, Unary) else None
    name = (NAMED_3 if w.keras3 else NAMED_2).get(op)
    if name is None and kind is not None and (w.keras3 or kind in PLAIN_2):
        name = kind
    if name is not None:
        return name
    if isinstance(op, HardSigmoid) and w.keras3:
        return _straight_pieces(w, op)
    found = _own_layer(w, op)
    return None if found is None else w.dialect.inner(found[0], {**found[1], "dtype": w.policy()})


def option_of(w: Writer, op: Activation | None, what: str) -> Any:
    """An activation as an option that must be one.

    Raises:
        RefusedError: this Keras has no function and no layer for it.
    """
    found = as_option(w, op)
    if found is None:
        raise RefusedError(f"{what} {op} is no activation of this Keras")
    return found


def absorbed(w: Writer) -> Any:
    """The activation that follows in the same layer, as its option; ``linear`` for none."""
    node = w.following(Activation)
    option = as_option(w, node.op) if node is not None else None  # type: ignore[arg-type]
    if node is None or option is None:
        return "linear"
    w.absorb(node)
    return option


def _straight_pieces(w: Writer, op: HardSigmoid) -> Any:
    """``clip(slope * x + offset, 0, 1)`` of two layers, as a model that is called."""
    layers = [
        ("Rescaling", {"name": "line", "scale": op.slope, "offset": op.offset}),
        ("ReLU", {"name": "bounds", "max_value": 1.0}),
    ]
    inner = [w.dialect.inner(name, {**config, "dtype": w.policy()}) for name, config in layers]
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "hard_sigmoid", "layers": inner},
        "registered_name": None,
    }


def _own_layer(w: Writer, op: Op) -> tuple[str, dict[str, Any]] | None:
    """Class and options of the layer that computes an activation, where there is one."""
    if isinstance(op, ReLU) and op.threshold >= 0 and op.negative_slope >= 0:
        return "ReLU", {
            "max_value": op.max_value,
            "negative_slope": op.negative_slope,
            "threshold": op.threshold,
        }
    if isinstance(op, LeakyReLU):
        return "LeakyReLU", {"negative_slope" if w.keras3 else "alpha": op.negative_slope}
    if isinstance(op, ELU):
        return "ELU", {"alpha": op.alpha}
    if isinstance(op, Softmax):
        return "Softmax", {"axis": op.axis[0] if len(op.axis) == 1 else list(op.axis)}
    if isinstance(op, Threshold) and not w.keras3 and op.value == 0 and op.threshold >= 0:
        return "ThresholdedReLU", {"theta": op.threshold}
    return None


LAYERS = ("ELU", "LeakyReLU", "ReLU", "Softmax", "ThresholdedReLU")


@spellings.spells(
    CELU, ELU, GELU, HardShrink, HardSigmoid, LeakyReLU, LogSoftmax, ReLU, Softmax, SoftShrink,
    Sparsemax, Squareplus, Threshold,
)  # fmt: skip
def activation(w: Writer, op: Activation, x: Tensor) -> Any:
    """A layer of its own, or ``Activation``."""
    x = w.tensor(x)
    own, option = _own_layer(w, op), as_option(w, op)
    as_source = any(s.class_name in LAYERS for s in w.node.sources)
    if isinstance(option, str) and not (own and as_source):
        return w.layer("Activation", x, activation=option)
    if own is not None:
        return w.layer(own[0], w.bare(x) if own[0] == "Softmax" else x, **own[1])
    if option is not None:
        return w.layer("Activation", x, activation=option)
    return _operation(w, op, x)


def _operation(w: Writer, op: Activation, x: Tensor) -> Any:
    """What no layer computes by itself."""
    if w.keras3:
        return _operation_3(w, op, x)
    if isinstance(op, HardSigmoid):
        line = w.layer("Rescaling", x, scale=op.slope, offset=op.offset, part="line")
        return w.layer("ReLU", line, max_value=1.0)
    if type(op) not in FORMULAS:
        raise RefusedError(f"Keras 2 has no {op}")
    return write(w, FORMULAS[type(op)](op, x))


def _gelu(op: Any, x: Tensor) -> Any:
    return f("nn.gelu", x, approximate=op.approximate)


def _log_softmax(op: Any, x: Tensor) -> Any:
    if op.axis is None:
        raise RefusedError("TensorFlow's log_softmax has one axis")
    return f("nn.log_softmax", x, axis=op.axis)


def _celu(op: Any, x: Tensor) -> Any:
    below = f("math.expm1", f("math.divide", f("math.minimum", x, 0.0), op.alpha))
    return f("math.add", f("nn.relu", x), f("math.multiply", below, op.alpha))


def _hard_shrink(op: Any, x: Tensor) -> Any:
    return _chosen(x, "math.greater", f("math.abs", x), op.threshold, x, _number(x, 0.0))


def _soft_shrink(op: Any, x: Tensor) -> Any:
    edge, low = _number(x, op.threshold), _number(x, -op.threshold)
    if x.dtype.startswith("uint"):
        low %= np.iinfo(x.dtype).max + 1  # it wraps around, in Keras too
    rest = _chosen(x, "math.less", x, low, f("math.add", x, edge), _number(x, 0.0))
    return _chosen(x, "math.greater", x, edge, f("math.subtract", x, edge), rest)


def _chosen(x: Tensor, how: str, left: Any, right: float, true: Any, false: Any) -> Any:
    """One of two where a comparison of elements says so."""
    found = f(how, left, _number(x, right), types=x.type.with_dtype("bool"))
    return f("where", found, x=true, y=false)


def _number(x: Tensor, value: float) -> Any:
    """A number as TensorFlow takes it beside a value."""
    return value if x.type.is_float else int(value)


def _squareplus(op: Any, x: Tensor) -> Any:
    root = f("math.sqrt", f("math.add", f("math.square", x), op.b))
    return f("math.divide", f("math.add", x, root), 2.0)


def _threshold(op: Any, x: Tensor) -> Any:
    return _chosen(x, "math.greater", x, op.threshold, x, _number(x, op.value))


FORMULAS: dict[type[Op], Callable[[Any, Tensor], Any]] = {
    CELU: _celu, GELU: _gelu, HardShrink: _hard_shrink, LogSoftmax: _log_softmax,
    SoftShrink: _soft_shrink, Squareplus: _squareplus, Threshold: _threshold,
}  # fmt: skip
"""What functions of TensorFlow an activation is made of in Keras 2."""


def _operation_3(w: Writer, op: Activation, x: Tensor) -> Any:
    config: dict[str, Any] = {}
    name = ""
    if isinstance(op, CELU):
        name, config = "Celu", {"alpha": op.alpha}
    elif isinstance(op, GELU):
        name, config = "Gelu", {"approximate": op.approximate}
    elif isinstance(op, HardShrink):
        name, config = "HardShrink", {"threshold": op.threshold}
    elif isinstance(op, LogSoftmax):
        name, config = "LogSoftmax", {"axis": op.axis}
    elif isinstance(op, SoftShrink):
        name, config = "SoftShrink", {"threshold": op.threshold}
    elif isinstance(op, Sparsemax):
        name, config = "Sparsemax", {"axis": op.axis}
    elif isinstance(op, Squareplus):
        name, config = "Squareplus", {"b": op.b}
    elif isinstance(op, Threshold):
        name, config = "Threshold", {"threshold": op.threshold, "default_value": op.value}
    else:
        raise RefusedError(f"Keras 3 has no {op}")
    return w.op(name, x, **config)


@spellings.spells(PReLU)
def prelu(w: Writer, op: PReLU, x: Tensor, *, alpha: Array) -> Any:
    """Axes along which alpha has one element are shared."""
    x = w.tensor(x)
    shared = [
        i
        for i, (size, held) in enumerate(zip(x.shape[1:], alpha.shape, strict=True), 1)
        if held == 1 and size != 1
    ]
    return w.layer("PReLU", x, arrays=[Stored("alpha", alpha)], shared_axes=shared or None)


@spellings.spells(GLU)
def glu(w: Writer, op: GLU, x: Tensor) -> Any:
    """An operation of Keras 3."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("Glu", x, axis=op.axis)
    half = x.type.with_shape(w.node.types[0].shape)
    left, right = w.tf(
        "split", x, num_or_size_splits=2, axis=op.axis % x.rank, types=[half, half], part="halves"
    )
    return write(w, f("math.multiply", left, f("math.sigmoid", right)))


spellings.refuses(ParametricSoftplus, "only Keras 1 has it")
spellings.refuses(SReLU, "only Keras 1 has it")
