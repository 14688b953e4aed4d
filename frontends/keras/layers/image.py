"""Layers and operations on images."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from layergraph.frontends.keras.casting import compute_dtype
from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.data_format import channels_first, to_first, to_last
from layergraph.frontends.keras.operands import numbers, operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.interpolation import Interpolation, resized_dtype
from layergraph.ir.op import Op
from layergraph.ir.ops.convolution import DepthwiseConv
from layergraph.ir.ops.elementwise import Cast, Clip, Math
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
from layergraph.ir.ops.indexing import Slice
from layergraph.ir.ops.merge import Stack
from layergraph.ir.ops.shape import ExpandDims, Identity, PadAll, Squeeze, Transpose
from layergraph.ir.types import FLOATS, Array, largest

INTERPOLATIONS = get_args(Interpolation)


def as_computed(call: LayerCall, x: Tensor) -> Tensor:
    """The input in the dtype the layer computes in: bytes become floats."""
    wanted = compute_dtype(call.layer) or x.type.dtype
    return x if x.type.dtype == wanted else call.emit(Cast(dtype=wanted), x, part="float")


def image_input(call: LayerCall, x: Tensor, rank: int = 2, part: str = "") -> tuple[Tensor, Any]:
    """A batch of images with channels last, and the steps that undo it on the output.

    A tensor of one axis less is a single image to Keras, whose own batch axis
    is its height.
    """
    part = f"{part}_" if part else ""
    back: list[Op] = []
    first = channels_first(call)
    if len(x.shape) == rank + 1:
        x = call.emit(ExpandDims(axis=0), x, part=f"{part}batch")
        back = [Squeeze(axis=(0,))]
    if len(x.shape) != rank + 2:
        raise call.refusal(f"it expects {rank + 2} axes, its input has {len(x.shape)}")
    if not first:
        return x, back
    return call.emit(to_last(rank), x, part=f"{part}channels_last"), [to_first(rank), *back]


def interpolation_of(call: LayerCall, default: Interpolation = "bilinear") -> Interpolation:
    """How the layer resizes; Keras 2 does not mind capitals."""
    found = call.config.text("interpolation", default).lower()
    if found not in INTERPOLATIONS:
        raise call.refusal(f"interpolation={found!r} is not one of {', '.join(INTERPOLATIONS)}")
    return found  # type: ignore[return-value]


def as_given(dtype: str, interpolation: Interpolation) -> list[Op]:
    """What brings a resized image back to the dtype it had.

    Source: keras/src/ops/image.py ``_resize`` and keras/src/ops/core.py
    ``_saturate_cast``, Keras 3.15.
    """
    if resized_dtype(dtype, interpolation) == dtype:
        return []
    if dtype in FLOATS:
        limit = min(largest(dtype), largest("float32"))
        return [Clip(low=-limit, high=limit), Cast(dtype=dtype)]
    low, high = (np.float32(v) for v in (np.iinfo(dtype).min, np.iinfo(dtype).max))
    if int(high) > np.iinfo(dtype).max:
        high = np.nextafter(high, np.float32(0))
    return [Math(kind="round"), Clip(low=float(low), high=float(high)), Cast(dtype=dtype)]


def _resize(call: LayerCall, size: tuple[int, int]) -> Tensor:
    """What the layer and the operation share."""
    config, x = call.config, call.input()
    kind = interpolation_of(call)
    crop, pad = (config.bool(f"{n}_to_aspect_ratio", False) for n in ("crop", "pad"))
    config.choice("fill_mode", ("constant",), "constant")
    x, back = image_input(call, x)
    # Keras 3 gives bytes back for bytes; Keras 2 says so when it does not.
    floats = config.bool("float_output", False)
    if floats and kind == "nearest":
        x = as_computed(call, x)
    op = Resize(
        size=size,
        interpolation=kind,
        antialias=config.bool("antialias", False),
        fit="crop" if crop else "pad" if pad else "stretch",
        fill_value=config.float("fill_value", 0.0),
    )
    wanted = compute_dtype(call.layer) if floats else x.type.dtype
    steps = as_given(wanted or "float32", kind)
    return call.emit(op, x, then=[*steps, *back])


@reads("Resizing")
def resizing(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/image_preprocessing/resizing.py."""
    call.config.ignore("bounding_box_format")
    return _resize(call, (call.config.int("height"), call.config.int("width")))


@reads("ops.Resize", arguments=("images",))
def resize_operation(call: LayerCall) -> Tensor:
    """keras/src/ops/image.py ``Resize``."""
    height, width = call.config.ints("size", 2)
    return _resize(call, (height, width))


@reads("CenterCrop")
def center_crop(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/image_preprocessing/center_crop.py."""
    call.config.ignore("bounding_box_format")
    x, back = image_input(call, as_computed(call, call.input()))
    size = (call.config.int("height"), call.config.int("width"))
    return call.emit(CenterCrop(size=size), x, then=back)


@reads("ops.PadImages", "ops.CropImages", arguments=("images",))
def frame(call: LayerCall) -> Tensor:
    """keras/src/ops/image.py ``PadImages`` and ``CropImages``."""
    config, cut = call.config, call.spec.class_name == "CropImages"
    x, back = image_input(call, call.input())

    def amounts(*sides: str) -> tuple[int | None, int | None]:
        found = [config.take(f"{s}_{'cropping' if cut else 'padding'}", None) for s in sides]
        first, second = (None if v is None else -v if cut else v for v in found)
        return first, second

    op = Frame(
        before=amounts("top", "left"),
        behind=amounts("bottom", "right"),
        size=(config.take("target_height", None), config.take("target_width", None)),
    )
    return call.emit(op, x, then=back)


@reads("ops.RGBToGrayscale", "ops.RGBToHSV", "ops.HSVToRGB", arguments=("images",))
def colors(call: LayerCall) -> Tensor:
    """keras/src/ops/image.py ``RGBToGrayscale``, ``RGBToHSV`` and ``HSVToRGB``."""
    x, back = image_input(call, call.input())
    op: Op = Identity()
    if call.spec.class_name != "RGBToGrayscale":
        op = ConvertColors(to="hsv" if call.spec.class_name == "RGBToHSV" else "rgb")
    elif x.shape[-1] != 1:
        op = Grayscale()
    return call.emit(op, x, then=back)


@reads("ops.ExtractPatches", arguments=("images",))
def extract_patches(call: LayerCall) -> Tensor:
    """keras/src/ops/image.py ``ExtractPatches``, of images and volumes."""
    size = numbers(call.config.take("size"))
    size = size * 2 if len(size) == 1 else size
    rank = len(size)
    strides = call.config.take("strides", None) or size
    x, back = image_input(call, call.input(), rank)
    op = Patches(
        size=size,
        strides=_each(strides, rank),
        dilation_rate=_each(call.config.take("dilation_rate", 1), rank),
        padding=call.config.choice("padding", ("valid", "same"), "valid"),
    )
    return call.emit(op, x, then=back)


def _each(value: Any, rank: int) -> tuple[int, ...]:
    found = numbers(value)
    return found * rank if len(found) == 1 else found


# --- pixels read elsewhere -------------------------------------------------------------


def _batched(call: LayerCall, x: Tensor, rank: int, part: str) -> Tensor:
    """One of something as a batch of one."""
    return x if len(x.shape) == rank else call.emit(ExpandDims(axis=0), x, part=part)


def _transformed(call: LayerCall, transform: Tensor, fill_mode: Any) -> Tensor:
    (images,) = operands(call, "images")
    x, back = image_input(call, images)
    op = ProjectiveTransform(
        interpolation=call.config.choice("interpolation", ("nearest", "bilinear"), "bilinear"),
        fill_mode=fill_mode,
        fill_value=call.config.float("fill_value", 0),
    )
    return call.emit(op, x, transform, then=back)


@reads("ops.AffineTransform", arguments=("images", "transform"))
def affine_transform(call: LayerCall) -> Tensor:
    """keras/src/ops/image.py ``AffineTransform``."""
    modes = ("constant", "nearest", "wrap", "reflect")
    (transform,) = operands(call, "transform")
    transform = _batched(call, transform, 2, "transforms")
    return _transformed(call, transform, call.config.choice("fill_mode", modes, "constant"))


@reads("ops.PerspectiveTransform", arguments=("images", "start_points", "end_points"))
def perspective_transform(call: LayerCall) -> Tensor:
    """keras/src/ops/image.py ``PerspectiveTransform``."""
    start, end = (
        _batched(call, points, 3, f"{name}_batch")
        for name, points in zip(
            ("start", "end"), operands(call, "start_points", "end_points"), strict=True
        )
    )
    return _transformed(call, call.emit(Homography(), start, end, part="transform"), "constant")


@reads("ops.MapCoordinates", arguments=("inputs", "coordinates"))
def map_coordinates(call: LayerCall) -> Tensor:
    """keras/src/ops/image.py ``MapCoordinates``."""
    modes = ("constant", "nearest", "wrap", "mirror", "reflect")
    op = MapCoordinates(
        order=call.config.choice("order", (0, 1)),  # type: ignore[arg-type]
        fill_mode=call.config.choice("fill_mode", modes, "constant"),
        fill_value=call.config.float("fill_value", 0),
    )
    return call.emit(op, *operands(call, "inputs", "coordinates"))


METHODS = {
    **dict.fromkeys(("linear", "bilinear", "trilinear", "triangle"), "linear"),
    **dict.fromkeys(("cubic", "bicubic", "tricubic"), "cubic"),
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}


@reads("ops.ScaleAndTranslate", arguments=("images", "output_shape", "scale", "translation"))
def scale_and_translate(call: LayerCall) -> Tensor:
    """keras/src/ops/image.py ``ScaleAndTranslate``."""
    images, scale, translation = operands(call, "images", "scale", "translation")
    shape = numbers(call.argument("output_shape"))
    if not all(d is None or isinstance(d, (int, np.integer)) for d in shape):
        raise call.refusal("its output_shape depends on a tensor, which is not supported")
    method = call.config.choice("method", tuple(METHODS))
    op = ScaleAndTranslate(
        output_shape=tuple(None if d is None else int(d) for d in shape),
        axes=numbers(call.config.take("spatial_dims")),
        method=METHODS[method],  # type: ignore[arg-type]
        antialias=call.config.bool("antialias", True),
    )
    return call.emit(op, images, scale, translation)


# --- filters ---------------------------------------------------------------------------


def _bell(size: int, sigma: float, dtype: str) -> Array:
    """A Gaussian of so many weights that sum to 1."""
    x = (np.arange(size) - (size - 1) / 2).astype(dtype)
    weights: Array = np.exp(-0.5 * (x / np.dtype(dtype).type(sigma)) ** 2)
    return np.asarray(weights / weights.sum())


def _filtered(call: LayerCall, x: Tensor, kernel: Array, padding: Any, part: str = "") -> Tensor:
    """Every channel convolved with the kernels ``(height, width, multiplier)``."""
    channels = x.shape[-1]
    if channels is None:
        raise call.refusal("its input has an unknown number of channels")
    kernel = np.repeat(kernel[:, :, None], channels, axis=2)
    op = DepthwiseConv(strides=(1, 1), dilation_rate=(1, 1), padding=padding)
    return call.emit(op, x, params={"kernel": kernel}, part=part)


@reads("ops.GaussianBlur", arguments=("images",))
def gaussian_blur(call: LayerCall) -> Tensor:
    """keras/src/backend/tensorflow/image.py ``gaussian_blur``: the kernel of an
    oblong window is the transposed one, reshaped."""
    x, back = image_input(call, call.input())
    size = _each(call.config.take("kernel_size", (3, 3)), 2)
    sigma = numbers(call.config.take("sigma", (1.0, 1.0)))
    sigma = sigma * 2 if len(sigma) == 1 else sigma
    across, down = (_bell(n, s, x.type.dtype) for n, s in zip(size, sigma, strict=True))
    kernel = np.outer(down, across).reshape(*size, 1)
    if not back:
        return _filtered(call, x, kernel, "same")
    blurred = _filtered(call, x, kernel, "same", "blurred")
    return call.emit(back[0], blurred, then=back[1:])


@reads("ops.SobelEdges", arguments=("images",))
def sobel_edges(call: LayerCall) -> Tensor:
    """keras/src/backend/tensorflow/image.py ``sobel_edges``: slopes down and across."""
    x, back = image_input(call, call.input())
    down = np.outer([-1, 0, 1], [1, 2, 1])
    kernel = np.stack([down, down.T], -1).astype(x.type.dtype)
    padded = call.emit(
        PadAll(pad_width=((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect"), x, part="padded"
    )
    edges = _filtered(call, padded, kernel, "valid", "edges")
    slopes = [
        call.emit(Slice(key=("...", (i, None, 2))), edges, part=part)
        for i, part in enumerate(("down", "across"))
    ]
    back = [Transpose(axes=(0, 3, 1, 2, 4))] if back else []
    return call.emit(Stack(axis=-1), *slopes, then=back)


@reads("ops.SSIM", arguments=("image1", "image2"))
def ssim(call: LayerCall) -> Tensor:
    """keras/src/ops/image.py ``SSIM``."""
    config = call.config
    pair = [
        image_input(call, x, part=name)
        for name, x in zip(("first", "second"), operands(call, "image1", "image2"), strict=True)
    ]
    (x1, back), (x2, _) = pair
    dtype = call_dtype = x1.type.dtype
    if dtype not in FLOATS:
        dtype = "float32"
    window = _bell(config.int("filter_size", 11), config.float("filter_sigma", 1.5), dtype)
    top = config.float("max_val", 1.0)
    c1, c2 = ((config.float(k, v) * top) ** 2 for k, v in (("k1", 0.01), ("k2", 0.03)))
    then: list[Op] = [Squeeze(axis=(0,))] if any(isinstance(b, Squeeze) for b in back) else []
    if call_dtype != dtype:
        then.append(Cast(dtype=call_dtype))
    return call.emit(SSIM(c1=c1, c2=c2), x1, x2, params={"window": window}, then=then)
