"""Losses and measures that a model computes itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import as_dtype, as_tensor, f, write
from layergraph.backends.keras.writer import Operand, Writer, dtype_of
from layergraph.ir.ops.loss import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CTCDecode,
    CTCLoss,
    InTopK,
    PeakSignalNoise,
    SparseCategoricalCrossentropy,
)
from layergraph.ir.types import HALVES

spellings = Spellings()

EPSILON = 1e-7
"""What ``keras.backend.epsilon()`` is unless a program sets another."""


def _both(w: Writer, target: Operand, output: Operand) -> tuple[Tensor, Tensor]:
    """Target and output as tensors in the dtype of the output."""
    source = next(v for v in (output, target) if isinstance(v, Tensor))
    dtype = dtype_of(output)
    first, second = (
        w.tensor(as_dtype(w, as_tensor(w, v, source), dtype)) for v in (target, output)
    )
    return first, second


REMEMBERED = ("Activation", "Identity", "Softmax")
"""Layers whose results bear the logits they come from, to which Keras 3 goes back."""


def _forgotten(w: Writer, output: Operand) -> Operand:
    """The output as a tensor that bears no logits."""
    if not isinstance(output, Tensor) or output.layer.class_name not in REMEMBERED:
        return output
    found: Tensor = w.op("Copy", output, types=output.type, part="output")
    return found


def _clipped(x: Any) -> Any:
    return f("clip_by_value", x, clip_value_min=EPSILON, clip_value_max=1 - EPSILON)


@spellings.spells(BinaryCrossentropy)
def binary_crossentropy(w: Writer, op: BinaryCrossentropy, target: Operand, output: Operand) -> Any:
    """An operation; by definition in Keras 2."""
    if w.keras3:
        output = _forgotten(w, output)
        return w.op("BinaryCrossentropy", target, output, from_logits=op.from_logits)
    t, x = _both(w, target, output)
    if op.from_logits:
        tail = f("math.log1p", f("math.exp", f("math.negative", f("math.abs", x))))
        line = f("math.subtract", f("math.maximum", x, 0.0), f("math.multiply", x, t))
        return write(w, f("math.add", line, tail))
    p = _clipped(x)
    less = f("math.subtract", f("ones_like", x), p)
    no = f("math.subtract", f("ones_like", t), t)
    total = f("math.add", f("math.multiply", t, f("math.log", p)),
              f("math.multiply", no, f("math.log", less)))  # fmt: skip
    return write(w, f("math.negative", total))


def _logarithm(x: Tensor, from_logits: bool, axis: int, divided: bool) -> Any:
    """Logarithms of probabilities; those of float16 in float32."""
    wide: Any = f("cast", x, dtype="float32") if x.dtype in HALVES and from_logits else x
    if from_logits:
        return f("nn.log_softmax", wide, axis=axis)
    if divided:
        wide = f("math.divide", wide, f("math.reduce_sum", wide, axis=[axis], keepdims=True))
    return f("math.log", _clipped(wide))


@spellings.spells(CategoricalCrossentropy)
def categorical_crossentropy(
    w: Writer, op: CategoricalCrossentropy, target: Operand, output: Operand
) -> Any:
    """An operation; by definition in Keras 2."""
    if w.keras3:
        output = _forgotten(w, output)
        return w.op(
            "CategoricalCrossentropy", target, output, from_logits=op.from_logits, axis=op.axis
        )
    t, x = _both(w, target, output)
    logarithm = _logarithm(x, op.from_logits, op.axis, divided=True)
    narrow = x.dtype in HALVES and op.from_logits
    given: Any = f("cast", t, dtype="float32") if narrow else t
    total = f("math.reduce_sum", f("math.multiply", given, logarithm), axis=[op.axis])
    found = f("math.negative", total)
    return write(w, f("cast", found, dtype=x.dtype) if narrow else found)


@spellings.spells(SparseCategoricalCrossentropy)
def sparse_categorical_crossentropy(
    w: Writer, op: SparseCategoricalCrossentropy, target: Operand, output: Operand
) -> Any:
    """An operation; in Keras 2 the logarithm of the class that is named."""
    if w.keras3:
        output = _forgotten(w, output)
        return w.op(
            "SparseCategoricalCrossentropy", target, output, from_logits=op.from_logits, axis=-1
        )
    source = next(v for v in (output, target) if isinstance(v, Tensor))
    x = as_tensor(w, output, source)
    t = w.tensor(as_dtype(w, as_tensor(w, target, source), "int64"))
    if not op.from_logits:
        logarithm = _logarithm(x, False, -1, divided=False)
        # The softmax of logarithms divides by their sum.
        logarithm = f("nn.log_softmax", logarithm, axis=-1)
    else:
        logarithm = _logarithm(x, True, -1, divided=False)
    classes: Any = t if t.rank == x.rank - 1 else f("squeeze", t, axis=[-1])
    rows = f("gather", logarithm, indices=classes, axis=x.rank - 1, batch_dims=x.rank - 1)
    found = f("math.negative", rows)
    narrow = x.dtype in HALVES and op.from_logits
    return write(w, f("cast", found, dtype=x.dtype) if narrow else found)


@spellings.spells(CTCLoss)
def ctc_loss(
    w: Writer,
    op: CTCLoss,
    target: Operand,
    output: Operand,
    target_length: Operand,
    output_length: Operand,
) -> Any:
    """An operation of Keras 3."""
    if not w.keras3:
        raise RefusedError("Keras 2 cannot save TensorFlow's ctc_loss")
    given = (target, output, target_length, output_length)
    return w.op("CTCLoss", *given, mask_index=op.mask_index)


@spellings.spells(CTCDecode)
def ctc_decode(w: Writer, op: CTCDecode, x: Operand, lengths: Operand) -> Any:
    """An operation of Keras 3."""
    if not w.keras3:
        raise RefusedError("Keras 2 cannot save TensorFlow's decoders, which give sparse tensors")
    return w.op(
        "CTCDecode", x, lengths, strategy=op.strategy, beam_width=op.beam_width,
        top_paths=op.top_paths, merge_repeated=op.merge_repeated, mask_index=op.mask_index,
    )  # fmt: skip


@spellings.spells(InTopK)
def in_top_k(w: Writer, op: InTopK, targets: Operand, predictions: Operand) -> Any:
    """An operation."""
    if w.keras3:
        return w.op("InTopK", targets, predictions, k=op.k)
    source = next(v for v in (predictions, targets) if isinstance(v, Tensor))
    given = as_dtype(w, as_tensor(w, predictions, source), "float32")
    named = as_tensor(w, targets, source)
    if named.dtype not in ("int32", "int64"):
        named = w.tensor(as_dtype(w, named, "int32"))
    # Under today's name, the function takes its first two arguments the other way round.
    return w.tf("compat.v1.math.in_top_k", given, targets=named, k=op.k)


@spellings.spells(PeakSignalNoise)
def peak_signal_noise(w: Writer, op: PeakSignalNoise, x1: Operand, x2: Operand) -> Any:
    """An operation; by definition in Keras 2."""
    if w.keras3:
        return w.op("PSNR", x1, x2, max_val=op.max_val)
    source = next(v for v in (x1, x2) if isinstance(v, Tensor))
    dtype = w.node.types[0].dtype
    a, b = (as_dtype(w, as_tensor(w, v, source), dtype) for v in (x1, x2))
    error = f("math.reduce_mean", f("math.squared_difference", a, b))
    level = f("math.multiply", f("math.log", error), -10 / math.log(10))
    return write(w, f("math.add", level, 20 * float(np.log10(op.max_val))))
