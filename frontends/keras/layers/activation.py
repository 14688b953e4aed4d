"""Activations: names in an option, and layers of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from layergraph.frontends.keras.casting import scope_dtype
from layergraph.frontends.keras.config import Config
from layergraph.frontends.keras.layer import Layer, LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.spec import LayerSpec
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
from layergraph.ir.ops.attention import MaskedSoftmax
from layergraph.ir.ops.elementwise import Cast, Unary, UnaryKind
from layergraph.ir.ops.shape import Identity

NAMED: dict[str, Op] = {
    **{kind: Unary(kind=kind) for kind in get_args(UnaryKind)},
    "celu": CELU(),
    "elu": ELU(),
    "gelu": GELU(),
    "glu": GLU(),
    "hard_shrink": HardShrink(),
    "hard_sigmoid": HardSigmoid(),
    "hard_swish": Unary(kind="hard_silu"),
    "leaky_relu": LeakyReLU(negative_slope=0.2),
    "log_softmax": LogSoftmax(),
    "soft_shrink": SoftShrink(),
    "softmax": Softmax(),
    "sparsemax": Sparsemax(),
    "squareplus": Squareplus(),
    "swish": Unary(kind="silu"),
}
"""Functions of keras/src/activations/__init__.py, Keras 3.15, with its defaults."""


def _relu(config: Config) -> Activation:
    return ReLU(
        max_value=config.optional_float("max_value"),
        negative_slope=config.optional_float("negative_slope", 0.0) or 0.0,
        threshold=config.optional_float("threshold", 0.0) or 0.0,
    )


def _softmax(config: Config) -> Softmax:
    axis = config.take("axis", -1)
    config.ignore("masking", "robust_masking")
    return Softmax(axis=tuple(axis) if isinstance(axis, list) else (axis,))


LAYERS: dict[str, Callable[[Config], Activation]] = {
    "ELU": lambda config: ELU(alpha=config.float("alpha", 1.0)),
    "HardSigmoid": lambda config: HardSigmoid(
        slope=config.float("slope"), offset=config.float("offset")
    ),
    "LeakyReLU": lambda config: LeakyReLU(negative_slope=config.float("negative_slope", 0.3)),
    "ReLU": _relu,
    "Softmax": _softmax,
    "ThresholdedReLU": lambda config: Threshold(threshold=config.float("theta", 1.0)),
}
"""Activation layers without weights; they may stand in another layer's option."""


def activation(call: LayerCall, key: str, default: str = "linear") -> Op | Layer | None:
    """What computes an activation option: an operator, a layer, ``None`` for linear.

    Raises:
        UnsupportedError: a function of the user's own.
    """
    found = call.config.take(key, default)
    if isinstance(found, LayerSpec) and _line_with_bounds(found) is None:
        layer = call.layer.child(found, key)
        plain = isinstance(layer, Layer) and found.class_name in LAYERS
        if not plain or scope_dtype(layer) not in (None, scope_dtype(call.layer)):
            return layer  # type: ignore[no-any-return]
    return _operator(call, key, found)


def _operator(call: LayerCall, key: str, found: Any) -> Op | None:
    """The operator of an activation by name, or of a layer without weights."""
    if found is None or found == "linear":
        return None
    if isinstance(found, str) and found in NAMED:
        return NAMED[found]
    if isinstance(found, LayerSpec) and (line := _line_with_bounds(found)) is not None:
        return line
    if isinstance(found, LayerSpec) and found.class_name in LAYERS:
        config = Config(found, f"{call.name} ({key})")
        op = LAYERS[found.class_name](config)
        config.done()
        return op
    shown = found.class_name if isinstance(found, LayerSpec) else found
    raise call.refusal(
        f"{key}={shown!r} is not an activation of Keras without weights",
        "use an activation of keras.activations, or a layer of its own after this one",
    )


def _line_with_bounds(spec: LayerSpec) -> HardSigmoid | None:
    """A Sequential of Rescaling and ReLU that bounds a straight line by 0 and 1.

    So layergraph writes the ``hard_sigmoid`` of the other Keras.
    """
    layers = spec.model.layers if spec.model is not None else ()
    if [layer.class_name for layer in layers] != ["Rescaling", "ReLU"]:
        return None
    line, bounds = (layer.config for layer in layers)
    slope, offset = line.get("scale"), line.get("offset")
    own = {"name", "trainable", "dtype", "scale", "offset", "max_value"}
    plain = all(not value for key, value in bounds.items() if key not in own)
    if not (isinstance(slope, float) and isinstance(offset, float) and plain):
        return None
    return HardSigmoid(slope=slope, offset=offset) if bounds.get("max_value") == 1 else None


def pointwise(call: LayerCall, key: str, default: str) -> Activation | None:
    """An activation that keeps the shape, as recurrent layers need."""
    found = _operator(call, key, call.config.take(key, default))
    if found is not None and not isinstance(found, Activation):
        raise call.refusal(f"{key}={call.config.take(key)!r} changes the shape")
    return found


@reads("Activation", masking="pass")
def activation_layer(call: LayerCall) -> Tensor:
    """keras/src/layers/activations/activation.py."""
    found = activation(call, "activation")
    if isinstance(found, Op):
        return call.emit(found, call.input())
    return call.emit(Identity(), call.input(), then=[found])


@reads("ELU", "LeakyReLU", "ReLU", "ThresholdedReLU", masking="pass")
def activation_of_its_own(call: LayerCall) -> Tensor:
    """keras/src/layers/activations/*.py."""
    x, op = call.input(), LAYERS[call.spec.class_name](call.config)
    sloped = getattr(op, "negative_slope", 0.0) != 0
    if sloped and not x.type.is_float and call.layer.context.keras_major < 3:
        # TensorFlow's leaky_relu makes floats of whole numbers, whatever the policy.
        x = call.emit(Cast(dtype="float32"), x, part="float")
    return call.emit(op, x)


@reads("Softmax", masking="pass", arguments=("inputs", "mask"))
def softmax(call: LayerCall) -> Tensor:
    """keras/src/layers/activations/softmax.py; the mask has an entry an element."""
    x, op = call.input(), _softmax(call.config)
    robust = call.config.bool("robust_masking", False)
    masking: Any = call.config.choice("masking", ("add", "zero"), "zero")
    if x.mask is None:
        return call.emit(op, x)
    if robust and masking == "add":
        masking = "fill"
    return call.emit(MaskedSoftmax(axis=op.axis, masking=masking), x, x.mask)


@reads("PReLU", masking="pass")
def prelu(call: LayerCall) -> Tensor:
    """keras/src/layers/activations/prelu.py."""
    x = call.input()
    given = call.config.take("shared_axes", None)
    alpha = list(x.shape[1:])
    for axis in () if given is None else call.config.ints("shared_axes"):
        if not -len(alpha) < axis <= len(alpha):
            raise call.refusal(f"shared_axes={given!r} are none of {len(alpha) + 1} dimensions")
        # A negative axis counts from the one before the last: so Keras computes it.
        alpha[axis - 1] = 1
    return call.emit(PReLU(), x, params=call.weights(alpha=tuple(alpha)))


@reads("ParametricSoftplus", masking="pass")
def parametric_softplus(call: LayerCall) -> Tensor:
    """keras/layers/advanced_activations.py ``ParametricSoftplus``, Keras 1.2.2."""
    x = call.input()
    params = call.weights(alpha=x.shape[1:], beta=x.shape[1:])
    return call.emit(ParametricSoftplus(), x, params=params)


@reads("SReLU", masking="pass")
def s_relu(call: LayerCall) -> Tensor:
    """keras/layers/advanced_activations.py ``SReLU``, Keras 1.2.2."""
    x = call.input()
    roles = ("left", "left_slope", "width", "right_slope")
    return call.emit(SReLU(), x, params=call.weights(**dict.fromkeys(roles, x.shape[1:])))


# --- operations ------------------------------------------------------------------------

OPERATION: dict[str, Callable[[Config], Op]] = {
    "Celu": lambda config: CELU(alpha=config.float("alpha", 1.0)),
    "Elu": lambda config: ELU(alpha=config.float("alpha", 1.0)),
    "Gelu": lambda config: GELU(approximate=config.bool("approximate", True)),
    "Glu": lambda config: GLU(axis=config.int("axis", -1)),
    "HardShrink": lambda config: HardShrink(threshold=config.float("threshold", 0.5)),
    "HardSigmoid": lambda config: HardSigmoid(),
    "LeakyRelu": lambda config: LeakyReLU(negative_slope=config.float("negative_slope", 0.2)),
    "LogSoftmax": lambda config: LogSoftmax(
        axis=None if config.take("axis", -1) is None else config.int("axis", -1)
    ),
    "SoftShrink": lambda config: SoftShrink(threshold=config.float("threshold", 0.5)),
    "Softmax": _softmax,
    "Sparsemax": lambda config: Sparsemax(axis=config.int("axis", -1)),
    "Squareplus": lambda config: Squareplus(b=config.float("b", 4.0)),
    "Threshold": lambda config: Threshold(
        threshold=config.float("threshold"), value=config.float("default_value")
    ),
}
PLAIN: dict[str, UnaryKind] = {
    "HardSilu": "hard_silu", "HardTanh": "hard_tanh", "LogSigmoid": "log_sigmoid",
    "Relu": "relu", "Relu6": "relu6", "Selu": "selu", "Sigmoid": "sigmoid", "Silu": "silu",
    "Softplus": "softplus", "Softsign": "softsign", "SparsePlus": "sparse_plus",
    "SparseSigmoid": "sparse_sigmoid", "Tanh": "tanh", "TanhShrink": "tanh_shrink",
}  # fmt: skip

WHOLE = ("HardShrink", "Relu", "Relu6", "SoftShrink", "Threshold")
"""Functions that leave whole numbers whole."""


@reads(*(f"ops.{name}" for name in (*OPERATION, *PLAIN)), arguments=("x",))
def operation(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py; most make float32 of whole numbers first."""
    name, x = call.spec.class_name, call.input()
    kept = x.type.is_float or x.type.is_complex or name in WHOLE
    if not kept:
        x = call.emit(Cast(dtype="float32"), x, part="float")
    op = Unary(kind=PLAIN[name]) if name in PLAIN else OPERATION[name](call.config)
    if op == Softmax(axis=(None,)):  # type: ignore[arg-type]
        op = Softmax(axis=tuple(range(len(x.shape))))
    return call.emit(op, x)
