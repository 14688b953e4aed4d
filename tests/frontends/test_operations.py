"""Operation nodes of Keras 3 beside real Keras: functions, Python operators, indexing."""

from __future__ import annotations

from typing import Any

import numpy as np

from support import case, parity

POSITIVE = "sqrt rsqrt log log1p log2 log10 cbrt".split()
BOUNDED = "arcsin arccos arctanh".split()
# What tanh leaves within an ulp of 1 is worth little.
LOOSE = {"arctanh": 3e-4}
PLAIN = (
    "absolute negative sign square floor ceil trunc exp2 expm1 exp reciprocal sin cos tan sinh "
    "cosh arctan arcsinh deg2rad rad2deg sinc erf isnan isinf isfinite isposinf isneginf signbit "
    "logical_not ravel stop_gradient copy fliplr flipud"
).split()
COMPARED = "equal not_equal greater greater_equal less less_equal".split()
TWO = (
    "add subtract multiply maximum minimum arctan2 hypot logaddexp fmax fmin "
    "logical_and logical_or logical_xor divide"
).split()
REDUCED = "sum mean max min prod std var any all logsumexp median nansum nanmean nanmax".split()
NN = (
    "relu relu6 sigmoid silu softplus softsign log_sigmoid leaky_relu hard_sigmoid hard_silu elu "
    "selu gelu celu tanh_shrink hard_tanh hard_shrink soft_shrink squareplus sparse_plus "
    "sparse_sigmoid softmax log_softmax"
).split()

BOTH = {"writers": ("keras",)}
# Keras 3's .h5 cannot be read back by Keras 3; we read both.
ARCHIVE = {"writers": ("keras",), "containers": (".keras",)}


def _one(name: str, before: Any = None, **options: Any) -> Any:
    def build(k: Any, x: Any) -> Any:
        x = x if before is None else before(k, x)
        return getattr(k.ops, name)(x, **options)

    return build


def _two(name: str) -> Any:
    return lambda k, a, b: getattr(k.ops, name)(a, b)


def _python(k: Any, a: Any, b: Any) -> Any:
    c = (2.0 * a + b - 1) / (a**2 + 3) - (-b) // 2.0
    return [c, 1 - a, abs(b) % 0.7, (a > b) & (b > 0), 1 / (b * b + 1)]


def _indexed(k: Any, x: Any) -> Any:
    return [x[:, 1], x[:, 1:4], x[..., -1], x[:, ::2, None], x[:, -3:, 1:2], x[:, ::-1]]


def _integers(k: Any, x: Any) -> Any:
    return [x + 1, x * 2.5, x / 2, x // 2, k.ops.mean(x, axis=1), k.ops.sum(x, axis=1), x > 3,
            k.ops.sqrt(x), k.ops.cast(x, "float32"), k.ops.one_hot(x, 11), k.ops.exp(x)]  # fmt: skip


def _shapes(k: Any, x: Any) -> Any:
    o = k.ops
    return [
        o.reshape(x, (-1, 20)), o.reshape(x, (-1, 4, 5)), o.transpose(x, (0, 2, 1)), o.expand_dims(x, 1),
        o.expand_dims(x, (1, -1)), o.squeeze(o.expand_dims(x, 2), 2), o.tile(x, (1, 2, 3)),
        o.repeat(x, 3, axis=1), o.flip(x, 1), o.roll(x, 2, axis=1), o.swapaxes(x, 1, 2), o.moveaxis(x, 1, 2),
        o.pad(x, ((0, 0), (1, 2), (0, 1))), o.pad(x, ((0, 0), (1, 2), (0, 1)), mode="reflect"),
        o.pad(x, ((0, 0), (0, 2), (0, 0)), constant_values=2.5), o.tril(x), o.triu(x, 1),
    ]  # fmt: skip


def _joined(k: Any, a: Any, b: Any) -> Any:
    o = k.ops
    return [
        o.concatenate([a, b], axis=-1), o.stack([a, b], axis=1), o.matmul(a, o.transpose(b, (0, 2, 1))),
        o.einsum("bij,bkj->bik", a, b), o.where(a > b, a, b), o.where(a > 0, a, 0.0), o.ones_like(a), o.zeros_like(b),
        o.hstack([a, b]), o.dot(a, np.ones((4, 3), "float32")), o.full_like(a, 2.0),
    ]  # fmt: skip


def _parted(k: Any, x: Any) -> Any:
    o = k.ops
    return [*o.split(x, 3, axis=1), *o.split(x, [1, 4], axis=1), *o.unstack(x, axis=2),
            *o.moments(x, axes=[1]), *o.top_k(x, 2)]  # fmt: skip


def _counted(k: Any, x: Any) -> Any:
    o = k.ops
    return [o.argmax(x, axis=-1), o.argmin(x, axis=1, keepdims=True), o.argsort(x, axis=1), o.sort(x),
            o.cumsum(x, axis=1), o.cumprod(x, axis=-1), o.count_nonzero(x, axis=1), o.clip(x, -1.0, 2.0),
            o.norm(x, axis=-1), o.normalize(x, axis=-1), o.take(x, [2, 0, -1], axis=1),
            o.take(x, np.array([[1, 2]]), axis=2), o.round(x), o.maximum(x, 0.5), o.mod(x, 2.0)]  # fmt: skip


CASES = [
    *(case(n, _one(n), [(5, 4)], batch0=n != "ravel", **BOTH) for n in PLAIN),
    *(case(f"{n} of positive", _one(n, lambda k, x: k.ops.abs(x) + 0.1), [(5, 4)], **BOTH) for n in POSITIVE),
    *(case(f"{n} of bounded", _one(n, lambda k, x: k.ops.tanh(x)), [(5, 4)], rtol=LOOSE.get(n, 3e-5), onnx=n != "arctanh", **BOTH) for n in BOUNDED),
    *(case(n, _two(n), [(5, 4), (5, 4)], **BOTH) for n in (*COMPARED, *TWO)),
    case("power", lambda k, a, b: k.ops.power(k.ops.abs(a), b), [(5, 4), (5, 4)], rtol=3e-5, **BOTH),
    case("two broadcast", _two("subtract"), [(5, 4), (1, 4)], **BOTH),
    *(case(f"{n} of an axis", _one(n, axis=1), [(5, 4)], **BOTH) for n in REDUCED),
    *(case(f"{n} of the last, kept", _one(n, axis=-1, keepdims=True), [(5, 4)], **BOTH) for n in REDUCED),
    *(case(f"{n} of two axes", _one(n, axis=(1, 2)), [(5, 4)], **BOTH) for n in REDUCED if n not in ("median",)),
    *(case(f"nn {n}", _one(n), [(5, 4)], **BOTH) for n in NN),
    case("python operators", _python, [(5, 4), (5, 4)], **BOTH),
    case("indexing", _indexed, [(5, 4)], **ARCHIVE),
    case("whole numbers", _integers, [(5,)], dtype="int32", **BOTH),
    case("shapes", _shapes, [(5, 4)], batch0=False, **BOTH),
    case("joined", _joined, [(5, 4), (5, 4)], **ARCHIVE),
    case("parted", _parted, [(6, 4)], **BOTH),
    case("counted", _counted, [(5, 4)], batch0=False, **ARCHIVE),
]  # fmt: skip


@parity(CASES)
def test_operations(run: Any) -> None:
    """Same as Keras."""
    run()
