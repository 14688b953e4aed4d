"""Quantiles, counts, correlation, distinct values beside real Keras 3; Keras 2 has no such nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from support import assert_close, case, keras_of, parity

BOTH = {"writers": ("keras",), "batch0": False}
# Keras 3 writes arrays and slices to .h5 that it cannot read back.
ARCHIVE = {**BOTH, "containers": (".keras",)}
METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _holed(k: Any, x: Any) -> Any:
    """Some NaN, a whole row of them too."""
    o = k.ops
    hole = (x > 2.0) | (o.arange(5.0)[None, :, None] == 3.0)
    return o.where(hole, o.sqrt(-1 - o.abs(x)), x)


def _quantiles(name: str, method: str) -> Any:
    scale = 100 if "percentile" in name else 1

    def build(k: Any, x: Any) -> Any:
        x = _holed(k, x) if name.startswith("nan") else x
        f = getattr(k.ops, name)
        return [
            f(x, 0.3 * scale, method=method), f(x, 0.3 * scale, axis=1, method=method),
            f(x, 0.5 * scale, axis=-1, keepdims=True, method=method),
            f(x, [0.25 * scale, 0.6 * scale, scale], axis=(1, 2), method=method),
            f(x, [0.0, 0.1 * scale], axis=(0, 1), keepdims=True, method=method),
            f(x, 0.1 * scale, keepdims=True, method=method),
        ]  # fmt: skip

    return build


def _more_quantiles(k: Any, x: Any) -> Any:
    o = k.ops
    parts = np.array([[0.2, 0.3], [0.4, 0.5], [0.1, 0.9]], "float32")
    holed = _holed(k, x)
    return [
        o.quantile(x, parts, axis=1), o.percentile(x, parts * 100, axis=-1, keepdims=True),
        o.quantile(x, o.sigmoid(x[0, 0]), axis=1), o.quantile(holed, 0.5, axis=1), o.median(holed, axis=1),
        o.nanmedian(holed), o.nanmedian(holed, axis=1), o.nanmedian(holed, axis=(0, -1), keepdims=True),
        o.quantile(o.cast(x, "int32"), 0.3, axis=1), o.quantile(o.cast(x, "float64"), 0.3),
    ]  # fmt: skip


def _vectors(k: Any, x: Any) -> Any:
    o = k.ops
    a, b = x[0, :, 0], x[0, 1]
    whole, short = o.cast(a, "int64"), o.cast(b, "int32")
    return [*(o.correlate(a, b, mode) for mode in ("valid", "same", "full")), o.correlate(b, a, "same"),
            o.correlate(whole, whole, "full"), o.correlate(short, short), o.corrcoef(x[0]), o.corrcoef(x[:, 0]),
            o.corrcoef(o.cast(x[0], "int32")), o.corrcoef(o.cast(x[0] * 3, "int64")), o.searchsorted(o.sort(a), b), o.searchsorted(o.sort(o.round(a)), o.round(b), side="right"),
            o.digitize(x, np.array([-1.0, 0.0, 2.0])), o.digitize(o.cast(x, "int8"), np.array([-1, 0, 2]))]  # fmt: skip


def _counts(k: Any, x: Any) -> Any:
    o = k.ops
    return [o.bincount(x), o.bincount(x, minlength=14), o.bincount(o.reshape(x, (-1,)))]


def _weighted(k: Any, x: Any) -> Any:
    weights = [0.5, 1.0, 2.0, -1.0, 3.0]
    return [k.ops.bincount(x[0], weights=weights), k.ops.bincount(x[0], weights=[1, 2, 3, 4, 5])]


def _distinct(k: Any, x: Any) -> Any:
    o = k.ops
    every = {"return_index": True, "return_inverse": True, "return_counts": True}
    x, y = o.round(x / 2), o.round(x / 9)
    return [o.unique(x), *o.unique(x, **every), *o.unique(x, sorted=False, **every), *o.unique(x, size=4, **every),
            *o.unique(x, size=30, fill_value=7, **every), *o.unique(y, axis=1, **every), *o.unique(y, axis=-1, **every),
            *o.unique(y, axis=1, sorted=False, **every), *o.unique(y, axis=-1, size=6, **every), o.unique(y, axis=0)]  # fmt: skip


CASES = [
    *(
        case(f"{name} {method}", _quantiles(name, method), [(5, 4)], **BOTH)
        for name, methods in {
            # Keras forgets the method of a Quantile node.
            "quantile": ("linear", "lower"), "percentile": METHODS, "nanquantile": METHODS,
            "nanpercentile": ("linear", "higher"),
        }.items()
        for method in methods
    ),
    case("more quantiles", _more_quantiles, [(5, 4)], **ARCHIVE),
    case("vectors", _vectors, [(6, 4)], **ARCHIVE),
    case("counts", _counts, [(5,)], dtype="int32", **BOTH),
    case("weighted counts", _weighted, [(5,)], dtype="int32", **ARCHIVE),
    case("distinct", _distinct, [(5, 4)], **BOTH),
]  # fmt: skip


@parity(CASES)
def test_statistics(run: Any) -> None:
    """Same as Keras."""
    run()


@pytest.mark.live
@pytest.mark.parametrize("options", [{}, {"bins": 4}, {"bins": 4, "range": (-1.0, 2.0)}])
def test_histograms(options: dict[str, Any], tmp_path: Path) -> None:
    """Keras saves the node and cannot run it; its function runs."""
    keras = keras_of("keras")
    x = keras.Input(batch_shape=(40,))
    keras.Model(x, keras.ops.histogram(x, **options)).save(tmp_path / "model.keras")
    array = np.random.default_rng(0).normal(0, 2, 40).astype("float32")
    wanted = keras.ops.histogram(keras.ops.convert_to_tensor(array), **options)
    for ours, theirs in zip(lg.Interpreter(tmp_path / "model.keras")(array), wanted, strict=True):
        assert_close(ours, np.asarray(theirs))


@pytest.mark.live
def test_sparse_counts_are_refused(tmp_path: Path) -> None:
    keras = keras_of("keras")
    x = keras.Input((5,), dtype="int32")
    keras.Model(x, keras.ops.bincount(x, sparse=True)).save(tmp_path / "model.keras")
    with pytest.raises(lg.UnsupportedError, match="sparse=True is not supported"):
        lg.load(tmp_path / "model.keras")
