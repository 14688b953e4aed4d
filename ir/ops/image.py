"""Operators on images ``(batch, height, width, channels)``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layergraph.ir.interpolation import Interpolation, resized_dtype
from layergraph.ir.op import Op
from layergraph.ir.types import TensorType, promote
from layergraph.ir.windows import Padding, output_sizes

FillMode = Literal["constant", "nearest", "wrap", "reflect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize(Op):
    """Images brought to a size.

    Inputs: x ``(batch, height, width, channels)``.
    Output: ``(batch, *size, channels)``, float32 unless ``nearest``.
    Source: tf.image.resize with half-pixel centres, TensorFlow 2.21, as
    keras/src/backend/tensorflow/image.py ``resize``, Keras 3.15, calls it.

    Attributes:
        size: new height and width.
        interpolation: ``nearest`` takes the element whose cell the new centre
            lies in, ``bilinear`` and ``bicubic`` interpolate between centres,
            ``area`` averages, the others weigh by a kernel of that name.
        antialias: widen the kernel by the factor an axis shrinks by.
        fit: what becomes of another aspect ratio: stretch the image, crop its
            longer axis first, or pad its shorter one first.
        fill_value: what it is padded with.
    """

    size: tuple[int, int]
    interpolation: Interpolation = "bilinear"
    antialias: bool = False
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    fill_value: float = 0.0

    def infer(self, x: TensorType) -> TensorType:
        """The spatial axes replaced."""
        batch, _, _, channels = x.shape
        dtype = resized_dtype(x.dtype, self.interpolation)
        return TensorType((batch, *self.size, channels), dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class CenterCrop(Op):
    """The middle of images; smaller ones are cropped to its shape, then resized.

    Inputs: x ``(batch, height, width, channels)``.
    Output: ``(batch, *size, channels)``.
    Source: keras/src/layers/preprocessing/image_preprocessing/center_crop.py,
    Keras 3.15.

    Attributes:
        size: new height and width.
    """

    size: tuple[int, int]

    def infer(self, x: TensorType) -> TensorType:
        """The spatial axes replaced."""
        batch, _, _, channels = x.shape
        return x.with_shape((batch, *self.size, channels))


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame(Op):
    """Zeros around images, or images cut, to a size known on one side.

    Inputs: x ``(batch, height, width, channels)``.
    Output: ``(batch, new height, new width, channels)``.
    Source: keras/src/ops/image.py ``PadImages`` and ``CropImages``, Keras 3.15.

    Attributes:
        before, behind: elements added (negative: cut) at either end of each
            axis; one of an axis may be ``None``: what the size leaves.
        size: new height and width; ``None`` where both ends are given.
    """

    before: tuple[int | None, int | None]
    behind: tuple[int | None, int | None]
    size: tuple[int | None, int | None]

    def infer(self, x: TensorType) -> TensorType:
        """The spatial axes replaced."""
        inner = tuple(
            size if size is not None else None if n is None else n + (b or 0) + (a or 0)
            for n, b, a, size in zip(x.shape[1:3], self.before, self.behind, self.size, strict=True)
        )
        for axis, (n, size) in enumerate(zip(x.shape[1:3], inner, strict=True)):
            if n is not None and size is not None:
                self.ends(axis, n)
        return x.with_shape((x.shape[0], *inner, x.shape[-1]))

    def ends(self, axis: int, given: int) -> tuple[int, int]:
        """Elements added at either end of one axis.

        Raises:
            ValueError: an end would both grow and shrink, or nothing be left.
        """
        before, behind, size = self.before[axis], self.behind[axis], self.size[axis]
        if before is None:
            before = (size or 0) - given - (behind or 0)
        elif behind is None:
            behind = (size or 0) - given - before
        behind = behind or 0
        if min(before, behind) < 0 < max(before, behind) or given + before + behind < 0:
            raise ValueError(f"axis {axis + 1} of {given} elements does not fit {self}")
        return before, behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Patches(Op):
    """Every window of an image as one row: its elements, channels last.

    Inputs: x ``(batch, *spatial, channels)``.
    Output: ``(batch, *windows, prod(size) * channels)``.
    Source: keras/src/ops/image.py ``ExtractPatches``, Keras 3.15.

    Attributes:
        size, strides, dilation_rate: one number a spatial axis.
        padding: ``same`` puts the odd element behind.
    """

    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]
    padding: Padding = "valid"

    def infer(self, x: TensorType) -> TensorType:
        """``(batch, *windows, elements)``."""
        windows = output_sizes(
            x.shape[1:-1], self.size, self.strides, self.padding, self.dilation_rate
        )
        depth = x.shape[-1]
        for n in self.size:
            depth = None if depth is None else depth * n
        return x.with_shape((x.shape[0], *windows, depth))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectiveTransform(Op):
    """Each output pixel read at a projective transform of its place.

    Inputs: x ``(batch, height, width, channels)``; transform ``(batch or 1, 8)``:
    ``a0 a1 a2 b0 b1 b2 c0 c1`` reads at ``((a0 x + a1 y + a2) / k,
    (b0 x + b1 y + b2) / k)`` with ``k = c0 x + c1 y + 1``.
    Output: as x.
    Source: keras/src/backend/tensorflow/image.py ``affine_transform``, Keras
    3.15, and TensorFlow 2.21's ImageProjectiveTransformV3.

    Attributes:
        interpolation: nearest element, or between the four around.
        fill_mode: what lies outside the image.
        fill_value: the constant.
    """

    interpolation: Literal["nearest", "bilinear"] = "bilinear"
    fill_mode: FillMode = "constant"
    fill_value: float = 0.0

    def infer(self, x: TensorType, transform: TensorType) -> TensorType:
        """The type of ``x``."""
        if transform.rank != 2 or transform.shape[1] != 8:
            raise ValueError(f"expects transforms of 8 numbers, got {transform}")
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class Homography(Op):
    """The projective transforms that take end points to start points.

    Inputs: start, end ``(batch, 4, 2)``, each point ``(x, y)``.
    Output: ``(batch, 8)``, as ``ProjectiveTransform`` reads them.
    Source: keras/src/backend/tensorflow/image.py ``compute_homography_matrix``,
    Keras 3.15.
    """

    def infer(self, start: TensorType, end: TensorType) -> TensorType:
        """``(batch, 8)``."""
        if start.shape[1:] != (4, 2) or end.shape[1:] != (4, 2):
            raise ValueError(f"expects four points twice, got {start} and {end}")
        return TensorType((start.shape[0], 8), "float32")


@dataclass(frozen=True, slots=True, kw_only=True)
class MapCoordinates(Op):
    """Elements read at coordinates.

    Inputs: x, any shape; coordinates ``(rank of x, *places)``.
    Output: ``places``, dtype of x.
    Source: keras/src/backend/tensorflow/image.py ``map_coordinates``, Keras 3.15.

    Attributes:
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: what lies outside.
        fill_value: the constant.
    """

    order: Literal[0, 1]
    fill_mode: Literal["constant", "nearest", "wrap", "mirror", "reflect"] = "constant"
    fill_value: float = 0.0

    def infer(self, x: TensorType, coordinates: TensorType) -> TensorType:
        """``places``."""
        if coordinates.shape[0] != x.rank:
            raise ValueError(f"{coordinates.shape[0]} coordinates for {x.rank} axes")
        return x.with_shape(coordinates.shape[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleAndTranslate(Op):
    """Axes resampled by a scale and a shift; what lies outside is 0.

    Inputs: x, any shape; scale, translation ``(resampled axes,)``.
    Output: ``output_shape``, dtype of x.
    Source: keras/src/backend/tensorflow/image.py ``scale_and_translate``,
    Keras 3.15.

    Attributes:
        output_shape: all dimensions, ``None`` for those of x.
        axes: the axes resampled.
        method: the kernel that weighs.
        antialias: widen the kernel where an axis shrinks.
    """

    output_shape: tuple[int | None, ...]
    axes: tuple[int, ...]
    method: Literal["linear", "cubic", "lanczos3", "lanczos5"]
    antialias: bool = True

    def infer(self, x: TensorType, scale: TensorType, translation: TensorType) -> TensorType:
        """``output_shape``."""
        axes = {a % x.rank for a in self.axes}
        return x.with_shape(
            tuple(
                n if i in axes else d
                for i, (n, d) in enumerate(zip(self.output_shape, x.shape, strict=True))
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SSIM(Op):
    """Structural similarity of two batches of images, 1 for equal ones.

    Inputs: x1, x2 ``(batch, height, width, channels)``.
    Parameters: window ``(filter_size,)``, the Gaussian weights along an axis.
    Output: ``(batch,)``.
    Source: keras/src/ops/image.py ``_ssim``, Keras 3.15.

    Attributes:
        c1, c2: what keeps the quotients of means and variances finite.
    """

    c1: float
    c2: float

    def infer(self, x1: TensorType, x2: TensorType, *, window: TensorType) -> TensorType:
        """``(batch,)``."""
        size = window.shape[0] or 0
        if any(d is not None and d < size for d in x1.shape[1:3]):
            raise ValueError(f"a window of {size} does not fit {x1}")
        return TensorType(x1.shape[:1], promote(x1.dtype, window.dtype))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grayscale(Op):
    """Red, green and blue as one brightness.

    Inputs: x ``(..., 3)``.
    Output: ``(..., 1)``; whole numbers are cut, not rounded.
    Source: keras/src/backend/tensorflow/image.py ``rgb_to_grayscale``, Keras 3.15.
    """

    def infer(self, x: TensorType) -> TensorType:
        """One channel."""
        _need_colors(x)
        return x.with_shape((*x.shape[:-1], 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertColors(Op):
    """Red, green and blue in [0, 1] as hue, saturation and value, or back.

    Inputs: x ``(..., 3)``.
    Output: as x.
    Source: tf.image.rgb_to_hsv and tf.image.hsv_to_rgb, TensorFlow 2.21.

    Attributes:
        to: what the result is.
    """

    to: Literal["hsv", "rgb"]

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        _need_colors(x)
        return x


def _need_colors(x: TensorType) -> None:
    if x.shape[-1] not in (None, 3):
        raise ValueError(f"expects 3 channels, got {x}")
