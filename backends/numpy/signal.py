"""Fourier transforms by NumPy's FFT; frames are strided views."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from layergraph.backends.numpy.scratch import Specialised
from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.backends.numpy.tiles import Geometry, Padded
from layergraph.ir.ops.signal import (
    FFT,
    IRFFT,
    ISTFT,
    RFFT,
    STFT,
    MelSpectrogram,
    OverlapAdd,
    Spectrogram,
)
from layergraph.ir.types import Array

kernels = Kernels()

Pair = tuple[Array, Array]


def _complex(real: Array, imag: Array) -> Array:
    """One array of the two."""
    joined = np.empty(real.shape, np.result_type(real.dtype, np.complex64))
    joined.real, joined.imag = real, imag
    return joined


def _pair(values: Array, dtype: np.dtype) -> Pair:
    """Two arrays of the one; older NumPy gives doubles."""
    real, imag = np.empty(values.shape, dtype), np.empty(values.shape, dtype)
    real[...], imag[...] = values.real, values.imag
    return real, imag


@kernels.computes(FFT)
def fft(op: FFT, real: Array, imag: Array) -> Pair:
    """NumPy's own."""
    transform = np.fft.ifftn if op.inverse else np.fft.fftn
    axes = tuple(range(-op.rank, 0))
    return _pair(transform(_complex(real, imag), axes=axes), real.dtype)


@kernels.computes(RFFT)
def rfft(op: RFFT, x: Array) -> Pair:
    """NumPy's own."""
    return _pair(np.fft.rfft(x, op.fft_length), x.dtype)


@kernels.computes(IRFFT)
def irfft(op: IRFFT, real: Array, imag: Array) -> Array:
    """NumPy's own."""
    return np.fft.irfft(_complex(real, imag), op.fft_length).astype(real.dtype, copy=False)


# --- overlapping frames ----------------------------------------------------------------

COSINES = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46)}


def window_of(op: STFT | ISTFT, dtype: np.dtype) -> Array | None:
    """Weights of a frame's elements, ``None`` when all are 1.

    Source: tensorflow/python/ops/signal/window_ops.py ``_raised_cosine_window``,
    TensorFlow 2.21: a window of odd length is symmetric, whatever was asked for.
    """
    if op.window is None:
        return None
    size = op.sequence_length
    if not isinstance(op.window, str):
        window = np.asarray(op.window, dtype)
    elif size == 1:
        window = np.ones(1, dtype)
    else:
        base, swing = COSINES[op.window]
        turns = np.arange(size, dtype=dtype) * dtype.type(2 * np.pi)
        window = base - swing * np.cos(turns / dtype.type(size - size % 2))
    before = (op.fft_length - size) // 2
    return np.pad(window, (before, op.fft_length - size - before)).astype(dtype)


@kernels.computes(STFT)
def stft(op: STFT, x: Array) -> Pair:
    """All frames in one call."""
    return _pair(_spectra(op, x), x.dtype)


def _spectra(op: STFT, x: Array) -> Array:
    """Complex ``(..., frames, frequencies)``."""
    if op.center:
        ends = (op.fft_length // 2,) * 2
        x = np.pad(x, [*[(0, 0)] * (x.ndim - 1), ends], mode="reflect")
    if x.shape[-1] < op.fft_length:
        frames = np.empty((*x.shape[:-1], 0, op.fft_length), x.dtype)
    else:
        frames = sliding_window_view(x, op.fft_length, -1)[..., :: op.sequence_stride, :]
    window = window_of(op, x.dtype)
    return np.fft.rfft(frames if window is None else frames * window)


@kernels.computes(ISTFT)
def istft(op: ISTFT, real: Array, imag: Array) -> Array:
    """Frames in pieces of one stride each, added where they fall."""
    frames = np.fft.irfft(_complex(real, imag), op.fft_length).astype(real.dtype, copy=False)
    step = op.sequence_stride
    pieces = -(-op.fft_length // step)
    fill = pieces * step - op.fft_length
    window = window_of(op, real.dtype)
    if window is not None:
        power = np.pad(window * window, (0, fill)).reshape(pieces, step).sum(0)
        with np.errstate(all="ignore"):
            frames = frames * (window / np.tile(power, pieces)[: op.fft_length])
    *outer, many, _ = frames.shape
    parts = np.pad(frames, [*[(0, 0)] * (frames.ndim - 1), (0, fill)])
    parts = parts.reshape(*outer, many, pieces, step)
    y = np.zeros((*outer, many + pieces, step), real.dtype)
    for i in range(pieces):
        y[..., i : i + many, :] += parts[..., i, :]
    flat = y.reshape(*outer, (many + pieces) * step)[..., : op.total(many)]
    return np.array(flat[..., op.taken()])


# --- spectrograms ----------------------------------------------------------------------


@kernels.prepares(MelSpectrogram)
def mel_spectrogram(op: MelSpectrogram) -> Kernel:
    """Power of each frequency, times the matrix of bands."""
    matrix = _bands(op)

    def run(x: Array) -> Array:
        spectra = _spectra(op.stft, x)
        power = np.square(spectra.real) + np.square(spectra.imag)
        if op.mag_exp != 2:
            power = power ** power.dtype.type(op.mag_exp / 2)
        y = np.matmul(power, matrix.astype(power.dtype, copy=False))
        if op.power_to_db:
            y = _decibels(op, y)
        return np.ascontiguousarray(np.swapaxes(y, -1, -2), x.dtype)

    return run


def _decibels(op: MelSpectrogram, power: Array) -> Array:
    floor = power.dtype.type(op.min_power)
    level = 10 * np.log10(np.maximum(power, floor))
    level -= power.dtype.type(10 * np.log10(max(abs(op.ref_power), op.min_power)))
    loudest = level.max(initial=-np.inf)
    return np.asarray(np.maximum(level, loudest - power.dtype.type(op.top_db)))


def _bands(op: MelSpectrogram) -> Array:
    """How much of each frequency each band holds, ``(frequencies, bands)``.

    Triangles in mel, in float32 as Keras computes them.
    """
    real = np.float32

    def mel(hertz: Array) -> Array:
        return real(1127) * np.log(real(1) + hertz / real(700)).astype(real)

    count = op.stft.fft_length // 2
    hertz = np.linspace(0, op.sampling_rate / 2, count + 1, dtype=real)[1:]
    ends = mel(np.array([op.min_freq, op.max_freq], real))
    edges = np.linspace(ends[0], ends[1], op.num_mel_bins + 2, dtype=real)
    lower, center, upper = edges[:-2], edges[1:-1], edges[2:]
    pitch = mel(hertz)[:, None]
    rising = (pitch - lower) / (center - lower)
    falling = (upper - pitch) / (upper - center)
    return np.pad(np.maximum(real(0), np.minimum(rising, falling)), ((1, 0), (0, 0)))


@kernels.prepares(Spectrogram)
def spectrogram(
    op: Spectrogram, *, real_kernel: Array | None = None, imag_kernel: Array | None = None
) -> Kernel:
    """One GEMM for both sums."""
    held = [k for k in (real_kernel, imag_kernel) if k is not None]
    matrix = np.concatenate([k[:, 0] for k in held], axis=1)
    length, bins = held[0].shape[0], held[0].shape[2]

    def make(shape: tuple[int, ...]) -> Kernel:
        batch, size, channels = shape
        rows = (batch * channels, size, 1)
        pad = Padded(Geometry.of(rows, (length,), (op.frame_step,), op.padding, (1,), matrix.dtype))
        (frames,) = pad.windows

        def run(x: Array) -> Array:
            padded, lent = pad.take(np.ascontiguousarray(x.swapaxes(1, 2)).reshape(rows))
            gathered = np.array(pad.view(padded)).reshape(batch * channels * frames, length)
            pad.give(lent)
            y = _mode(op, gathered @ matrix, bins).astype(x.dtype, copy=False)
            found = y.shape[-1]
            y = y.reshape(batch, channels, frames, found)
            if op.expand_dims:
                return np.array(y.transpose(0, 2, 3, 1))
            return y.transpose(0, 2, 1, 3).reshape(batch, frames, channels * found)

        return run

    return Specialised(make)


def _mode(op: Spectrogram, sums: Array, bins: int) -> Array:
    """What is made of real and imaginary parts, side by side."""
    if op.mode in ("real", "imag", "stft"):
        return sums
    real, imag = sums[:, :bins], sums[:, bins:]
    if op.mode == "angle":
        return np.asarray(np.arctan2(imag, real))
    power = np.square(real) + np.square(imag)
    if op.mode == "psd":
        power[:, 1:-1] *= 2
        return power
    # Keras' epsilon: keras/src/backend/config.py.
    epsilon = sums.dtype.type(1e-7)
    magnitude = np.sqrt(np.maximum(power, epsilon))
    if op.mode == "magnitude":
        return np.asarray(magnitude)
    return np.asarray(np.log(np.maximum(magnitude, epsilon)))


@kernels.computes(OverlapAdd)
def overlap_add(op: OverlapAdd, x: Array) -> Array:
    """Column by column of the frames in pieces of one step, as in ``istft``."""
    *rest, frames, length = x.shape
    pieces = -(-length // op.step)
    y = np.zeros((*rest, max(frames, 1) - 1 + pieces, op.step), x.dtype)
    for i in range(pieces):
        part = x[..., i * op.step : (i + 1) * op.step]
        y[..., i : i + frames, : part.shape[-1]] += part
    flat = y.reshape(*rest, y.shape[-2] * op.step)
    return np.array(flat[..., : max(frames - 1, 0) * op.step + length])
