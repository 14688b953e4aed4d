"""Rearranging elements: reshape, permute, pad, crop, repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from layergraph.ir.interpolation import Interpolation, resized_dtype
from layergraph.ir.op import Op
from layergraph.ir.types import Shape, TensorType, numpy_dtype, product


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(Op):
    """Every row several times: ``(batch, features)`` to ``(batch, n, features)``.

    Source: keras/src/layers/reshaping/repeat_vector.py, Keras 3.15.

    Attributes:
        n: how many times.
    """

    n: int

    def infer(self, x: TensorType) -> TensorType:
        """``(batch, n, features)``."""
        if x.rank != 2:
            raise ValueError(f"expects (batch, features), got {x}")
        return x.with_shape((x.shape[0], self.n, x.shape[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pad(Op):
    """Zeros around the spatial axes, channels last.

    Source: keras/src/layers/reshaping/zero_padding2d.py, Keras 3.15.

    Attributes:
        padding: elements before and behind each spatial axis.
    """

    padding: tuple[tuple[int, int], ...]

    def infer(self, x: TensorType) -> TensorType:
        """The spatial axes grown."""
        return x.with_shape(_resized(x.shape, [b + a for b, a in self.padding]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop(Op):
    """Elements cut from the spatial axes, channels last.

    Source: keras/src/layers/reshaping/cropping2d.py, Keras 3.15.

    Attributes:
        cropping: elements cut before and behind each spatial axis.
    """

    aliases: ClassVar[bool] = True

    cropping: tuple[tuple[int, int], ...]

    def infer(self, x: TensorType) -> TensorType:
        """The spatial axes shrunk."""
        shape = _resized(x.shape, [-b - a for b, a in self.cropping])
        if any(d is not None and d <= 0 for d in shape[1:-1]):
            raise ValueError(f"cropping {self.cropping} leaves nothing of {x}")
        return x.with_shape(shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upsample(Op):
    """Each spatial axis made several times as long, channels last.

    Source: keras/src/layers/reshaping/up_sampling2d.py, Keras 3.15.

    Attributes:
        size: factor of each spatial axis.
        interpolation: ``nearest`` repeats, others resample as ``image.Resize``
            does and give float32.
        centred: elements lie in the middle of their cells; without, at the
            beginning, as in TensorFlow 1, and only ``bilinear`` is defined.
            Source: keras/backend/tensorflow_backend.py ``resize_images``, Keras 2.3.1.
    """

    size: tuple[int, ...]
    interpolation: Interpolation = "nearest"
    centred: bool = True

    def infer(self, x: TensorType) -> TensorType:
        """The spatial axes multiplied."""
        inner = [
            None if d is None else d * f for d, f in zip(x.shape[1:-1], self.size, strict=True)
        ]
        dtype = resized_dtype(x.dtype, self.interpolation)
        return TensorType((x.shape[0], *inner, x.shape[-1]), dtype)


def _resized(shape: Shape, change: list[int]) -> Shape:
    inner = [None if d is None else d + c for d, c in zip(shape[1:-1], change, strict=True)]
    return (shape[0], *inner, shape[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatElements(Op):
    """Each element of an axis several times in a row.

    Source: keras/src/ops/numpy.py ``repeat``, Keras 3.15.

    Attributes:
        axis: the axis, batch included, never negative.
        repeats: how many times, one number or one an element.
    """

    axis: int
    repeats: int | tuple[int, ...]

    def infer(self, x: TensorType) -> TensorType:
        """The axis longer."""
        size, times = x.shape[self.axis], self.repeats
        if isinstance(times, tuple) and len(times) > 1:
            longer: int | None = sum(times)
        else:
            each = times[0] if isinstance(times, tuple) else times
            longer = None if size is None else size * each
        return x.with_shape((*x.shape[: self.axis], longer, *x.shape[self.axis + 1 :]))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShape(Op):
    """Another shape, batch included.

    Source: keras/src/ops/numpy.py ``reshape``, Keras 3.15.

    Attributes:
        shape: all dimensions; one may be -1.
    """

    aliases: ClassVar[bool] = True

    shape: tuple[int, ...]

    def infer(self, x: TensorType) -> TensorType:
        """The shape, -1 resolved where the sizes are known."""
        total = product(x.shape)
        known = product([d for d in self.shape if d != -1]) or 0
        rest = None if total is None else total // max(known, 1)
        # Keras itself takes an unknown batch to be what -1 stands for.
        return x.with_shape(tuple(rest if d == -1 else d for d in self.shape))


@dataclass(frozen=True, slots=True, kw_only=True)
class Squeeze(Op):
    """Axes of size 1 gone.

    Source: keras/src/ops/numpy.py ``squeeze``, Keras 3.15.

    Attributes:
        axis: which axes, negative from the end; ``None`` for all of size 1 when it runs, a
            batch of one included.
    """

    aliases: ClassVar[bool] = True

    axis: tuple[int, ...] | None = None

    def infer(self, x: TensorType) -> TensorType:
        """The other axes."""
        gone = squeezed_axes(self, x.shape)
        return x.with_shape(tuple(d for i, d in enumerate(x.shape) if i not in gone))


def squeezed_axes(op: Squeeze, shape: Shape) -> tuple[int, ...]:
    """Axes that go away, never negative."""
    if op.axis is None:
        return tuple(i for i, d in enumerate(shape) if d == 1)
    return tuple(a % len(shape) for a in op.axis)


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastTo(Op):
    """The value repeated along axes of size 1 and new leading ones.

    Source: keras/src/ops/numpy.py ``broadcast_to``, Keras 3.15.

    Attributes:
        shape: all dimensions.
    """

    shape: tuple[int, ...]

    def infer(self, x: TensorType) -> TensorType:
        """The shape."""
        return x.with_shape(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile(Op):
    """The whole value several times along each axis.

    Source: keras/src/ops/numpy.py ``tile``, Keras 3.15.

    Attributes:
        repeats: how often along each axis, counted from the last.
    """

    repeats: tuple[int, ...]

    def infer(self, x: TensorType) -> TensorType:
        """Each size multiplied."""
        rank = max(x.rank, len(self.repeats))
        shape = (1,) * (rank - x.rank) + x.shape
        times = (1,) * (rank - len(self.repeats)) + self.repeats
        return x.with_shape(
            tuple(None if d is None else d * t for d, t in zip(shape, times, strict=True))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PadAll(Op):
    """Elements around any axes.

    Inputs: x; the constant, a number, optional.
    Source: keras/src/ops/numpy.py ``pad``, Keras 3.15.

    Attributes:
        pad_width: elements before and behind each axis, batch included.
        mode: what they are.
        value: the constant, where no input says it.
    """

    pad_width: tuple[tuple[int, int], ...]
    mode: Literal["constant", "reflect", "symmetric"] = "constant"
    value: float = 0.0

    def infer(self, x: TensorType, value: TensorType | None = None) -> TensorType:
        """The axes grown."""
        return x.with_shape(
            tuple(
                None if d is None else d + before + behind
                for d, (before, behind) in zip(x.shape, self.pad_width, strict=True)
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rearrange(Op):
    """Axes split, reordered and joined as a pattern says.

    Source: keras/src/ops/einops.py ``rearrange``, Keras 3.15.

    Attributes:
        source: names of the axes in each axis of x; several are split from it.
        target: names of the axes in each axis of the result, joined.
        sizes: sizes of named axes.
    """

    source: tuple[tuple[str, ...], ...]
    target: tuple[tuple[str, ...], ...]
    sizes: tuple[tuple[str, int], ...] = ()

    def infer(self, x: TensorType) -> TensorType:
        """Sizes joined where they are known."""
        sizes = self.axes(x.shape)
        return x.with_shape(tuple(product([sizes[n] for n in names]) for names in self.target))

    def axes(self, shape: Shape) -> dict[str, int | None]:
        """Size of each named axis for a shape of x.

        Raises:
            ValueError: the pattern does not fit the shape.
        """
        given = dict(self.sizes)
        names = [n for group in self.source for n in group]
        if len(shape) != len(self.source):
            raise ValueError(f"the pattern has {len(self.source)} axes")
        if sorted(names) != sorted(n for group in self.target for n in group):
            raise ValueError("the pattern has other axes on its two sides")
        found: dict[str, int | None] = {}
        for group, size in zip(self.source, shape, strict=True):
            unknown = [n for n in group if n not in given]
            rest = product([given[n] for n in group if n in given]) or 1
            found.update({n: given[n] for n in group if n in given})
            if len(unknown) > 1 or (size is not None and size % rest):
                raise ValueError(f"the pattern does not split an axis of {size} elements")
            found.update(dict.fromkeys(unknown, None if size is None else size // rest))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Op):
    """The bytes of the value read as another dtype; the last axis takes up the difference.

    Source: keras/src/backend/tensorflow/numpy.py ``view``, Keras 3.15.

    Attributes:
        dtype: the other dtype.
    """

    dtype: str

    def infer(self, x: TensorType) -> TensorType:
        """The last axis longer or shorter."""
        before, after = (numpy_dtype(d).itemsize for d in (x.dtype, self.dtype))
        if before == after:
            return x.with_dtype(self.dtype)
        size = x.shape[-1]
        if size is not None and size * before % after:
            raise ValueError(f"{size} elements of {x.dtype} are no whole number of {self.dtype}")
        last = None if size is None else size * before // after
        return TensorType((*x.shape[:-1], last), self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size(Op):
    """The number of elements.

    Source: keras/src/backend/tensorflow/numpy.py ``size``, Keras 3.15.
    """

    def infer(self, x: TensorType) -> TensorType:
        """A number, int32."""
        return TensorType((), "int32")
