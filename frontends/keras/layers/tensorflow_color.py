"""Colours and frames of images, as ``tf.image`` spells them."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.tensorflow_image import as_batch, known_sizes
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import whole
from layergraph.frontends.keras.tensorflow import as_dtype, tensors
from layergraph.ir.op import Op
from layergraph.ir.ops.elementwise import Binary, Clip, Math, SaturateCast, Scale
from layergraph.ir.ops.image import ConvertColors, Resize
from layergraph.ir.ops.indexing import Slice
from layergraph.ir.ops.linear import Dense
from layergraph.ir.ops.merge import Concatenate, Merge
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import Crop, Pad

YIQ = [
    [0.299, 0.59590059, 0.2115],
    [0.587, -0.27455667, -0.52273617],
    [0.114, -0.32134392, 0.31119955],
]
YUV = [
    [0.299, -0.14714119, 0.61497538],
    [0.587, -0.28886916, -0.51496512],
    [0.114, 0.43601035, -0.10001026],
]
FROM_YIQ = [
    [1, 1, 1],
    [0.95598634, -0.27201283, -1.10674021],
    [0.6208248, -0.64720424, 1.70423049],
]
FROM_YUV = [
    [1, 1, 1],
    [0, -0.394642334, 2.03206185],
    [1.13988303, -0.58062185, 0],
]
MATRICES = {"ToYIQ": YIQ, "ToYUV": YUV, "FromYIQ": FROM_YIQ, "FromYUV": FROM_YUV}
"""Products of colours. Source: tensorflow/python/ops/image_ops_impl.py, TensorFlow 2.21."""


@reads(*(f"tf.{name}" for name in MATRICES), arguments=("images",))
def mixed(call: LayerCall) -> Tensor:
    """tf.image.rgb_to_yiq and its kin: a product with a matrix."""
    (x,) = tensors(call, "images")
    kernel = np.array(MATRICES[call.spec.class_name], x.type.dtype)
    return call.emit(Dense(), x, params={"kernel": kernel})


def _floats(call: LayerCall, x: Tensor) -> tuple[Tensor, list[Op]]:
    """The image in 0 to 1, and what makes its dtype of that again."""
    dtype = x.type.dtype
    if x.type.is_float:
        return x, []
    most = np.iinfo(dtype).max
    wide = as_dtype(call, x, "float32", "float")
    back: list[Op] = [Scale(factor=most + 0.5), SaturateCast(dtype=dtype)]
    return call.emit(Scale(factor=1 / most), wide, part="scaled"), back


@reads("tf.AdjustHue", "tf.AdjustSaturation", arguments=("image",))
def adjust_hue(call: LayerCall) -> Tensor:
    """tf.image.adjust_hue and adjust_saturation, by way of hue, saturation and value."""
    (image,) = tensors(call, "image")
    x, back = _floats(call, image)
    hue = call.spec.class_name == "AdjustHue"
    colors = call.emit(ConvertColors(to="hsv"), x, part="hsv")
    parts = [
        call.emit(Slice(key=("...", (i, i + 1, None))), colors, part=part)
        for i, part in enumerate(("hue", "saturation", "value"))
    ]
    given: Any = call.argument("delta" if hue else "saturation_factor")
    if isinstance(given, Tensor):
        raise call.refusal("it is adjusted by a tensor, which is not supported")
    if hue:
        offset = {"offset": np.array(given, x.type.dtype)}
        moved = call.emit(Scale(), parts[0], params=offset, part="moved")
        one = call.constant("one", np.array(1, x.type.dtype))
        parts[0] = call.emit(Binary(kind="mod"), moved, one, part="turned")
    else:
        clip = Clip(low=0.0, high=1.0)
        parts[1] = call.emit(Scale(factor=float(given)), parts[1], then=[clip], part="scaled_s")
    joined = call.emit(Concatenate(axis=-1), *parts, part="joined")
    return call.emit(ConvertColors(to="rgb"), joined, then=back)


@reads("tf.AdjustGamma", arguments=("image",))
def adjust_gamma(call: LayerCall) -> Tensor:
    """tf.image.adjust_gamma: ``gain * x ** gamma``."""
    (image,) = tensors(call, "image")
    x, back = _floats(call, image)
    gamma = call.constant("gamma", np.array(call.argument("gamma", 1), x.type.dtype))
    gain = Scale(factor=float(call.argument("gain", 1)))
    return call.emit(Binary(kind="power"), x, gamma, then=[gain, *back])


@reads("tf.Standardization", arguments=("image",))
def standardization(call: LayerCall) -> Tensor:
    """tf.image.per_image_standardization: deviations of at least ``1 / sqrt(elements)``."""
    (x,) = tensors(call, "image")
    if not x.type.is_float:
        x = as_dtype(call, x, "float32", "float")
    if None in x.shape[-3:]:
        raise call.refusal("images of unknown size are not supported", "use a known size")
    count = int(np.prod(x.shape[-3:]))  # type: ignore[arg-type]
    mean = call.emit(Reduce(kind="mean", axis=(-3, -2, -1), keepdims=True), x, part="mean")
    centred = call.emit(Merge(kind="subtract"), x, mean, part="centred")
    spread = call.emit(Reduce(kind="std", axis=(-3, -2, -1), keepdims=True), x, part="std",
                       then=[Clip(low=1 / float(np.sqrt(count)))])  # fmt: skip
    return call.emit(Binary(kind="divide"), centred, spread)


@reads("tf.PSNR", arguments=("a",))
def peak_signal_to_noise(call: LayerCall) -> Tensor:
    """tf.image.psnr: one number an image."""
    first, second = tensors(call, "a", "b")
    peak: Any = float(call.argument("max_val"))
    if not first.type.is_float:
        peak = peak / np.iinfo(first.type.dtype).max
    (a, _), (b, _) = _floats(call, first), _floats(call, second)
    error = call.emit(Binary(kind="squared_difference"), a, b, part="error")
    mean = call.emit(Reduce(kind="mean", axis=(-3, -2, -1)), error, part="mean")
    offset = {"offset": np.array(20 * np.log10(peak), mean.type.dtype)}
    logarithm = call.emit(Math(kind="log10"), mean, part="log")
    return call.emit(Scale(factor=-10.0), logarithm, params=offset)


@reads("tf.CropOrPad", arguments=("image",))
def crop_or_pad(call: LayerCall) -> Tensor:
    """tf.image.resize_with_crop_or_pad: about the middle."""
    (image,) = tensors(call, "image")
    x, back = as_batch(call, image)
    wanted = [whole(call, call.argument(f"target_{n}"), n) for n in ("height", "width")]
    return _framed(call, x, wanted, back)


def _framed(call: LayerCall, x: Tensor, wanted: list[int], back: list[Op]) -> Tensor:
    crops, pads = [], []
    for size, target in zip(known_sizes(call, x), wanted, strict=True):
        over, under = max(size - target, 0), max(target - size, 0)
        crops.append((over // 2, over - over // 2))
        pads.append((under // 2, under - under // 2))
    return call.emit(Crop(cropping=tuple(crops)), x, then=[Pad(padding=tuple(pads)), *back])


@reads("tf.ResizeWithPad", arguments=("image",))
def resize_with_pad(call: LayerCall) -> Tensor:
    """tf.image.resize_with_pad: as large as fits, zeros around."""
    (image,) = tensors(call, "image")
    x, back = as_batch(call, image)
    wanted = [whole(call, call.argument(f"target_{n}"), n) for n in ("height", "width")]
    sizes = known_sizes(call, x)
    # In float64 with the quotients rounded, as TensorFlow does.
    ratio = max(n / t for n, t in zip(sizes, wanted, strict=True))
    fits = tuple(int(np.floor(n / ratio)) for n in sizes)
    pads = []
    for size, target in zip(sizes, wanted, strict=True):
        before = max(0, int(np.floor((target - size / ratio) / 2)))
        pads.append((before, target - before - int(np.floor(size / ratio))))
    kind: Any = str(call.argument("method", "bilinear")).lower()
    op = Resize(size=fits, interpolation=kind, antialias=bool(call.argument("antialias", False)))  # type: ignore[arg-type]
    small = call.emit(op, x, part="resized")
    return call.emit(Pad(padding=tuple(pads)), small, then=back)
