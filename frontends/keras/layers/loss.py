"""Losses and measures: operation nodes only."""

from __future__ import annotations

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.operands import operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.activation import Softmax
from layergraph.ir.ops.elementwise import Unary
from layergraph.ir.ops.loss import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CTCDecode,
    CTCLoss,
    InTopK,
    PeakSignalNoise,
    SparseCategoricalCrossentropy,
)
from layergraph.ir.ops.shape import Identity


def _logits(call: LayerCall, output: Tensor) -> tuple[Tensor, bool]:
    """The output before its softmax or sigmoid, and whether it is that.

    Keras remembers what went into these two and goes back to it, which shows
    where a probability is next to 0 or 1.
    Source: keras/src/backend/tensorflow/nn.py ``_get_logits``, Keras 3.15.
    """
    from_logits = call.config.bool("from_logits", False)
    node = call.build.node(output.value.node)
    while isinstance(node.op, Identity) and node.sources[-1].class_name not in ANEW:
        node = call.build.node(node.arguments[0].node)
    remembered = isinstance(node.op, Softmax) and len(node.op.axis) == 1
    if remembered or node.op == Unary(kind="sigmoid"):
        (value,) = node.arguments
        return Tensor(value, call.build.type_of(value)), True
    return output, from_logits


ANEW = ("Copy", "StopGradient")
"""Operations whose result is a tensor of its own, though it holds the same."""


@reads("ops.BinaryCrossentropy", arguments=("target", "output"))
def binary_crossentropy(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``BinaryCrossentropy``."""
    target, output = operands(call, "target", "output")
    output, from_logits = _logits(call, output)
    return call.emit(BinaryCrossentropy(from_logits=from_logits), target, output)


@reads("ops.CategoricalCrossentropy", arguments=("target", "output"))
def categorical_crossentropy(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``CategoricalCrossentropy``."""
    target, output = operands(call, "target", "output")
    output, from_logits = _logits(call, output)
    op = CategoricalCrossentropy(from_logits=from_logits, axis=call.config.int("axis", -1))
    return call.emit(op, target, output)


@reads("ops.SparseCategoricalCrossentropy", arguments=("target", "output"))
def sparse_categorical_crossentropy(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``SparseCategoricalCrossentropy``, over the last axis."""
    target, output = operands(call, "target", "output")
    axis = call.config.int("axis", -1)
    if axis % len(output.shape) != len(output.shape) - 1:
        raise call.refusal(f"axis={axis} is not the last one, which Keras itself refuses")
    output, from_logits = _logits(call, output)
    return call.emit(SparseCategoricalCrossentropy(from_logits=from_logits), target, output)


@reads("ops.CTCLoss", arguments=("target", "output", "target_length", "output_length"))
def ctc_loss(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``CTCLoss``."""
    given = operands(call, "target", "output", "target_length", "output_length")
    return call.emit(CTCLoss(mask_index=call.config.int("mask_index", 0)), *given)


@reads("ops.CTCDecode", arguments=("inputs", "sequence_lengths"))
def ctc_decode(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/nn.py ``CTCDecode``."""
    config = call.config
    mask_index = config.take("mask_index", 0)
    if mask_index == -1 and config.take("strategy", "greedy") == "beam_search":
        raise call.refusal(
            "mask_index=-1 makes Keras read all classes twice in a beam search",
            "use mask_index=None, which stands for the last class",
        )
    op = CTCDecode(
        strategy=config.choice("strategy", ("greedy", "beam_search"), "greedy"),
        beam_width=config.int("beam_width", 100),
        top_paths=config.int("top_paths", 1),
        merge_repeated=config.bool("merge_repeated", True),
        mask_index=None if mask_index is None else config.int("mask_index"),
    )
    return list(call.emit_all(op, *operands(call, "inputs", "sequence_lengths")))


@reads("ops.InTopK", arguments=("targets", "predictions"))
def in_top_k(call: LayerCall) -> Tensor:
    """keras/src/ops/math.py ``InTopK``."""
    return call.emit(InTopK(k=call.config.int("k")), *operands(call, "targets", "predictions"))


@reads("ops.PSNR", arguments=("x1", "x2"))
def peak_signal_noise(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``PSNR``."""
    op = PeakSignalNoise(max_val=call.config.float("max_val"))
    return call.emit(op, *operands(call, "x1", "x2"))
