"""Losses and measures, in the precision TensorFlow computes them in."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.ctc import best_paths, forward
from layergraph.backends.numpy.table import Kernels
from layergraph.ir.errors import InputError
from layergraph.ir.ops.loss import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CTCDecode,
    CTCLoss,
    InTopK,
    PeakSignalNoise,
    SparseCategoricalCrossentropy,
)
from layergraph.ir.types import Array, promote

kernels = Kernels()

EPSILON = 1e-7
"""What ``keras.backend.epsilon()`` is unless a program sets another."""


def _clipped(x: Array) -> Array:
    return np.clip(x, x.dtype.type(EPSILON), x.dtype.type(1 - EPSILON))


def log_softmax(x: Array, axis: int) -> Array:
    """Logarithm of the softmax; float16 in float32."""
    x = x.astype("float32") if x.dtype == np.float16 else x
    if not x.size:
        return x
    x = x - x.max(axis=axis, keepdims=True)
    return np.asarray(x - np.log(np.exp(x).sum(axis=axis, keepdims=True)))


@kernels.computes(BinaryCrossentropy)
def binary_crossentropy(op: BinaryCrossentropy, target: Array, output: Array) -> Array:
    """From logits in the form that does not overflow."""
    target = target.astype(output.dtype, copy=False)
    if op.from_logits:
        tail = np.log1p(np.exp(-np.abs(output)))
        return np.asarray(np.maximum(output, 0) - output * target + tail)
    output = _clipped(output)
    with np.errstate(divide="ignore"):
        return np.asarray(-(target * np.log(output) + (1 - target) * np.log(1 - output)))


@kernels.computes(CategoricalCrossentropy)
def categorical_crossentropy(op: CategoricalCrossentropy, target: Array, output: Array) -> Array:
    """The sum over the classes."""
    dtype = output.dtype
    if op.from_logits:
        logarithm = log_softmax(output, op.axis)
    else:
        logarithm = np.log(_clipped(output / output.sum(axis=op.axis, keepdims=True)))
    total = (target.astype(logarithm.dtype, copy=False) * logarithm).sum(axis=op.axis)
    return np.asarray(-total).astype(dtype, copy=False)


@kernels.computes(SparseCategoricalCrossentropy)
def sparse_categorical_crossentropy(
    op: SparseCategoricalCrossentropy, target: Array, output: Array
) -> Array:
    """One element a row."""
    dtype, classes = output.dtype, output.shape[-1]
    target = target.reshape(output.shape[:-1]).astype("int64")
    if ((target < 0) | (target >= classes)).any():
        raise InputError(f"a class is named that is not one of {classes}")
    logarithm = log_softmax(output if op.from_logits else np.log(_clipped(output)), -1)
    chosen = np.take_along_axis(logarithm, target[..., None], axis=-1)
    return np.asarray(-chosen[..., 0]).astype(dtype, copy=False)


@kernels.computes(CTCLoss)
def ctc_loss(
    op: CTCLoss, target: Array, output: Array, target_length: Array, output_length: Array
) -> Array:
    """All rows of the batch advance in the same step."""
    classes = output.shape[-1]
    blank = op.mask_index % classes
    logits = log_softmax(output.astype("float32"), -1)
    # A class of none is what padding may say; it never counts.
    names = target.astype("int64")
    known = (names >= 0) & (names < classes)
    places = np.where(known, names, 0)[:, None, :].repeat(logits.shape[1], axis=1)
    emitted = np.where(known[:, None, :], np.take_along_axis(logits, places, axis=-1), 0)
    loss = -forward(names, emitted, logits[..., blank], target_length, output_length)
    return loss.astype(promote(output.dtype.name, "float32"))


@kernels.computes(CTCDecode)
def ctc_decode(op: CTCDecode, x: Array, lengths: Array) -> tuple[Array, Array]:
    """Row by row of the batch."""
    batch, time, classes = x.shape
    dtype = promote(x.dtype.name, "float32")
    paths = 1 if op.strategy == "greedy" else op.top_paths
    labels = np.full((paths, batch, time), -1, "int32")
    scores = np.zeros((batch, paths), dtype)
    blank = classes - 1 if op.mask_index is None else op.mask_index % classes
    for row, (logits, length) in enumerate(zip(x, lengths.tolist(), strict=True)):
        if op.strategy == "greedy":
            found = [_greedy(logits[:length], blank, op.merge_repeated)]
        else:
            found = best_paths(logits[:length], blank, op.beam_width, paths)
        for path, (sequence, score) in enumerate(found):
            labels[path, row, : len(sequence)] = sequence
            scores[row, path] = score
    return labels, scores


def _greedy(logits: Array, blank: int, merge_repeated: bool) -> tuple[list[int], float]:
    """The best class of each step, without blanks."""
    best = logits.argmax(axis=-1)
    kept = best != blank
    if merge_repeated:
        kept[1:] &= best[1:] != best[:-1]
    top = logits.max(axis=-1, initial=-np.inf)
    return best[kept].tolist(), -float(top.sum(dtype=top.dtype))


@kernels.computes(InTopK)
def in_top_k(op: InTopK, targets: Array, predictions: Array) -> Array:
    """By counting what is larger."""
    classes = predictions.shape[-1]
    known = (targets >= 0) & (targets < classes)
    places = np.where(known, targets, 0).astype("int64")
    own = np.take_along_axis(predictions, places[:, None], axis=-1)
    larger = (predictions > own).sum(axis=-1)
    return np.asarray(known & np.isfinite(predictions).all(axis=-1) & (larger < op.k))


@kernels.computes(PeakSignalNoise)
def peak_signal_noise(op: PeakSignalNoise, x1: Array, x2: Array) -> Array:
    """One mean over everything, in whole numbers where the values are."""
    dtype = promote(x1.dtype.name, x2.dtype.name, "float")
    squares = np.square(x1 - x2)
    if squares.dtype.kind == "f":
        mean = squares.mean(dtype=dtype) if squares.size else np.asarray(np.nan)
    else:
        mean = np.asarray(squares.sum() // max(squares.size, 1))
    with np.errstate(divide="ignore"):
        decibels = 20 * np.log10(op.max_val) - 10 * np.log10(mean.astype(dtype))
    return np.asarray(decibels, dtype)
