"""Augmentation layers; nearly all of them do nothing at inference."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.data_format import channels_first
from layergraph.frontends.keras.layers.image import as_computed, image_input
from layergraph.frontends.keras.registry import reads
from layergraph.ir.op import Op
from layergraph.ir.ops.augmentation import AutoContrast, EqualizeTiles, PadBoxes
from layergraph.ir.ops.elementwise import Cast
from layergraph.ir.ops.image import Resize
from layergraph.ir.ops.shape import ExpandDims, Identity, Squeeze

CASTING = (
    "AugMix CutMix RandAugment RandomElasticTransform RandomErasing RandomFlip "
    "RandomGaussianBlur RandomPerspective RandomRotation RandomSharpness RandomShear "
    "RandomTranslation RandomZoom Solarization"
).split()
"""Layers whose ``transform_images`` casts to the dtype the layer computes in."""

KEEPING = (
    "Equalization MixUp RandomBrightness RandomColorDegeneration RandomColorJitter "
    "RandomContrast RandomGrayscale RandomHeight RandomHue RandomInvert RandomPosterization "
    "RandomSaturation RandomWidth"
).split()
"""Layers that cast in training only: bytes stay bytes. Keras 2 says where it casts."""

CASTING_MASKS = ("CutMix", "RandomFlip")
"""Layers that treat segmentation masks as images at inference too."""


def with_images(call: LayerCall, change: Any) -> Any:
    """The layer's result: its images changed, whatever else is fed left as it is.

    Source: keras/src/layers/preprocessing/image_preprocessing/
    base_image_preprocessing_layer.py ``call``, Keras 3.15.

    Args:
        change: ``f(images) -> images``, the node that bears the layer's name.
    """
    data = call.argument(next(iter(call.arguments), "data"))
    if not isinstance(data, dict):
        return change(call.input())
    if not isinstance(data.get("images"), Tensor):
        raise call.refusal("it is called on a dict without 'images'")
    rest = {k: _left(call, v, k) for k, v in data.items() if k != "images"}
    if call.spec.class_name in CASTING_MASKS and "segmentation_masks" in rest:
        rest["segmentation_masks"] = as_computed(call, rest["segmentation_masks"])
    whole = {**rest, "images": change(data["images"])}
    return {key: whole[key] for key in sorted(whole)}


def _left(call: LayerCall, data: Any, part: str) -> Any:
    if isinstance(data, dict):
        return {k: _left(call, data[k], f"{part}_{k}") for k in sorted(data)}
    return call.emit(Identity(), data, part=part)


@reads(*CASTING, *KEEPING, arguments=("data",))
def augmentation(call: LayerCall) -> Any:
    """Nothing at inference: keras/src/layers/preprocessing/image_preprocessing/*.py."""
    casts = call.spec.class_name in CASTING or call.config.bool("casts", False)
    call.config.ignore(*call.spec.config)

    def change(images: Tensor) -> Tensor:
        return call.emit(Identity(), as_computed(call, images) if casts else images)

    return with_images(call, change)


@reads("RandomCrop", arguments=("data",))
def random_crop(call: LayerCall) -> Any:
    """Nothing at inference in Keras 3; Keras 2 resizes the middle.

    Source: keras/src/layers/preprocessing/image_preprocessing/random_crop.py,
    Keras 3.15, and tf_keras/src/layers/preprocessing/image_preprocessing.py,
    tf-keras 2.21.
    """
    resizes = call.config.bool("resizes", False)
    size = (call.config.int("height"), call.config.int("width"))
    call.config.ignore(*call.spec.config)

    def change(images: Tensor) -> Tensor:
        if not resizes:
            return call.emit(Identity(), images)
        x, back = image_input(call, as_computed(call, images))
        steps: list[Op] = [] if x.type.dtype == "float32" else [Cast(dtype=x.type.dtype)]
        return call.emit(Resize(size=size, fit="crop"), x, then=[*steps, *back])

    return with_images(call, change)


def _range(call: LayerCall) -> tuple[float, float]:
    low, high = (float(v) for v in call.config.take("value_range", (0, 255)))
    return low, high


@reads("AutoContrast", arguments=("data",))
def auto_contrast(call: LayerCall) -> Any:
    """keras/src/layers/preprocessing/image_preprocessing/auto_contrast.py."""
    low, high = _range(call)
    call.config.ignore("data_format", "bounding_box_format", "factor")
    op = AutoContrast(value_range=(min(low, high), max(low, high)))

    def change(images: Tensor) -> Tensor:
        x = as_computed(call, images)
        if len(x.shape) == 4:
            return call.emit(op, x)
        x = call.emit(ExpandDims(axis=0), x, part="batch")
        return call.emit(op, x, then=[Squeeze(axis=(0,))])

    return with_images(call, change)


@reads("ContrastLimitedAdaptiveHistogramEqualization", arguments=("data",))
def equalize_tiles(call: LayerCall) -> Any:
    """keras/src/layers/preprocessing/image_preprocessing/clahe.py."""
    config, (low, high) = call.config, _range(call)
    config.ignore("bounding_box_format", "factor")
    channels_first(call)
    grid = config.ints("tile_grid_size", 2, (8, 8))
    op = EqualizeTiles(
        clip_limit=config.float("clip_limit", 4.0),
        tile_grid_size=(grid[0], grid[1]),
        value_range=(low, high),
    )

    def change(images: Tensor) -> Tensor:
        x, back = image_input(call, images)
        steps: list[Op] = [] if x.type.dtype == "float32" else [Cast(dtype=x.type.dtype)]
        return call.emit(op, x, then=[*steps, *back])

    return with_images(call, change)


@reads("MaxNumBoundingBoxes", arguments=("data",))
def max_num_bounding_boxes(call: LayerCall) -> Any:
    """keras/src/layers/preprocessing/image_preprocessing/max_num_bounding_box.py."""
    number = call.config.int("max_number")
    # Keras does not store fill_value: a loaded layer has the default.
    fill = call.config.float("fill_value", -1)
    call.config.ignore("data_format", "bounding_box_format", "factor")
    found = with_images(call, lambda images: call.emit(Identity(), images))
    boxes = found.get("bounding_boxes") if isinstance(found, dict) else None
    if boxes is not None:
        op = PadBoxes(number=number, fill_value=fill)
        for key in ("boxes", "labels"):
            boxes[key] = call.emit(op, boxes[key], part=f"max_{key}")
    return found
