"""Reductions beside real Keras; Keras 3 writes masks with them."""

from __future__ import annotations

from typing import Any

from support import case, parity


def _any(**options: Any) -> Any:
    return lambda k, x: k.ops.any(k.ops.not_equal(x, 0.0), **options)


# Keras 2 has no operation nodes, and Keras 3 cannot read its own from .h5.
ONLY = {"make": "masked", "writers": ("keras",), "containers": (".keras",)}

CASES = [
    case("any last axis", _any(axis=-1), (6, 4), **ONLY),
    case("any two axes kept", _any(axis=(1, 2), keepdims=True), (6, 4, 3), **ONLY),
    case("any of all", lambda k, x: k.ops.any(k.ops.not_equal(x, 0.0), keepdims=True), (6, 4), batch0=False, **ONLY),
]  # fmt: skip


@parity(CASES)
def test_reduction(run: Any) -> None:
    """Same as Keras."""
    run()
