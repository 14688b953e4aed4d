"""Functions of ``tf.signal``, whose spectra are complex numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import whole, wholes
from layergraph.frontends.keras.tensorflow import tensors
from layergraph.ir.ops.elementwise import Complex, Math
from layergraph.ir.ops.indexing import Roll, Slice
from layergraph.ir.ops.linear import Dense
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.patches import Frames
from layergraph.ir.ops.shape import PadAll
from layergraph.ir.ops.signal import FFT, IRFFT, RFFT, OverlapAdd
from layergraph.ir.types import Array

WIDE = {"float32": "complex64", "float64": "complex128"}
TRANSFORMS = {
    "FFT": FFT(), "IFFT": FFT(inverse=True), "FFT2": FFT(rank=2),
    "IFFT2": FFT(rank=2, inverse=True),
}  # fmt: skip


def _parts(call: LayerCall, x: Tensor) -> tuple[Tensor, Tensor]:
    if not x.type.is_complex:
        raise call.refusal(f"complex numbers are expected, not {x.type.dtype}")
    real = call.emit(Math(kind="real"), x, part="real")
    return real, call.emit(Math(kind="imag"), x, part="imag")


def _joined(call: LayerCall, pair: tuple[Tensor, ...]) -> Tensor:
    real, imag = pair
    return call.emit(Complex(dtype=WIDE[real.type.dtype]), real, imag)


@reads(*(f"tf.{name}" for name in TRANSFORMS), arguments=("input",))
def transform(call: LayerCall) -> Tensor:
    """tf.signal.fft, fft2d and their inverses."""
    (x,) = tensors(call, "input")
    op = TRANSFORMS[call.spec.class_name]
    return _joined(call, call.emit_all(op, *_parts(call, x), part="spectrum"))


@reads("tf.FFTShift", "tf.IFFTShift", arguments=("x",))
def shift(call: LayerCall) -> Tensor:
    """tf.signal.fftshift and ifftshift: the zero frequency in the middle, or back."""
    (x,) = tensors(call, "x")
    found = call.argument("axes")
    axes = tuple(range(len(x.shape))) if found is None else wholes(call, found, "axes")
    sizes = [x.shape[axis] for axis in axes]
    if None in sizes:
        raise call.refusal("an axis of unknown size is shifted by half", "name the other axes")
    sign = -1 if call.spec.class_name == "IFFTShift" else 1
    return call.emit(Roll(shift=tuple(sign * (n // 2) for n in sizes if n), axis=axes), x)


def _framed(call: LayerCall, x: Tensor, part: str = "") -> Tensor:
    """Frames of the last axis; at the end filled up where asked for."""
    length, step = (whole(call, call.argument(n), n) for n in ("frame_length", "frame_step"))
    if call.argument("axis", -1) not in (-1, len(x.shape) - 1):
        raise call.refusal("frames of another axis than the last are not supported yet")
    if call.argument("pad_end", False):
        size = x.shape[-1]
        if size is None:
            raise call.refusal("pad_end=True of an axis of unknown size is not supported")
        behind = max((-(-size // step) - 1) * step + length - size, 0)
        around = (*((0, 0),) * (len(x.shape) - 1), (0, behind))
        op = PadAll(pad_width=around, value=float(call.argument("pad_value", 0)))
        x = call.emit(op, x, part="padded")
    call.argument("pad_value")
    return call.emit(Frames(length=length, stride=step), x, part=part)


@reads("tf.Frame", arguments=("signal",))
def frame(call: LayerCall) -> Tensor:
    """tf.signal.frame."""
    return _framed(call, tensors(call, "signal")[0])


@reads("tf.OverlapAdd", arguments=("signal",))
def overlap_add(call: LayerCall) -> Tensor:
    """tf.signal.overlap_and_add."""
    (x,) = tensors(call, "signal")
    return call.emit(OverlapAdd(step=whole(call, call.argument("frame_step"), "frame_step")), x)


def _window(call: LayerCall, x: Tensor, length: int) -> Tensor:
    """Frames weighted by a Hann window, which is TensorFlow's own unless there is none."""
    given = call.argument("window_fn", True)
    if given is False:
        return x
    if given is not True:
        raise call.refusal("window_fn is a Python function", "use the default window, or none")
    turns = 2 * np.pi * np.arange(length) / (length - length % 2)
    window = (0.5 - 0.5 * np.cos(turns)).astype(x.type.dtype)
    weights = call.constant("window", np.ones(1, x.type.dtype) if length == 1 else window)
    return call.emit(Merge(kind="multiply"), x, weights, part="weighted")


def _enclosing(call: LayerCall, length: int) -> int:
    found = call.argument("fft_length")
    return 1 << (length - 1).bit_length() if found is None else whole(call, found, "fft_length")


@reads("tf.STFT", arguments=("signals",))
def stft(call: LayerCall) -> Tensor:
    """tf.signal.stft."""
    (x,) = tensors(call, "signals")
    length = whole(call, call.argument("frame_length"), "frame_length")
    weighted = _window(call, _framed(call, x, "frames"), length)
    op = RFFT(fft_length=_enclosing(call, length))
    return _joined(call, call.emit_all(op, weighted, part="spectrum"))


@reads("tf.ISTFT", arguments=("stfts",))
def istft(call: LayerCall) -> Tensor:
    """tf.signal.inverse_stft."""
    (x,) = tensors(call, "stfts")
    length, step = (whole(call, call.argument(n), n) for n in ("frame_length", "frame_step"))
    frames = call.emit(IRFFT(fft_length=_enclosing(call, length)), *_parts(call, x), part="frames")
    size = frames.shape[-1] or length
    if size < length:
        around = (*((0, 0),) * (len(frames.shape) - 1), (0, length - size))
        frames = call.emit(PadAll(pad_width=around), frames, part="filled")
    elif size > length:
        frames = call.emit(Slice(key=("...", (None, length, None))), frames, part="cut")
    return call.emit(OverlapAdd(step=step), _window(call, frames, length))


def cosines(kind: int, size: int, ortho: bool) -> Array:
    """The matrix ``(size, size)`` of a discrete cosine transform.

    Source: tensorflow/python/ops/signal/dct_ops.py, TensorFlow 2.21.
    """
    n, k = np.arange(size)[:, None], np.arange(size)[None, :]
    if kind == 1:
        ends = (n == 0) | (n == size - 1)
        return np.asarray(np.where(ends, 1, 2) * np.cos(np.pi * n * k / (size - 1)))
    if kind == 2:
        matrix = 2 * np.cos(np.pi * k * (2 * n + 1) / (2 * size))
        scale = np.where(k == 0, 0.5 / np.sqrt(size), np.sqrt(0.5 / size))
        return np.asarray(matrix * scale if ortho else matrix)
    if kind == 3:
        if ortho:
            return cosines(2, size, True).T
        return np.asarray(np.where(n == 0, 1, 2) * np.cos(np.pi * n * (2 * k + 1) / (2 * size)))
    matrix = 2 * np.cos(np.pi * (2 * n + 1) * (2 * k + 1) / (4 * size))
    return np.asarray(matrix * np.sqrt(0.5 / size) if ortho else matrix)


@reads("tf.DCT", "tf.IDCT", arguments=("input",))
def cosine_transform(call: LayerCall) -> Tensor:
    """tf.signal.dct and idct: a product with the matrix of the cosines."""
    (x,) = tensors(call, "input")
    kind = whole(call, call.argument("type", 2), "type")
    if call.spec.class_name == "IDCT":
        kind = {2: 3, 3: 2}.get(kind, kind)
    if call.argument("axis", -1) != -1 or kind not in (1, 2, 3, 4):
        raise call.refusal(f"type={kind} or another axis than the last is not supported")
    ortho, n = call.argument("norm") == "ortho", call.argument("n")
    size = x.shape[-1] if n is None else whole(call, n, "n")
    if size is None or x.shape[-1] is None:
        raise call.refusal("an axis of unknown size is transformed", "use a known size")
    if size < x.shape[-1]:
        x = call.emit(Slice(key=("...", (None, size, None))), x, part="cut")
    # What is filled up with zeros counts nothing.
    matrix = cosines(kind, size, ortho)[: x.shape[-1]]
    return call.emit(Dense(), x, params={"kernel": matrix.astype(x.type.dtype)})


@reads("tf.MFCC", arguments=("log_mel_spectrograms",))
def mfcc(call: LayerCall) -> Tensor:
    """tf.signal.mfccs_from_log_mel_spectrograms."""
    (x,) = tensors(call, "log_mel_spectrograms")
    size: Any = x.shape[-1]
    if not size:
        raise call.refusal("a spectrogram of an unknown number of bins", "use a known size")
    matrix = cosines(2, size, False) / np.sqrt(2 * size)
    return call.emit(Dense(), x, params={"kernel": matrix.astype(x.type.dtype)})
