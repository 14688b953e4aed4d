"""Choosing elements by place: slices, numbers, parts, triangles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from layergraph.ir.op import Op
from layergraph.ir.types import TensorType, broadcast_shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Op):
    """A part of the value, as Python's indexing takes it.

    Source: keras/src/ops/numpy.py ``GetItem``, Keras 3.15.

    Attributes:
        key: an entry an axis: a number drops the axis, ``(start, stop, step)``
            with ``None`` for open ends keeps a part of it, ``"new"`` adds one,
            ``"..."`` stands for all that are not mentioned.
    """

    aliases: ClassVar[bool] = True

    key: tuple[int | str | tuple[int | None, ...], ...]

    def infer(self, x: TensorType) -> TensorType:
        """The sizes of the parts."""
        shape: list[int | None] = []
        axes = iter(x.shape)
        used = sum(k not in ("new", "...") for k in self.key)
        for entry in (*self.key, *(() if "..." in self.key else ("...",))):
            if entry == "new":
                shape.append(1)
            elif entry == "...":
                shape.extend(next(axes) for _ in range(x.rank - used))
            else:
                size = next(axes)
                if isinstance(entry, tuple):
                    shape.append(_part(size, entry))
        return x.with_shape(shape)

    @property
    def index(self) -> tuple[Any, ...]:
        """The key as NumPy takes it."""
        names = {"new": None, "...": ...}
        return tuple(
            names[k] if isinstance(k, str) else slice(*k) if isinstance(k, tuple) else k
            for k in self.key
        )


def _part(size: int | None, key: tuple[int | None, ...]) -> int | None:
    if size is not None:
        return len(range(*slice(*key).indices(size)))
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip(Op):
    """Axes backwards.

    Source: keras/src/ops/numpy.py ``flip``, Keras 3.15.

    Attributes:
        axis: which axes, negative from the end; ``None`` for all.
    """

    aliases: ClassVar[bool] = True

    axis: tuple[int, ...] | None = None

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll(Op):
    """Elements moved along axes; what leaves comes in at the other end.

    Source: keras/src/ops/numpy.py ``roll``, Keras 3.15.

    Attributes:
        shift: how far, one number an axis.
        axis: which axes; ``None`` for the flattened value.
    """

    shift: tuple[int, ...]
    axis: tuple[int, ...] | None = None

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class Take(Op):
    """Elements of an axis by number, negative from the end.

    Inputs: x; indices, whole numbers of any shape.
    Source: keras/src/ops/numpy.py ``take``, Keras 3.15.

    Attributes:
        axis: the axis, never negative.
    """

    axis: int

    def infer(self, x: TensorType, indices: TensorType) -> TensorType:
        """The shape of the indices in place of the axis."""
        return x.with_shape((*x.shape[: self.axis], *indices.shape, *x.shape[self.axis + 1 :]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Op):
    """Parts of the value along an axis, each an output.

    Source: keras/src/ops/numpy.py ``split`` and ``array_split``, Keras 3.15.

    Attributes:
        axis: the axis, never negative.
        at: places to cut at, negative from the end.
        sections: number of parts, in place of ``at``.
        uneven: the first of the parts may be longer by one element.
        squeeze: drop the axis, of parts of size 1.
    """

    axis: int
    at: tuple[int, ...] = ()
    sections: int = 0
    uneven: bool = False
    squeeze: bool = False

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        """A type a part."""
        sizes = self._sizes(x.shape[self.axis])
        before, behind = x.shape[: self.axis], x.shape[self.axis + 1 :]
        if self.squeeze:
            return tuple(x.with_shape((*before, *behind)) for _ in sizes)
        return tuple(x.with_shape((*before, n, *behind)) for n in sizes)

    def _sizes(self, size: int | None) -> list[int | None]:
        if not self.sections:
            ends = (*self.at, size)
            return [_between(s, e, size) for s, e in zip((0, *self.at), ends, strict=True)]
        if size is None:
            return [None] * self.sections
        each, more = divmod(size, self.sections)
        if more and not self.uneven:
            raise ValueError(f"{size} elements do not split into {self.sections} equal parts")
        return [each + (i < more) for i in range(self.sections)]


def _between(start: int, stop: int | None, size: int | None) -> int | None:
    """Elements between two places, negative ones from the end of ``size`` elements."""
    if size is not None:
        start, stop = (n if n is None or n >= 0 else n + size for n in (start, stop))  # type: ignore[assignment]
        return (stop or 0) - start
    if stop is None:
        return -start if start < 0 else None
    return stop - start if (start < 0) == (stop < 0) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneHot(Op):
    """A 1 at the place each whole number names, 0 elsewhere, along a new axis.

    Source: keras/src/ops/nn.py ``one_hot``, Keras 3.15.

    Attributes:
        num_classes: size of the new axis.
        axis: where it stands in the output, negative from the end.
        dtype: dtype of the output.
    """

    num_classes: int
    axis: int = -1
    dtype: str = "float32"

    def infer(self, x: TensorType) -> TensorType:
        """The shape of ``x`` with the axis inserted."""
        axis = self.axis % (x.rank + 1)
        shape = (*x.shape[:axis], self.num_classes, *x.shape[axis:])
        return TensorType(shape, self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Triangle(Op):
    """One side of the diagonal of the last two axes, 0 on the other.

    Source: keras/src/ops/numpy.py ``tril`` and ``triu``, Keras 3.15.

    Attributes:
        upper: keep what is above, else what is below.
        k: how far the diagonal is moved.
    """

    upper: bool
    k: int = 0

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather(Op):
    """Elements of an axis by number, for each row by numbers of its own.

    Inputs: x; indices, whole numbers whose first ``batch_dims`` axes are those of x.
    Source: tf.gather, TensorFlow 2.21.

    Attributes:
        axis: the axis, never negative.
        batch_dims: leading axes that are rows.
    """

    axis: int
    batch_dims: int = 0

    def infer(self, x: TensorType, indices: TensorType) -> TensorType:
        """The shape of a row's indices in place of the axis."""
        if not self.batch_dims <= min(self.axis, indices.rank):
            raise ValueError(f"axis {self.axis} is among the first {self.batch_dims}")
        inner = indices.shape[self.batch_dims :]
        return x.with_shape((*x.shape[: self.axis], *inner, *x.shape[self.axis + 1 :]))


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherND(Op):
    """Elements by their places, which stand along the last axis of the indices.

    Inputs: x; indices, whole numbers whose first ``batch_dims`` axes are those of x.
    Source: tf.gather_nd, TensorFlow 2.21.

    Attributes:
        batch_dims: leading axes that are rows.
    """

    batch_dims: int = 0

    def infer(self, x: TensorType, indices: TensorType) -> TensorType:
        """The shape of the indices, then the axes that no place names."""
        named = indices.shape[-1]
        if named is None or self.batch_dims + named > x.rank:
            raise ValueError(f"places of {named} numbers in {x.rank - self.batch_dims} axes")
        return x.with_shape((*indices.shape[:-1], *x.shape[self.batch_dims + named :]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseSequence(Op):
    """The first elements of each row backwards, the others as they are.

    Inputs: x; lengths ``(rows,)``, how many of each row.
    Source: tf.reverse_sequence, TensorFlow 2.21.

    Attributes:
        seq_axis: axis of the elements, never negative.
        batch_axis: axis of the rows, never negative.
    """

    seq_axis: int
    batch_axis: int = 0

    def infer(self, x: TensorType, lengths: TensorType) -> TensorType:
        """The type of ``x``."""
        if lengths.rank != 1 or self.seq_axis == self.batch_axis:
            raise ValueError("a length a row is expected")
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeAlongAxis(Op):
    """Elements of an axis by number, other numbers at each place of the other axes.

    Inputs: x; indices, whole numbers, negative from the end. All axes but one
    broadcast.
    Source: keras/src/backend/tensorflow/numpy.py ``take_along_axis``, Keras 3.15.

    Attributes:
        axis: the axis, never negative.
    """

    axis: int

    def infer(self, x: TensorType, indices: TensorType) -> TensorType:
        """The axis as long as that of the indices."""
        if x.rank != indices.rank:
            raise ValueError(f"ranks {x.rank} and {indices.rank} differ")
        rest = [(*t.shape[: self.axis], *t.shape[self.axis + 1 :]) for t in (x, indices)]
        shape = broadcast_shapes(*rest)
        return x.with_shape((*shape[: self.axis], indices.shape[self.axis], *shape[self.axis :]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Nonzero(Op):
    """Places of what is true or not 0: an output an axis.

    Source: keras/src/backend/tensorflow/numpy.py ``nonzero``, Keras 3.15.
    """

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        """int32 vectors whose length depends on the values."""
        return (TensorType((None,), "int32"),) * x.rank


@dataclass(frozen=True, slots=True, kw_only=True)
class UnravelIndex(Op):
    """Places in a flattened array as places along its axes: an output an axis.

    Of indices that are no vector, Keras on TensorFlow takes the sizes in the
    order of the axes and gives the places in the opposite one; so does this.
    Source: keras/src/backend/tensorflow/numpy.py ``unravel_index``, Keras 3.15.

    Attributes:
        shape: shape of the array.
    """

    shape: tuple[int, ...]

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        """The type of the indices, an axis."""
        return (x,) * len(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgPartition(Op):
    """Places of a vector's elements, those of the smallest first.

    Elements count as whole numbers, and what follows the smallest is ordered
    as Keras on TensorFlow orders it.
    Source: keras/src/backend/tensorflow/numpy.py ``argpartition``, Keras 3.15.

    Attributes:
        kth: the number of elements, less one, that come first.
    """

    kth: int

    def infer(self, x: TensorType) -> TensorType:
        """int32, as long as the vector."""
        if x.rank != 1:
            raise ValueError(f"expects a vector, got {x}")
        return x.with_dtype("int32")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagonal(Op):
    """A diagonal of two axes, as the last axis.

    Source: keras/src/backend/tensorflow/numpy.py ``diagonal``, Keras 3.15.

    Attributes:
        offset: how far it is moved to the right.
        axes: the axis of rows and that of columns, never negative.
    """

    offset: int = 0
    axes: tuple[int, int] = (0, 1)

    def infer(self, x: TensorType) -> TensorType:
        """``(..., n)``."""
        rows, columns = (x.shape[a] for a in self.axes)
        size = None
        if rows is not None and columns is not None:
            below, right = max(-self.offset, 0), max(self.offset, 0)
            size = max(min(rows - below, columns - right), 0)
        rest = tuple(d for i, d in enumerate(x.shape) if i not in self.axes)
        return x.with_shape((*rest, size))


@dataclass(frozen=True, slots=True, kw_only=True)
class Diag(Op):
    """A square matrix with a vector as a diagonal, 0 elsewhere.

    Source: keras/src/backend/tensorflow/numpy.py ``diag``, Keras 3.15.

    Attributes:
        k: how far the diagonal is moved to the right.
    """

    k: int = 0

    def infer(self, x: TensorType) -> TensorType:
        """``(n + |k|, n + |k|)``."""
        (size,) = x.shape
        side = None if size is None else size + abs(self.k)
        return x.with_shape((side, side))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rot90(Op):
    """Quarter turns of the plane of two axes, from the first towards the second.

    Two turns of a plane with unequal sides are what Keras on TensorFlow makes
    of them: it reads the turned rows as rows of the other length.
    Source: keras/src/backend/tensorflow/numpy.py ``rot90``, Keras 3.15.

    Attributes:
        turns: how many, 1 to 3.
        axes: the axes, never negative.
    """

    turns: int = 1
    axes: tuple[int, int] = (0, 1)

    def infer(self, x: TensorType) -> TensorType:
        """The axes exchanged by an odd number of turns."""
        shape, (a, b) = list(x.shape), self.axes
        if self.turns % 2:
            shape[a], shape[b] = shape[b], shape[a]
        return x.with_shape(shape)
