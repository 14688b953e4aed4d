"""Functions of ``tf.image``."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import whole, wholes
from layergraph.frontends.keras.tensorflow import as_dtype, dtype_of, tensors
from layergraph.ir.interpolation import Interpolation
from layergraph.ir.op import Op
from layergraph.ir.ops.elementwise import Cast, SaturateCast, Scale
from layergraph.ir.ops.image import Resize
from layergraph.ir.ops.indexing import Flip, Gather
from layergraph.ir.ops.linear import Dense, Einsum
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import Crop, ExpandDims, Pad, Squeeze, Tile, Transpose
from layergraph.ir.types import FLOATS, Array


def as_batch(call: LayerCall, x: Tensor) -> tuple[Tensor, list[Any]]:
    """An image as a batch of one, and what undoes that; a batch as it is."""
    if len(x.shape) == 3:
        return call.emit(ExpandDims(axis=0), x, part="batch"), [Squeeze(axis=(0,))]
    return x, []


METHODS = ("bilinear", "nearest", "bicubic", "area")
"""Methods by the number compat.v1 gives them."""


@reads("tf.Resize", arguments=("images",))
def resize(call: LayerCall) -> Tensor:
    """tf.image.resize: half-pixel centres; nearest keeps the dtype, the others give floats."""
    x, back = as_batch(call, tensors(call, "images")[0])
    kind: Any = str(call.argument("method", "bilinear")).lower()
    if kind not in get_args(Interpolation):
        raise call.refusal(f"method={kind!r} is not one of TensorFlow")
    if call.argument("preserve_aspect_ratio", False):
        raise call.refusal("preserve_aspect_ratio=True is not supported yet", "resize without it")
    return _resized(call, x, kind, back, antialias=bool(call.argument("antialias", False)))


def _resized(call: LayerCall, x: Tensor, kind: Any, back: list[Any], **options: Any) -> Tensor:
    height, width = wholes(call, call.argument("size"), "size")
    op = Resize(size=(height, width), interpolation=kind, **options)
    return call.emit(op, x, then=back)


@reads(
    "tf.ResizeOld", "tf.ResizeBilinear", "tf.ResizeNearest", "tf.ResizeBicubic", "tf.ResizeArea",
    arguments=("images",),
)  # fmt: skip
def resize_old(call: LayerCall) -> Tensor:
    """tf.compat.v1.image.resize: the first elements lie on each other, not the centres."""
    x, back = as_batch(call, tensors(call, "images")[0])
    name, method = call.spec.class_name, call.argument("method", 0)
    kind = name.removeprefix("Resize").lower()
    if name == "ResizeOld":
        kind = METHODS[method] if isinstance(method, int) and method < 4 else str(method)
    if call.argument("preserve_aspect_ratio", False):
        raise call.refusal("preserve_aspect_ratio=True is not supported yet", "resize without it")
    corners = bool(call.argument("align_corners", False))
    if call.argument("half_pixel_centers", False) or (kind == "area" and not corners):
        return _resized(call, x, kind, back)
    if kind not in ("bilinear", "nearest"):
        raise call.refusal(f"method={kind!r} as of TensorFlow 1 is not supported")
    steps: list[Tensor] = [x]
    for axis, (size, wanted) in enumerate(
        zip(known_sizes(call, x), wholes(call, call.argument("size"), "size"), strict=True), 1
    ):
        places = _places(size, wanted, corners)
        last = axis == 2 and not back
        if kind == "nearest":
            near = np.floor(places + 0.5) if corners else np.floor(places)
            indices = np.minimum(near.astype("int32"), size - 1)
            chosen = call.constant(f"places_{axis}", indices)
            part = "" if last else f"axis_{axis}"
            steps.append(call.emit(Gather(axis=axis), steps[-1], chosen, part=part))
            continue
        weights = call.constant(f"weights_{axis}", _weights(places, size))
        given = as_dtype(call, steps[-1], "float32", "float")
        op = Einsum(equation="bhwc,yh->bywc" if axis == 1 else "bhwc,xw->bhxc")
        steps.append(call.emit(op, given, weights, part="" if last else f"axis_{axis}"))
    return call.emit(back[0], steps[-1]) if back else steps[-1]


def _places(size: int, wanted: int, corners: bool) -> Array:
    """Where each new element lies among the old ones."""
    scale = (size - 1) / (wanted - 1) if corners and wanted > 1 else size / wanted
    places: Array = np.arange(wanted, dtype="float32") * np.float32(scale)
    return places


def _weights(places: Array, size: int) -> Array:
    """What each old element counts in each new one, interpolated linearly."""
    low = np.floor(places).astype("int64")
    weights = np.zeros((len(places), size), "float32")
    rows = np.arange(len(places))
    np.add.at(weights, (rows, np.minimum(low, size - 1)), 1 - (places - low))
    np.add.at(weights, (rows, np.minimum(low + 1, size - 1)), places - low)
    return weights


@reads("tf.FlipLeftRight", "tf.FlipUpDown", arguments=("image",))
def flip(call: LayerCall) -> Tensor:
    """tf.image.flip_left_right and flip_up_down."""
    axis = -2 if call.spec.class_name == "FlipLeftRight" else -3
    return call.emit(Flip(axis=(axis,)), *tensors(call, "image"))


@reads("tf.ImageTranspose", "tf.Rot90", arguments=("image",))
def turn(call: LayerCall) -> Tensor:
    """tf.image.transpose, and rot90 against the clock."""
    (x,) = tensors(call, "image")
    axes = list(range(len(x.shape)))
    swap = Transpose(axes=(*axes[:-3], axes[-2], axes[-3], axes[-1]))
    if call.spec.class_name == "ImageTranspose":
        return call.emit(swap, x)
    turns = whole(call, call.argument("k", 1), "k") % 4
    steps: dict[int, list[Op]] = {
        0: [Flip(axis=())],
        1: [swap, Flip(axis=(-3,))],
        2: [Flip(axis=(-3, -2))],
        3: [Flip(axis=(-3,)), swap],
    }
    first, *rest = steps[turns]
    return call.emit(first, x, then=rest)


def known_sizes(call: LayerCall, x: Tensor) -> tuple[int, int]:
    """Height and width of a batch of images."""
    height, width = x.shape[1:3]
    if height is None or width is None:
        raise call.refusal("images of unknown size are not supported here")
    return height, width


@reads("tf.CropToBox", "tf.PadToBox", "tf.CentralCrop", arguments=("image",))
def box(call: LayerCall) -> Tensor:
    """tf.image.crop_to_bounding_box, pad_to_bounding_box and central_crop."""
    x, back = as_batch(call, tensors(call, "image")[0])
    sizes = known_sizes(call, x)
    if call.spec.class_name == "CentralCrop":
        kept = float(call.argument("central_fraction"))
        starts = [int((n - n * kept) / 2) for n in sizes]
        targets = [n - 2 * s for n, s in zip(sizes, starts, strict=True)]
    else:
        starts, targets = (
            [whole(call, call.argument(f"{what}_{axis}"), what) for axis in ("height", "width")]
            for what in ("offset", "target")
        )
    if call.spec.class_name == "PadToBox":
        around = [(s, t - s - n) for s, t, n in zip(starts, targets, sizes, strict=True)]
        return call.emit(Pad(padding=tuple(around)), x, then=back)
    around = [(s, n - s - t) for s, t, n in zip(starts, targets, sizes, strict=True)]
    return call.emit(Crop(cropping=tuple(around)), x, then=back)


@reads("tf.ToGrayscale", arguments=("images",))
def to_grayscale(call: LayerCall) -> Tensor:
    """tf.image.rgb_to_grayscale: a weighted sum of the channels."""
    (x,) = tensors(call, "images")
    if not x.type.is_float:
        raise call.refusal("images of whole numbers are not supported here")
    weights = np.array([[0.2989], [0.5870], [0.1140]], x.type.dtype)
    return call.emit(Dense(), x, params={"kernel": weights})


@reads("tf.FromGrayscale", arguments=("images",))
def from_grayscale(call: LayerCall) -> Tensor:
    """tf.image.grayscale_to_rgb: the channel three times."""
    (x,) = tensors(call, "images")
    return call.emit(Tile(repeats=(*(1,) * (len(x.shape) - 1), 3)), x)


@reads("tf.AdjustBrightness", "tf.AdjustContrast", arguments=("images",))
def adjust(call: LayerCall) -> Tensor:
    """tf.image.adjust_brightness and adjust_contrast, of floats."""
    name = "image" if call.argument("image") is not None else "images"
    (x,) = tensors(call, name)
    if not x.type.is_float:
        raise call.refusal("images of whole numbers are not supported here")
    if call.spec.class_name == "AdjustBrightness":
        return call.emit(Merge(kind="add"), *tensors(call, name, "delta"))
    factor = tensors(call, name, "contrast_factor")[1]
    mean = call.emit(Reduce(kind="mean", axis=(-3, -2), keepdims=True), x, part="mean")
    centred = call.emit(Merge(kind="subtract"), x, mean, part="centred")
    scaled = call.emit(Merge(kind="multiply"), centred, factor, part="scaled")
    return call.emit(Merge(kind="add"), scaled, mean)


@reads("tf.ConvertImage", arguments=("image",))
def convert_image(call: LayerCall) -> Tensor:
    """tf.image.convert_image_dtype, floats in 0 to 1, whole numbers up to the largest."""
    (x,) = tensors(call, "image")
    dtype, saturate = dtype_of(call, "dtype", "float32"), bool(call.argument("saturate", False))
    if dtype not in FLOATS:
        if not x.type.is_float:
            raise call.refusal(f"conversion from {x.type.dtype} to {dtype} is not supported yet")
        last = SaturateCast(dtype=dtype) if saturate else Cast(dtype=dtype)
        return call.emit(Scale(factor=np.iinfo(dtype).max + 0.5), x, then=[last])
    if x.type.is_float:
        return as_dtype(call, x, dtype, "") if x.type.dtype != dtype else call.emit(Scale(), x)
    largest = np.iinfo(x.type.dtype).max
    return call.emit(Scale(factor=1 / largest), as_dtype(call, x, dtype, "float"))
