"""Shapes and places that are known only when the model runs.

Where an attribute holds ``None`` for a number, an input holds it: a whole
number without axes, in the order of the attribute's ``None`` entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar

from layergraph.ir.op import Op
from layergraph.ir.ops.indexing import Slice
from layergraph.ir.types import TensorType, broadcast_shapes, product

T = TypeVar("T")

Numbers: TypeAlias = tuple[int | None, ...]
"""Known numbers, ``None`` for those an input holds."""


def filled(numbers: Sequence[T | None], found: Sequence[T]) -> tuple[T, ...]:
    """The numbers with the unknown ones put in."""
    rest = iter(found)
    return tuple(next(rest) if n is None else n for n in numbers)


def _check(numbers: Sequence[Any], given: Sequence[TensorType]) -> None:
    wanted = sum(n is None for n in numbers)
    if wanted != len(given) or any(t.rank or t.is_float for t in given):
        raise ValueError(f"{wanted} whole numbers without axes are expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeOf(Op):
    """The sizes of a value.

    Inputs: x, any shape. Output: ``(rank,)``.
    Source: tf.shape, TensorFlow 2.21.

    Attributes:
        dtype: dtype of the output.
    """

    dtype: Literal["int32", "int64"] = "int32"

    def infer(self, x: TensorType) -> TensorType:
        """A number an axis."""
        return TensorType((x.rank,), self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicReshape(Op):
    """Another shape, batch included.

    Source: tf.reshape, TensorFlow 2.21.

    Attributes:
        shape: all dimensions; one may be -1.
    """

    aliases: ClassVar[bool] = True

    shape: Numbers

    def infer(self, x: TensorType, *numbers: TensorType) -> TensorType:
        """The dimensions that are known."""
        _check(self.shape, numbers)
        total = product(x.shape)
        unknown = [d for d in self.shape if d is None or d == -1]
        rest: int | None = None
        if total is not None and len(unknown) == 1:
            rest = total // max(product([d for d in self.shape if d not in (None, -1)]) or 1, 1)
        return x.with_shape(tuple(rest if d is None or d == -1 else d for d in self.shape))


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicBroadcast(Op):
    """The value repeated along axes of size 1 and new leading ones.

    Source: tf.broadcast_to, TensorFlow 2.21.

    Attributes:
        shape: all dimensions.
    """

    shape: Numbers

    def infer(self, x: TensorType, *numbers: TensorType) -> TensorType:
        """The dimensions that are known."""
        _check(self.shape, numbers)
        return x.with_shape(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicTile(Op):
    """The whole value several times along each axis.

    Source: tf.tile, TensorFlow 2.21.

    Attributes:
        repeats: how often along each axis.
    """

    repeats: Numbers

    def infer(self, x: TensorType, *numbers: TensorType) -> TensorType:
        """Each size multiplied."""
        _check(self.repeats, numbers)
        pairs = zip(x.shape, self.repeats, strict=True)
        return x.with_shape(tuple(None if d is None or t is None else d * t for d, t in pairs))


Key: TypeAlias = tuple[int | str | tuple[int | str | None, ...], ...]
"""As ``Slice.key``, with ``"?"`` for each number that an input holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StridedSlice(Op):
    """A part of the value, as Python's indexing takes it.

    Source: tf.strided_slice, TensorFlow 2.21.

    Attributes:
        key: as that of ``Slice``, with ``"?"`` for each number an input holds.
    """

    aliases: ClassVar[bool] = True

    key: Key

    def infer(self, x: TensorType, *numbers: TensorType) -> TensorType:
        """The sizes of the parts where they are known."""
        entries = [e for k in self.key for e in (k if isinstance(k, tuple) else (k,))]
        _check([None if e == "?" else 0 for e in entries], numbers)
        # A part that a number of the run bounds is as unknown as one of an unknown axis.
        shape = list(x.shape)
        axis = 0
        for entry in self.key:
            if entry == "...":
                axis += x.rank - sum(k not in ("new", "...") for k in self.key)
            elif entry != "new":
                if isinstance(entry, tuple) and "?" in entry:
                    shape[axis] = None
                axis += 1
        return slice_of(self, [0] * len(numbers)).infer(x.with_shape(shape))


def slice_of(op: StridedSlice, numbers: Sequence[int]) -> Slice:
    """The slice it is for given numbers."""
    rest = iter(numbers)

    def known(entry: Any) -> Any:
        if isinstance(entry, tuple):
            return tuple(known(e) for e in entry)
        return next(rest) if entry == "?" else entry

    return Slice(key=tuple(known(entry) for entry in op.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicPad(Op):
    """Elements around any axes.

    Source: tf.pad, TensorFlow 2.21.

    Attributes:
        pad_width: elements before and behind the first axis, the second, ...
        mode: what they are.
        value: the constant.
    """

    pad_width: Numbers
    mode: Literal["constant", "reflect", "symmetric"] = "constant"
    value: float = 0.0

    def infer(self, x: TensorType, *numbers: TensorType) -> TensorType:
        """The axes grown."""
        _check(self.pad_width, numbers)
        shape = []
        for i, size in enumerate(x.shape):
            parts = (size, *self.pad_width[2 * i : 2 * i + 2])
            shape.append(None if None in parts else sum(p or 0 for p in parts))
        return x.with_shape(shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range(Op):
    """The numbers from one to another, which is left out.

    Inputs: start, stop, step: numbers without axes, of one dtype.
    Output: ``(numbers,)``.
    Source: tf.range, TensorFlow 2.21.
    """

    def infer(self, start: TensorType, stop: TensorType, step: TensorType) -> TensorType:
        """As many as there are when the model runs."""
        if any(t.rank for t in (start, stop, step)) or not start.dtype == stop.dtype == step.dtype:
            raise ValueError("three numbers of one dtype are expected")
        return TensorType((None,), start.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places(Op):
    """Where a value is not zero.

    Output: ``(elements, rank)``, int64, in the order of the elements.
    Source: tf.where of one argument, TensorFlow 2.21.
    """

    def infer(self, x: TensorType) -> TensorType:
        """A row an element, as many as there are when the model runs."""
        return TensorType((None, x.rank), "int64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose(Op):
    """The elements of some axes where a mask is true, in one axis.

    Inputs: x; mask, booleans of the sizes of the axes from ``axis`` on.
    Source: tf.boolean_mask, TensorFlow 2.21.

    Attributes:
        axis: the first of the axes, never negative.
    """

    axis: int = 0

    def infer(self, x: TensorType, mask: TensorType) -> TensorType:
        """As many as there are when the model runs."""
        broadcast_shapes(x.shape[self.axis : self.axis + mask.rank], mask.shape)
        return x.with_shape((*x.shape[: self.axis], None, *x.shape[self.axis + mask.rank :]))
