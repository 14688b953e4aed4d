"""Rearranging elements: reshape, permute, pad, crop, repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layergraph.ir.op import Op
from layergraph.ir.types import Shape, TensorType, product


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity(Op):
    """The input itself; what Dropout and its kin are at inference.

    Source: keras/src/layers/core/identity.py, Keras 3.15.
    """

    aliases: ClassVar[bool] = True

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpandDims(Op):
    """A new axis of size 1.

    Source: keras/src/ops/numpy.py ``expand_dims``, Keras 3.15.

    Attributes:
        axis: where the axis stands in the output; negative counts from its end.
    """

    aliases: ClassVar[bool] = True

    axis: int

    def infer(self, x: TensorType) -> TensorType:
        """The shape of ``x`` with a 1 inserted."""
        axis = self.axis % (x.rank + 1)
        return x.with_shape((*x.shape[:axis], 1, *x.shape[axis:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten(Op):
    """All axes after the batch in one; ``(batch,)`` becomes ``(batch, 1)``.

    Source: keras/src/layers/reshaping/flatten.py, Keras 3.15.
    """

    aliases: ClassVar[bool] = True

    def infer(self, x: TensorType) -> TensorType:
        """``(batch, features)``."""
        return x.with_shape((x.shape[0], product(x.shape[1:])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshape(Op):
    """New shape after the batch axis.

    Source: keras/src/layers/reshaping/reshape.py, Keras 3.15.

    Attributes:
        target_shape: dimensions after the batch; one may be -1.
    """

    aliases: ClassVar[bool] = True

    target_shape: tuple[int, ...]

    def infer(self, x: TensorType) -> TensorType:
        """``(batch, *target_shape)``."""
        given = product(x.shape[1:])
        known = product([d for d in self.target_shape if d != -1]) or 0
        rest: int | None = None
        if given is not None and -1 in self.target_shape:
            if known == 0 or given % known:
                raise ValueError(f"{given} elements do not fill {self.target_shape}")
            rest = given // known
        elif given is not None and given != known:
            raise ValueError(f"{given} elements do not fill {self.target_shape}")
        shape: Shape = tuple(rest if d == -1 else d for d in self.target_shape)
        return x.with_shape((x.shape[0], *shape))


@dataclass(frozen=True, slots=True, kw_only=True)
class Transpose(Op):
    """Axes in another order.

    Source: keras/src/layers/reshaping/permute.py, Keras 3.15.

    Attributes:
        axes: input axis of each output axis, batch included.
    """

    aliases: ClassVar[bool] = True

    axes: tuple[int, ...]

    def infer(self, x: TensorType) -> TensorType:
        """The dimensions in the new order."""
        if sorted(self.axes) != list(range(x.rank)):
            raise ValueError(f"axes {self.axes} do not permute rank {x.rank}")
        return x.with_shape(tuple(x.shape[a] for a in self.axes))
