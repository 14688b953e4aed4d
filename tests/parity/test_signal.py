"""Fourier transforms and spectrograms beside real Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from support import assert_close, case, keras_of, parity

K3 = {"writers": ("keras",)}
MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


def _transforms(k: Any, a: Any, b: Any) -> Any:
    o = k.ops
    return [*o.fft((a, b)), *o.fft2((a, b)), *o.ifft2((a, b)), *o.rfft(a), *o.rfft(a, 10), *o.rfft(b, 4),
            o.irfft((a, b)), o.irfft((a, b), 9), o.irfft((a, b), 16)]  # fmt: skip


def _framed(**options: Any) -> Any:
    return lambda k, x: list(k.ops.stft(x, **options))


def _joined(**options: Any) -> Any:
    return lambda k, a, b: k.ops.istft((a, b), **options)


def _mel(**options: Any) -> Any:
    return lambda k: k.layers.MelSpectrogram(
        **{
            "fft_length": 64,
            "sequence_stride": 20,
            "sampling_rate": 4000,
            "num_mel_bins": 9,
            **options,
        }
    )


def _waves(mode: str, **options: Any) -> Any:
    return lambda k: k.layers.STFTSpectrogram(
        **{"mode": mode, "frame_length": 12, "frame_step": 5, "fft_length": 16, **options}
    )


CASES = [
    case("transforms", _transforms, [(6, 7), (6, 7)], **K3),
    case("transforms of doubles", _transforms, [(6, 7), (6, 7)], dtype="float64", **K3),

    case("stft", _framed(sequence_length=10, sequence_stride=4, fft_length=16), [(3, 41)], **K3),
    case("stft odd", _framed(sequence_length=9, sequence_stride=4, fft_length=15, window="hamming"), [(41,)], **K3),
    case("stft not centred", _framed(sequence_length=7, sequence_stride=3, fft_length=8, center=False), [(41,)], **K3),
    case("stft without window", _framed(sequence_length=7, sequence_stride=9, fft_length=8, window=None), [(41,)], **K3),
    case("stft given window", _framed(sequence_length=3, sequence_stride=2, fft_length=8, window=[0.5, 1.0, 0.25]), [(41,)], **K3),
    case("stft unknown length", _framed(sequence_length=8, sequence_stride=4, fft_length=8), [(41,)], unknown=(0,), **K3),
    case("istft", _joined(sequence_length=10, sequence_stride=4, fft_length=16), [(3, 8, 9), (3, 8, 9)], **K3),
    case("istft length", _joined(sequence_length=9, sequence_stride=4, fft_length=16, length=21, window="hamming"), [(8, 9), (8, 9)], **K3),
    case("istft not centred", _joined(sequence_length=12, sequence_stride=5, fft_length=12, center=False, window="hamming"), [(8, 7), (8, 7)], **K3),
    case("istft without window", _joined(sequence_length=12, sequence_stride=5, fft_length=13, window=None), [(8, 7), (8, 7)], **K3),
    case("istft unknown frames", _joined(sequence_length=12, sequence_stride=5, fft_length=12), [(8, 7), (8, 7)], unknown=(0,), **K3),
    case("stft and back", lambda k, x: k.ops.istft(k.ops.stft(x, 12, 5, 16), 12, 5, 16), [(41,)], **K3),

    case("mel", _mel(), (150,), **K3),
    case("mel several", _mel(), (2, 150), **K3),
    case("mel short", _mel(sequence_length=40, window="hamming", top_db=10.0), (150,), **K3),
    case("mel power", _mel(power_to_db=False, mag_exp=1.0), (150,), **K3),
    case("mel reference", _mel(ref_power=7.5, min_power=1e-3, mag_exp=1.5, min_freq=90.0, max_freq=1500), (150,), **K3),
    case("mel default", lambda k: k.layers.MelSpectrogram(), (3000,), **K3),
    case("mel ints", _mel(), (150,), dtype="int32", **K3),

    *(case(f"waves {mode}", _waves(mode), (41, 3), **K3) for mode in MODES),
    *(case(f"waves {mode} expanded", _waves(mode, expand_dims=True, padding="same"), (41, 3), **K3) for mode in ("log", "stft")),
    case("waves defaults", lambda k: k.layers.STFTSpectrogram(frame_length=10), (41, 3), **K3),
    case("waves unknown length", _waves("magnitude"), (41, 3), unknown=(0,), **K3),
]  # fmt: skip


@parity(CASES)
def test_signal(run: Any) -> None:
    """Same as Keras."""
    run()


@pytest.mark.live
@pytest.mark.parametrize(
    "options", [{}, {"expand_dims": True}, {"mode": "stft", "padding": "same"}], ids=str
)
def test_channels_first(options: dict[str, Any], tmp_path: Path) -> None:
    """TensorFlow's processor kernels have channels last only; Keras' layer of that
    kind, with the same waves, says what the sums are."""
    keras = keras_of("keras")
    models = {}
    for layout, shape in (("channels_first", (3, 41)), ("channels_last", (41, 3))):
        layer = keras.layers.STFTSpectrogram(
            frame_length=12, frame_step=5, data_format=layout, **options
        )
        x = keras.Input(shape)
        models[layout] = keras.Model(x, layer(x))
    path = tmp_path / "m.keras"
    models["channels_first"].save(path)
    x = np.random.default_rng(0).normal(size=(2, 41, 3)).astype("float32")
    wanted = np.asarray(models["channels_last"](x))
    wanted = wanted.transpose((0, 3, 1, 2) if wanted.ndim == 4 else (0, 2, 1))
    got = lg.Interpreter(path)(x.transpose(0, 2, 1))
    assert got.shape == (2, *models["channels_first"].output_shape[1:])
    assert_close(got, wanted)
