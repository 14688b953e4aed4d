"""Places, parts, shapes and reductions as operation nodes beside real Keras."""

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


def _diagonals(k: Any, x: Any) -> Any:
    o = k.ops
    m, v = x[0], x[0, 0]
    return [
        o.diagonal(x), o.diagonal(x, axis1=1, axis2=2), o.diagonal(x, offset=2, axis1=1, axis2=2),
        o.diagonal(x, offset=-3, axis1=-1, axis2=-2), o.trace(x, axis1=1, axis2=2), o.trace(x, offset=1, axis1=2, axis2=1),
        o.diag(m), o.diag(m, k=1), o.diag(v), o.diag(v, k=1), o.diag(v, k=-2), o.diagflat(m, 1),
        *(o.rot90(x, n, axes=axes) for n in (1, 2, 3, -1, 4) for axes in ((1, 2), (2, 1), (0, -1))),
    ]  # fmt: skip


def _parts(k: Any, x: Any) -> Any:
    o = k.ops
    return [*o.array_split(x, 3, axis=1), *o.array_split(x, 7, axis=-2), *o.hsplit(x, [2]), *o.dsplit(x, 2),
            *o.hsplit(x[0, 0], 2), *o.split(x, [1, 3], axis=-2), *o.split(x, 2, axis=-1), *o.vsplit(x[0], 5)]  # fmt: skip


def _joined(k: Any, a: Any, b: Any) -> Any:
    o = k.ops
    row, short = a[0, 0], b[0, :, 0]
    return [o.append(a, b), o.append(a, b, axis=1), o.append(a, b, axis=-1), o.append(row, short), o.dstack([a, b]),
            o.dstack([a[0], b[0]]), o.dstack([row, row]), o.full((2, 3), a[0, 0, 0]), o.full((2, 4), row, dtype="int32"),
            o.full_like(a, b[0, 0, 0]), o.full_like(a, row), o.full_like(a, 3, dtype="int8"), o.size(a), o.ones_like(o.empty_like(a))]  # fmt: skip


def _taken(k: Any, a: Any, b: Any) -> Any:
    o = k.ops
    return [o.take_along_axis(a, o.argsort(b, axis=1), axis=1), o.take_along_axis(a, o.argmax(b, axis=-1, keepdims=True), axis=-1),
            o.take_along_axis(a, np.array([[[0], [-1]]]), axis=1), o.take_along_axis(a, np.array([3, -1]), axis=None),
            o.take(a, 3), o.take(a, [[1, 2], [3, -4]]), o.take(a, 1, axis=-1), *o.nonzero(a > 0),
            o.argpartition(a[0, :, 0], 2), o.argpartition(a, 4, axis=None)]  # fmt: skip


def _unravelled(k: Any, x: Any) -> Any:
    return [
        *k.ops.unravel_index(x, (4, 5)),
        *k.ops.unravel_index(k.ops.reshape(x, (-1,)), (2, 3, 4)),
    ]


def _moved(k: Any, x: Any) -> Any:
    o = k.ops
    return [o.repeat(x, [1, 2, 0, 3, 1], axis=1), o.repeat(x, [2], axis=-1), o.repeat(x, 2), o.roll(x, 2), o.roll(x, (1, -2), axis=(1, -1)),
            o.pad(x, ((0, 0), (1, 2), (3, 0)), mode="reflect"), o.pad(x, ((1, 0), (1, 2), (0, 3)), mode="symmetric"),
            o.pad(x, ((0, 0), (1, 2), (0, 3)), constant_values=x[0, 0, 0]), o.sort(x, axis=None), o.argsort(x, axis=None),
            x[None, ..., 1:3, :], x[1:, ::-2], x[..., None, 1], x[:, 1:1], x[-1, 2]]  # fmt: skip


def _reduced(k: Any, x: Any) -> Any:
    o, forms = k.ops, ({"axis": 1}, {"axis": None}, {"axis": (-1, 0), "keepdims": True})
    return [
        *(o.ptp(x, **f) for f in forms), *(o.max(x, initial=2, **f) for f in forms), *(o.min(x, initial=-1, **f) for f in forms),
        *(o.median(x, **f) for f in forms), *(o.std(x, **f) for f in forms), *(o.prod(x, dtype="float32", **f) for f in forms),
        o.cumsum(x, axis=1, dtype="float32"), o.cumprod(x, axis=-2, dtype="float64"), o.cumsum(x), o.diff(x), o.diff(x, n=2, axis=1),
        o.diff(x, n=0), o.diff(x, n=6, axis=1), o.trapezoid(x), o.trapezoid(x, dx=0.3, axis=1), o.trapezoid(x, x=[0.0, 1.0, 3.0, 4.0]),
        o.average(x, axis=1), o.average(x), o.average(x, axis=1, weights=x * x), o.average(x, axis=1, weights=np.arange(5.0)),
        o.average(x, weights=x * x), o.count_nonzero(x), o.count_nonzero(x, axis=(0, 1)), *o.top_k(x, 2),
    ]  # fmt: skip


def _without_nan(k: Any, x: Any) -> Any:
    o = k.ops
    x = o.where((x > 2.0) | (o.arange(5.0)[None, :, None] == 3.0), o.sqrt(-1 - o.abs(x)), x)
    forms: tuple[dict[str, Any], ...] = (
        {"axis": 1},
        {"axis": None},
        {"axis": -1, "keepdims": True},
    )
    return [*(getattr(o, n)(x, **f) for n in ("nanargmax", "nanargmin") for f in forms), o.nancumsum(x, axis=1), o.nancumprod(x, axis=-1),
            o.nancumsum(x), o.nancumprod(x, axis=1, dtype="float64")]  # fmt: skip


def _zeros(k: Any, x: Any) -> Any:
    """-0.0 counts as less than 0.0."""
    return [k.ops.argmax(x * 0.0, axis=1), k.ops.argmin(x * 0.0, axis=-1)]


DTYPES = ("bool", "int8", "int64", "uint8", "float32", "complex64")
CASES = [
    *(case(f"diagonals of {d}", _diagonals, [(5, 4)], dtype=d, **ARCHIVE) for d in DTYPES),
    case("parts", _parts, [(5, 4)], **ARCHIVE),
    case("parts of unknown sizes", lambda k, x: [*k.ops.split(x, 2, axis=1), *k.ops.array_split(x, 4, axis=2)], [(6, 4)], unknown=(0,), **BOTH),
    case("joined", _joined, [(5, 4), (5, 4)], **ARCHIVE),
    case("joined dtypes", _joined, [(5, 4), (5, 4)], dtype=("int32", "float16"), **ARCHIVE),
    case("taken", _taken, [(5, 4), (5, 4)], **ARCHIVE),
    case("unravelled", _unravelled, [(5,)], dtype="int32", **BOTH),
    *(case(f"moved {d}", _moved, [(5, 4)], dtype=d, **ARCHIVE) for d in ("float32", "int32")),
    *(case(f"reduced {d}", _reduced, [(5, 4)], dtype=d, make="ids", **BOTH) for d in ("float32", "float64", "int8", "int32", "int64")),
    case("without nan", _without_nan, [(5, 4)], **BOTH),
    case("zeros", _zeros, [(5, 4)], onnx=False, noted="-0.0 for equal", **BOTH),  # of -0.0 and 0.0 ONNX has no order
]  # fmt: skip


@parity(CASES)
def test_places(run: Any) -> None:
    """Same as Keras."""
    run()


PATTERNS = {
    "b h w -> b w h": {},
    "b h w->(b h) w": {},
    "b h (w1 w2) -> b (h w1) w2": {"w1": 2},
    "b h (w1 w2) -> w2 b h w1": {"w1": 2, "w2": 2},
    "b h (w1 w2) -> (w1 b) (w2 h)": {"w1": 2},
}


@pytest.mark.live
@pytest.mark.parametrize("pattern", PATTERNS)
def test_rearranged(pattern: str, tmp_path: Path) -> None:
    """Keras itself needs every size known."""
    keras = keras_of("keras")
    x = keras.Input(batch_shape=(3, 5, 4))
    model = keras.Model(x, keras.ops.rearrange(x, pattern, **PATTERNS[pattern]))
    array = np.arange(60, dtype="float32").reshape(3, 5, 4)
    for container in (".keras", ".h5"):
        model.save(tmp_path / f"model{container}")
        assert_close(
            lg.Interpreter(tmp_path / f"model{container}")(array), np.asarray(model(array))
        )
