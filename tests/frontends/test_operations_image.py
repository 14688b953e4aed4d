"""Operation nodes on images beside real Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import layergraph as lg
from support import case, keras_of, parity

BOTH = {"writers": ("keras",)}
# Keras 3's .h5 cannot hold the arrays among a node's arguments.
ARCHIVE = {"writers": ("keras",), "containers": (".keras",)}
KINDS = ("nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5")
TURNED = np.array([0.9, 0.3, -0.7, -0.2, 1.1, 0.4, 0.01, -0.02], "float32")
FAR = np.array([1.9, -0.8, -6.3, 0.7, 2.1, -7.2, 0, 0], "float32")
START = np.array([[0, 0], [6, 0], [0, 5], [6, 5]], "float32")
END = np.array([[0.5, 1], [5, 0.2], [1, 4], [6.5, 4.5]], "float32")


def _resized(k: Any, x: Any) -> Any:
    resize = k.ops.image.resize
    return [
        *(resize(x, (4, 11), interpolation=kind) for kind in KINDS),
        *(resize(x, (4, 3), interpolation=kind, antialias=True) for kind in KINDS),
        resize(x, (8, 3), crop_to_aspect_ratio=True), resize(x, (3, 8), pad_to_aspect_ratio=True, fill_value=2),
        resize(x, (4, 11), data_format="channels_first"),
    ]  # fmt: skip


def _framed(k: Any, x: Any) -> Any:
    pad, crop = k.ops.image.pad_images, k.ops.image.crop_images
    return [
        pad(x, top_padding=1, left_padding=2, bottom_padding=0, right_padding=3),
        pad(x, top_padding=1, right_padding=3, target_height=12, target_width=9),
        pad(x, bottom_padding=2, left_padding=1, target_height=12, target_width=9, data_format="channels_first"),
        crop(x, top_cropping=1, left_cropping=2, bottom_cropping=3, right_cropping=0),
        crop(x, top_cropping=1, right_cropping=2, target_height=4, target_width=3),
        crop(x, bottom_cropping=1, left_cropping=1, target_height=3, target_width=2, data_format="channels_first"),
    ]  # fmt: skip


def _patched(k: Any, x: Any) -> Any:
    patches = k.ops.image.extract_patches
    return [
        patches(x, 2), patches(x, (3, 2), strides=(2, 1), padding="same"), patches(x, (2, 3), strides=1, dilation_rate=2),
        patches(x, 2, padding="same"),
    ]  # fmt: skip


def _volumes(k: Any, x: Any) -> Any:
    patches = k.ops.image.extract_patches_3d
    return [patches(x, 2), patches(x, (2, 3, 1), strides=(1, 2, 2), padding="same"),
            patches(x, (1, 2, 2), strides=1, data_format="channels_first")]  # fmt: skip


def _colors(k: Any, x: Any) -> Any:
    o = k.ops.image
    unit = k.ops.abs(k.ops.tanh(x))
    first = k.ops.transpose(unit, (0, 3, 1, 2))
    return [
        o.rgb_to_grayscale(x), o.rgb_to_hsv(unit), o.hsv_to_rgb(unit), o.rgb_to_hsv(k.ops.round(unit * 2) / 2),
        o.rgb_to_grayscale(first, data_format="channels_first"), o.rgb_to_hsv(first, data_format="channels_first"),
        o.hsv_to_rgb(first, data_format="channels_first"), o.rgb_to_grayscale(x[..., :1]),
    ]  # fmt: skip


def _transformed(k: Any, x: Any) -> Any:
    affine = k.ops.image.affine_transform
    modes = ("constant", "nearest", "wrap", "reflect")
    return [
        *(affine(x, t, interpolation=kind, fill_mode=mode, fill_value=3)
          for t in (TURNED, FAR) for kind in ("nearest", "bilinear") for mode in modes),
        affine(x, TURNED[None], data_format="channels_first"),
    ]  # fmt: skip


def _transformed_each(k: Any, x: Any, t: Any) -> Any:
    turn = k.ops.convert_to_tensor([1, 0, 0, 0, 1, 0, 0, 0], "float32") + t * 0.05
    return [k.ops.image.affine_transform(x, turn, fill_mode="reflect")]


def _perspective(k: Any, x: Any) -> Any:
    change = k.ops.image.perspective_transform
    return [change(x, START, END), change(x, END, START, fill_value=2.5),
            change(x, START[None], END[None], data_format="channels_first")]  # fmt: skip


def _mapped(k: Any, x: Any) -> Any:
    rng = np.random.default_rng(3)
    places = np.stack(
        [np.zeros((4, 6)), rng.uniform(-3, 9, (4, 6)), rng.uniform(-2, 6.3, (4, 6))]
    ).astype("float32")
    over = np.stack([np.zeros(7), rng.uniform(-5, 6.6, 7), rng.uniform(-4, 4.6, 7)]).astype(
        "float32"
    )
    read = k.ops.image.map_coordinates
    return [
        *(read(x, places, order, fill_mode=mode, fill_value=2) for order in (0, 1) for mode in ("constant", "nearest", "wrap", "reflect")),
        *(read(x[0], over[1:], order, fill_mode="mirror") for order in (0, 1)),
    ]  # fmt: skip


def _scaled(k: Any, x: Any) -> Any:
    change = k.ops.image.scale_and_translate
    scale, shift = np.array([1.7, 0.6], "float32"), np.array([0.4, -1.2], "float32")
    return [
        change(x, (None, 9, 4, 3), scale, shift, (1, 2), method, antialias=antialias)
        for method in ("linear", "cubic", "lanczos3", "lanczos5") for antialias in (True, False)
    ]  # fmt: skip


def _blurred(k: Any, x: Any) -> Any:
    blur, sobel = k.ops.image.gaussian_blur, k.ops.image.sobel_edges
    return [
        blur(x), blur(x, (5, 3), (0.7, 1.9)), blur(x, (4, 4), (2.0, 0.8)), blur(x, (3, 5), (1.5, 0.6), data_format="channels_first"),
        sobel(x), sobel(x, data_format="channels_first"),
    ]  # fmt: skip


def _similar(k: Any, a: Any, b: Any) -> Any:
    ssim = k.ops.image.ssim
    near = a + 0.1 * b
    return [
        ssim(a, near), ssim(a, near, max_val=5.0, filter_size=4, filter_sigma=0.9, k1=0.02, k2=0.05),
        ssim(a, b, filter_size=3, data_format="channels_first"),
    ]  # fmt: skip


def _bytes(k: Any, x: Any) -> Any:
    o = k.ops.image
    return [
        *(o.resize(x, (4, 11), interpolation=kind) for kind in KINDS), o.rgb_to_grayscale(x),
        o.affine_transform(x, TURNED, fill_value=7), o.pad_images(x, 1, 1, 1, 1),
        o.crop_images(x, 1, 1, 1, 1),
    ]  # fmt: skip


CASES = [
    case("resize", _resized, [(7, 5, 3)], **BOTH),
    case("resize unknown", lambda k, x: k.ops.image.resize(x, (4, 8), pad_to_aspect_ratio=True), [(7, 5, 3)], unknown=(0, 1), **BOTH),
    case("resize images without batch", lambda k, x: k.ops.image.resize(x, (4, 8)), [(5, 3)], batch0=False, **BOTH),
    case("pad and crop", _framed, [(7, 6, 5)], **BOTH),
    case("pad and crop unknown", lambda k, x: [k.ops.image.pad_images(x, 1, 2, target_height=12, target_width=9), k.ops.image.crop_images(x, 1, 2, target_height=3, target_width=2)], [(7, 6, 5)], unknown=(0, 1), **BOTH),
    case("patches", _patched, [(7, 6, 5)], **BOTH),
    case("patches of volumes", _volumes, [(5, 6, 4, 3)], **BOTH),
    case("patches without batch", lambda k, x: k.ops.image.extract_patches(x, (1, 2)), [(6, 5)], batch0=False, **BOTH),
    case("colors", _colors, [(5, 4, 3)], **BOTH),
    case("affine transform", _transformed, [(7, 6, 5)], **ARCHIVE),
    case("affine transform each", _transformed_each, [(7, 6, 5), (8,)], **ARCHIVE),
    case("perspective transform", _perspective, [(7, 6, 5)], **ARCHIVE),
    case("map coordinates", _mapped, [(7, 5)], batch0=False, **ARCHIVE),
    case("scale and translate", _scaled, [(7, 6, 3)], **ARCHIVE),
    case("blur and edges", _blurred, [(7, 6, 5)], **BOTH),
    case("similarity", _similar, [(13, 12, 11), (13, 12, 11)], **BOTH),
    case("bytes", _bytes, [(7, 5, 3)], dtype="uint8", **ARCHIVE),
]  # fmt: skip


@parity(CASES)
def test_operations_image(run: Any) -> None:
    """Same as Keras."""
    run()


@pytest.mark.live
def test_elastic_transform_is_refused(tmp_path: Any) -> None:
    keras = keras_of("keras")
    x = keras.Input((5, 4, 3))
    keras.Model(x, keras.ops.image.elastic_transform(x, seed=1)).save(tmp_path / "m.keras")
    with pytest.raises(lg.UnsupportedError, match="random numbers"):
        lg.load(tmp_path / "m.keras")
