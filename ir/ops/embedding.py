"""Looking rows up in a table."""

from __future__ import annotations

from dataclasses import dataclass

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding(Op):
    """Rows of a table by index.

    Inputs: x of any shape; floats are truncated to whole numbers as Keras does.
    Parameters: embeddings ``(input_dim, output_dim)``.
    Output: ``(*x.shape, output_dim)``.
    Source: keras/src/layers/core/embedding.py, Keras 3.15. An index outside the
    table is an error, as it is in TensorFlow on a CPU.
    """

    def infer(self, x: TensorType, *, embeddings: TensorType) -> TensorType:
        """``(*x.shape, output_dim)``."""
        return TensorType((*x.shape, embeddings.shape[1]), embeddings.dtype)
