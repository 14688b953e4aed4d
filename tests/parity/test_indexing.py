"""Choosing elements by place beside real Keras 3; Keras 2 has no such nodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from support import case, parity

BOTH = {"writers": ("keras",)}
# Keras 3 writes arrays and slices to .h5 that it cannot read back.
ARCHIVE = {"writers": ("keras",), "containers": (".keras",)}


def _indexed(k: Any, x: Any) -> Any:
    return [x[:, 1], x[:, 1:4], x[..., -1], x[:, ::2, None], x[:, -3:, 1:2], x[:, ::-1]]


def _parted(k: Any, x: Any) -> Any:
    o = k.ops
    return [*o.split(x, 3, axis=1), *o.split(x, [1, 4], axis=1), *o.unstack(x, axis=2)]


def _taken(k: Any, x: Any) -> Any:
    return [k.ops.take(x, [2, 0, -1], axis=1), k.ops.take(x, np.array([[1, 2]]), axis=2)]


def _moved(k: Any, x: Any) -> Any:
    o = k.ops
    return [
        o.flip(x, 1),
        o.roll(x, 2, axis=1),
        o.roll(x, (1, -1), axis=(1, 2)),
        o.tril(x),
        o.triu(x, 1),
    ]


CASES = [
    case("slices", _indexed, [(5, 4)], **ARCHIVE),
    case("parts", _parted, [(6, 4)], **BOTH),
    case("numbers", _taken, [(5, 4)], **ARCHIVE),
    case("moved", _moved, [(5, 4)], **BOTH),
    case("one hot", lambda k, x: [k.ops.one_hot(x, 11), k.ops.one_hot(x, 11, axis=1)], [(5,)], dtype="int32", **BOTH),
]  # fmt: skip


@parity(CASES)
def test_indexing(run: Any) -> None:
    """Same as Keras."""
    run()
