"""Operators whose parameters are computed by the graph itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import as_tensor, f, g, reshaped, write
from layergraph.backends.keras.writer import Operand, Writer
from layergraph.ir.op import Op
from layergraph.ir.ops.convolution import Conv, ConvTranspose, DepthwiseConv
from layergraph.ir.ops.normalization import BatchNorm, LayerNorm
from layergraph.ir.ops.parameters import WithParameters, parted

spellings = Spellings()

Params = dict[str, Any]


@spellings.spells(WithParameters)
def with_parameters(w: Writer, op: WithParameters, *values: Operand) -> Any:
    """An operation, to which parameters are arguments."""
    params, inputs = parted(op, values)
    spell = SPELLED.get(type(op.operator))
    if spell is None or len(inputs) != 1:
        name = type(op.operator).__name__
        raise RefusedError(f"no operation takes parameters of {name} that the model computes")
    source = next(v for v in values if isinstance(v, Tensor))
    return spell(w, op.operator, as_tensor(w, inputs[0], source), params)


def _convolved(w: Writer, op: Any, x: Tensor, params: Params) -> Any:
    """A convolution, and the bias that is added."""
    options: dict[str, Any] = {
        "strides": _one(op.strides), "padding": op.padding, "data_format": "channels_last",
        "dilation_rate": _one(op.dilation_rate),
    }  # fmt: skip
    if op.activation is not None:
        raise RefusedError("its activation was fused with it; write the graph as it was read")
    if w.keras3:
        name = "DepthwiseConv" if isinstance(op, DepthwiseConv) else "Conv"
        term = f(name, x, params["kernel"], **options)
    elif isinstance(op, DepthwiseConv):
        if len(op.strides) != 2 or len(set(op.strides)) > 1:
            raise RefusedError("TensorFlow's depthwise_conv2d has two axes and one stride")
        term = f("nn.depthwise_conv2d", x, filter=params["kernel"], strides=[1, *op.strides, 1],
                 padding=op.padding.upper(), dilations=list(op.dilation_rate))  # fmt: skip
    else:
        term = f("nn.convolution", x, filters=params["kernel"], strides=list(op.strides),
                 padding=op.padding.upper(), dilations=list(op.dilation_rate))  # fmt: skip
    bias = params.get("bias")
    return write(w, term if bias is None else g(w, "add", term, bias))


def _one(numbers: tuple[int, ...]) -> Any:
    """One number for all axes where it is, which every operation takes."""
    return numbers[0] if len(set(numbers)) == 1 else list(numbers)


def _transposed(w: Writer, _op: ConvTranspose, _x: Tensor, _params: Params) -> Any:
    if w.keras3:
        # keras/src/ops/nn.py ``ConvTranspose.call``, Keras 3.15.
        raise RefusedError("ConvTranspose passes padding and output_padding in each other's place")
    raise RefusedError("TensorFlow's transposed convolution wants the shape of its result")


def _batch_norm(w: Writer, op: BatchNorm, x: Tensor, params: Params) -> Any:
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta``."""
    mean, variance = params["moving_mean"], params["moving_variance"]
    offset, scale = params.get("beta"), params.get("gamma")
    if w.keras3:
        return w.op("BatchNorm", x, mean, variance, axis=op.axis, epsilon=op.epsilon,
                    kwargs={"offset": offset, "scale": scale})  # fmt: skip
    # TensorFlow's function adds to what it is given, which lists of numbers do not take.
    found = [p if p is None else as_tensor(w, p, x) for p in (mean, variance, offset, scale)]
    if op.axis % x.rank != x.rank - 1:
        shape = [-1 if i == op.axis % x.rank else 1 for i in range(x.rank)]
        return write(w, _normalised(x, [p and reshaped(w, p, shape) for p in found], op.epsilon))
    return write(w, _normalised(x, found, op.epsilon))


def _normalised(x: Tensor, found: list[Any], epsilon: float) -> Any:
    mean, variance, offset, scale = found
    return f("nn.batch_normalization", x, mean=mean, variance=variance, offset=offset,
             scale=scale, variance_epsilon=epsilon)  # fmt: skip


def _layer_norm(w: Writer, op: LayerNorm, x: Tensor, params: Params) -> Any:
    if not w.keras3:
        raise RefusedError("TensorFlow has no function that normalises layers")
    given: Params = {role: params[role] for role in ("gamma", "beta") if role in params}
    return w.op("LayerNorm", x, axis=list(op.axis), epsilon=op.epsilon,
                rms_scaling=op.rms_scaling, kwargs=given)  # fmt: skip


SPELLED: dict[type[Op], Callable[..., Any]] = {
    Conv: _convolved,
    DepthwiseConv: _convolved,
    ConvTranspose: _transposed,
    BatchNorm: _batch_norm,
    LayerNorm: _layer_norm,
}
