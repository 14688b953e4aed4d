"""Pooling: a class for each rank and kind."""

from __future__ import annotations

from typing import Any

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.writer import Writer
from layergraph.ir.ops.pooling import AdaptivePool, GlobalPool, Pool

spellings = Spellings()


def _named(op: Pool | AdaptivePool | GlobalPool, rank: int, front: str = "") -> str:
    if not 1 <= rank <= 3:
        raise RefusedError(f"there is no pooling over {rank} axes")
    return f"{front}{'Max' if op.kind == 'max' else 'Average'}Pooling{rank}D"


@spellings.spells(Pool)
def pool(w: Writer, op: Pool, x: Tensor) -> Any:
    """Over windows."""
    return w.layer(
        _named(op, len(op.pool_size)), w.tensor(x), pool_size=list(op.pool_size),
        strides=list(op.strides), padding=op.padding, data_format="channels_last",
        masking="drop",
    )  # fmt: skip


@spellings.spells(GlobalPool)
def global_pool(w: Writer, op: GlobalPool, x: Tensor, mask: Tensor | None = None) -> Any:
    """Over all spatial axes; the mean of steps heeds a mask."""
    x = w.tensor(x)
    name = _named(op, x.rank - 2, "Global")
    if mask is None:
        x = w.bare(x)
    config: dict[str, Any] = {"keepdims": True} if op.keepdims else {}
    return w.layer(
        name, x, mask=None if mask is None else w.tensor(mask, "its mask"),
        data_format="channels_last", masking="drop", **config,
    )  # fmt: skip


@spellings.spells(AdaptivePool)
def adaptive_pool(w: Writer, op: AdaptivePool, x: Tensor) -> Any:
    """Layers of Keras 3 since 3.13; windows of one size in Keras 2."""
    if not w.keras3:
        sizes = w.tensor(x).shape[1:-1]
        pairs = list(zip(sizes, op.output_size, strict=True))
        if not all(n is not None and n % out == 0 for n, out in pairs):
            raise RefusedError("Keras 2 has no adaptive pooling, whose windows differ in size")
        w.spelled_out()
        window = tuple((n or 0) // out for n, out in pairs)
        return pool(w, Pool(kind=op.kind, pool_size=window, strides=window), x)
    return w.layer(
        _named(op, len(op.output_size), "Adaptive"), w.tensor(x),
        output_size=list(op.output_size), data_format="channels_last", masking="drop",
    )  # fmt: skip
