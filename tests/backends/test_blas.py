"""Products that BLAS adds to what is there, and how many threads it has for them."""

from __future__ import annotations

import numpy as np
import pytest

from layergraph.backends.numpy import blas, convolution, scratch, threads
from layergraph.backends.numpy.tiles import Geometry
from layergraph.ir.types import Array

RNG = np.random.default_rng(0)

needs_openblas = pytest.mark.skipif(
    blas.thread_count() is None, reason="NumPy is not linked with OpenBLAS here"
)


def matrix(rows: int, columns: int, dtype: str = "float32") -> Array:
    return RNG.standard_normal((rows, columns)).astype(dtype)


@needs_openblas
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("add", [True, False])
def test_a_product_is_added(dtype: str, add: bool) -> None:
    """Rows of every matrix may be apart; what lies between them is left alone."""
    a, b, whole = matrix(7, 9, dtype)[:, 2:7], matrix(5, 8, dtype)[:, :6], matrix(14, 10, dtype)
    before, out = whole.copy(), whole[::2, 3:9]
    product = blas.AddedProduct(a, b, out, add)
    want = a.astype("float64") @ b + (before[::2, 3:9] if add else 0)
    product()
    assert np.abs(out - want).max() < (1e-5 if dtype == "float32" else 1e-13)
    whole[::2, 3:9] = before[::2, 3:9]
    assert np.array_equal(whole, before)


@needs_openblas
def test_it_computes_what_the_matrices_hold_when_called() -> None:
    a, b, out = matrix(3, 4), matrix(4, 5), np.zeros((3, 5), "float32")
    product = blas.AddedProduct(a, b, out, add=False)
    a[...] = 2
    product()
    np.testing.assert_allclose(out, a @ b, rtol=1e-5)


@needs_openblas
@pytest.mark.parametrize(
    ("a", "b", "out"),
    [
        (matrix(3, 4), matrix(5, 6), matrix(3, 6)),
        (matrix(3, 4), matrix(4, 6), matrix(2, 6)),
        (matrix(4, 3).T, matrix(4, 6), matrix(3, 6)),
        (matrix(3, 8)[:, ::2], matrix(4, 6), matrix(3, 6)),
        (matrix(3, 4, "float64"), matrix(4, 6), matrix(3, 6)),
        (np.broadcast_to(matrix(1, 4), (3, 4)), matrix(4, 6), matrix(3, 6)),
    ],
    ids=["inner", "rows", "transposed", "columns apart", "dtype", "rows on each other"],
)
def test_what_blas_cannot_read_is_refused(a: Array, b: Array, out: Array) -> None:
    with pytest.raises(ValueError, match=r"is not|cannot read"):
        blas.AddedProduct(a, b, out)


def test_without_it_no_convolution_is_shifted(monkeypatch: pytest.MonkeyPatch) -> None:
    g = Geometry.of((1, 32, 32, 32), (3, 3), (1, 1), "same", (1, 1), np.dtype("float32"))
    monkeypatch.setattr(blas, "_gemm", lambda dtype: None)
    assert "shifted" not in convolution.times_of(g, 1, 32)


@needs_openblas
def test_products_of_one_row_are_split_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """BLAS has its threads within a node's work only, and what it had is restored."""
    get, put = blas.thread_count() or (None, None)
    assert get is not None
    assert put is not None
    before = get()
    seen: list[int] = []
    try:
        put(2)
        monkeypatch.setattr(scratch.current, "threads", 2)
        with threads.blas_on_one_thread():
            for single in (True, False):
                monkeypatch.setattr(scratch.current, "single", single)
                threads.spread(lambda i: seen.append(get()), 1, 1e9)
                threads.spread(lambda i: seen.append(get()), 1, 10.0)
            assert get() == 1
        assert get() == 2
    finally:
        put(before)
    assert seen == [2, 1, 1, 1]
