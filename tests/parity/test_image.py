"""Layers that resize and crop images, beside real Keras."""

from __future__ import annotations

from typing import Any

from support import case, parity

KINDS = ("nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5")
K2_KINDS = ("gaussian", "mitchellcubic")
SMOOTH = ("bilinear", "bicubic", "lanczos3", "lanczos5")
K3 = {"writers": ("keras",)}
K2 = {"writers": ("tf_keras",)}
SHAPES = {"smaller": (4, 3), "larger": (16, 11), "mixed": (5, 13)}


def _resizing(height: int, width: int, **options: Any) -> Any:
    return lambda k: k.layers.Resizing(height, width, **options)


def _upsampling(**options: Any) -> Any:
    return lambda k: k.layers.UpSampling2D(**options)


CASES = [
    *(case(f"resizing {kind} {name}", _resizing(*size, interpolation=kind), (7, 9, 3)) for kind in KINDS for name, size in SHAPES.items()),
    *(case(f"resizing {kind} {name}", _resizing(*size, interpolation=kind), (7, 9, 3), **K2) for kind in K2_KINDS for name, size in SHAPES.items()),
    *(case(f"resizing {kind} antialias {name}", _resizing(*size, interpolation=kind, antialias=True), (7, 17, 3), **K3) for kind in SMOOTH for name, size in SHAPES.items()),
    case("resizing thirds", _resizing(21, 5, interpolation="nearest"), (7, 15, 2)),
    case("resizing to one", _resizing(1, 1, interpolation="bicubic"), (7, 9, 2)),
    case("resizing of one", _resizing(3, 4, interpolation="lanczos5"), (1, 9, 2)),
    case("resizing to its size", _resizing(7, 9, interpolation="bicubic"), (7, 9, 3), dtype="uint8"),
    *(case(f"resizing bytes {kind}", _resizing(6, 11, interpolation=kind), (7, 5, 3), dtype="uint8") for kind in KINDS),
    case("resizing bytes antialias", _resizing(3, 2, antialias=True), (7, 9, 4), dtype="uint8", **K3),
    case("resizing ints", _resizing(3, 4, interpolation="bicubic"), (7, 9, 2), dtype="int32"),
    case("resizing channels first", _resizing(4, 11, data_format="channels_first", interpolation="bicubic"), (3, 7, 5), **K3),
    *(case(f"resizing cropped {n}", _resizing(*s, crop_to_aspect_ratio=True), (7, 10, 3)) for n, s in SHAPES.items()),
    case("resizing cropped nearest", _resizing(3, 8, crop_to_aspect_ratio=True, interpolation="nearest"), (10, 7, 3)),
    case("resizing cropped bytes", _resizing(3, 8, crop_to_aspect_ratio=True), (10, 7, 3), dtype="uint8"),
    *(case(f"resizing padded {n}", _resizing(*s, pad_to_aspect_ratio=True), (7, 10, 3), **K3) for n, s in SHAPES.items()),
    case("resizing padded down", _resizing(8, 3, pad_to_aspect_ratio=True, fill_value=2.5), (7, 10, 3), **K3),
    case("resizing padded bytes", _resizing(3, 8, pad_to_aspect_ratio=True, fill_value=7, interpolation="area"), (10, 7, 3), dtype="uint8", **K3),
    case("resizing padded channels first", _resizing(3, 8, pad_to_aspect_ratio=True, data_format="channels_first", antialias=True), (2, 10, 7), **K3),
    case("resizing unknown size", _resizing(4, 11, crop_to_aspect_ratio=True), (7, 5, 3), unknown=(0, 1)),

    case("center crop", lambda k: k.layers.CenterCrop(4, 3), (7, 6, 5)),
    case("center crop odd", lambda k: k.layers.CenterCrop(4, 3), (9, 8, 5)),
    case("center crop larger", lambda k: k.layers.CenterCrop(9, 4), (7, 6, 5)),
    case("center crop bytes larger", lambda k: k.layers.CenterCrop(9, 8), (7, 6, 5), dtype="uint8"),
    case("center crop unknown size", lambda k: k.layers.CenterCrop(4, 3), (7, 6, 5), unknown=(0, 1)),
    case("center crop unknown smaller", lambda k: k.layers.CenterCrop(8, 3), (7, 6, 5), unknown=(0, 1)),
    case("center crop channels first", lambda k: k.layers.CenterCrop(4, 3, data_format="channels_first"), (5, 7, 6), **K3),

    case("upsampling nearest", _upsampling(size=(2, 3)), (4, 5, 3)),
    *(case(f"upsampling {kind}", _upsampling(size=(2, 3), interpolation=kind), (4, 5, 3)) for kind in SMOOTH),
    *(case(f"upsampling {kind}", _upsampling(size=(2, 3), interpolation=kind), (4, 5, 3), **K2) for kind in ("area", *K2_KINDS)),
    case("upsampling unknown size", _upsampling(size=(3, 2), interpolation="bicubic"), (4, 5, 3), unknown=(0, 1)),
    case("upsampling channels first", _upsampling(size=(3, 2), interpolation="bilinear", data_format="channels_first"), (4, 5, 3)),
    case("upsampling bytes", _upsampling(size=(3, 2), interpolation="bilinear"), (4, 5, 3), dtype="uint8"),
    case("upsampling halves", lambda k: k.layers.UpSampling2D((2, 3), interpolation="bicubic", dtype="bfloat16"), (4, 5, 3), rtol=4 * 2**-7, **K3),
    case("upsampling bytes nearest", _upsampling(size=(3, 2)), (4, 5, 3), dtype="uint8"),
]  # fmt: skip


@parity(CASES)
def test_image(run: Any) -> None:
    """Same as Keras."""
    run()
