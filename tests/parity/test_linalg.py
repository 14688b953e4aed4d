"""Functions of matrices beside real Keras.

Eigenvectors, orthonormal columns and singular vectors are defined up to their
sign or phase only, so that what two libraries give may differ: these rows
compare what is defined, such as the matrix put together again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import layergraph as lg
from support import assert_close, case, keras_of, parity

# Operations of keras.ops are Keras 3's.
KERAS3: dict[str, Any] = {"writers": ("keras",)}
# Keras 3's .h5 with array arguments cannot be read back by Keras 3; we read both.
INF = float("inf")


def _positive(k: Any, x: Any) -> Any:
    """A positive definite matrix of each row, well conditioned."""
    o = k.ops
    return o.matmul(x, o.transpose(x, (0, 2, 1))) / 5 + np.eye(3, dtype=x.dtype)


def _swapped(k: Any, x: Any) -> Any:
    return k.ops.swapaxes(x, -1, -2)


def _definite(k: Any, x: Any) -> Any:
    o, a = k.ops, _positive(k, x)
    return [o.cholesky(a), o.cholesky(a, upper=True), o.cholesky_inverse(o.cholesky(a)),
            o.cholesky_inverse(o.cholesky(a, upper=True), upper=True), o.logdet(a), o.inv(a),
            o.cholesky_inverse(a), o.cholesky_inverse(a, upper=True)]  # fmt: skip


def _square(k: Any, x: Any) -> Any:
    o = k.ops
    return [o.det(x), *o.slogdet(x), o.inv(x)]


def _eigen(k: Any, x: Any) -> Any:
    """Symmetric: values as they are; vectors put together and by their absolute value."""
    o, a = k.ops, _positive(k, x)
    w, v = o.eigh(a)
    again = o.matmul(v * o.expand_dims(w, -2), _swapped(k, v))
    return [w, again, o.abs(v)]


def _sorted_parts(k: Any, w: Any) -> Any:
    pairs = k.ops.view_as_real(w)
    return [k.ops.sort(pairs[..., 0]), k.ops.sort(pairs[..., 1])]


def _eigen_any(k: Any, x: Any) -> Any:
    """Any matrix: values come in any order, vectors with any phase."""
    w, _ = k.ops.eig(x)
    return [*_sorted_parts(k, w), k.ops.view_as_real(k.ops.sum(w * w, axis=-1))]


def _qr(k: Any, x: Any) -> Any:
    o = k.ops
    q, r = o.qr(x)
    full_q, full_r = o.qr(x, mode="complete")
    return [o.matmul(q, r), o.abs(r), o.abs(q), o.matmul(full_q, full_r), o.abs(full_r),
            o.matmul(_swapped(k, full_q), full_q)]  # fmt: skip


def _svd(k: Any, x: Any) -> Any:
    o = k.ops
    u, s, vh = o.svd(x, full_matrices=False)
    full_u, full_s, full_vh = o.svd(x)
    return [o.matmul(u * o.expand_dims(s, -2), vh), o.abs(u), s, o.abs(vh), full_s,
            o.matmul(_swapped(k, full_u), full_u), o.matmul(full_vh, _swapped(k, full_vh)),
            o.svd(x, compute_uv=False), o.svd(x, full_matrices=False, compute_uv=False)]  # fmt: skip


def _solved(k: Any, a: Any, b: Any, c: Any) -> Any:
    o, a = k.ops, a + 7 * np.eye(3, dtype="float32")
    return [
        o.solve(a, b),
        o.solve(a, c),
        o.solve_triangular(a, b),
        o.solve_triangular(a, c, lower=True),
    ]


def _ranks(k: Any, x: Any) -> Any:
    o = k.ops
    low = o.concatenate([x, 2 * x], axis=1)
    return [o.matrix_rank(x), o.matrix_rank(low), o.matrix_rank(x, tol=2.0), o.pinv(x), o.pinv(low),
            o.pinv(x, rcond=0.6)]  # fmt: skip


def _norms(k: Any, x: Any) -> Any:
    o = k.ops
    return [
        *(o.norm(x, ord=n, axis=1) for n in (None, 2, 1, 0, 3, 2.5, -1, INF, -INF)),
        *(o.norm(x, ord=n, axis=-1, keepdims=True) for n in (None, 2, 0.5, INF)),
        *(o.norm(x, ord=n, axis=(1, 2)) for n in (None, "fro", "nuc", 1, -1, 2, -2, INF, -INF)),
        *(o.norm(x, ord=n, axis=(2, 1), keepdims=True) for n in (None, 1, -1, INF, -INF)),
        *(o.norm(x, ord=n, axis=(1, 2), keepdims=True) for n in ("nuc", 2, -2)),
        o.norm(o.sum(x, axis=2)), o.norm(o.sum(x, axis=(1, 2)), ord=1), o.norm(o.mean(x, axis=0), ord=-2),
    ]  # fmt: skip


def _norms_of_whole(k: Any, x: Any) -> Any:
    o = k.ops
    return [
        o.norm(x, axis=1),
        o.norm(x, ord=1, axis=1),
        o.norm(x > 3, axis=1),
        o.norm(x, ord="nuc", axis=(1, 2)),
    ]


def _flat(k: Any, x: Any) -> Any:
    """Functions of one matrix only."""
    o = k.ops
    a, b = o.mean(x, axis=0), o.matmul(o.transpose(o.sum(x, axis=2)), o.sum(x, axis=2))
    return [
        o.lstsq(a, o.mean(a, axis=1)), o.lstsq(a, a * 2 + 1), o.lstsq(a, a, rcond=0.7), o.lstsq(a, a, rcond=-1.0),
        *o.lu_factor(b + 9 * np.eye(5, dtype="float32")[::-1]),
    ]  # fmt: skip


def _distances(k: Any, x: Any, y: Any) -> Any:
    return [k.ops.cdist(x, y), k.ops.cdist(x, np.arange(8, dtype="float32").reshape(2, 4))]


CASES = [
    case("positive definite", _definite, (3, 5), **KERAS3),
    case("square", _square, (3, 3), square_ok=True, rtol=3e-5, **KERAS3),
    # What remains after cancellation is compared with the largest value.
    case("square float64", _square, (3, 3), square_ok=True, dtype="float64", **KERAS3),
    case("positive definite float64", _definite, (3, 5), dtype="float64", **KERAS3),
    case("eigen symmetric", _eigen, (3, 5), rtol=3e-5, **KERAS3),
    case("eigen of any", _eigen_any, (3, 3), square_ok=True, rtol=3e-5, **KERAS3),
    case("qr tall", _qr, (5, 3), **KERAS3),
    case("qr wide", _qr, (3, 5), **KERAS3),
    case("svd tall", _svd, (5, 3), **KERAS3),
    case("svd wide", _svd, (3, 4), **KERAS3),
    case("solve", _solved, [(3, 3), (3, 2), (3,)], square_ok=True, rtol=3e-5, **KERAS3),
    case("ranks", _ranks, (3, 5), rtol=3e-5, **KERAS3),
    case("norms", _norms, (3, 5), batch0=False, **KERAS3),
    case("norms of whole numbers", _norms_of_whole, (3, 5), dtype="int32", **KERAS3),
    case("norms of int64", _norms_of_whole, (3, 5), dtype="int64", **KERAS3),
    case("norms of float16", lambda k, x: [k.ops.norm(x, axis=1), k.ops.norm(x, ord=1, axis=-1)], (3, 5), dtype="float16", rtol=2e-3, **KERAS3),
    case("one matrix", _flat, (5, 3), batch0=False, rtol=3e-5, **KERAS3),
    case("distances", _distances, [(3, 4), (5, 4)], **KERAS3),
]  # fmt: skip


@parity(CASES)
def test_linalg(run: Any) -> None:
    """Same as Keras."""
    run()


def test_keras_puts_axes_back_where_they_are_named(tmp_path: Any) -> None:
    """Two axes counted from the end come to lie elsewhere: Keras inserts one after the other.

    Its own inferred shape says otherwise, so that no further operation could follow.
    """
    keras = keras_of("keras")
    x = keras.Input((3, 5))
    model = keras.Model(x, keras.ops.norm(x, ord=2, axis=(-2, -1), keepdims=True))
    model.save(tmp_path / "model.keras")
    values = np.random.default_rng(0).normal(size=(4, 3, 5)).astype("float32")
    wanted = np.asarray(keras.ops.norm(values, ord=2, axis=(-2, -1), keepdims=True))
    assert wanted.shape == (1, 4, 1)
    assert_close(lg.Interpreter(tmp_path / "model.keras")(values), wanted)
