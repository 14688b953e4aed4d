"""Losses of ``tf.nn`` and ``tf.keras.backend``."""

from __future__ import annotations

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import whole
from layergraph.frontends.keras.tensorflow import tensors
from layergraph.ir.ops.activation import LogSoftmax
from layergraph.ir.ops.elementwise import Binary, Math, Unary
from layergraph.ir.ops.indexing import Gather
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import ExpandDims, Squeeze


@reads("tf.SigmoidCrossEntropy", arguments=("labels",))
def sigmoid_cross_entropy(call: LayerCall) -> Tensor:
    """``max(x, 0) - x * z + log(1 + exp(-|x|))``."""
    labels, logits = tensors(call, "labels", "logits")
    return _sigmoid_loss(call, labels, logits)


def _sigmoid_loss(call: LayerCall, labels: Tensor, logits: Tensor, part: str = "") -> Tensor:
    # The same as softplus(x) - x * z.
    plus = call.emit(Unary(kind="softplus"), logits, part="softplus")
    product = call.emit(Merge(kind="multiply"), logits, labels, part="product")
    return call.emit(Merge(kind="subtract"), plus, product, part=part)


@reads("tf.SoftmaxCrossEntropy", arguments=("labels",))
def softmax_cross_entropy(call: LayerCall) -> Tensor:
    """``-sum(labels * log_softmax(logits))``."""
    labels, logits = tensors(call, "labels", "logits")
    return _softmax_loss(call, labels, logits, whole(call, call.argument("axis", -1), "axis"))


def _softmax_loss(call: LayerCall, labels: Tensor, logits: Tensor, axis: int) -> Tensor:
    log = call.emit(LogSoftmax(axis=axis), logits, part="log_softmax")
    product = call.emit(Merge(kind="multiply"), labels, log, part="product")
    total = Reduce(kind="sum", axis=(axis,))
    return call.emit(total, product, then=[Math(kind="negative")])


@reads("tf.SparseSoftmaxCrossEntropy", arguments=("labels",))
def sparse_softmax_cross_entropy(call: LayerCall) -> Tensor:
    """``-log_softmax(logits)[label]``."""
    (labels,), (logits,) = tensors(call, "labels"), tensors(call, "logits")
    log = call.emit(LogSoftmax(axis=-1), logits, part="log_softmax")
    rank = len(logits.shape) - 1
    column = call.emit(ExpandDims(axis=-1), labels, part="column")
    found = Gather(axis=rank, batch_dims=rank)
    return call.emit(found, log, column, then=[Squeeze(axis=(-1,)), Math(kind="negative")])


@reads("tf.BinaryCrossentropy", arguments=("target",))
def binary_crossentropy(call: LayerCall) -> Tensor:
    """tf.keras.backend.binary_crossentropy: probabilities are kept off 0 and 1 by 1e-7."""
    target, output = tensors(call, "target", "output")
    if call.argument("from_logits", False):
        return _sigmoid_loss(call, target, output)
    dtype = output.type.dtype
    tiny, one = (call.constant(n, np.array(v, dtype)) for n, v in (("tiny", 1e-7), ("one", 1)))
    most = call.constant("most", np.array(np.array(1, dtype) - np.array(1e-7, dtype), dtype))
    y = call.emit(Merge(kind="minimum"), output, most, part="below")
    y = call.emit(Merge(kind="maximum"), y, tiny, part="clipped")
    terms = []
    for name, label, chance in (
        ("hit", target, y),
        (
            "miss",
            call.emit(Merge(kind="subtract"), one, target, part="rest"),
            call.emit(Merge(kind="subtract"), one, y, part="counter"),
        ),
    ):
        shifted = call.emit(Merge(kind="add"), chance, tiny, part=f"{name}_shifted")
        log = call.emit(Math(kind="log"), shifted, part=f"{name}_log")
        terms.append(call.emit(Merge(kind="multiply"), label, log, part=name))
    return call.emit(Merge(kind="add"), *terms, then=[Math(kind="negative")])


@reads("tf.CategoricalCrossentropy", arguments=("target",))
def categorical_crossentropy(call: LayerCall) -> Tensor:
    """tf.keras.backend.categorical_crossentropy: probabilities are made to add up to 1."""
    target, output = tensors(call, "target", "output")
    axis = whole(call, call.argument("axis", -1), "axis")
    if call.argument("from_logits", False):
        return _softmax_loss(call, target, output, axis)
    dtype = output.type.dtype
    total = call.emit(Reduce(kind="sum", axis=(axis,), keepdims=True), output, part="sum")
    y = call.emit(Binary(kind="divide"), output, total, part="share")
    tiny = call.constant("tiny", np.array(1e-7, dtype))
    most = call.constant("most", np.array(np.array(1, dtype) - np.array(1e-7, dtype), dtype))
    y = call.emit(Merge(kind="minimum"), y, most, part="below")
    y = call.emit(Merge(kind="maximum"), y, tiny, part="clipped")
    log = call.emit(Math(kind="log"), y, part="log")
    product = call.emit(Merge(kind="multiply"), target, log, part="product")
    negative = Math(kind="negative")
    return call.emit(Reduce(kind="sum", axis=(axis,)), product, then=[negative])
