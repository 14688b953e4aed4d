"""What attention is made of, besides projections and products: scores, masks, softmax."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import ClassVar, Literal

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType, broadcast_shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditiveScores(Op):
    """``sum(weight * tanh(scale * (query + key)))`` over features, for every pair.

    Inputs: query ``(batch, Tq, dim)``, key ``(batch, Tv, dim)``.
    Parameters, optional: scale ``()``, weight ``()`` or ``(dim,)``.
    Output: ``(batch, Tq, Tv)``.
    Source: keras/src/layers/attention/additive_attention.py and attention.py
    ``_calculate_scores``, Keras 3.15.
    """

    def infer(
        self,
        query: TensorType,
        key: TensorType,
        *,
        scale: TensorType | None = None,
        weight: TensorType | None = None,
    ) -> TensorType:
        """``(batch, Tq, Tv)``."""
        batch = broadcast_shapes(query.shape[:-2], key.shape[:-2])
        return query.with_shape((*batch, query.shape[-2], key.shape[-2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class BandMask(Op):
    """Which positions of the value each position of the query may look at.

    Inputs: query ``(batch, T, ...)``, value ``(batch, S, ...)``.
    Output: bool ``(1, T, S)``.
    Source: keras/src/layers/attention/multi_head_attention.py
    ``_compute_causal_mask`` and ``_compute_sliding_window_mask``, Keras 3.15.

    Attributes:
        causal: not at later ones.
        window: only at those nearer than this, ``None`` for all.
    """

    causal: bool = False
    window: int | None = None

    def infer(self, query: TensorType, value: TensorType) -> TensorType:
        """``(1, T, S)``."""
        return TensorType((1, query.shape[1], value.shape[1]), "bool")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedSoftmax(Op):
    """Softmax over axes to which masked elements do not contribute.

    Inputs: x; mask, bool, that broadcasts with it.
    Source: see the attribute.

    Attributes:
        axis: axes summed over, negative from the end.
        masking: how elements are masked, which shows where all are: ``fill``
            replaces them by a large negative number, so that all weigh alike
            (keras/src/backend/tensorflow/nn.py ``_apply_masks``, Keras 3.15);
            ``zero`` also makes the weights 0 afterwards
            (keras/src/layers/activations/softmax.py, Keras 3.15); ``add`` adds
            -1e9 to them (attention.py of both, and tf_keras/src/layers/
            activation/softmax.py, tf-keras 2.21).
    """

    aliases: ClassVar[bool] = False

    axis: tuple[int, ...] = (-1,)
    masking: Literal["fill", "zero", "add"]

    def infer(self, x: TensorType, mask: TensorType) -> TensorType:
        """The broadcast shape, the dtype of ``x``."""
        return x.with_shape(broadcast_shapes(x.shape, mask.shape))


def attention_equations(rank: int, axes: tuple[int, ...]) -> tuple[str, str]:
    """Equations of attention: scores from key and query, and the mix of values.

    Args:
        rank: axes of projected query, key and value: batch, places, heads, features.
        axes: those attended over.

    Source: keras/src/layers/attention/multi_head_attention.py
    ``_build_attention_equation``, Keras 3.15.
    """
    target = string.ascii_lowercase[:rank]
    batch = [a for a in range(rank - 1) if a not in axes]
    others = iter(string.ascii_lowercase[rank:])
    source = "".join(
        target[a] if a in batch or a == rank - 1 else next(others) for a in range(rank)
    )
    shared = "".join(target[a] for a in batch)
    scores = shared + "".join(target[a] for a in axes) + "".join(source[a] for a in axes)
    return f"{source},{target}->{scores}", f"{scores},{source}->{target}"
