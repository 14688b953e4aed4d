"""TensorFlow functions in Keras 2 models beside real tf-keras: shapes, parts, products."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support import case, parity

tf = pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install .[dev]")


def _shapes(k: Any, x: Any) -> Any:
    return [
        tf.reshape(x, [-1, 20]), tf.reshape(x, (-1, 2, 5, 2)), tf.transpose(x, [0, 2, 1]), tf.transpose(x), tf.expand_dims(x, 1),
        tf.expand_dims(x, -1), tf.squeeze(tf.expand_dims(x, 1), 1), tf.squeeze(tf.expand_dims(x, 1)), tf.squeeze(x[:, None, :, None], [1, -2]),
        tf.tile(x, [1, 2, 3]), tf.reverse(x, axis=[1]), tf.reverse(x, [1, -1]), tf.roll(x, 2, 1), tf.roll(x, [1, -2], [1, 2]),
        tf.repeat(x, 3, axis=1), tf.repeat(x, 2), tf.pad(x, [[0, 0], [1, 2], [0, 1]]), tf.pad(x, [[0, 0], [2, 1], [1, 0]], "REFLECT"),
        tf.pad(x, [[0, 0], [2, 1], [1, 0]], "SYMMETRIC"), tf.pad(x, [[0, 0], [2, 1], [1, 0]], constant_values=-1.5),
        tf.compat.v1.transpose(x, [2, 0, 1]), tf.compat.v1.expand_dims(x, dim=1),
    ]  # fmt: skip


def _parts(k: Any, x: Any) -> Any:
    return [
        x[:, 1:3], x[:, ::-1], x[:, 1], x[:, -1], x[:, None], x[:, 1:, ::2], x[:, 4:0:-2, 1:2], x[0], x[1:], *tf.split(x, 2, axis=-1),
        *tf.split(x, [1, 4], axis=1), *tf.split(x, [2, -1], -1), *tf.unstack(x, axis=1), tf.unstack(x, axis=-1)[1], tf.gather(x, [0, 2], axis=1),
        tf.gather(x, [[0, 2], [1, 1]], axis=-1), tf.gather(x, 1, axis=1), tf.slice(x, [0, 1, 1], [-1, 2, -1]), tf.slice(x, [0, 1, 1], [1, 2, 3]),
        tf.strided_slice(x, [0, 1, 3], [9, 4, 0], [1, 2, -1], begin_mask=1, end_mask=1),
        tf.strided_slice(x, [0, 1], [0, 0], ellipsis_mask=1, shrink_axis_mask=2),
        tf.strided_slice(x, [0, 0, 2], [0, 0, 0], ellipsis_mask=1, new_axis_mask=2, shrink_axis_mask=4), tf.gather(x, [0, 0]),
    ]  # fmt: skip


def _joined(k: Any, a: Any, b: Any) -> Any:
    return [
        tf.concat([a, b], 1), tf.concat([a, b], axis=-1), tf.concat([a], 1), tf.concat([a, np.zeros((3, 5, 4), "float32")], 0),
        tf.stack([a, b], axis=1), tf.stack([a, b, a], -1), tf.stack([a]),
        tf.matmul(a, b, transpose_b=True), tf.matmul(a, b, transpose_a=True), tf.matmul(a, tf.transpose(b, [0, 2, 1])),
        tf.matmul(a[:, None], b[:, None], adjoint_b=True), tf.linalg.matvec(a, b[:, 0]), tf.linalg.matvec(a, b[:, :, 0], transpose_a=True),
        tf.tensordot(a, np.arange(12, dtype="float32").reshape(4, 3), 1), tf.tensordot(a, b, [[1, 2], [1, 2]]), tf.tensordot(a, b, axes=[[2], [2]]),
        tf.matmul(a, np.arange(12, dtype="float32").reshape(4, 3)), tf.linalg.matrix_transpose(a), tf.linalg.adjoint(b),
    ]  # fmt: skip


def _gathered(k: Any, x: Any, i: Any) -> Any:
    return [
        tf.gather(x, i, batch_dims=1), tf.gather(x, i, axis=2, batch_dims=1), tf.gather(x, i, axis=-1, batch_dims=1), tf.gather(x, i, axis=1),
        tf.gather_nd(x, i[:, :2, None], batch_dims=1), tf.gather_nd(x, i[:, :2], batch_dims=1), tf.gather_nd(x, tf.stack([i[:, 0] * 0, i[:, 1]], -1)),
        tf.reverse_sequence(x, i[:, 0], seq_axis=1), tf.reverse_sequence(x, i[:, 1], seq_axis=2, batch_axis=0),
        tf.reverse_sequence(tf.transpose(x, [1, 0, 2]), i[:, 0] + 1, seq_axis=0, batch_axis=1), tf.gather(x, i[:, 0], axis=1, batch_dims=1),
    ]  # fmt: skip


def _matrices(k: Any, x: Any) -> Any:
    square = tf.matmul(x, x, transpose_b=True)
    return [
        tf.linalg.band_part(x, 1, 0), tf.linalg.band_part(x, -1, 1), tf.linalg.band_part(x, 0, -1), tf.linalg.trace(square), tf.linalg.diag_part(square),
        tf.linalg.diag(x), tf.eye(4) * x[:, :4], tf.eye(tf.shape(x)[2]) + x[:, 1:],
    ]  # fmt: skip


def _small_ids(k: Any, x: Any, i: Any) -> Any:
    return _gathered(k, x, i % 4)


TWO = [(5, 4), (5, 4)]
FIXED = {"writers": ("tf_keras",), "batch0": False}

CASES = [
    case("shapes", _shapes, [(5, 4)], **FIXED),
    case("parts", _parts, [(5, 4)], **FIXED),
    # tf-keras cannot write an ellipsis to .keras.
    case("ellipsis", lambda k, x: [x[..., 0], x[..., None], x[:, 1, ..., ::2]], [(5, 4)], containers=(".h5",), **FIXED),
    case("joined", _joined, TWO, **FIXED),
    case("gathered", _small_ids, [(5, 4), (3,)], dtype=["float32", "int32"], **FIXED),
    case("matrices", _matrices, [(5, 4)], **FIXED),
]  # fmt: skip


@parity(CASES)
def test_tensorflow_arrangement(run: Any) -> None:
    """Same as tf-keras."""
    run()
