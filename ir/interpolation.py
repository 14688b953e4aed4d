"""How resized images are sampled: what resizing and upsampling share."""

from __future__ import annotations

from typing import Literal

Interpolation = Literal[
    "nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"
]
"""How a resized image is sampled; TensorFlow's names."""


def resized_dtype(dtype: str, interpolation: Interpolation) -> str:
    """``nearest`` keeps the dtype, everything else computes in float32."""
    return dtype if interpolation == "nearest" else "float32"
