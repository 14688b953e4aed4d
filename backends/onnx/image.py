"""Operators on images ``(batch, height, width, channels)``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layergraph.backends.numpy.image import _in_proportion as in_proportion
from layergraph.backends.numpy.resampling import _centres as centres
from layergraph.backends.numpy.resampling import resampler
from layergraph.backends.onnx.table import RefusedError, Spellings
from layergraph.backends.onnx.values import Tensor, View, channels_first
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.interpolation import Interpolation, resized_dtype
from layergraph.ir.ops.image import (
    SSIM,
    CenterCrop,
    ConvertColors,
    Frame,
    Grayscale,
    Homography,
    MapCoordinates,
    Patches,
    ProjectiveTransform,
    Resize,
    ScaleAndTranslate,
)

spellings = Spellings()


def resized(
    w: Writer,
    x: Tensor,
    size: Sequence[int | None],
    interpolation: Interpolation,
    antialias: bool = False,
    factors: Sequence[int] | None = None,
) -> View:
    """Spatial axes brought to a size, or made longer by factors where it is not known.

    ``Resize`` for nearest and bilinear; the others, whose weights ONNX defines otherwise
    than TensorFlow, are products with the weights where the sizes are known.
    """
    dtype = resized_dtype(x.dtype, interpolation)
    axes = channels_first(x.rank)
    name = w.first(w.as_dtype(x, dtype))
    known = None not in (*x.type.shape[1:-1], *size)
    if interpolation == "bilinear" and not antialias and not x.type.is_float and known:
        return View(_between(w, name, x.type.shape[1:-1], size), axes)
    if interpolation in ("nearest", "bilinear") and not antialias:
        return View(_resize(w, name, size, interpolation, factors), axes)
    spatial = x.type.shape[1:-1]
    if not known:
        raise RefusedError(
            f"interpolation {interpolation!r} needs sizes known in advance",
            "give the model's input a fixed height and width",
        )
    for axis, (given, wanted) in enumerate(zip(spatial, size, strict=True)):
        along = resampler(given or 0, wanted or 0, interpolation, antialias)
        eye = np.eye(given or 0, dtype=np.float32)[None]
        matrix = along(eye)[0].astype(np.float32)
        if axis == len(size) - 1:
            name = w.op("MatMul", name, w.array(np.ascontiguousarray(matrix.T), "weights"))
        else:
            name = w.op("MatMul", w.array(matrix, "weights"), name)
    return View(name, axes)


def _between(w: Writer, x: str, spatial: Sequence[int | None], size: Sequence[int | None]) -> str:
    """Bilinear step by step as TensorFlow computes it: rounded to whole numbers, the last
    bit shows."""
    for axis in reversed(range(len(size))):
        given, wanted = spatial[axis] or 0, size[axis] or 0
        at = centres(given, wanted)
        low = np.floor(at)
        first = np.maximum(low, 0).astype(np.int64)
        second = np.minimum(np.ceil(at), given - 1).astype(np.int64)
        weight = (at - low).reshape(-1, *(1,) * (len(size) - axis - 1))
        left, right = (w.op("Gather", x, w.array(i), axis=axis + 2) for i in (first, second))
        x = w.op("Add", w.op("Mul", w.op("Sub", right, left), w.array(weight, "weights")), left)
    return x


def _resize(
    w: Writer,
    x: str,
    size: Sequence[int | None],
    interpolation: Interpolation,
    factors: Sequence[int] | None,
) -> str:
    name: str
    how: dict[str, Any] = {
        "mode": "nearest" if interpolation == "nearest" else "linear",
        "coordinate_transformation_mode": "half_pixel",
        "nearest_mode": "round_prefer_ceil" if interpolation == "nearest" else None,
    }
    if factors is not None:
        scales = np.array([1, 1, *factors], np.float32)
        name = w.op("Resize", x, None, scales, **how)
        return name
    lead = w.op("Slice", w.op("Shape", x), w.ints(0), w.ints(2))
    sizes = w.op("Concat", lead, w.ints(*(n or 0 for n in size)), axis=0)
    name = w.op("Resize", x, None, None, sizes, **how)
    return name


@spellings.spells(Resize)
def resize(w: Writer, op: Resize, x: Tensor) -> View:
    """Fit the aspect ratio, then resample."""
    if op.fit == "crop":
        x = _cropped(w, x, op.size)
    elif op.fit == "pad":
        x = _padded(w, x, op.size, op.fill_value)
    return resized(w, x, op.size, op.interpolation, op.antialias)


def _shape(x: Tensor, what: str) -> tuple[int, ...]:
    """Sizes of an image, the batch aside."""
    batch, *rest = x.type.shape
    if None in rest[:2]:
        raise RefusedError(
            f"{what} needs sizes known in advance",
            "give the model's input a fixed height and width",
        )
    return (batch or 1, *(d or 0 for d in rest))


def _held(x: Tensor, view: View, size: Sequence[int]) -> Tensor:
    shape = (x.type.shape[0], *size, x.type.shape[-1])
    return Tensor(x.type.with_shape(shape), {view.axes: view.name})


def _cut(w: Writer, x: Tensor, starts: Sequence[int], sizes: Sequence[int]) -> Tensor:
    axes = x.native
    places = [axes.index(1), axes.index(2)]
    ends = [s + n for s, n in zip(starts, sizes, strict=True)]
    name = w.op("Slice", x.views[axes], w.ints(*starts), w.ints(*ends), w.ints(*places))
    return _held(x, View(name, axes), sizes)


def _cropped(w: Writer, x: Tensor, size: tuple[int, int]) -> Tensor:
    shape = _shape(x, "cropping to an aspect ratio")
    wanted = in_proportion(shape, size)
    sizes = [max(min(n, s), 1) for n, s in zip(shape[1:3], wanted, strict=True)]
    starts = [(n - s) // 2 for n, s in zip(shape[1:3], sizes, strict=True)]
    return _cut(w, x, starts, sizes)


def _padded(w: Writer, x: Tensor, size: tuple[int, int], value: float) -> Tensor:
    shape = _shape(x, "padding to an aspect ratio")
    wanted = in_proportion(shape, size)
    ends = [max(s - n, 0) // 2 for n, s in zip(shape[1:3], wanted, strict=True)]
    grown = [n + 2 * e for n, e in zip(shape[1:3], ends, strict=True)]
    return _framed(w, x, [(e, e) for e in ends], grown, value)


def _framed(
    w: Writer, x: Tensor, ends: Sequence[tuple[int, int]], grown: Sequence[int], value: float = 0
) -> Tensor:
    axes = x.native
    whole = [(0, 0), *ends, (0, 0)]
    amounts = [whole[a][0] for a in axes] + [whole[a][1] for a in axes]
    number = w.number(value, x.dtype) if value else None
    name = w.op("Pad", x.views[axes], w.ints(*amounts), number)
    return _held(x, View(name, axes), grown)


def _as_view(x: Tensor) -> View:
    return View(x.views[x.native], x.native)


@spellings.spells(CenterCrop)
def center_crop(w: Writer, op: CenterCrop, x: Tensor) -> View:
    """The middle, or the resized middle of its shape."""
    shape = _shape(x, "a crop of the centre")
    spare = [n - s for n, s in zip(shape[1:3], op.size, strict=True)]
    if min(spare) < 0:
        found = resized(w, _cropped(w, x, op.size), op.size, "bilinear")
        return View(w.cast(found.name, "float32", x.dtype), found.axes)
    return _as_view(_cut(w, x, [s // 2 for s in spare], op.size))


@spellings.spells(Frame)
def frame(w: Writer, op: Frame, x: Tensor) -> View:
    """A ``Pad``, whose negative amounts cut."""
    shape = _shape(x, "a frame")
    ends = [op.ends(axis, n) for axis, n in enumerate(shape[1:3])]
    grown = [n + b + a for n, (b, a) in zip(shape[1:3], ends, strict=True)]
    return _as_view(_framed(w, x, ends, grown))


@spellings.spells(Patches)
def patches(w: Writer, op: Patches, x: Tensor) -> View:
    """A ``Conv`` that picks each element of the window into a channel of its own."""
    from layergraph.backends.onnx.convolution import padded, windowed

    channels = x.type.shape[-1]
    if channels is None:
        raise RefusedError("the number of channels is not known")
    elements = int(np.prod(op.size)) * channels
    dtype = x.dtype if x.type.is_float else "float32"
    weight = np.eye(elements, dtype=dtype).reshape(elements, *op.size, channels)
    name = w.op(
        "Conv",
        windowed(w, w.as_dtype(x, dtype), op.size, op.strides, op.padding, op.dilation_rate),
        w.array(np.moveaxis(weight, -1, 1), "windows"),
        kernel_shape=op.size,
        strides=op.strides,
        dilations=op.dilation_rate,
        **padded(x.type.shape[1:-1], op.size, op.strides, op.padding, op.dilation_rate),
    )
    return View(w.cast(name, dtype, x.dtype), channels_first(x.rank))


@spellings.spells(Grayscale)
def grayscale(w: Writer, op: Grayscale, x: Tensor) -> str:
    """A product with the brightness of each colour."""
    dtype = x.dtype if x.type.is_float else "float32"
    weights = np.array([[0.2989], [0.5870], [0.1140]], dtype)
    name = w.op("MatMul", w.as_dtype(x, dtype), w.array(weights, "brightness"))
    return w.cast(name, dtype, x.dtype)


REFUSED: dict[Any, str] = {
    ConvertColors: "it has no operator for colour spaces",
    Homography: "it has no operator that solves linear equations",
    MapCoordinates: "it has no operator that reads between elements of any rank",
    ProjectiveTransform: "its GridSample borders differ from TensorFlow's",
    ScaleAndTranslate: "it resamples by sizes, not by a computed scale and shift",
    SSIM: "it has no operator for structural similarity",
}
for _op, _reason in REFUSED.items():
    spellings.refuses(_op, _reason)
