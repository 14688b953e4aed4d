"""Operations of ``keras.ops.nn`` as nodes of Functional models, beside real Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from support import assert_close, case, keras_of, parity

KERAS3: dict[str, Any] = {"writers": ("keras",)}


def _array(*shape: int, dtype: str = "float32") -> Any:
    return np.random.default_rng(len(shape)).normal(size=shape).astype(dtype)


def _convolved(k: Any, x: Any) -> Any:
    """Kernels of the file; with every way to say strides, padding and dilation."""
    o, d = k.ops, str(x.dtype)
    return [
        o.conv(x, _array(3, 2, 4, 5, dtype=d)),
        o.conv(x, _array(3, 2, 4, 5, dtype=d), strides=(2, 1), padding="same"),
        o.conv(x, _array(3, 2, 4, 5, dtype=d), padding="SAME", dilation_rate=2),
        o.depthwise_conv(x, _array(2, 3, 4, 2, dtype=d), strides=2, padding="same"),
        o.depthwise_conv(x, _array(2, 3, 4, 1, dtype=d), dilation_rate=(2, 1)),
        o.separable_conv(x, _array(2, 3, 4, 2, dtype=d), _array(1, 1, 8, 3, dtype=d), strides=2, padding="same"),
        o.max_pool(x, 2), o.max_pool(x, (3, 2), strides=1, padding="same"), o.average_pool(x, (2, 3), strides=(1, 2), padding="same"),
        o.adaptive_average_pool(x, (3, 4)), o.adaptive_max_pool(x, (3, 2)),
    ]  # fmt: skip


def _convolved_first(k: Any, x: Any) -> Any:
    o, first = k.ops, {"data_format": "channels_first"}
    return [
        o.depthwise_conv(x, _array(2, 3, 4, 2), **first),
        o.separable_conv(x, _array(2, 3, 4, 2), _array(1, 1, 8, 3), padding="same", **first),
        o.max_pool(x, 2, **first), o.average_pool(x, (2, 3), padding="same", **first),
        o.adaptive_average_pool(x, (3, 4), **first), o.adaptive_max_pool(x, (2, 5), **first),
    ]  # fmt: skip


def _convolved_1d(k: Any, x: Any) -> Any:
    o = k.ops
    return [
        o.conv(x, _array(3, 4, 5), strides=2, padding="same"), o.depthwise_conv(x, _array(3, 4, 2), strides=2),
        o.separable_conv(x, _array(2, 4, 1), _array(1, 4, 3)), o.max_pool(x, 3, padding="same"),
        o.average_pool(x, 2, strides=1), o.adaptive_max_pool(x, (4,)), o.adaptive_average_pool(x, (3,)),
    ]  # fmt: skip


def _normalized(k: Any, x: Any) -> Any:
    o, d = k.ops, str(x.dtype)
    mean, variance = _array(5, dtype=d), np.abs(_array(5, dtype=d)) + 0.5
    offset, scale = _array(5, dtype=d) * 2, _array(5, dtype=d) + 1
    live = o.mean(x, axis=(0, 2))
    return [
        o.batch_normalization(x, mean, variance, 1),
        o.batch_normalization(x, mean, variance, 1, offset=offset, scale=scale, epsilon=1e-2),
        o.batch_normalization(x, live, variance, -2, offset=offset, scale=live),
        o.layer_normalization(x), o.layer_normalization(x, axis=(1, 2), epsilon=0.1),
        o.layer_normalization(x, _array(4, dtype=d), _array(4, dtype=d)),
        o.layer_normalization(x, scale, offset, axis=1), o.layer_normalization(x, live, live, axis=1),
        o.layer_normalization(x, live, axis=1, rms_scaling=True),
        o.rms_normalization(x), o.rms_normalization(x, _array(4, dtype=d), epsilon=0.1),
        o.rms_normalization(x, o.mean(x, axis=(0, 1)), axis=-1),
        o.normalize(x), o.normalize(x, axis=1, epsilon=4.0), o.normalize(x, axis=1, order=1), o.normalize(x, axis=-1, order=3),
        o.normalize(x, axis=(1, 2)), o.normalize(x, axis=(1, 2), order=1), o.normalize(x, axis=None),
        *o.moments(x, axes=[1]), *o.moments(x, axes=[0, 2], keepdims=True),
    ]  # fmt: skip


def _normalized_half(k: Any, x: Any) -> Any:
    o = k.ops
    return [
        o.layer_normalization(x, _array(4), _array(4)), o.rms_normalization(x, axis=1), *o.moments(x, axes=[1]),
        *o.moments(x * 100, axes=[1]), o.batch_normalization(x, _array(5), np.abs(_array(5)) + 1, 1),
    ]  # fmt: skip


def _hot(k: Any, x: Any) -> Any:
    o = k.ops
    return [
        o.multi_hot(x, 10), o.multi_hot(x, 7, dtype="bool"), o.multi_hot(x, 10, axis=1, dtype="int32"),
        o.multi_hot(o.expand_dims(x, 1), 10), o.multi_hot(x[:, 0], 10), o.one_hot(x, 7, axis=1, dtype="bool"),
        *o.moments(x, axes=[1]), *o.moments(-x, axes=[1], keepdims=True),
    ]  # fmt: skip


def _attended(k: Any, q: Any, v: Any) -> Any:
    o = k.ops
    half = v[:, :, :2]
    causal = np.arange(15).reshape(1, 1, 3, 5) % 4 > 0
    return [
        o.dot_product_attention(q, v, v * 2), o.dot_product_attention(q, v, v, is_causal=True),
        o.dot_product_attention(q, v, v, scale=0.3, bias=_array(1, 4, 3, 5)),
        o.dot_product_attention(q, v, v, bias=o.sum(v) * np.ones((1, 4, 3, 5), "float32")),
        o.dot_product_attention(q, v, v, mask=causal, is_causal=True),
        o.dot_product_attention(q, v, v, mask=o.sum(q) > causal * 1e3),
        o.dot_product_attention(q, half, half * 3, flash_attention=False),
    ]  # fmt: skip


def _ordered(k: Any, x: Any) -> Any:
    o = k.ops
    return [
        *o.top_k(x, 3), *o.top_k(o.round(x), 4), *o.top_k(o.cast(o.abs(x) * 9, "uint8"), 2),
        # Without sorting the order is TensorFlow's own affair.
        o.sort(o.top_k(x, 3, sorted=False)[0]),
        o.logsumexp(x), o.logsumexp(x, axis=(1, 2), keepdims=True), o.logsumexp(x, axis=[1]),
        o.softmax(x, axis=None), o.softmax(x, axis=1), o.log_softmax(x, axis=None), o.log_softmax(x, axis=1),
    ]  # fmt: skip


CASES = [
    case("convolutions", _convolved, (7, 6, 4), **KERAS3),
    case("convolutions channels first", _convolved_first, (4, 7, 6), **KERAS3),
    case("convolutions 1d", _convolved_1d, (9, 4), **KERAS3),
    case("convolutions 3d", lambda k, x: [k.ops.conv(x, _array(2, 3, 2, 4, 5), padding="same"), k.ops.max_pool(x, 2), k.ops.adaptive_average_pool(x, (2, 3, 2))], (5, 7, 6, 4), **KERAS3),
    case("convolutions float64", _convolved, (7, 6, 4), dtype="float64", containers=(".keras",), **KERAS3),
    case("normalization", _normalized, (5, 4), batch0=False, rtol=3e-5, **KERAS3),
    # float16 keeps three digits.
    case("normalization float16", _normalized_half, (5, 4), dtype="float16", rtol=3e-3, **KERAS3),
    case("hot", _hot, (6,), dtype="int32", batch0=False, **KERAS3),
    case("attention", _attended, [(3, 4, 2), (5, 4, 2)], **KERAS3),
    case("attention float16", lambda k, q, v: k.ops.dot_product_attention(q, v, v), [(3, 4, 2), (5, 4, 2)], dtype="float16", rtol=3e-3, **KERAS3),
    case("order", _ordered, (5, 4), batch0=False, **KERAS3),
]  # fmt: skip


@parity(CASES)
def test_nn(run: Any) -> None:
    """Same as Keras."""
    run()


# Nodes that Keras 3.15 on TensorFlow saves and cannot run: its ``ConvTranspose`` hands its
# arguments on in the wrong order, its ``ViewAsComplex`` multiplies a tensor by ``1j``.
UNRUN: dict[str, Any] = {
    "transposed": lambda k, x: k.ops.conv_transpose(x, _array(3, 2, 5, 4), strides=2),
    "transposed same": lambda k, x: k.ops.conv_transpose(x, _array(3, 2, 5, 4), strides=(2, 3), padding="same"),
    "transposed padded": lambda k, x: k.ops.conv_transpose(x, _array(3, 4, 5, 4), strides=2, padding="same", output_padding=1),
    "view as complex": lambda k, x: k.ops.view_as_complex(x[..., :2]),
}  # fmt: skip


@pytest.mark.live
@pytest.mark.parametrize("container", [".keras", ".h5"])
@pytest.mark.parametrize("name", UNRUN)
def test_nodes_that_keras_cannot_run_do_what_the_function_does(
    name: str, container: str, tmp_path: Path
) -> None:
    keras = keras_of("keras")
    x = keras.Input((7, 6, 4))
    keras.Model(x, UNRUN[name](keras, x)).save(tmp_path / f"model{container}")
    values = _array(3, 7, 6, 4)
    wanted = np.asarray(UNRUN[name](keras, values))
    assert_close(lg.Interpreter(tmp_path / f"model{container}")(values), wanted)
