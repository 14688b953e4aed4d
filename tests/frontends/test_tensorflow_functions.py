"""TensorFlow functions in Keras 2 models beside real tf-keras."""

from __future__ import annotations

from typing import Any

import pytest

from support import case, parity

tf = pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install .[dev]")


def _arithmetic(k: Any, a: Any, b: Any) -> Any:
    return [a + 1, 1 - a, a * b, a / 2, -a, a**2, 2.0 - b, a // 0.7, a % 0.7, 1.0 / (b * b + 1.0),
            tf.add(a, b), tf.maximum(a, 0.3), tf.abs(a), tf.sqrt(tf.abs(a)), tf.exp(a)]  # fmt: skip


def _logic(k: Any, a: Any, b: Any) -> Any:
    return [a > 0, a > b, tf.logical_and(a > 0, b > 0), tf.cast(a > 0, "float32"), tf.where(a > 0, a, b),
            tf.clip_by_value(a, -1, 1)]  # fmt: skip


def _activations(k: Any, x: Any) -> Any:
    return [tf.nn.relu(x), tf.nn.relu6(x), tf.nn.leaky_relu(x), tf.nn.leaky_relu(x, alpha=0.3), tf.nn.softmax(x),
            tf.nn.softmax(x, axis=1), tf.nn.gelu(x), tf.nn.gelu(x, approximate=True), tf.nn.silu(x), tf.nn.elu(x),
            tf.sigmoid(x), tf.tanh(x), k.activations.relu(x, max_value=2.0)]  # fmt: skip


def _reductions(k: Any, x: Any) -> Any:
    return [tf.reduce_mean(x, axis=1), tf.reduce_sum(x, [1, 2]), tf.reduce_max(x, axis=-1, keepdims=True),
            tf.argmax(x, axis=-1), tf.math.l2_normalize(x, axis=-1), k.backend.mean(x, axis=1), tf.cumsum(x, axis=1),
            tf.math.reduce_std(x, axis=1), tf.math.reduce_variance(x, axis=-1)]  # fmt: skip


def _shapes(k: Any, x: Any) -> Any:
    return [tf.reshape(x, [-1, 20]), tf.transpose(x, [0, 2, 1]), tf.expand_dims(x, 1), tf.squeeze(tf.expand_dims(x, 1), 1),
            tf.tile(x, [1, 2, 1]), tf.pad(x, [[0, 0], [1, 1], [0, 0]]), tf.reverse(x, axis=[1]), tf.zeros_like(x),
            tf.image.resize(tf.expand_dims(x, -1), (7, 8)), tf.identity(x)]  # fmt: skip


def _parts(k: Any, x: Any) -> Any:
    return [x[:, 1:3], x[:, ::-1], x[:, 1], *tf.split(x, 2, axis=-1), *tf.split(x, [1, 4], axis=1),
            tf.unstack(x, axis=1)[1], tf.gather(x, [0, 2], axis=1)]  # fmt: skip


def _joined(k: Any, a: Any, b: Any) -> Any:
    return [
        tf.concat([a, b], 1),
        tf.stack([a, b], axis=1),
        tf.matmul(a, b, transpose_b=True),
        tf.matmul(a, b, transpose_a=True),
    ]


TWO = [(5, 4), (5, 4)]
K2 = {"writers": ("tf_keras",)}

CASES = [
    case("arithmetic", _arithmetic, TWO, **K2),
    case("logic", _logic, TWO, **K2),
    case("activations", _activations, [(5, 4)], **K2),
    case("reductions", _reductions, [(5, 4)], **K2),
    case("shapes", _shapes, [(5, 4)], batch0=False, **K2),
    case("parts", _parts, [(5, 4)], **K2),
    # tf-keras cannot write an ellipsis to .keras.
    case("ellipsis", lambda k, x: x[..., 0], [(5, 4)], containers=(".h5",), **K2),
    case("joined", _joined, TWO, **K2),
    case("one hot", lambda k, x: tf.one_hot(x, 11), [(5,)], dtype="int32", **K2),
]  # fmt: skip


@parity(CASES)
def test_tensorflow_functions(run: Any) -> None:
    """Same as tf-keras."""
    run()
