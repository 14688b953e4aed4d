"""Operation nodes of whole and complex numbers beside real Keras, where dtypes are kept."""

from __future__ import annotations

from typing import Any

from support import case, parity


def _whole(k: Any, x: Any) -> Any:
    o = k.ops
    return [o.relu(x), o.relu6(x), o.ndim(x), o.relu(x - 5), *([] if "uint" in x.dtype else [o.hard_shrink(x, 2)]), o.soft_shrink(x, 3), o.threshold(x, 4, 1), o.leaky_relu(o.cast(x, "float32"))]  # fmt: skip


def _complex(k: Any, x: Any) -> Any:
    o = k.ops
    square = o.matmul(x, o.conj(o.transpose(x, (0, 2, 1))))
    return [o.sigmoid(x / 4), o.silu(x / 4), o.tanh(x), o.tanh_shrink(x), o.logdet(square + 30 * o.eye(2)),
            o.view_as_complex(x[:, 0]), o.saturate_cast(o.real(x), "complex64")]  # fmt: skip


def _close(k: Any, a: Any, b: Any) -> Any:
    return [k.ops.isclose(a[0, 0], b[0, 0], rtol=k.ops.abs(a)), k.ops.corrcoef(a[0, 0, 0])]


def _edges(k: Any, x: Any) -> Any:
    return [k.ops.image.sobel_edges(x), k.ops.sum(k.ops.image.sobel_edges(x[:, :3]), axis=(1, 2))]


def _selected(k: Any, x: Any) -> Any:
    o, half = k.ops, k.ops.cast(x, "float16")
    pair = [x > 3, x > 1]
    return [
        o.select(pair, [half, 2.0]),
        o.select(pair, [x, 2.0], default=1.5),
        o.select(pair, [x, x]),
    ]


def _undefined(k: Any, x: Any) -> Any:
    o = k.ops
    strange = [o.log(x), x / 0.0]
    return [f(s) for s in strange for f in (o.hard_shrink, o.soft_shrink)] + [
        o.threshold(s, 1, 2.5) for s in strange
    ]


KERAS3: dict[str, Any] = {"writers": ("keras",), "containers": (".keras",), "batch0": False}

CASES = [
    *(case(f"whole {d}", _whole, (5, 4), dtype=d, **KERAS3) for d in ("int8", "int32", "int64", "uint8")),
    case("complex", _complex, (2, 2), dtype="complex64", square_ok=True, **KERAS3),
    case("edges of unknown sizes", _edges, (6, 7, 3), unknown=(0, 1), **KERAS3),
    case("selected", _selected, (5, 4), dtype="int16", **KERAS3),
    case("NaN and infinities shrunk", _undefined, (5, 4), **KERAS3),
    case("close", _close, [(5, 4), (5, 4)], **KERAS3),
]  # fmt: skip


@parity(CASES)
def test_kinds(run: Any) -> None:
    """Same as Keras."""
    run()
