"""Products of tensors as operation nodes beside real Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from support import case, parity

# Keras 3 writes arrays and slices to .h5 that it cannot read back.
ARCHIVE = {"writers": ("keras",), "containers": (".keras",), "batch0": False}


def _products(k: Any, a: Any, b: Any) -> Any:
    o = k.ops
    return [
        o.matmul(a, b), o.matmul(a, b[0, :, 0]), o.matmul(a[0, 0], b), o.matmul(a[0, 0], a[0, 0]),
        o.matmul(a, b[0]), o.matmul(a[0], b), o.matmul(o.expand_dims(a, 1), o.expand_dims(b, 0)),
        o.dot(a, b[0]), o.dot(a, b), o.dot(a, b[0, :, 0]), o.dot(a, 2), o.inner(a, o.transpose(b, (0, 2, 1))),
        o.vdot(a, a), o.outer(a, b), o.kron(a[0], b[0]), o.tensordot(a, b, axes=[[0, 2], [0, 1]]),
        o.tensordot(a, b, axes=[[-1], [1]]), o.tensordot(a[0], b[0], axes=1), o.tensordot(a[0], b[0], axes=0),
    ]  # fmt: skip


def _bytes(k: Any, a: Any, b: Any) -> Any:
    """int8 gives int32 where both have two axes; elsewhere sums would overflow."""
    o = k.ops
    return [
        o.matmul(a, b),
        o.matmul(a, b[0]),
        o.matmul(a[0], b),
        o.einsum("bij,bjk->bik", a, b),
        o.einsum("bij,bjk->bk", a, b),
    ]


def _crossed(k: Any, a: Any, b: Any) -> Any:
    o = k.ops
    a, b = a[:, :, :3], o.transpose(b, (0, 2, 1))[:, :5, 1:]
    return [o.cross(a, b), o.cross(a[..., :2], b), o.cross(a[..., :2], b[..., 1:]),
            o.cross(a[:, :3], b[:, :3], axis=1), o.cross(a[:, :3], b[:, :3], axisa=1, axisb=1, axisc=0)]  # fmt: skip


def _einsums(k: Any, a: Any, b: Any) -> Any:
    e = k.ops.einsum
    return [
        e("bij,bjk->bik", a, b), e("...ij,...jk->...ik", a, b), e("bij,bjk", a, b), e("bij->bji", a),
        e("b...->...", a), e("Aij,Ajk->Aik", a, b), e("bij,bjk,bil->bkl", a, b, a), e("bij,cjk->bcik", a, b),
        e("bii->bi", a[:, :4]), e("ab,ab->a", a[0], a[0]), e("abc,cd->abd", a, b[0]), e("i,j->ij", a[0, 0], b[0, 0]),
    ]  # fmt: skip


def _with_arrays(k: Any, a: Any, b: Any) -> Any:
    o, ones = k.ops, np.arange(8, dtype="float32").reshape(4, 2)
    return [o.matmul(a, ones), o.einsum("bij,jk->bik", a, ones), o.tensordot(a, ones, axes=[[2], [0]]), o.dot(a, ones)]  # fmt: skip


DTYPES = ("float32", "int32", "int64", "complex64")
TWO = [(5, 4), (4, 6)]

CASES = [
    *(case(f"products of {d}", _products, TWO, dtype=d, **ARCHIVE) for d in DTYPES),
    *(case(f"einsums of {d}", _einsums, TWO, dtype=d, **ARCHIVE) for d in DTYPES),
    case("products of int8", _bytes, TWO, dtype="int8", **ARCHIVE),
    *(case(f"crossed {d}", _crossed, TWO, dtype=d, **ARCHIVE) for d in ("float32", "int32")),
    case("products of float16", _products, TWO, dtype="float16", rtol=3e-3, **ARCHIVE),
    case("products of two dtypes", _products, TWO, dtype=("int32", "float32"), **ARCHIVE),
    case("products with arrays", _with_arrays, TWO, **ARCHIVE),
]


@parity(CASES)
def test_products(run: Any) -> None:
    """Same as Keras."""
    run()
