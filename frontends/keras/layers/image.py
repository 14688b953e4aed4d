"""Layers on images."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor, compute_dtype
from layergraph.frontends.keras.layers.data_format import channels_last_input
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.elementwise import Cast, Math
from layergraph.ir.ops.image import Resize
from layergraph.ir.ops.shape import Crop, Identity

AUGMENTATION = (
    "AugMix CutMix MixUp RandAugment RandomBrightness RandomColorDegeneration "
    "RandomColorJitter RandomContrast RandomElasticTransform RandomErasing RandomFlip "
    "RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert RandomPerspective "
    "RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear "
    "RandomTranslation RandomWidth RandomZoom"
).split()


def as_computed(call: LayerCall, x: Tensor) -> Tensor:
    """The input in the dtype the layer computes in: bytes become floats."""
    wanted = compute_dtype(call.layer) or x.type.dtype
    return x if x.type.dtype == wanted else call.emit(Cast(dtype=wanted), x, part="float")


@reads(*AUGMENTATION, masking="pass")
def augmentation(call: LayerCall) -> Tensor:
    """Nothing at inference: keras/src/layers/preprocessing/image_preprocessing/*.py."""
    call.config.ignore(*call.spec.config)
    return call.emit(Identity(), as_computed(call, call.input()))


@reads("Resizing")
def resizing(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/image_preprocessing/resizing.py."""
    config = call.config
    kind = config.text("interpolation", "bilinear")
    if kind not in ("bilinear", "nearest"):
        raise call.refusal(
            f"interpolation={kind!r} is not supported yet", "use 'bilinear' or 'nearest'"
        )
    for option in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        if config.bool(option, False):
            raise call.refusal(f"{option}=True is not supported yet", "resize without it")
    config.ignore("fill_mode", "fill_value")
    x, back = channels_last_input(call, 2)
    size = (config.int("height"), config.int("width"))
    op: Any = Resize(size=size, interpolation=kind)  # type: ignore[arg-type]
    # Keras 3 gives bytes back for bytes, Keras 2 says so when it does not.
    floats = config.bool("float_output", False)
    whole = not x.type.is_float and not floats
    steps = [Math(kind="round"), Cast(dtype=x.type.dtype)] if whole else []
    return call.emit(op, as_computed(call, x), then=[*steps, back])


@reads("CenterCrop")
def center_crop(call: LayerCall) -> Tensor:
    """keras/src/layers/preprocessing/image_preprocessing/center_crop.py, of larger images."""
    x, back = channels_last_input(call, 2)
    x = as_computed(call, x)
    wanted = (call.config.int("height"), call.config.int("width"))
    cropping = []
    for size, target in zip(x.shape[1:3], wanted, strict=True):
        if size is None or size < target:
            raise call.refusal(
                f"images of size {size} would be resized to {target} first, which is not "
                "supported yet",
                "crop images that are large enough and of known size",
            )
        start = (size - target) // 2
        cropping.append((start, size - target - start))
    return call.emit(Crop(cropping=tuple(cropping)), x, then=[back])
