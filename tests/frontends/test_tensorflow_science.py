"""TensorFlow functions in Keras 2 models beside real tf-keras: signals, matrices, segments,
places, colours and special functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support import case, parity

tf = pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install .[dev]")


def _signals(k: Any, x: Any) -> Any:
    s, z = tf.signal, tf.complex(x, x * x)
    return [
        s.fft(z), s.ifft(z), s.fft2d(z), s.ifft2d(z),
        s.fftshift(x, axes=[2]), s.ifftshift(x, axes=(1, 2)), s.frame(x, 8, 3), s.frame(x, 8, 3, pad_end=True, pad_value=1.5),
        s.overlap_and_add(x, 7), s.stft(x, 8, 3), s.stft(x, 7, 4, fft_length=16, pad_end=True), s.stft(x, 8, 3, window_fn=None),
        s.inverse_stft(s.stft(x, 8, 4), 8, 4), s.dct(x), s.dct(x, type=1), s.dct(x, type=3), s.dct(x, type=4), s.dct(x, n=10),
        s.dct(x, n=30, norm="ortho"), s.idct(x), s.dct(x, type=3, norm="ortho"), s.dct(x, type=4, norm="ortho"),
        s.mfccs_from_log_mel_spectrograms(x), tf.linalg.adjoint(z), tf.transpose(z, [0, 2, 1], conjugate=True),
        tf.matmul(z, z, adjoint_b=True), tf.bitcast(x, tf.int32),
    ]  # fmt: skip


def _matrices(k: Any, x: Any, b: Any) -> Any:
    li = tf.linalg
    spd = tf.matmul(x, x, transpose_b=True) + 3.0 * tf.eye(3)
    return [
        li.eigh(spd)[0], li.eigvalsh(spd), li.matrix_rank(spd), li.pinv(spd), *li.qr(spd), li.svd(spd, compute_uv=False), li.svd(x)[0],
        li.set_diag(x, b[:, :, 0]), li.set_diag(x, b[:, :, 0], k=1), li.set_diag(x, b[:, :2, 0], k=-1), li.triangular_solve(spd, b),
        li.triangular_solve(spd, b, lower=False), li.triangular_solve(spd, b, adjoint=True), li.cholesky_solve(li.cholesky(spd), b),
        li.inv(spd, adjoint=True), li.solve(spd + x[:, :, :3], b, adjoint=True), li.lstsq(spd, b), li.lstsq(x, b, l2_regularizer=0.5),
        li.diag(b[:, :, 0], k=1), li.diag(b[:, :, 1], k=-2, padding_value=2.0), li.diag_part(x, k=1), li.diag_part(x, k=-2), li.trace(spd),
        li.global_norm([x, b]), *tf.clip_by_global_norm([x, b], 2.0)[0], li.logdet(spd), tf.repeat(x, [1, 0, 2], axis=1),
    ]  # fmt: skip


def _counted_segments(k: Any, x: Any, ids: Any) -> Any:
    kinds = ("sum", "prod", "max", "min", "mean", "sqrt_n")
    return [
        getattr(tf.math, f"unsorted_segment_{n}")(x, ids, tf.reduce_max(ids) + 1) for n in kinds
    ]


def _segments(k: Any, x: Any, ids: Any) -> Any:
    m, ids = tf.math, ids % 4
    kinds = ("sum", "prod", "max", "min", "mean")
    rows = tf.sort(ids)
    return [
        *(getattr(m, f"segment_{n}")(x, rows) for n in kinds), *(getattr(m, f"unsorted_segment_{n}")(x, ids, 6) for n in kinds),
        m.unsorted_segment_sqrt_n(x, ids, 5), m.invert_permutation(tf.argsort(ids)), m.in_top_k(ids, x, 2), tf.scatter_nd(ids[:, None], x, [5, 4]),
        *tf.unique(ids), *tf.unique_with_counts(ids), tf.unravel_index(ids, [3, 2]), *tf.dynamic_partition(x, ids, 5),
        m.bincount(ids), m.bincount(ids, minlength=6, maxlength=6), tf.searchsorted([0.0, 1.0, 2.5], x[:, 0]),
        tf.searchsorted(tf.sort(x), x * 2, side="right"), tf.compat.v1.batch_gather(x, tf.argsort(x)), k.backend.cast_to_floatx(ids),
    ]  # fmt: skip


def _written(k: Any, x: Any, y: Any) -> Any:
    x, y, at = x[0], y[0], [[3], [0], [3]]
    return [
        tf.tensor_scatter_nd_update(x, [[0], [2], [4]], y), tf.tensor_scatter_nd_add(x, at, y), tf.tensor_scatter_nd_sub(x, at, y),
        tf.tensor_scatter_nd_max(x, at, y), tf.tensor_scatter_nd_min(x, at, y),
    ]  # fmt: skip


def _counted(k: Any, x: Any) -> Any:
    b = tf.math.bincount
    return [
        b(x),
        b(x, axis=-1, minlength=4),
        b(x, axis=-1, minlength=5, maxlength=5, binary_output=True),
    ]


def _colors(k: Any, a: Any, b: Any) -> Any:
    i, a, b = tf.image, tf.sigmoid(a), tf.sigmoid(b)
    return [
        i.rgb_to_hsv(a), i.hsv_to_rgb(a), i.rgb_to_yiq(a), i.yiq_to_rgb(a), i.rgb_to_yuv(a), i.yuv_to_rgb(a), i.adjust_gamma(a, 0.7, 1.2),
        i.adjust_hue(a, 0.2), i.adjust_hue(a, -0.4), i.adjust_saturation(a, 1.7), i.per_image_standardization(a), i.psnr(a, b, 1.5),
        i.ssim(a, b, 1.0, filter_size=3), i.resize_with_crop_or_pad(a, 4, 10), i.resize_with_pad(a, 11, 9), i.resize_with_pad(a, 3, 9),
        i.convert_image_dtype(a, tf.uint8), i.convert_image_dtype(a * 2.0, tf.uint8, saturate=True),
        i.extract_patches(a, [1, 2, 3, 1], [1, 2, 2, 1], [1, 1, 1, 1], "SAME"), i.resize(a, [3, 10], method="gaussian"),
        i.extract_patches(a, [1, 2, 3, 1], [1, 1, 2, 1], [1, 2, 1, 1], "VALID"), i.total_variation(a), i.sobel_edges(a),
    ]  # fmt: skip


def _special(k: Any, a: Any, b: Any) -> Any:
    m, positive, unit = tf.math, tf.abs(a) + 0.01, tf.sigmoid(a)
    q = tf.quantization
    return [
        m.lgamma(a), m.lgamma(positive * 100), m.digamma(positive), m.bessel_i0e(a), m.bessel_i0e(a * 1e3), m.erfcinv(unit * 2),
        m.ndtri(unit), m.lbeta(positive), m.cumulative_logsumexp(a, axis=1), m.is_non_decreasing(tf.sort(a)[0, 0]),
        m.cumulative_logsumexp(a, axis=-1, reverse=True, exclusive=True), m.is_strictly_increasing(a),
        tf.nn.weighted_cross_entropy_with_logits(unit, b, 2.0), tf.nn.log_poisson_loss(positive, b),
        tf.nn.log_poisson_loss(positive, b, compute_full_loss=True), k.losses.hinge(a, b), k.losses.squared_hinge(a, b),
        k.losses.hinge(tf.cast(a > 0, "float32"), b), q.fake_quant_with_min_max_args(a, -2, 3), tf.compat.v1.to_int64(a),
        q.fake_quant_with_min_max_vars(a, -1.0, 2.0, num_bits=4, narrow_range=True), tf.compat.v1.to_double(a),
    ]  # fmt: skip


KERAS2: dict[str, Any] = {"writers": ("tf_keras",), "batch0": False}
PAIR = [(5, 4), (5, 4)]

CASES = [
    case("signals", _signals, (6, 20), **KERAS2),
    case("matrices", _matrices, [(3, 4), (3, 2)], rtol=5e-5, **KERAS2),
    case("segments", _segments, [(4,), ()], dtype=("float32", "int32"), **KERAS2),
    case(
        "segments that are counted",
        _counted_segments,
        [(4,), ()],
        dtype=("float32", "int32"),
        **KERAS2,
    ),
    case("written", _written, [(5, 4), (3, 4)], **KERAS2),
    case("counted", _counted, (5,), dtype="int32", **KERAS2),
    case("colors", _colors, [(6, 7, 3), (6, 7, 3)], **KERAS2),
    case("special", _special, PAIR, **KERAS2),
]


@parity(CASES)
def test_functions(run: Any) -> None:
    """Same as tf-keras."""
    run()


def test_cosines_are_those_of_the_definition() -> None:
    from layergraph.frontends.keras.layers.tensorflow_signal import cosines

    both = cosines(2, 7, True) @ cosines(3, 7, True)
    assert np.allclose(both, np.eye(7))
    assert np.allclose(cosines(4, 5, True) @ cosines(4, 5, True), np.eye(5))
