"""Shapes and places that are known only when the model runs: TensorFlow functions, tf-keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support import case, parity

tf = pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install .[dev]")


def _reshaped(k: Any, x: Any) -> Any:
    s = tf.shape(x)
    return [
        tf.reshape(x, [s[0], 20]), tf.reshape(x, tf.stack([s[0], -1])), tf.reshape(x, (s[0], s[2], s[1])),
        tf.reshape(x, tf.concat([s[:-1], [2, 2]], 0)), tf.reshape(x, [s[0] * s[1], s[2]]),
        tf.reshape(x, [-1, s[1] // 2 + 3, 4]), tf.reshape(x, tf.concat([s[:1], [tf.reduce_prod(s[1:])]], axis=0)),
        s, tf.shape(x, out_type="int64"), tf.size(x), tf.rank(x) + s[0], tf.reduce_max(s), tf.reverse(s, [0]),
    ]  # fmt: skip


def _filled(k: Any, x: Any) -> Any:
    n = tf.shape(x)[0]
    t = tf.shape(x)[1]
    row = np.arange(4, dtype="float32")
    return [
        x + tf.zeros([n, 1, 4]), tf.concat([x, tf.ones((n, t, 2))], -1), tf.fill([n, t], 2.5), tf.fill((n, 2), n),
        tf.tile(row[None], [n, 1]), tf.tile(x, [1, t, 2]), tf.broadcast_to(row, [n, t, 4]), tf.broadcast_to(row, tf.shape(x)),
        tf.range(t), tf.range(1, t + 1), tf.range(n, n + 9, 3), tf.range(tf.cast(t, "float32"), 9.0, 0.5),
        x * tf.cast(tf.range(t), "float32")[None, :, None], tf.one_hot(tf.argmax(x, -1), tf.shape(x)[2]),
        tf.one_hot(tf.argmax(x, 1), t, on_value=2.0, off_value=-1.0, axis=1),
    ]  # fmt: skip


def _sliced(k: Any, x: Any) -> Any:
    t = tf.shape(x)[1]
    return [
        x[:, t - 1], x[:, 1 : t - 1], x[:, : t // 2, None], x[:, t // 2 :, ::-1], x[:, -1:t, 1], tf.slice(x, [0, 1, 0], [-1, t - 2, 2]),
        tf.slice(x, [0, t - 2, 1], [1, 2, -1]), tf.strided_slice(x, [0, t - 1, 3], [9, 0, 0], [1, -2, -1], begin_mask=1),
        tf.strided_slice(x, [0, 1], [0, t], [1, 1], begin_mask=1, end_mask=1, shrink_axis_mask=0),
        tf.strided_slice(x, [0, 0, t - 1], [0, 0, t], ellipsis_mask=1, new_axis_mask=2),
        tf.pad(x, [[0, 0], [t, 1], [0, 2]]), tf.pad(x, [[0, 0], [1, t - 2], [0, 0]], "REFLECT"),
        tf.pad(x, [[0, 0], [2, t], [0, 0]], constant_values=1.5), tf.gather(x, t - 1, axis=1),
        *tf.split(x, [1, -1, 2], axis=1), tf.roll(x, 1, axis=1), tf.reverse_sequence(x, tf.argmax(x[:, :2, :], axis=-1)[:, 0] + 1, seq_axis=1),
    ]  # fmt: skip


def _chosen(k: Any, x: Any) -> Any:
    return [x[x > 0], tf.boolean_mask(x, x > 1), tf.where(x > 0), tf.boolean_mask(x, [True, False, True, False, True], axis=1),
            tf.boolean_mask(x, x[:, :, 0] > 0), tf.gather_nd(x, tf.where(x > 0.5)), x[tf.reduce_max(x[:, :, 1]) < x[:, :, 0]]]  # fmt: skip


def _lengths(k: Any, n: Any) -> Any:
    return [tf.sequence_mask(n, 11), tf.sequence_mask(n, 7, dtype="float32"), tf.sequence_mask(n), tf.sequence_mask(n, tf.reduce_max(n) + 2)]  # fmt: skip


K2 = {"writers": ("tf_keras",)}

CASES = [
    case("reshaped", _reshaped, [(5, 4)], batch0=False, **K2),
    case("reshaped, unknown time", lambda k, x: _reshaped(k, x)[:5] + _reshaped(k, x)[6:], [(5, 4)], unknown=(0,), batch0=False, **K2),
    case("filled", _filled, [(5, 4)], batch0=False, **K2),
    case("filled, unknown time", _filled, [(5, 4)], unknown=(0,), batch0=False, **K2),
    case("sliced", _sliced, [(5, 4)], batch0=False, **K2),
    case("sliced, unknown time", _sliced, [(5, 4)], unknown=(0,), batch0=False, **K2),
    case("chosen", _chosen, [(5, 4)], batch0=False, **K2),
    case("lengths", _lengths, [(5,)], dtype="int32", make="ids", batch0=False, **K2),
]  # fmt: skip


@parity(CASES)
def test_dynamic(run: Any) -> None:
    """Same as tf-keras."""
    run()
