"""TensorFlow functions in Keras 2 models beside real tf-keras: ``tf.nn`` and ``tf.image``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support import case, parity

tf = pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install .[dev]")


def weights(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).normal(0, 0.5, shape).astype("float32")


def _activations(k: Any, x: Any) -> Any:
    n = tf.nn
    return [
        n.relu(x), n.relu6(x), n.leaky_relu(x), n.leaky_relu(x, alpha=0.3), n.softmax(x), n.softmax(x, axis=1), n.log_softmax(x),
        n.log_softmax(x, axis=1), n.gelu(x), n.gelu(x, approximate=True), n.silu(x), n.silu(x, 1.7), n.swish(x), n.elu(x), n.selu(x),
        n.softsign(x), n.softplus(x), n.crelu(x), n.crelu(x, axis=1), tf.sigmoid(x), tf.tanh(x), tf.raw_ops.Relu(features=x),
        *(k.activations.get(a)(x) for a in "elu selu softplus softsign swish relu gelu tanh sigmoid exponential hard_sigmoid mish softmax".split()),
        k.activations.relu(x, alpha=0.2, max_value=2.0, threshold=0.3), k.activations.elu(x, 0.6), k.activations.linear(x),
    ]  # fmt: skip


def _convolutions(k: Any, x: Any) -> Any:
    n, w, d = tf.nn, weights(2, 3, 3, 4), weights(2, 3, 3, 2)
    return [
        n.conv2d(x, w, 1, "SAME"), n.conv2d(x, w, [1, 2, 3, 1], "VALID"), n.conv2d(x, w, 2, "SAME"), n.conv2d(x, w, 1, "VALID", dilations=2),
        n.conv2d(x, w, (2, 1), [[0, 0], [1, 0], [2, 1], [0, 0]]), n.conv2d(x, w, 1, "SAME", "NHWC", [1, 2, 1, 1]),
        n.convolution(x, w, padding="SAME"), n.convolution(x, w, strides=[2, 1], padding="VALID"), n.convolution(x, w, dilations=[1, 2]),
        n.atrous_conv2d(x, w, 2, "VALID"), n.depthwise_conv2d(x, d, [1, 1, 1, 1], "SAME"), n.depthwise_conv2d(x, d, [1, 2, 2, 1], "VALID"),
        n.depthwise_conv2d(x, d, [1, 1, 1, 1], "SAME", dilations=[2, 2]), n.separable_conv2d(x, d, weights(1, 1, 6, 5), [1, 2, 2, 1], "SAME"),
        k.backend.conv2d(x, w), k.backend.depthwise_conv2d(x, d, padding="same"), n.bias_add(x, weights(3)),
        k.backend.separable_conv2d(x, d, weights(1, 1, 6, 5)),
    ]  # fmt: skip


def _transposed(k: Any, x: Any) -> Any:
    n, w, b = tf.nn, weights(2, 3, 4, 3), tf.shape(x)[0]
    return [
        n.conv2d_transpose(x, w, [b, 12, 14, 4], 2), n.conv2d_transpose(x, w, [b, 12, 15, 4], 2, "VALID"), n.conv2d_transpose(x, w, [b, 11, 13, 4], [1, 2, 2, 1]),
        n.conv2d_transpose(x, w, [b, 13, 16, 4], 2, "VALID"), n.conv2d_transpose(x, w, tf.stack([b, 6, 7, 4]), 1), n.conv2d_transpose(x, w, [b, 7, 9, 4], 1, "VALID"),
        k.backend.conv2d_transpose(x, w, (b, 12, 14, 4), (2, 2), "same"),
    ]  # fmt: skip


def _computed_kernels(k: Any, x: Any) -> Any:
    w = tf.tanh(tf.reshape(x[0, :2, :3], [2, 3, 3, 1])) * weights(1, 1, 1, 4)
    return [tf.nn.conv2d(x, w, 1, "SAME"), tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "VALID"),
            tf.nn.conv2d_transpose(x, tf.transpose(w, [0, 1, 3, 2]), [tf.shape(x)[0], 12, 14, 4], 2)]  # fmt: skip


def _lines(k: Any, x: Any) -> Any:
    return [tf.nn.conv1d(x, weights(3, 4, 2), 1, "SAME"), tf.nn.conv1d(x, weights(2, 4, 2), 2, "VALID"), tf.nn.max_pool1d(x, 2, 2, "SAME"),
            tf.nn.avg_pool1d(x, 3, 2, "VALID"), tf.nn.conv1d(x, weights(2, 4, 2), 1, "VALID", dilations=2)]  # fmt: skip


def _pools(k: Any, x: Any) -> Any:
    n = tf.nn
    return [
        n.max_pool2d(x, 2, 2, "SAME"), n.max_pool2d(x, [3, 2], [1, 2], "VALID"), n.max_pool(x, 2, 2, "SAME"), n.avg_pool2d(x, 3, 2, "SAME"),
        n.avg_pool(x, [1, 2, 3, 1], [1, 1, 2, 1], "VALID"), n.pool(x, [2, 3], "AVG"), n.pool(x, [2, 3], "MAX", strides=[2, 1], padding="SAME"),
        n.local_response_normalization(x), n.local_response_normalization(x, 1, 2.0, 0.3, 0.75), n.space_to_depth(x[:, :, :6], 2),
        k.backend.pool2d(x, (2, 2), (2, 2), "same", pool_mode="avg"), n.batch_normalization(x, weights(3), np.abs(weights(3)), None, None, 1e-3),
        n.batch_normalization(x, weights(3), np.abs(weights(3)), weights(3), weights(3), 0.1), k.backend.spatial_2d_padding(x, ((1, 2), (0, 1))),
    ]  # fmt: skip


def _images(k: Any, x: Any) -> Any:
    i = tf.image
    return [
        i.resize(x, (4, 9)), i.resize(x, [9, 4], method="nearest"), i.resize(x, tf.shape(x)[1:3] * 2), i.resize(x, [3, 9], "bicubic"), i.resize(x, [3, 4], "area"), i.resize(x, (4, 9), "lanczos3", antialias=True), i.flip_left_right(x), i.flip_up_down(x),
        i.rot90(x), i.rot90(x, 2), i.rot90(x, 3), i.transpose(x), i.crop_to_bounding_box(x, 1, 2, 4, 3), i.pad_to_bounding_box(x, 1, 2, 9, 12),
        i.central_crop(x, 0.5), i.rgb_to_grayscale(x), i.grayscale_to_rgb(x[:, :, :, :1]), i.adjust_brightness(x, 0.2), i.adjust_contrast(x, 1.7),
        k.backend.resize_images(x, 2, 3, "channels_last"), k.backend.resize_images(x, 2, 2, "channels_last", "bilinear"),
    ]  # fmt: skip


K2 = {"writers": ("tf_keras",)}
FIXED = {"batch0": False, **K2}

CASES = [
    case("activations", _activations, [(5, 4)], **K2),
    case("convolutions", _convolutions, [(6, 7, 3)], **K2),
    case("transposed convolutions", _transposed, [(6, 7, 3)], **K2),
    case("computed kernels", _computed_kernels, [(6, 7, 3)], **FIXED),
    case("1D", _lines, [(7, 4)], **K2),
    case("pools", _pools, [(6, 7, 3)], rtol=2e-5, **K2),  # powers of sums of squares
    case("depth to space", lambda k, x: [tf.nn.depth_to_space(x, 2)], [(3, 5, 8)], **K2),
    case("blocks and parts of unknown sizes", lambda k, x: [tf.nn.depth_to_space(x, 2), tf.nn.space_to_depth(x, 2), *tf.split(x, 2, axis=1)], [(6, 4, 8)], unknown=(0, 1), **K2),
    case("images", _images, [(6, 7, 3)], **K2),
]  # fmt: skip


@parity(CASES)
def test_tensorflow_networks(run: Any) -> None:
    """Same as tf-keras."""
    run()
