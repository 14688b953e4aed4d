"""Looking rows up in a table."""

from __future__ import annotations

from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.ir.errors import InputError
from layergraph.ir.ops.embedding import Embedding
from layergraph.ir.types import Array

kernels = Kernels()


@kernels.prepares(Embedding, halves=True)
def embedding(op: Embedding, *, embeddings: Array) -> Kernel:
    """One ``take``; an index outside the table is refused, never wrapped or clipped."""
    rows = embeddings.shape[0]

    def run(x: Array) -> Array:
        ids = x if x.dtype.kind in "iu" else x.astype("int32")
        if ids.size:
            low, high = int(ids.min()), int(ids.max())
            if low < 0 or high >= rows:
                raise InputError(
                    f"an embedding has rows 0 to {rows - 1}, it was asked for row "
                    f"{low if low < 0 else high}; were the ids made for this model?"
                )
        return embeddings.take(ids, axis=0)

    return run
