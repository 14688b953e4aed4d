"""Operators on images, channels last."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import (
    as_dtype,
    as_tensor,
    f,
    g,
    item,
    known_size,
    reshaped,
    write,
)
from layergraph.backends.keras.writer import Operand, Writer
from layergraph.backends.numpy.table import run
from layergraph.ir.interpolation import resized_dtype
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
from layergraph.ir.types import Array

spellings = Spellings()

LAST = "channels_last"
BY_KERAS_3 = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


@spellings.spells(Resize)
def resize(w: Writer, op: Resize, x: Tensor) -> Any:
    """Resizing, or an operation where it would say more or less."""
    x = w.tensor(x)
    plain = op.interpolation in BY_KERAS_3 or not w.keras3
    if not plain:
        return _resize_by_matrices(w, op, x)
    if not w.keras3:
        return _resize_2(w, op, x)
    given = w.tensor(as_dtype(w, x, resized_dtype(x.dtype, op.interpolation)))
    options: dict[str, Any] = {
        "interpolation": op.interpolation,
        "crop_to_aspect_ratio": op.fit == "crop",
        "pad_to_aspect_ratio": op.fit == "pad",
        "fill_mode": "constant",
        "fill_value": op.fill_value,
        "data_format": LAST,
    }
    if op.antialias:
        return w.op("Resize", given, size=list(op.size), antialias=True, **options)
    if given.type.is_float:
        height, width = op.size
        return w.layer("Resizing", given, height=height, width=width, masking="drop",
                       antialias=False, **options)  # fmt: skip
    return w.op("Resize", given, size=list(op.size), antialias=False, **options)


def _resize_by_matrices(w: Writer, op: Resize, x: Tensor) -> Any:
    """What Keras 3 has no name for: a product along each axis with what its elements weigh."""
    if op.fit != "stretch":
        raise RefusedError(f"Keras 3 does not resize by {op.interpolation!r}")
    term: Any = as_dtype(w, x, "float32")
    for axis, (given, wanted) in enumerate(zip(x.shape[1:3], op.size, strict=True)):
        size = known_size(given, "the size of its images")
        line = replace(op, size=(wanted, 1))
        columns = np.eye(size, dtype="float32").reshape(1, size, 1, size)
        weights: Any = run(line, {}, [columns])
        equation = "bhwc,yh->bywc" if axis == 0 else "bhwc,xw->bhxc"
        term = f("Einsum", term, weights.reshape(wanted, size), subscripts=equation)
    return write(w, term)


def _resize_2(w: Writer, op: Resize, x: Tensor) -> Any:
    """In Keras 2, whose layer neither pads nor smoothes."""
    if op.fit == "pad":
        raise RefusedError("Keras 2 pads no images to an aspect ratio")
    dtype = w.node.types[0].dtype
    if op.fit == "stretch" and (op.antialias or x.dtype != "float32"):
        return w.tf("image.resize", x, size=list(op.size), method=op.interpolation,
                    antialias=op.antialias)  # fmt: skip
    if op.antialias or dtype not in ("float32", x.dtype):
        raise RefusedError("Keras 2 crops to an aspect ratio in a layer that does not smooth")
    height, width = op.size
    return w.layer(
        "Resizing", x, height=height, width=width, interpolation=op.interpolation,
        crop_to_aspect_ratio=op.fit == "crop", masking="drop",
    )  # fmt: skip


@spellings.spells(CenterCrop)
def center_crop(w: Writer, op: CenterCrop, x: Tensor) -> Any:
    """CenterCrop, which computes in floats."""
    x = w.tensor(x)
    if not x.type.is_float:
        raise RefusedError(f"CenterCrop makes floats of {x.dtype}")
    height, width = op.size
    options: dict[str, Any] = {"data_format": LAST} if w.keras3 else {}
    return w.layer("CenterCrop", x, height=height, width=width, masking="drop", **options)


@spellings.spells(Frame)
def frame(w: Writer, op: Frame, x: Tensor) -> Any:
    """PadImages or CropImages; ends of known size in Keras 2."""
    x = w.tensor(x)
    ends = [e for pair in (op.before, op.behind) for e in pair if e is not None]
    if w.keras3 and (min(ends, default=0) >= 0 or max(ends, default=0) <= 0):
        cuts = min(ends, default=0) < 0 or _shrinks(op, x)
        names = {"top": op.before[0], "left": op.before[1],
                 "bottom": op.behind[0], "right": op.behind[1]}  # fmt: skip
        what = "cropping" if cuts else "padding"
        sides: dict[str, Any] = {
            f"{side}_{what}": v if v is None or not cuts else -v for side, v in names.items()
        }
        return w.op(
            "CropImages" if cuts else "PadImages", x, target_height=op.size[0],
            target_width=op.size[1], data_format=LAST, **sides,
        )  # fmt: skip
    sizes = [known_size(d, "the size of its images") for d in x.shape[1:3]]
    around = [op.ends(axis, n) for axis, n in enumerate(sizes)]
    key = [
        slice(None),
        *(slice(max(-b, 0), n + min(a, 0)) for (b, a), n in zip(around, sizes, strict=True)),
    ]
    pairs = [[0, 0], *([max(b, 0), max(a, 0)] for b, a in around), [0, 0]]
    cut = item(w, x, key)
    if w.keras3:
        return write(w, f("Pad", cut, pad_width=pairs, mode="constant"))
    return write(w, f("pad", cut, paddings=pairs))


def _shrinks(op: Frame, x: Tensor) -> bool:
    pairs = zip(op.size, x.shape[1:3], strict=True)
    return any(s is not None and n is not None and s < n for s, n in pairs)


@spellings.spells(Patches)
def patches(w: Writer, op: Patches, x: Tensor) -> Any:
    """An operation, of TensorFlow for images only."""
    x = w.tensor(x)
    rank = len(op.size)
    if w.keras3:
        if max(op.strides) > 1 and max(op.dilation_rate) > 1:
            raise RefusedError("ExtractPatches takes no strides with a dilation rate")
        return w.op(
            "ExtractPatches", x, size=list(op.size), strides=list(op.strides),
            dilation_rate=op.dilation_rate[0] if len(set(op.dilation_rate)) == 1
            else list(op.dilation_rate), padding=op.padding, data_format=LAST,
        )  # fmt: skip
    if rank != 2:
        raise RefusedError(f"Keras 2 extracts no patches of {rank} spatial axes")
    return w.tf(
        "image.extract_patches", x, sizes=[1, *op.size, 1], strides=[1, *op.strides, 1],
        rates=[1, *op.dilation_rate, 1], padding=op.padding.upper(),
    )  # fmt: skip


# --- colours ---------------------------------------------------------------------------


@spellings.spells(Grayscale)
def grayscale(w: Writer, op: Grayscale, x: Tensor) -> Any:
    """An operation; a product in Keras 2, which whole numbers are cut after."""
    x = w.tensor(x)
    if w.keras3 and x.rank in (3, 4):
        return w.op("RGBToGrayscale", x, data_format=LAST)
    weights: Array = np.array([0.2989, 0.5870, 0.1140], "float32")
    if x.type.is_float:
        total = g(w, "sum", g(w, "multiply", x, weights.astype(x.dtype)), axis=[-1], keepdims=True)
        return write(w, total)
    wide = g(w, "cast", x, dtype="float32", types=x.type.with_dtype("float32"))
    total = g(w, "sum", g(w, "multiply", wide, weights), axis=[-1], keepdims=True)
    return write(w, g(w, "cast", total, dtype=x.dtype))


@spellings.spells(ConvertColors)
def convert_colors(w: Writer, op: ConvertColors, x: Tensor) -> Any:
    """An operation."""
    x = w.tensor(x)
    if not w.keras3:
        return w.tf("image.rgb_to_hsv" if op.to == "hsv" else "image.hsv_to_rgb", x)
    if x.rank not in (3, 4):
        raise RefusedError(f"Keras 3 converts no colours of {x.rank} axes")
    return w.op("RGBToHSV" if op.to == "hsv" else "HSVToRGB", x, data_format=LAST)


# --- pixels read elsewhere -------------------------------------------------------------


@spellings.spells(ProjectiveTransform)
def projective_transform(w: Writer, op: ProjectiveTransform, x: Operand, transform: Operand) -> Any:
    """An operation of Keras 3; TensorFlow's cannot be saved in a Keras 2 model."""
    if not w.keras3:
        raise RefusedError("Keras 2 cannot save TensorFlow's projective transform")
    return w.op(
        "AffineTransform", x, transform, interpolation=op.interpolation,
        fill_mode=op.fill_mode, fill_value=op.fill_value, data_format=LAST,
    )  # fmt: skip


@spellings.spells(Homography)
def homography(w: Writer, op: Homography, start: Operand, end: Operand) -> Any:
    """Eight linear equations, solved."""
    source = next(v for v in (start, end) if isinstance(v, Tensor))
    a, b = (w.tensor(as_dtype(w, as_tensor(w, v, source), "float32")) for v in (start, end))
    one = g(w, "ones_like", item(w, b, [..., slice(0, 1)]))
    none = g(w, "zeros_like", g(w, "concat", [b, one], axis=-1))
    rows = []
    for i in range(2):
        linear = g(w, "concat", [b, one], axis=-1)
        blocks = [linear, none] if i == 0 else [none, linear]
        product = g(w, "multiply", item(w, a, [..., slice(i, i + 1)]), b)
        rows.append(g(w, "concat", [*blocks, g(w, "negative", product)], axis=-1))
    # Rows of one point follow each other: x, then y.
    stacked = g(w, "stack", rows, axis=2)
    matrix, wanted = reshaped(w, stacked, [-1, 8, 8]), reshaped(w, a, [-1, 8, 1])
    if w.keras3:
        return write(w, f("Squeeze", f("Solve", matrix, wanted), axis=-1))
    return write(w, f("squeeze", f("linalg.solve", matrix, rhs=wanted), axis=[-1]))


@spellings.spells(MapCoordinates)
def map_coordinates(w: Writer, op: MapCoordinates, x: Operand, coordinates: Operand) -> Any:
    """An operation of Keras 3."""
    if not w.keras3:
        raise RefusedError("Keras 2 and TensorFlow have no map_coordinates")
    return w.op("MapCoordinates", x, coordinates, order=op.order, fill_mode=op.fill_mode,
                fill_value=op.fill_value)  # fmt: skip


@spellings.spells(ScaleAndTranslate)
def scale_and_translate(
    w: Writer, op: ScaleAndTranslate, x: Operand, scale: Operand, translation: Operand
) -> Any:
    """An operation of Keras 3."""
    if not w.keras3:
        raise RefusedError("Keras 2 cannot save TensorFlow's scale_and_translate")
    return w.op(
        "ScaleAndTranslate", x, list(op.output_shape), scale, translation,
        spatial_dims=list(op.axes), method=op.method, antialias=op.antialias,
    )  # fmt: skip


@spellings.spells(SSIM)
def ssim(w: Writer, op: SSIM, x1: Operand, x2: Operand, *, window: Array) -> Any:
    """An operation, whose window and constants are those of some options."""
    size = len(window)
    middle = (size - 1) / 2
    # The quotient of the ends' weight to the middle's tells how wide the bell is.
    places = np.arange(size) - middle
    inner = window[int(np.floor(middle))]
    exponent = float(np.log(np.float64(window[0]) / np.float64(inner))) if size > 1 else -1.0
    inside = float(places[int(np.floor(middle))])
    spread = (float(places[0]) ** 2 - inside**2) / max(-2 * exponent, 1e-30) if size > 1 else 1.0
    sigma = float(np.sqrt(spread))
    k1, k2 = (float(np.sqrt(c)) for c in (op.c1, op.c2))
    if w.keras3:
        return w.op("SSIM", x1, x2, max_val=1.0, filter_size=size, filter_sigma=sigma, k1=k1,
                    k2=k2, data_format=LAST)  # fmt: skip
    source = next(v for v in (x1, x2) if isinstance(v, Tensor))
    a, b = as_tensor(w, x1, source), as_tensor(w, x2, source)
    w.spelled_out()  # its window differs in the last digit
    return w.tf("image.ssim", a, img2=b, max_val=1.0, filter_size=size, filter_sigma=sigma,
                k1=k1, k2=k2)  # fmt: skip
