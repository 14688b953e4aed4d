"""Looking rows up in a table."""

from __future__ import annotations

from layergraph.backends.onnx.table import Spellings
from layergraph.backends.onnx.values import Tensor
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.embedding import Embedding
from layergraph.ir.types import Array

spellings = Spellings()


@spellings.spells(Embedding)
def embedding(w: Writer, op: Embedding, x: Tensor, *, embeddings: Array) -> str:
    """A ``Gather``, whose indices are int32 or int64."""
    ids = x if x.dtype in ("int32", "int64") else w.as_dtype(x, "int32")
    name: str = w.op("Gather", w.param("embeddings", embeddings), ids, axis=0)
    return name
