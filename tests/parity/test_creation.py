"""Sequences, grids and powers beside real Keras 3; Keras 2 has no such nodes."""

from __future__ import annotations

from typing import Any

from support import case, parity

BOTH = {"writers": ("keras",), "batch0": False}


def _spaces(k: Any, a: Any, b: Any) -> Any:
    o = k.ops
    return [
        o.linspace(a, b, 5), o.linspace(a, b, 4, endpoint=False, axis=-1), o.linspace(0, b, 3, axis=1),
        o.linspace(a, 2.5, 1), o.linspace(a, b, 5, dtype="float16"), o.logspace(a / 3, b / 3, 5),
        o.logspace(a, b, 4, base=2, endpoint=False, axis=-1), o.geomspace(a, b, 5),
        o.geomspace(1.0, o.abs(b) + 0.1, 4, endpoint=False, axis=1),
    ]  # fmt: skip


def _whole_spaces(k: Any, a: Any) -> Any:
    return [k.ops.linspace(a, 12, 5), k.ops.linspace(a, a + 7, 4, dtype="int32", axis=-1), k.ops.logspace(a, 2, 3)]  # fmt: skip


def _grids(k: Any, a: Any) -> Any:
    o = k.ops
    row, column, cube = a[0, 0], a[0, :, 1], a[0, :2]
    return [*o.meshgrid(row, column), *o.meshgrid(row, column, indexing="ij"), *o.meshgrid(cube, row, column)]  # fmt: skip


def _powers(k: Any, a: Any) -> Any:
    o = k.ops
    row = a[0, 0]
    return [o.vander(row), o.vander(row, N=3), o.vander(row, N=7, increasing=True)]


# Keras 3 writes slices to .h5 that it cannot read back.
ARCHIVE = {**BOTH, "containers": (".keras",)}

CASES = [
    # Powers of ten multiply the rounding of their exponents.
    case("spaces", _spaces, [(5, 4), (5, 4)], rtol=5e-5, **BOTH),
    case("spaces of whole numbers", _whole_spaces, [(5, 4)], dtype="int32", **BOTH),
    case("grids", _grids, [(5, 4)], **ARCHIVE),
    case("powers", _powers, [(5, 4)], **ARCHIVE),
    case("powers of whole numbers", _powers, [(5, 4)], dtype="int16", **ARCHIVE),
]


@parity(CASES)
def test_creation(run: Any) -> None:
    """Same as Keras."""
    run()
