"""Fourier transforms: ONNX has some, which runtimes hardly support; none is written."""

from __future__ import annotations

from layergraph.backends.onnx.table import Spellings
from layergraph.ir.ops import signal

spellings = Spellings()

for _name in ("FFT", "RFFT", "IRFFT", "STFT", "ISTFT", "MelSpectrogram", "Spectrogram"):
    spellings.refuses(getattr(signal, _name), "Fourier transforms are not written")
spellings.refuses(signal.OverlapAdd, "frames that overlap are not written")
