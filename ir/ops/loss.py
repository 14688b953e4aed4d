"""Losses and measures that a model computes itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType, broadcast_shapes, promote


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryCrossentropy(Op):
    """``-(target * log(output) + (1 - target) * log(1 - output))``.

    Source: keras/src/backend/tensorflow/nn.py ``binary_crossentropy``, Keras 3.15.

    Attributes:
        from_logits: ``output`` has not gone through a sigmoid yet; else it is
            clipped to between 1e-7 and 1 - 1e-7.
    """

    from_logits: bool = False

    def infer(self, target: TensorType, output: TensorType) -> TensorType:
        """The type of ``output``."""
        return output.with_shape(broadcast_shapes(target.shape, output.shape))


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoricalCrossentropy(Op):
    """``-sum(target * log(output))`` over the classes.

    Source: keras/src/backend/tensorflow/nn.py ``categorical_crossentropy``, Keras 3.15.

    Attributes:
        from_logits: ``output`` has not gone through a softmax yet; else it is
            divided by its sum and clipped to between 1e-7 and 1 - 1e-7.
        axis: axis of the classes, negative from the end.
    """

    from_logits: bool = False
    axis: int = -1

    def infer(self, target: TensorType, output: TensorType) -> TensorType:
        """The axis gone."""
        shape = list(broadcast_shapes(target.shape, output.shape))
        del shape[self.axis]
        return output.with_shape(shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseCategoricalCrossentropy(Op):
    """``-log(softmax(output))`` of the class whose number is given.

    Inputs: target, whole numbers ``(...)`` or ``(..., 1)``; output
    ``(..., classes)``.
    Source: keras/src/backend/tensorflow/nn.py
    ``sparse_categorical_crossentropy``, Keras 3.15.

    Attributes:
        from_logits: ``output`` has not gone through a softmax yet; else its
            logarithm is taken first, clipped to between 1e-7 and 1 - 1e-7.
    """

    from_logits: bool = False

    def infer(self, target: TensorType, output: TensorType) -> TensorType:
        """The shape without classes."""
        return output.with_shape(output.shape[:-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class CTCLoss(Op):
    """Connectionist temporal classification: ``-log`` of the probability of the labels.

    Inputs: target ``(batch, labels)``; output ``(batch, time, classes)``,
    before the softmax; target_length and output_length ``(batch,)``.
    Output: ``(batch,)``.
    Source: keras/src/backend/tensorflow/nn.py ``ctc_loss``, Keras 3.15, and the
    hidden Markov model of tensorflow/python/ops/ctc_ops.py ``ctc_loss_dense``,
    TensorFlow 2.21.

    Attributes:
        mask_index: class that stands for no label; negative from the end.
    """

    mask_index: int = 0

    def infer(
        self,
        target: TensorType,
        output: TensorType,
        target_length: TensorType,
        output_length: TensorType,
    ) -> TensorType:
        """``(batch,)``."""
        if target.rank != 2 or output.rank != 3:
            raise ValueError(f"(batch, labels) and (batch, time, classes) expected, not {output}")
        return TensorType((target.shape[0],), promote(output.dtype, "float32"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CTCDecode(Op):
    """The most probable label sequences of a connectionist temporal classification.

    Inputs: x ``(batch, time, classes)``, before the softmax; lengths ``(batch,)``.
    Outputs: labels ``(paths, batch, time)``, int32, -1 behind the last; scores
    ``(batch, paths)``: the logarithm of the probability, for ``greedy`` the
    negative sum of the largest logits.
    Source: keras/src/backend/tensorflow/nn.py ``ctc_decode``, Keras 3.15;
    tensorflow/core/util/ctc/ctc_beam_search.h, TensorFlow 2.21.

    Attributes:
        strategy: the best class of each step, or the best of ``beam_width``
            prefixes.
        beam_width: prefixes kept from step to step.
        top_paths: sequences wanted; ``greedy`` has one.
        merge_repeated: ``greedy`` reads a class that follows itself once.
        mask_index: class that stands for no label, negative from the end;
            ``None`` for the last of a beam search.
    """

    strategy: Literal["greedy", "beam_search"] = "greedy"
    beam_width: int = 100
    top_paths: int = 1
    merge_repeated: bool = True
    mask_index: int | None = 0

    def infer(self, x: TensorType, lengths: TensorType) -> tuple[TensorType, TensorType]:
        """``(paths, batch, time)`` and ``(batch, paths)``."""
        batch, time, _ = x.shape
        paths = 1 if self.strategy == "greedy" else self.top_paths
        scores = TensorType((batch, paths), promote(x.dtype, "float32"))
        return TensorType((paths, batch, time), "int32"), scores


@dataclass(frozen=True, slots=True, kw_only=True)
class InTopK(Op):
    """Whether fewer than k classes are more probable than the one named.

    False for a number that is no class, and in rows where a number is infinite
    or NaN.
    Inputs: targets ``(batch,)``; predictions ``(batch, classes)``.
    Source: keras/src/ops/math.py ``InTopK``, Keras 3.15;
    tensorflow/core/kernels/in_topk_op.h, TensorFlow 2.21.

    Attributes:
        k: how many.
    """

    k: int

    def infer(self, targets: TensorType, predictions: TensorType) -> TensorType:
        """Booleans ``(batch,)``."""
        return targets.with_dtype("bool")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakSignalNoise(Op):
    """``20 * log10(max_val) - 10 * log10(mean((x1 - x2)^2))`` over everything, in decibels.

    Source: keras/src/backend/tensorflow/nn.py ``psnr``, Keras 3.15.

    Attributes:
        max_val: the largest value there can be.
    """

    max_val: float

    def infer(self, x1: TensorType, x2: TensorType) -> TensorType:
        """A scalar."""
        return TensorType((), promote(x1.dtype, x2.dtype, "float"))
