"""Functions of one element: one class, one table row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from layergraph.ir.op import Activation, Op
from layergraph.ir.types import TensorType, broadcast_shapes

UnaryKind = Literal[
    "relu", "relu6", "sigmoid", "tanh", "exponential", "softplus", "softsign", "silu",
    "selu", "mish", "log_sigmoid", "hard_tanh", "hard_silu", "tanh_shrink", "sparse_plus",
    "sparse_sigmoid",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Activation):
    """A parameter-free function of each element.

    Inputs: x, any shape. Output: same type.
    Source: keras/src/activations/activations.py, Keras 3.15; each kind carries
    the name of the Keras function.

    Attributes:
        kind: which function.
    """

    pointwise: ClassVar[bool] = True

    kind: UnaryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast(Op):
    """Convert to another dtype.

    Source: keras/src/ops/core.py ``cast``, Keras 3.15.

    Attributes:
        dtype: target dtype.
    """

    dtype: str

    def infer(self, x: TensorType) -> TensorType:
        """The shape of ``x`` with the target dtype."""
        return x.with_dtype(self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotEqual(Op):
    """``x != value`` element by element; how Keras computes a mask.

    Source: keras/src/layers/core/masking.py ``Masking.compute_mask`` and
    embedding.py ``Embedding.compute_mask``, Keras 3.15.

    Attributes:
        value: number compared with.
    """

    value: float

    def infer(self, x: TensorType) -> TensorType:
        """Booleans of the shape of ``x``."""
        return x.with_dtype("bool")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale(Op):
    """``x * factor * scale + offset``.

    Parameters, optional, that broadcast with x: scale, offset.
    Source: keras/src/layers/preprocessing/rescaling.py, Keras 3.15.

    Attributes:
        factor: a number.
    """

    factor: float = 1.0

    def infer(
        self, x: TensorType, *, scale: TensorType | None = None, offset: TensorType | None = None
    ) -> TensorType:
        """The broadcast shape, the dtype of ``x``."""
        shapes = [x.shape, *(p.shape for p in (scale, offset) if p is not None)]
        return x.with_shape(broadcast_shapes(*shapes))
