"""TensorFlow functions in Keras 2 models beside real tf-keras: matrices, spectra, places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support import case, parity

tf = pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install .[dev]")


def _decompositions(k: Any, x: Any) -> Any:
    """What is the same whatever the signs of vectors."""
    a, t = tf.linalg, tf.linalg.matrix_transpose
    square = x[:, :4]
    regular = square @ t(square) + np.eye(4, dtype="float32")
    values, left, right = a.svd(x)
    full_values, full_left, _ = a.svd(x, full_matrices=True)
    q, r = a.qr(x)
    full_q, _ = a.qr(x, full_matrices=True)
    eigenvalues, vectors = a.eigh(regular)
    triangles, rows = a.lu(regular)
    factor = a.cholesky(regular)
    return [
        values, (left * values[:, None]) @ t(right), full_values, tf.abs(full_left)[:, :, :4], a.svd(x, compute_uv=False), q @ r, tf.abs(q),
        full_q @ t(full_q), eigenvalues, tf.abs(vectors), a.eigvalsh(regular), triangles, rows, a.pinv(x), a.pinv(x, rcond=0.5), a.matrix_rank(x),
        a.inv(regular), a.inv(square + 3.0 * np.eye(4, dtype="float32"), adjoint=True), a.det(square), a.logdet(regular), a.cholesky_solve(factor, square), a.solve(regular, square),
        a.solve(regular + square, square, adjoint=True), *(a.triangular_solve(regular, square, lower=c, adjoint=b) for c in (True, False) for b in (True, False)),
        a.lstsq(x, x[:, :, :2]), a.lstsq(t(x), square, l2_regularizer=0.3), a.global_norm([x, square]), *tf.clip_by_global_norm([x, square], 1.5)[0],
    ]  # fmt: skip


def _diagonals(k: Any, x: Any) -> Any:
    a, row = tf.linalg, x[:, 0]
    return [
        a.diag_part(x), a.diag_part(x, k=1), a.diag_part(x, k=-2), a.diag_part(x, k=(-1, 2)), a.diag_part(x, k=(-2, 1), align="LEFT_RIGHT", padding_value=7.0), a.trace(x),
        a.diag(row), a.diag(row, k=1), a.diag(row, k=-2), a.diag(row, k=1, num_rows=4), a.diag(row, k=-1, num_cols=6, num_rows=5, padding_value=2.0), a.diag(x[:, :3], k=(-1, 1)),
        a.diag(x[:, :2], k=(0, 1), align="LEFT_LEFT"), a.set_diag(x, row), a.set_diag(x, row, k=-1), a.band_part(x, 1, 0), a.tensor_diag(x[0, 0]),
    ]  # fmt: skip


def _spectra(k: Any, x: Any) -> Any:
    s = tf.signal
    z = tf.complex(x, x * 0.5 - 1)
    spectrum = s.stft(x, 6, 4)

    def parts(y: Any) -> list[Any]:
        return [tf.math.real(y), tf.math.imag(y)]

    return [
        *parts(s.fft(z)), *parts(s.ifft(z)), *parts(s.fft2d(z)), *parts(s.ifft2d(z)),  tf.abs(z), tf.math.angle(z), *parts(spectrum), *parts(s.stft(x, 5, 3, fft_length=9, pad_end=True)),
        tf.abs(s.stft(x, frame_length=4, frame_step=4, fft_length=16)), s.inverse_stft(spectrum, 6, 4), s.inverse_stft(spectrum, 6, 3, fft_length=8), s.frame(x, 3, 2), s.frame(x, 3, 2, pad_end=True, pad_value=2.0),
         s.overlap_and_add(x, 3), s.overlap_and_add(x, 11), *(s.dct(x, type=i) for i in (1, 2, 3, 4)), *(s.dct(x, type=i, norm="ortho") for i in (2, 3, 4)), s.idct(x), s.idct(x, type=3, norm="ortho"),
        s.dct(x, n=7), s.dct(x, n=20), s.fftshift(x, axes=[-1]), s.ifftshift(x, axes=[1, 2]), s.mfccs_from_log_mel_spectrograms(x),
    ]  # fmt: skip


def _places(k: Any, x: Any, ids: Any) -> Any:
    m, rows, rise = tf.math, ids[0], tf.sort(ids[0])
    deep = tf.stack([ids, ids], -1)[:, :2]
    return [
        tf.scatter_nd(ids[0][:, None], x[0], [11, 4]), tf.scatter_nd(ids[0][:, None], x[0], [tf.shape(x)[0] + 11, 4]),
        tf.tensor_scatter_nd_update(x[0], [[1], [3]], x[0, :2] * 2), tf.tensor_scatter_nd_add(x[0], [[1], [1], [0]], x[0, :3]), tf.tensor_scatter_nd_sub(x[0], [[1, 1], [1, 1], [0, 3]], x[0, :3, 0]),
        tf.tensor_scatter_nd_max(x[0], [[1], [1]], x[0, :2]), tf.tensor_scatter_nd_min(x[0], [[1], [1]], x[0, :2]), tf.scatter_nd(deep, x[:, :2, 0], [12, 12]),
        *(getattr(m, f"segment_{n}")(x[0], rise) for n in ("sum", "mean", "max", "min", "prod")), *(getattr(m, f"unsorted_segment_{n}")(x[0], rows, 11) for n in ("sum", "mean", "prod", "sqrt_n")),
         m.unsorted_segment_max(x[0, :, 0], rows % 2, 2), m.unsorted_segment_min(x[0], rows % 2, 2), *tf.dynamic_partition(x[0], rows % 3, 3),
        m.bincount(ids), m.bincount(ids, axis=-1, minlength=13), m.bincount(ids, axis=-1, minlength=3, maxlength=6, binary_output=True), m.bincount(ids, maxlength=4, dtype="float32"), m.bincount(ids, weights=x[:, :, 0]), m.bincount(ids, weights=x[:, :, 0], dtype="float64"),
        m.confusion_matrix(ids[:, 0], ids[:, 1], num_classes=11), tf.histogram_fixed_width(x, [-1.0, 1.0], nbins=7), tf.histogram_fixed_width_bins(x, [-1.0, 1.0], nbins=7), tf.searchsorted(tf.sort(x), x[:, ::-1], side="left"),
        tf.searchsorted(tf.sort(ids), ids, side="right"), tf.searchsorted([-1.0, 0.0, 0.5], x[0, 0], out_type="int64"), *tf.unique(rows), *tf.unique_with_counts(rows, out_idx="int64"), m.invert_permutation(tf.argsort(x[0, :, 0])),
        m.is_strictly_increasing(rise), m.is_non_decreasing(rise), m.is_non_decreasing(x), m.cumulative_logsumexp(x, 1), m.cumulative_logsumexp(x, axis=-1, exclusive=True, reverse=True)[:, :, :-1], m.in_top_k(ids[:, 0] % 4, x[:, 0], 2),
    ]  # fmt: skip


def _special(k: Any, x: Any) -> Any:
    m, part = tf.math, tf.tanh(x) * 0.4 + 0.5
    wide = x * 9 + 0.3
    return [
        m.lgamma(wide), m.digamma(tf.abs(wide)), m.digamma(tf.cast(x - 2.5, "float64")), m.lgamma(tf.cast(wide, "float64")), m.ndtri(part), m.erfcinv(part * 2), m.bessel_i0e(wide),   m.lbeta(tf.abs(x) + 0.1),
    ]  # fmt: skip


K2 = {"writers": ("tf_keras",)}
FIXED = {"batch0": False, **K2}

CASES = [
    # Normal equations and inverses lose digits.
    case("decompositions", _decompositions, [(6, 4)], rtol=2e-4, **FIXED),
    case("diagonals", _diagonals, [(5, 4)], **FIXED),
    case("spectra", _spectra, [(5, 12)], rtol=2e-5, **FIXED),  # ours are computed in float64
    case("places", _places, [(5, 4), (5,)], dtype=["float32", "int32"], **FIXED),
    case("special functions", _special, [(5, 4)], **K2),
]  # fmt: skip


@parity(CASES)
def test_tensorflow_algebra(run: Any) -> None:
    """Same as tf-keras."""
    run()
