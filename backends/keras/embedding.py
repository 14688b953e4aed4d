"""Looking rows up in a table."""

from __future__ import annotations

from typing import Any

from layergraph.backends.keras.model import Stored, Tensor
from layergraph.backends.keras.table import Spellings
from layergraph.backends.keras.writer import Writer
from layergraph.ir.ops.embedding import Embedding
from layergraph.ir.types import Array

spellings = Spellings()


@spellings.spells(Embedding)
def embedding(w: Writer, op: Embedding, x: Tensor, *, embeddings: Array) -> Any:
    """The mask of a table is a value of the graph, so that the layer makes none."""
    rows, size = embeddings.shape
    return w.layer(
        "Embedding", w.tensor(x), arrays=[Stored("embeddings", embeddings)], input_dim=rows,
        output_dim=size, mask_zero=False, masking="drop",
    )  # fmt: skip
