"""TensorFlow functions in Keras 2 models beside real tf-keras: numbers and reductions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support import case, parity

tf = pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install .[dev]")


def _operators(k: Any, a: Any, b: Any) -> Any:
    return [a + 1, 1 - a, a * b, a / 2, -a, a**2, 2.0 - b, a // 0.7, a % 0.7, 1.0 / (b * b + 1.0), abs(a),
            2.0**a, a > 0, a >= b, a < b, a <= 0, ~(a > 0), (a > 0) & (b > 0), (a > 0) | (b > 0),
            (a > 0) ^ (b > 0), a @ tf.transpose(b, [0, 2, 1]), a * [1.0, 2.0, 3.0, 4.0], np.ones((5, 1), "float32") * a,
            tf.constant(2.0) * a, a + 1]  # fmt: skip


def _one(k: Any, a: Any) -> Any:
    m, positive, small = tf.math, tf.abs(a) + 0.1, tf.tanh(a) * 0.9
    return [
        m.abs(a), m.negative(a), m.sign(a), m.square(a), m.floor(a), m.ceil(a), m.round(a), m.rint(a), m.exp(a), m.expm1(a),
        m.sin(a), m.cos(a), m.sinh(a), m.cosh(a), m.tanh(a), m.atan(a), m.asinh(a), m.erf(a), m.erfc(a), m.sigmoid(a), m.softplus(a),
        m.log_sigmoid(a), m.sqrt(positive), m.rsqrt(positive), m.log(positive), m.log1p(positive), m.reciprocal(positive),
        m.asin(small), m.acos(small), m.atanh(small), m.acosh(positive + 1), m.bessel_i0(small), m.reciprocal_no_nan(tf.nn.relu(a)),
        m.is_nan(a), m.is_inf(a), m.is_finite(a), m.logical_not(a > 0), tf.tan(small),
    ]  # fmt: skip


def _two(k: Any, a: Any, b: Any) -> Any:
    m, r = tf.math, tf.nn.relu
    return [
        m.add(a, b), m.subtract(a, b), m.multiply(a, b), m.truediv(a, b), m.divide(a, b), m.divide_no_nan(a, r(b)), m.floordiv(a, b),
        m.floormod(a, b), m.pow(tf.abs(a), b), m.maximum(a, 0.3), m.minimum(0.3, b), m.squared_difference(a, b), m.atan2(a, b),
        m.xlogy(r(a), tf.abs(b)), m.xlog1py(r(a), tf.abs(b)), m.xdivy(r(a), r(b) + 0.5), m.multiply_no_nan(a, r(b)), tf.truncatediv(a, b),
        tf.truncatemod(a, b), m.scalar_mul(2.5, a), m.add_n([a, b, a]), m.polyval([2.0, a, b], b), m.equal(a, b), m.not_equal(a, b),
        m.greater(a, b), m.greater_equal(a, b), m.less(a, b), m.less_equal(a, b), m.logical_xor(a > 0, b > 0),
        tf.where(a > b, a, b), tf.where(a > 0, a, 0.0), tf.clip_by_value(a, -1, 1), tf.clip_by_value(a, -tf.abs(b), tf.abs(b)),
        tf.clip_by_norm(a, 2.0), tf.clip_by_norm(a, 2.0, axes=[-1]), m.accumulate_n([a, b]),
    ]  # fmt: skip


def _cast(k: Any, a: Any, b: Any) -> Any:
    return [tf.cast(a > b, "float32"), tf.cast(a, "int32"), tf.cast(a, tf.int64) + 1, tf.cast(tf.cast(a, "int32"), "float64"),
            tf.convert_to_tensor(a), tf.identity(a), tf.stop_gradient(b), tf.zeros_like(a), tf.ones_like(b, dtype="int32"),
            tf.ensure_shape(a, [None, 5, 4]), tf.debugging.check_numerics(a, "no"), *tf.identity_n([a, b])]  # fmt: skip


def _integers(k: Any, x: Any) -> Any:
    m = tf.math
    return [x + 1, x * 2, x / 2, x // 2, x % 3, x**2, -x, abs(x - 5), x > 3, m.reduce_sum(x, 1), m.reduce_mean(x, 1), m.reduce_max(x, 1),
            m.reduce_prod(x, 1), tf.truncatediv(x - 5, 2), tf.cast(x, "float32"), m.maximum(x, 4), m.cumsum(x, 1), tf.argmax(x, 1),
            tf.bitwise.bitwise_and(x, 3), tf.bitwise.bitwise_or(x, 3), tf.bitwise.bitwise_xor(x, 3), tf.bitwise.invert(x),
            m.reduce_mean(x - 5, 1), tf.truncatemod(x - 5, 3), m.sign(x - 5), m.square(x), tf.one_hot(x, 11),
            tf.one_hot(x, 4, axis=1), tf.one_hot(x, 4, on_value=5, off_value=2), tf.one_hot(x, 4, True, False, dtype="bool"),
            tf.gather(np.arange(22, dtype="float32").reshape(11, 2), x), tf.nn.embedding_lookup(np.eye(11, dtype="float32"), x)]  # fmt: skip


def _reductions(k: Any, x: Any) -> Any:
    m = tf.math
    reduced = (
        m.reduce_sum, m.reduce_mean, m.reduce_max, m.reduce_min, m.reduce_prod, m.reduce_std, m.reduce_variance,
        m.reduce_logsumexp, m.reduce_euclidean_norm,
    )  # fmt: skip
    return [
        *(f(x, axis=1) for f in reduced), *(f(x, [1, -1]) for f in reduced), *(f(x, axis=-1, keepdims=True) for f in reduced),
        *(f(x) for f in reduced), m.reduce_any(x > 1, 1), m.reduce_all(x > -2, axis=[1, 2]), m.reduce_any(x > 1, -1, True),
        m.reduce_sum(x, []), m.count_nonzero(tf.nn.relu(x), 1), m.count_nonzero(x > 0, -1, keepdims=True, dtype="int32"),
        m.zero_fraction(tf.nn.relu(x)), tf.nn.l2_loss(x), tf.compat.v1.reduce_sum(x, reduction_indices=1, keep_dims=True),
        tf.compat.v1.reduce_mean(x, 1),
    ]  # fmt: skip


def _counted(k: Any, x: Any) -> Any:
    m = tf.math
    return [
        tf.argmax(x, axis=-1), tf.argmin(x, 1, output_type="int32"), tf.argmax(x), m.cumsum(x, axis=1), m.cumsum(x, 1, exclusive=True),
        m.cumsum(x, -1, reverse=True), m.cumsum(x, 1, True, True), m.cumprod(x, 1), m.cumprod(x, axis=1, exclusive=True, reverse=True),
        *m.top_k(x, 2), *m.top_k(x), tf.sort(x), tf.sort(x, axis=1, direction="DESCENDING"), tf.argsort(x, axis=1),
        tf.argsort(x, direction="DESCENDING"), *tf.nn.moments(x, [1]), *tf.nn.moments(x, [1, 2], keepdims=True), tf.argsort(tf.sign(x), 1),
        tf.argsort(tf.sign(x), 1, direction="DESCENDING"),
    ]  # fmt: skip


def _zeros(k: Any, x: Any) -> Any:
    """-0.0 is as good as 0.0."""
    return [tf.argmax(x * 0.0, axis=1), tf.argmin(x * 0.0, axis=-1)]


def _lengths(k: Any, x: Any) -> Any:
    return [
        m(x, axis=a) for m in (tf.math.l2_normalize, tf.norm) for a in (None, 1, -1, [1, 2])
    ] + [
        tf.math.l2_normalize(x, -1, epsilon=9.0), tf.norm(x, ord=1, axis=1), tf.norm(x, ord=np.inf, axis=-1, keepdims=True),
        tf.norm(x, ord=3, axis=1), tf.norm(x, ord=2, axis=2), *tf.linalg.normalize(x, axis=-1), *tf.linalg.normalize(x, 1, axis=1),
        tf.norm(x, "fro", axis=[1, 2]), tf.norm(x, np.inf, axis=(1, 2)), tf.norm(x, 1, axis=[1, 2], keepdims=True), tf.norm(x, 2, axis=[-2, -1]),
    ]  # fmt: skip


def _backend(k: Any, a: Any, b: Any) -> Any:
    back = k.backend
    return [
        back.mean(a, axis=1), back.var(a, 1, keepdims=True), back.std(a), back.sum(a, [1, 2]), back.max(a, -1), back.any(a > 1, 1), back.argmax(a), back.cumsum(a, 1),
        back.square(a), back.abs(a), back.sqrt(a), back.exp(a), back.log(back.abs(a)), back.round(a), back.sign(a), back.pow(a, 2), back.clip(a, -1, 1), back.equal(a, b),
        back.maximum(a, b), back.sin(a), back.concatenate([a, b]), back.reshape(a, (-1, 20)), back.permute_dimensions(a, (0, 2, 1)), back.repeat_elements(a, 2, 1),
        back.tile(a, [1, 2, 1]), back.flatten(a), back.batch_flatten(a), back.expand_dims(a), back.squeeze(back.expand_dims(a, 1), 1), back.temporal_padding(a),
        back.stack([a, b], 1), back.reverse(a, 1), back.relu(a), back.relu(a, alpha=0.1, max_value=2.0, threshold=0.5), back.elu(a, 0.7), back.softmax(a), back.softplus(a),
        back.softsign(a), back.sigmoid(a), back.hard_sigmoid(a), back.tanh(a), back.l2_normalize(a, axis=1), back.batch_dot(a, b, axes=(2, 2)),
        back.batch_dot(a, b, axes=(1, 1)), back.dot(a, back.constant(np.ones((4, 3)))), back.bias_add(a, np.arange(4, dtype="float32")), back.switch(a > 0, a, b),
        back.cast(a, "int32"), back.shape(a), back.int_shape(a)[1] * a, back.ones_like(a), back.zeros_like(a), back.gather(a, [0]), back.one_hot(back.argmax(a), 4),
        back.prod(a, 1), back.min(a, 1), back.all(a > -1, 1), back.greater(a, b), back.not_equal(a, b), back.argmin(a, 1), back.cumprod(a, 1), back.transpose(a),
    ]  # fmt: skip


def _losses(k: Any, a: Any, b: Any) -> Any:
    y, p = tf.nn.softmax(a), tf.nn.softmax(b)
    return [
        k.losses.mse(a, b), k.losses.mae(a, b), k.losses.huber(a, b), k.losses.kl_divergence(y, p), k.losses.binary_crossentropy(y, p),
        k.losses.categorical_crossentropy(y, p), k.losses.categorical_crossentropy(y, b, from_logits=True), k.losses.cosine_similarity(a, b),
        k.losses.log_cosh(a, b), k.losses.poisson(y, p), k.losses.binary_crossentropy(y, b, from_logits=True),
        k.losses.mape(a, b), k.losses.msle(y, p), k.losses.categorical_hinge(y, p),
        tf.nn.sigmoid_cross_entropy_with_logits(y, b), tf.nn.softmax_cross_entropy_with_logits(y, b),
        tf.nn.softmax_cross_entropy_with_logits(y, b, axis=1), tf.nn.sparse_softmax_cross_entropy_with_logits(tf.argmax(a, -1), b),
        k.backend.binary_crossentropy(y, p), k.backend.categorical_crossentropy(y, p),
    ]  # fmt: skip


TWO = [(5, 4), (5, 4)]
K2 = {"writers": ("tf_keras",)}
FIXED = {"batch0": False, **K2}

CASES = [
    case("operators", _operators, TWO, **K2),
    case("of one", _one, [(5, 4)], rtol=3e-5, **K2),  # acosh near 1, acos and atanh near their ends
    case("of two", _two, TWO, **FIXED),
    case("cast", _cast, TWO, **K2),
    case("whole numbers", _integers, [(5,)], dtype="int32", **K2),
    case("reductions", _reductions, [(5, 4)], **FIXED),
    case("counted", _counted, [(5, 4)], **FIXED),
    case("zeros", _zeros, [(5, 4)], onnx=False, noted="-0.0 for less", **FIXED),
    case("lengths", _lengths, [(5, 4)], **FIXED),
    case("tf.keras.backend", _backend, TWO, **FIXED),
    case("losses", _losses, TWO, **FIXED),
]  # fmt: skip


@parity(CASES)
def test_tensorflow_functions(run: Any) -> None:
    """Same as tf-keras."""
    run()
