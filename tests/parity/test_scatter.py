"""Writing to places, slices that begin anywhere and segments beside real Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from support import case, parity

# Operations of keras.ops are Keras 3's.
KERAS3: dict[str, Any] = {"writers": ("keras",)}


def _scatter(k: Any, x: Any, places: Any) -> Any:
    """Places from the input, some of them twice; places from the file."""
    o = k.ops
    rows = o.reshape(places[:, :1], (-1, 1))
    pairs = o.stack([places[:, 0], places[:, 1] // 2], axis=-1)
    return [
        o.scatter(rows, x, (10, 3, 5)),
        o.scatter(pairs, x[:, :, 0], (11, 12, 3)),
        o.scatter(o.expand_dims(pairs, 1), x[:, :1, 1], (11, 12)),
        o.scatter(np.array([[3], [1], [3]]), o.reshape(o.mean(x, axis=0), (3, 5)), (4, 5)),
    ]


def _scatter_update(k: Any, x: Any, places: Any) -> Any:
    o = k.ops
    base = o.transpose(x, (1, 2, 0)) * 2
    rows = o.stack([places[:, 0] % 3, places[:, 1] % 5], axis=-1)
    updates = o.tile(x[:, 0, :1], (1, 1))
    still = o.mean(x, axis=0)
    where = np.array([[0, 4], [2, 1], [1, 1]])
    return [
        o.scatter_update(still, where, np.array([1.5, -2, 7], "float32")),
        o.scatter_update(still, np.array([[2], [0]]), still[1:, :]),
        *(o.scatter_update(still, rows, updates[:, 0], reduction=r) for r in ("add", "max", "min")),
        # Keras runs a product in a loop that only works outside of a graph.
        o.scatter_update(still, where, still[:, 0], reduction="mul"),
        o.scatter_update(base, np.array([[1, 2]]), base[0, :1]),
    ]


def _slices(k: Any, x: Any, places: Any) -> Any:
    o = k.ops
    start = o.pad(o.min(places, axis=0) % 2, [[1, 0]])
    one = o.cast(o.max(places), "int32") % 3
    return [
        o.slice(x, [0, 1, 2], [1, 2, -1]),
        o.slice(x, np.array([0, 2, 0]), [-1, 1, 5]),
        o.slice(x, start, [1, 2, 3]),
        o.slice(x, start, [-1, 2, -1]),
        o.slice(x, [0, 0, one], [-1, 3, 2]),
    ]


def _slice_updates(k: Any, x: Any, places: Any) -> Any:
    o = k.ops
    start = o.pad(o.min(places, axis=0) - 2, [[1, 0]])
    block = x[:, :2, :3] * 2
    return [
        o.slice_update(x, [0, 1, 2], block),
        o.slice_update(x, [0, 9, -4], block),
        o.slice_update(x, start, block),
        o.slice_update(x, np.array([0, 1, 1]), block),
        o.slice_update(o.mean(x, axis=0), [1, 1], np.ones((2, 2), "float32")),
    ]


KINDS = ("sum", "prod", "max", "min")


def _segments(k: Any, x: Any, places: Any) -> Any:
    """Numbers of the input, with gaps; numbers of the file."""
    o, ids = k.ops, places[:, 0]
    still = o.transpose(x[0], (1, 0)) + 1
    given = np.array([2, 0, 2, 3, 0])
    return [
        *(getattr(o, f"segment_{n}")(x, ids, num_segments=11) for n in KINDS),
        *(getattr(o, f"segment_{n}")(still, given, num_segments=6) for n in KINDS),
        *(getattr(o, f"segment_{n}")(still, np.array([0, 0, 2, 2, 3]), sorted=True) for n in KINDS),
        *(getattr(o, f"segment_{n}")(still, given) for n in KINDS[1:]),
        o.segment_sum(still, np.array([1, 0, 2, 0, 0])),
        *(getattr(o, f"segment_{n}")(still, np.array([1, -1, 2, 0, -1]), num_segments=4) for n in KINDS),
    ]  # fmt: skip


def _counted(k: Any, x: Any, places: Any) -> Any:
    o, ids = k.ops, places[:, 0]
    return [*(getattr(o, f"segment_{n}")(x, ids) for n in KINDS[1:]), o.segment_sum(x, ids - ids)]


INPUTS: list[Any] = [(3, 5), (2,)]
MIXED: dict[str, Any] = {"dtype": ["float32", "int32"], "batch0": False}

CASES = [
    case("scatter", _scatter, INPUTS, **MIXED, **KERAS3),
    case("scatter whole numbers", _scatter, INPUTS, dtype=["int32", "int64"], batch0=False, containers=(".keras",), writers=("keras",)),
    case("scatter update", _scatter_update, INPUTS, **MIXED, **KERAS3),
    case("slices", _slices, INPUTS, **MIXED, **KERAS3),
    case("slice updates", _slice_updates, INPUTS, **MIXED, **KERAS3),
    case("segments", _segments, INPUTS, **MIXED, **KERAS3),
    case("segments that are counted", _counted, INPUTS, **MIXED, **KERAS3),
    case("segments of whole numbers", _segments, INPUTS, dtype="int32", batch0=False, **KERAS3),
    case("segments of float64", _segments, INPUTS, dtype=["float64", "int64"], batch0=False, containers=(".keras",), writers=("keras",)),
]  # fmt: skip


@parity(CASES)
def test_scatter(run: Any) -> None:
    """Same as Keras."""
    run()
