"""Augmentation beside real Keras: nearly all of it does nothing at inference."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layers.augmentation import CASTING, KEEPING
from support import case, parity

K2_ONLY = ("RandomHeight", "RandomWidth")
IN_BOTH = ("RandomBrightness", "RandomContrast", "RandomFlip", "RandomRotation",
           "RandomTranslation", "RandomZoom")  # fmt: skip
# Keras 3 fails to save these to .h5: "cannot pickle 'module' object".
NOT_IN_H5 = ("RandomBrightness", "RandomColorDegeneration", "RandomPosterization",
             "RandomSaturation", "RandomSharpness", "Solarization")  # fmt: skip
OPTIONS: dict[str, dict[str, Any]] = {
    "RandomBrightness": {"factor": 0.2}, "RandomColorDegeneration": {"factor": 0.2},
    "RandomColorJitter": {"brightness_factor": 0.2, "contrast_factor": 0.3, "saturation_factor": 0.1, "hue_factor": 0.1},
    "RandomContrast": {"factor": 0.2}, "RandomHeight": {"factor": 0.2}, "RandomHue": {"factor": 0.2},
    "RandomPosterization": {"factor": 4}, "RandomRotation": {"factor": 0.2},
    "RandomSaturation": {"factor": 0.2}, "RandomSharpness": {"factor": 0.2},
    "RandomShear": {"x_factor": 0.2}, "Solarization": {"addition_factor": 0.3, "threshold_factor": 0.4},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1}, "RandomWidth": {"factor": 0.2},
    "RandomZoom": {"height_factor": 0.1},
}  # fmt: skip
# Equalization gives its input back as its output, of which Keras makes no model.
LAYERS = [n for n in (*CASTING, *KEEPING) if n != "Equalization"]
K3 = {"writers": ("keras",)}
BOXES = {"writers": ("keras",), "batch0": False}


def _rows(name: str) -> list[Any]:
    def build(k: Any) -> Any:
        return getattr(k.layers, name)(**OPTIONS.get(name, {}))

    rows = []
    for dtype in ("float32", "uint8"):
        where: dict[str, Any] = {"dtype": dtype, "batch0": False}
        if name in K2_ONLY:
            rows.append(case(f"{name} {dtype}", build, (6, 5, 3), writers=("tf_keras",), **where))
            continue
        containers = (".keras",) if name in NOT_IN_H5 else (".keras", ".h5")
        rows.append(
            case(
                f"{name} {dtype}",
                build,
                (6, 5, 3),
                writers=("keras",),
                containers=containers,
                **where,
            )
        )
        if name in IN_BOTH:
            rows.append(case(f"{name} {dtype} 2", build, (6, 5, 3), writers=("tf_keras",), **where))
    return rows


def _stretched(**options: Any) -> Any:
    return lambda k, x: k.layers.AutoContrast(**options)(
        k.ops.concatenate([x, k.ops.ones_like(x)[..., :1]], axis=-1)
    )


def _tiled(low: float, high: float, **options: Any) -> Any:
    """Values over the whole range, beyond it at both ends."""

    def build(k: Any, x: Any) -> Any:
        y = k.ops.tanh(x * 0.5) * (high - low) * 0.55 + (low + high) / 2
        return k.layers.ContrastLimitedAdaptiveHistogramEqualization((low, high), **options)(y)

    return build


def _with_labels(name: str, **options: Any) -> Any:
    def build(k: Any, images: Any, labels: Any, masks: Any) -> Any:
        layer = getattr(k.layers, name)(**{**OPTIONS.get(name, {}), **options})
        found = layer({"images": images, "labels": labels, "segmentation_masks": masks})
        return [found["segmentation_masks"], found["images"], found["labels"]]

    return build


def _with_boxes(name: str, **options: Any) -> Any:
    def build(k: Any, images: Any, boxes: Any, labels: Any) -> Any:
        layer = getattr(k.layers, name)(
            bounding_box_format="xyxy", **{**OPTIONS.get(name, {}), **options}
        )
        found = layer({"images": images, "bounding_boxes": {"boxes": boxes, "labels": labels}})
        return [
            found["images"],
            found["bounding_boxes"]["labels"],
            found["bounding_boxes"]["boxes"],
        ]

    return build


def _pipeline(k: Any) -> Any:
    inner = k.layers.Pipeline(
        [k.layers.RandomFlip(seed=1), k.layers.Equalization(), k.layers.CenterCrop(5, 3)]
    )
    return [
        k.layers.Pipeline([k.layers.Rescaling(0.5, offset=1.0), inner, k.layers.AutoContrast()]),
        k.layers.Flatten(),
    ]


LABELLED = [(6, 5, 3), (4,), (6, 5, 1)]
BOXED = [(6, 5, 3), (5, 4), (5,)]
CASES = [
    *(row for name in LAYERS for row in _rows(name)),
    # Keras 3 leaves images as they are, whatever it declares; Keras 2 resizes the middle.
    *(case(f"random crop {dtype} {size}", lambda k, s=size: k.layers.RandomCrop(*s), (7, 6, 5), dtype=dtype, **row)
      for row in ({"writers": ("tf_keras",)}, {"writers": ("keras",), "batch0": False})
      for dtype in ("float32", "uint8") for size in ((4, 3), (9, 4)) if row.get("batch0", size[0] == 4 or dtype == "float32")),
    case("random crop to its size", lambda k: k.layers.RandomCrop(7, 6), (7, 6, 5)),

    case("auto contrast", _stretched(), [(7, 6, 5)], **K3),
    case("auto contrast range", _stretched(value_range=(1, -3)), [(7, 6, 5)], **K3),
    case("auto contrast bytes", lambda k: k.layers.AutoContrast(), (7, 6, 5), dtype="uint8", **K3),
    case("auto contrast channels first", lambda k: k.layers.AutoContrast(data_format="channels_first"), (3, 6, 5), **K3),
    case("tiles", _tiled(0, 255), [(19, 17, 2)], **K3),
    case("tiles even", _tiled(0, 255, tile_grid_size=(4, 2)), [(16, 18, 3)], **K3),
    case("tiles without limit", _tiled(0, 255, clip_limit=0, tile_grid_size=(3, 2)), [(16, 13, 3)], **K3),
    case("tiles range", _tiled(-1, 1, tile_grid_size=(2, 3), clip_limit=2.5), [(16, 13, 3)], **K3),
    case("tiles channels first", _tiled(0, 255, tile_grid_size=(2, 3), data_format="channels_first"), [(3, 16, 13)], **K3),
    case("tiles bytes", lambda k: k.layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 3)), (16, 13, 3), dtype="uint8", **K3),

    *(case(f"labels and masks {n}", _with_labels(n), LABELLED, batch0=False, **K3)
      for n in ("CutMix", "RandomFlip", "MixUp", "RandomErasing", "AutoContrast")),
    *(case(f"labels and masks of bytes {n}", _with_labels(n), LABELLED, dtype="uint8", batch0=False, **K3)
      for n in ("CutMix", "RandomFlip", "MixUp", "RandomErasing")),
    *(case(f"boxes {n}", _with_boxes(n), BOXED, **BOXES) for n in ("RandomFlip", "MixUp", "RandomZoom", "RandomRotation")),
    *(case(f"boxes at most {n}", _with_boxes("MaxNumBoundingBoxes", max_number=n), BOXED, **BOXES) for n in (3, 8)),
    case("boxes of images alone", lambda k: k.layers.MaxNumBoundingBoxes(4), (6, 5, 3), dtype="uint8", **BOXES),
    case("functional", lambda k, x: k.layers.Rescaling(0.5)(k.layers.RandomFlip()(k.layers.Resizing(4, 5)(x))), [(7, 6, 5)]),
    case("pipeline, functional", lambda k, x: k.layers.Pipeline([k.layers.Rescaling(0.5), k.layers.RandomFlip()])(x), [(7, 6, 5)], **K3),
    case("pipeline", _pipeline, (7, 6, 2), **K3),
    case("pipeline with weights", lambda k: [k.layers.Pipeline([k.layers.Conv2D(3, 2), k.layers.Dense(4)]), k.layers.Dense(2)], (7, 6, 5), **K3),
]  # fmt: skip


@parity(CASES)
def test_augmentation(run: Any) -> None:
    """Same as Keras."""
    run()
