"""Fourier transforms; complex numbers are pairs of real arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType
from layergraph.ir.windows import output_size

Window = tuple[float, ...] | Literal["hann", "hamming"] | None
"""Weights of a frame's elements: given, by name, or all 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FFT(Op):
    """The discrete Fourier transform along the last axes, or its inverse.

    Inputs: real, imag.
    Outputs: real, imag, each of their type.
    Source: keras/src/ops/math.py ``FFT``, ``FFT2`` and ``IFFT2``, Keras 3.15.

    Attributes:
        rank: how many axes.
        inverse: whether it is the inverse.
    """

    rank: Literal[1, 2] = 1
    inverse: bool = False

    def infer(self, real: TensorType, imag: TensorType) -> tuple[TensorType, TensorType]:
        """The type of the input twice."""
        if real.rank < self.rank:
            raise ValueError(f"{self.rank} axes of {real}")
        return real, imag


@dataclass(frozen=True, slots=True, kw_only=True)
class RFFT(Op):
    """The Fourier transform of real numbers along the last axis.

    Inputs: x ``(..., n)``.
    Outputs: real, imag ``(..., fft_length // 2 + 1)``.
    Source: keras/src/ops/math.py ``RFFT``, Keras 3.15.

    Attributes:
        fft_length: to which the axis is cut or filled with zeros; ``None`` for n.
    """

    fft_length: int | None = None

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        """Half the frequencies, twice."""
        size = x.shape[-1] if self.fft_length is None else self.fft_length
        found = x.with_shape((*x.shape[:-1], None if size is None else size // 2 + 1))
        return found, found


@dataclass(frozen=True, slots=True, kw_only=True)
class IRFFT(Op):
    """The inverse of ``RFFT``.

    Inputs: real, imag ``(..., n)``.
    Output: ``(..., fft_length)``.
    Source: keras/src/ops/math.py ``IRFFT``, Keras 3.15.

    Attributes:
        fft_length: of the result; ``None`` for ``2 * (n - 1)``.
    """

    fft_length: int | None = None

    def infer(self, real: TensorType, imag: TensorType) -> TensorType:
        """``(..., fft_length)``."""
        size = self.fft_length
        if size is None and real.shape[-1] is not None:
            size = 2 * (real.shape[-1] - 1)
        return real.with_shape((*real.shape[:-1], size))


@dataclass(frozen=True, slots=True, kw_only=True)
class STFT(Op):
    """Fourier transforms of overlapping frames of the last axis.

    Inputs: x ``(..., n)``.
    Outputs: real, imag ``(..., frames, fft_length // 2 + 1)``.
    Source: keras/src/backend/tensorflow/math.py ``stft``, Keras 3.15.

    Attributes:
        sequence_length: elements the window weighs, in the middle of a frame.
        sequence_stride: elements from one frame to the next.
        fft_length: elements of a frame.
        window: how they are weighed.
        center: reflect the ends, so that frames are centred on their elements.
    """

    sequence_length: int
    sequence_stride: int
    fft_length: int
    window: Window = "hann"
    center: bool = True

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        """``(..., frames, frequencies)`` twice."""
        size = x.shape[-1]
        frames = None if size is None else self.frames(size)
        found = x.with_shape((*x.shape[:-1], frames, self.fft_length // 2 + 1))
        return found, found

    def frames(self, size: int) -> int:
        """How many frames so many elements have."""
        grown = size + 2 * (self.fft_length // 2) if self.center else size
        return max(1 + (grown - self.fft_length) // self.sequence_stride, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ISTFT(Op):
    """The signal whose ``STFT`` this is: frames weighed, overlapped and added.

    Inputs: real, imag ``(..., frames, frequencies)``.
    Output: ``(..., n)``.
    Source: keras/src/backend/tensorflow/math.py ``istft``, Keras 3.15.

    Attributes:
        length: elements wanted; ``None`` for all.
        sequence_length, sequence_stride, fft_length, window, center: of the STFT.
    """

    sequence_length: int
    sequence_stride: int
    fft_length: int
    length: int | None = None
    window: Window = "hann"
    center: bool = True

    def infer(self, real: TensorType, imag: TensorType) -> TensorType:
        """``(..., n)``."""
        frames = real.shape[-2]
        size = None if frames is None else len(range(self.total(frames))[self.taken()])
        return real.with_shape((*real.shape[:-2], size))

    def total(self, frames: int) -> int:
        """Elements so many frames cover."""
        return max((frames - 1) * self.sequence_stride + self.fft_length, 0)

    def taken(self) -> slice:
        """Which of them are the signal."""
        start = self.fft_length // 2 if self.center else 0
        if self.length is not None:
            return slice(start, start + self.length)
        return slice(start, -start if self.center else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MelSpectrogram(Op):
    """How loud each band of pitches is in each frame.

    Inputs: x ``(..., n)``.
    Output: ``(..., num_mel_bins, frames)``.
    Source: keras/src/layers/preprocessing/mel_spectrogram.py, Keras 3.15.

    Attributes:
        stft: the frames.
        sampling_rate: elements a second.
        num_mel_bins: how many bands, equally wide in mel.
        min_freq, max_freq: where they begin and end, in hertz.
        power_to_db: give decibels, those more than ``top_db`` below the loudest
            of the whole batch raised to that.
        mag_exp: exponent of the magnitude; 2 for its power.
        min_power: floor of the power before its logarithm is taken.
        ref_power: power of 0 dB.
    """

    stft: STFT
    sampling_rate: float
    num_mel_bins: int
    min_freq: float
    max_freq: float
    power_to_db: bool = True
    top_db: float = 80.0
    mag_exp: float = 2.0
    min_power: float = 1e-10
    ref_power: float = 1.0

    def infer(self, x: TensorType) -> TensorType:
        """``(..., bands, frames)``."""
        frames = self.stft.infer(x)[0].shape[-2]
        return x.with_shape((*x.shape[:-1], self.num_mel_bins, frames))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrogram(Op):
    """Frames multiplied by the waves of a Fourier transform that training may change.

    Inputs: x ``(batch, n, channels)``.
    Parameters: real_kernel, imag_kernel ``(frame_length, 1, frequencies)``; the
    mode ``real`` has no imaginary one and ``imag`` no real one.
    Output: ``(batch, frames, channels * frequencies)``, or
    ``(batch, frames, frequencies, channels)``.
    Source: keras/src/layers/preprocessing/stft_spectrogram.py, Keras 3.15.

    Attributes:
        mode: which number is made of the two sums; ``stft`` puts both side by side.
        frame_step: elements from one frame to the next.
        padding: ``same`` puts the odd element behind.
        expand_dims: keep an axis for the channels.
    """

    mode: Literal["log", "magnitude", "psd", "real", "imag", "angle", "stft"]
    frame_step: int
    padding: Literal["valid", "same"] = "valid"
    expand_dims: bool = False

    def infer(
        self,
        x: TensorType,
        *,
        real_kernel: TensorType | None = None,
        imag_kernel: TensorType | None = None,
    ) -> TensorType:
        """``(batch, frames, ...)``."""
        kernel = real_kernel or imag_kernel
        if kernel is None or x.rank != 3:
            raise ValueError(f"expects a kernel and 3 axes, got {x}")
        length, _, bins = (d or 0 for d in kernel.shape)
        bins *= 2 if self.mode == "stft" else 1
        batch, size, channels = x.shape
        frames = output_size(size, length, self.frame_step, self.padding)
        if self.expand_dims:
            return x.with_shape((batch, frames, bins, channels))
        return x.with_shape((batch, frames, None if channels is None else channels * bins))


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapAdd(Op):
    """Frames laid down one step after another; where they overlap they add up.

    Inputs: x ``(..., frames, length)``. Output: ``(..., (frames - 1) * step + length)``.
    Source: tf.signal.overlap_and_add, TensorFlow 2.21.

    Attributes:
        step: from the start of a frame to that of the next.
    """

    step: int

    def infer(self, x: TensorType) -> TensorType:
        """The length of the whole where the number of frames is known."""
        if x.rank < 2:
            raise ValueError(f"expects frames, got {x}")
        *rest, frames, length = x.shape
        known = frames is not None and length is not None
        size = max((frames or 0) - 1, 0) * self.step + (length or 0) if known else None
        return x.with_shape((*rest, size))
