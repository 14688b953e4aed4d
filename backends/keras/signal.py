"""Fourier transforms and spectrograms; complex numbers are pairs of real arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.keras.convolution import stored
from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import (
    Term,
    as_tensor,
    f,
    known_size,
    part,
    write,
)
from layergraph.backends.keras.writer import Operand, Writer
from layergraph.backends.numpy.signal import window_of
from layergraph.ir.ops.signal import (
    FFT,
    IRFFT,
    ISTFT,
    RFFT,
    STFT,
    MelSpectrogram,
    OverlapAdd,
    Spectrogram,
    Window,
)
from layergraph.ir.types import Array, TensorType, numpy_dtype

spellings = Spellings()

WIDE = {"float32": "complex64", "float64": "complex128"}


def _pair(real: Operand, imag: Operand, w: Writer) -> tuple[Tensor, Tensor]:
    source = next(v for v in (real, imag) if isinstance(v, Tensor))
    return as_tensor(w, real, source), as_tensor(w, imag, source)


def _complex(w: Writer, real: Any, imag: Any, type_: TensorType) -> Any:
    """A pair as complex numbers of TensorFlow."""
    if type_.dtype not in WIDE:
        raise RefusedError(f"TensorFlow has no complex numbers of {type_.dtype}")
    wide = type_.with_dtype(WIDE[type_.dtype])
    return part(w, f("dtypes.complex", real, imag=imag), "complex", wide)


def _parts(w: Writer, x: Any, types: Any) -> tuple[Any, Any]:
    """Both parts of complex numbers as the node's results."""
    return (
        w.tf("math.real", x, types=types[0], part="real"),
        w.tf("math.imag", x, types=types[1]),
    )


@spellings.spells(FFT)
def fft(w: Writer, op: FFT, real: Operand, imag: Operand) -> Any:
    """An operation; the inverse along one axis is conjugate to the transform of conjugates."""
    a, b = _pair(real, imag, w)
    if not w.keras3:
        name = f"signal.{'i' if op.inverse else ''}fft{'2d' if op.rank == 2 else ''}"
        given = _complex(w, a, b, a.type)
        return _parts(w, part(w, f(name, given), "spectrum", given.type), w.node.types)
    if op.rank == 2 or not op.inverse:
        name = "FFT" if op.rank == 1 else "IFFT2" if op.inverse else "FFT2"
        return w.op(name, [a, b])
    count = float(known_size(a.shape[-1], "the length of what is transformed"))
    turned = part(w, f("Negative", b), "conjugate", b.type)
    found = w.op("FFT", [a, turned], part="spectrum")
    return (
        w.op("Divide", found[0], count, types=w.node.types[0], part="real"),
        w.op("Divide", found[1], -count, types=w.node.types[1]),
    )


@spellings.spells(RFFT)
def rfft(w: Writer, op: RFFT, x: Tensor) -> Any:
    """An operation; in Keras 2, which cannot save TensorFlow's, half of the whole transform."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("RFFT", x, fft_length=op.fft_length)
    size = known_size(x.shape[-1], "the length of what is transformed")
    return _parts(w, _half(w, x, x.type, size, op.fft_length or size), w.node.types)


def _half(w: Writer, x: Any, type_: TensorType, size: int, length: int) -> Any:
    """The lower half of the spectrum of real numbers, in Keras 2."""
    full = type_.with_shape((*type_.shape[:-1], length))
    term: Any = x
    if size > length:
        term = f("__operators__.getitem", x, slice_spec=[..., slice(None, length)], types=full)
    elif size < length:
        around = [[0, 0]] * (type_.rank - 1) + [[0, length - size]]
        term = f("pad", x, paddings=around, types=full)
    real = part(w, term, "fitted", full) if term is not x else x
    given = _complex(w, real, f("zeros_like", real, types=full), full)
    spectrum = f("signal.fft", given)
    lower = [..., slice(None, length // 2 + 1)]
    wide = full.with_dtype(given.dtype).with_shape((*full.shape[:-1], length // 2 + 1))
    return part(w, f("__operators__.getitem", spectrum, slice_spec=lower), "half", wide)


@spellings.spells(IRFFT)
def irfft(w: Writer, op: IRFFT, real: Operand, imag: Operand) -> Any:
    """An operation; in Keras 2 the inverse of the whole transform, which its half tells."""
    a, b = _pair(real, imag, w)
    if w.keras3:
        return w.op("IRFFT", [a, b], fft_length=op.fft_length)
    size = known_size(a.shape[-1], "the number of frequencies")
    return write(w, _whole(w, a, b, a.type, size, op.fft_length or 2 * (size - 1)))


def _whole(w: Writer, real: Any, imag: Any, type_: TensorType, size: int, length: int) -> Term:
    """Real numbers from the lower half of their spectrum, in Keras 2."""
    count = length // 2 + 1
    rest = length - count

    def mirrored(x: Any, sign: float) -> Any:
        lower: Any = x
        if size < count:
            around = [[0, 0]] * (type_.rank - 1) + [[0, count - size]]
            lower = f("pad", x, paddings=around)
        elif size > count:
            lower = f("__operators__.getitem", x, slice_spec=[..., slice(None, count)])
        if not rest:
            return lower
        inner = f("__operators__.getitem", lower, slice_spec=[..., slice(1, 1 + rest)])
        upper: Any = f("reverse", inner, axis=[type_.rank - 1])
        if sign < 0:
            upper = f("math.negative", upper)
        return f("concat", [lower, upper], axis=-1)

    full = type_.with_shape((*type_.shape[:-1], length))
    whole = _complex(w, mirrored(real, 1), mirrored(imag, -1), full)
    return f("math.real", f("signal.ifft", whole))


# --- frames ----------------------------------------------------------------------------


def _window(window: Window) -> Any:
    return list(window) if isinstance(window, tuple) else window


def _frames(op: STFT | ISTFT) -> dict[str, Any]:
    return {
        "sequence_length": op.sequence_length,
        "sequence_stride": op.sequence_stride,
        "fft_length": op.fft_length,
        "window": _window(op.window),
        "center": op.center,
    }


@spellings.spells(STFT)
def stft(w: Writer, op: STFT, x: Tensor) -> Any:
    """An operation; in Keras 2 frames, weighed and transformed."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("STFT", x, **_frames(op))
    term: Any = x
    if op.center:
        half = op.fft_length // 2
        around = [[0, 0]] * (x.rank - 1) + [[half, half]]
        term = f("pad", x, paddings=around, mode="REFLECT")
    cut: Any = f("signal.frame", term, frame_length=op.fft_length, frame_step=op.sequence_stride)
    weights = window_of(op, numpy_dtype(x.dtype))
    if weights is not None:
        cut = f("math.multiply", cut, weights)
    type_ = x.type.with_shape((*w.node.types[0].shape[:-1], op.fft_length))
    frames = part(w, cut, "frames", type_)
    return _parts(w, _half(w, frames, type_, op.fft_length, op.fft_length), w.node.types)


@spellings.spells(ISTFT)
def istft(w: Writer, op: ISTFT, real: Operand, imag: Operand) -> Any:
    """An operation; in Keras 2 frames laid over each other, by the sum of their weights."""
    a, b = _pair(real, imag, w)
    if w.keras3:
        return w.op("ISTFT", [a, b], length=op.length, **_frames(op))
    size = known_size(a.shape[-1], "the number of frequencies")
    frames: Any = _whole(w, a, b, a.type, size, op.fft_length)
    weights = window_of(op, numpy_dtype(a.dtype))
    if weights is not None:
        step = op.sequence_stride
        pieces = -(-op.fft_length // step)
        padded = np.pad(weights * weights, (0, pieces * step - op.fft_length))
        power = np.tile(padded.reshape(pieces, step).sum(0), pieces)[: op.fft_length]
        if not power.all():
            raise RefusedError("its windows leave elements without weight")
        frames = f("math.multiply", frames, weights / power)
    whole = f("signal.overlap_and_add", frames, frame_step=op.sequence_stride)
    return write(w, f("__operators__.getitem", whole, slice_spec=[..., op.taken()]))


@spellings.spells(OverlapAdd)
def overlap_add(w: Writer, op: OverlapAdd, x: Tensor) -> Any:
    """TensorFlow's function; in Keras 3 sums by number."""
    x = w.tensor(x)
    if not w.keras3:
        return w.tf("signal.overlap_and_add", x, frame_step=op.step)
    frames, length = (known_size(d, "the number of frames") for d in x.shape[-2:])
    outer = x.shape[:-2]
    places = (np.arange(frames)[:, None] * op.step + np.arange(length)).reshape(-1)
    lead = [-1 if d is None else d for d in outer]
    if lead.count(-1) > 1:
        raise RefusedError("more than one of its sizes is not known before the model runs")
    rank = len(outer)
    flat = f("Reshape", x, newshape=[*lead, frames * length])
    rows = f("Transpose", flat, axes=[rank, *range(rank)])
    count = (frames - 1) * op.step + length
    total = f("SegmentSum", rows, places.astype("int32"), num_segments=count, sorted=False)
    return write(w, f("Transpose", total, axes=[*range(1, rank + 1), 0]))


# --- spectrograms ----------------------------------------------------------------------


@spellings.spells(MelSpectrogram)
def mel_spectrogram(w: Writer, op: MelSpectrogram, x: Tensor) -> Any:
    """A layer of Keras 3."""
    if not w.keras3:
        raise RefusedError("Keras 2 has no MelSpectrogram")
    if not op.stft.center:
        raise RefusedError("MelSpectrogram always centres its frames")
    return w.layer(
        "MelSpectrogram", w.tensor(x), fft_length=op.stft.fft_length,
        sequence_stride=op.stft.sequence_stride, sequence_length=op.stft.sequence_length,
        window=_window(op.stft.window), sampling_rate=op.sampling_rate,
        num_mel_bins=op.num_mel_bins, min_freq=op.min_freq, max_freq=op.max_freq,
        power_to_db=op.power_to_db, top_db=op.top_db, mag_exp=op.mag_exp,
        min_power=op.min_power, ref_power=op.ref_power, masking="drop",
    )  # fmt: skip


@spellings.spells(Spectrogram)
def spectrogram(
    w: Writer,
    op: Spectrogram,
    x: Tensor,
    *,
    real_kernel: Array | None = None,
    imag_kernel: Array | None = None,
) -> Any:
    """A layer of Keras 3, whose waves are its arrays."""
    if not w.keras3:
        raise RefusedError("Keras 2 has no STFTSpectrogram")
    kernel = real_kernel if real_kernel is not None else imag_kernel
    assert kernel is not None
    length, _, bins = kernel.shape
    return w.layer(
        "STFTSpectrogram", w.tensor(x),
        arrays=[stored("real_kernel", real_kernel), stored("imag_kernel", imag_kernel)],
        mode=op.mode, frame_length=length, frame_step=op.frame_step,
        fft_length=_transform_length(length, bins), padding=op.padding,
        expand_dims=op.expand_dims, data_format="channels_last", masking="drop",
    )  # fmt: skip


def _transform_length(length: int, bins: int) -> int:
    """A length of the transform that has so many frequencies: an even one if it can be."""
    found = 2 * (bins - 1)
    return found if found >= length else found + 1
