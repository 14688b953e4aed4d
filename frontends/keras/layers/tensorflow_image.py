"""Functions of ``tf.image``."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import whole, wholes
from layergraph.frontends.keras.tensorflow import as_dtype, tensors
from layergraph.ir.op import Op
from layergraph.ir.ops.elementwise import Scale
from layergraph.ir.ops.image import Interpolation, Resize
from layergraph.ir.ops.indexing import Flip
from layergraph.ir.ops.linear import Dense
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import Crop, ExpandDims, Pad, Squeeze, Tile, Transpose


def _image(call: LayerCall, name: str) -> tuple[Tensor, list[Any]]:
    """An image as a batch of one, and what undoes that; a batch as it is."""
    (x,) = tensors(call, name)
    if len(x.shape) == 3:
        return call.emit(ExpandDims(axis=0), x, part="batch"), [Squeeze(axis=(0,))]
    return x, []


@reads("tf.Resize", "tf.ResizeBilinear", "tf.ResizeNearest", arguments=("images",))
def resize(call: LayerCall) -> Tensor:
    """tf.image.resize: half-pixel centres; nearest keeps the dtype, the others give floats."""
    x, back = _image(call, "images")
    plain = {"ResizeBilinear": "bilinear", "ResizeNearest": "nearest"}
    kind: Any = plain.get(call.spec.class_name) or str(call.argument("method", "bilinear")).lower()
    legacy = call.spec.class_name != "Resize" or call.argument("align_corners") is not None
    halves = call.argument("half_pixel_centers", not legacy)
    if kind not in get_args(Interpolation):
        raise call.refusal(f"method={kind!r} is not one of TensorFlow")
    for name in ("preserve_aspect_ratio", "align_corners"):
        if call.argument(name, False):
            raise call.refusal(f"{name}=True is not supported yet", "resize without it")
    if not halves:
        raise call.refusal("resizing without half_pixel_centers is not supported yet")
    height, width = wholes(call, call.argument("size"), "size")
    op = Resize(
        size=(height, width),
        interpolation=kind,
        antialias=bool(call.argument("antialias", False)),
    )
    return call.emit(op, x, then=back)


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


def _known(call: LayerCall, x: Tensor) -> tuple[int, int]:
    height, width = x.shape[1:3]
    if height is None or width is None:
        raise call.refusal("images of unknown size are not supported here")
    return height, width


@reads("tf.CropToBox", "tf.PadToBox", "tf.CentralCrop", arguments=("image",))
def box(call: LayerCall) -> Tensor:
    """tf.image.crop_to_bounding_box, pad_to_bounding_box and central_crop."""
    x, back = _image(call, "image")
    sizes = _known(call, x)
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
    """tf.image.convert_image_dtype between floats, and from bytes to floats in 0 to 1."""
    (x,) = tensors(call, "image")
    dtype = str(call.argument("dtype"))
    call.argument("saturate")
    if not dtype.startswith("float"):
        raise call.refusal(f"conversion to {dtype!r} is not supported yet")
    if x.type.is_float:
        return as_dtype(call, x, dtype, "") if x.type.dtype != dtype else call.emit(Scale(), x)
    largest = np.iinfo(x.type.dtype).max
    return call.emit(Scale(factor=1 / largest), as_dtype(call, x, dtype, "float"))
