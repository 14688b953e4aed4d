"""Fourier transforms and spectrograms."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.data_format import channels_first
from layergraph.frontends.keras.layers.image import as_computed
from layergraph.frontends.keras.registry import reads
from layergraph.ir.op import Op
from layergraph.ir.ops.shape import Transpose
from layergraph.ir.ops.signal import (
    FFT,
    IRFFT,
    ISTFT,
    RFFT,
    STFT,
    MelSpectrogram,
    Spectrogram,
    Window,
)

TRANSFORMS = {"FFT": FFT(), "FFT2": FFT(rank=2), "IFFT2": FFT(rank=2, inverse=True)}


def _complex(call: LayerCall) -> list[Tensor]:
    """The real and the imaginary part."""
    pair = call.inputs()
    if len(pair) != 2:
        raise call.refusal(f"it is called on {len(pair)} tensors, two are expected")
    return pair


@reads(*(f"ops.{name}" for name in TRANSFORMS), arguments=("x",))
def fft(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/math.py ``FFT``, ``FFT2`` and ``IFFT2``."""
    return list(call.emit_all(TRANSFORMS[call.spec.class_name], *_complex(call)))


def _length(call: LayerCall, key: str = "fft_length") -> int | None:
    found = call.config.take(key, None)
    return None if found is None else call.config.int(key)


@reads("ops.RFFT", arguments=("x",))
def rfft(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/math.py ``RFFT``."""
    return list(call.emit_all(RFFT(fft_length=_length(call)), call.input()))


@reads("ops.IRFFT", arguments=("x",))
def irfft(call: LayerCall) -> Tensor:
    """keras/src/ops/math.py ``IRFFT``."""
    return call.emit(IRFFT(fft_length=_length(call)), *_complex(call))


def _window(call: LayerCall) -> Window:
    """A name, a list of weights, or none."""
    found = call.config.take("window", "hann")
    if isinstance(found, (list, tuple)):
        return tuple(float(v) for v in found)
    if found not in ("hann", "hamming", None):
        raise call.refusal(f"window={found!r} is not 'hann', 'hamming' or a list of weights")
    return found  # type: ignore[no-any-return]


def _frames(call: LayerCall) -> dict[str, Any]:
    """Options the transform shares with its inverse."""
    sizes = ("sequence_length", "sequence_stride", "fft_length")
    return {
        **{key: call.config.int(key) for key in sizes},
        "window": _window(call),
        "center": call.config.bool("center", True),
    }


@reads("ops.STFT", arguments=("x",))
def stft(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/math.py ``STFT``."""
    return list(call.emit_all(STFT(**_frames(call)), call.input()))


@reads("ops.ISTFT", arguments=("x",))
def istft(call: LayerCall) -> Tensor:
    """keras/src/ops/math.py ``ISTFT``."""
    return call.emit(ISTFT(length=_length(call, "length"), **_frames(call)), *_complex(call))


@reads("MelSpectrogram")
def mel_spectrogram(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/mel_spectrogram.py."""
    config = call.config
    fft_length = config.int("fft_length", 2048)
    rate = config.float("sampling_rate", 16000)
    frames = STFT(
        sequence_length=_length(call, "sequence_length") or fft_length,
        sequence_stride=config.int("sequence_stride", 512),
        fft_length=fft_length,
        window=_window(call),
    )
    op = MelSpectrogram(
        stft=frames,
        sampling_rate=rate,
        num_mel_bins=config.int("num_mel_bins", 128),
        min_freq=config.float("min_freq", 20.0),
        max_freq=config.optional_float("max_freq") or float(int(rate / 2)),
        power_to_db=config.bool("power_to_db", True),
        top_db=config.float("top_db", 80.0),
        mag_exp=config.float("mag_exp", 2.0),
        min_power=config.float("min_power", 1e-10),
        ref_power=config.float("ref_power", 1.0),
    )
    return call.emit(op, as_computed(call, call.input()))


@reads("STFTSpectrogram")
def stft_spectrogram(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/stft_spectrogram.py: its weights are the waves."""
    config = call.config
    config.ignore("window", "periodic", "scaling")
    length = config.int("frame_length", 256)
    bins = (_length(call) or 1 << (length - 1).bit_length()) // 2 + 1
    op = Spectrogram(
        mode=config.text("mode", "log"),  # type: ignore[arg-type]
        frame_step=_length(call, "frame_step") or length // 2,
        padding=config.choice("padding", ("valid", "same"), "valid"),
        expand_dims=config.bool("expand_dims", False),
    )
    shape = (length, 1, bins)
    params = call.weights(
        real_kernel=None if op.mode == "imag" else shape,
        imag_kernel=None if op.mode == "real" else shape,
    )
    x, back = call.input(), list[Op]()
    if channels_first(call):
        x = call.emit(Transpose(axes=(0, 2, 1)), x, part="channels_last")
        back = [Transpose(axes=(0, 3, 1, 2) if op.expand_dims else (0, 2, 1))]
    return call.emit(op, x, params=params, then=back)
