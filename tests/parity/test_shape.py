"""Layers that rearrange elements, beside real Keras."""

from __future__ import annotations

from typing import Any

from support import case, parity

FIRST = {"data_format": "channels_first"}

CASES = [
    case("flatten", lambda k: k.layers.Flatten(), (3, 4, 2)),
    case("flatten unknown length", lambda k: k.layers.Flatten(), (3, 4), unknown=(0,)),
    case("flatten channels first", lambda k: k.layers.Flatten(**FIRST), (3, 4, 2)),
    case("reshape", lambda k: k.layers.Reshape((4, 6)), (2, 3, 4)),
    case("reshape with a rest", lambda k: k.layers.Reshape((-1, 6)), (2, 3, 4)),
    case("permute", lambda k: k.layers.Permute((3, 1, 2)), (2, 3, 4)),
    case("repeat vector", lambda k: k.layers.RepeatVector(3), (5,)),
    case("zero padding 1d", lambda k: k.layers.ZeroPadding1D((1, 2)), (5, 3)),
    case("zero padding 2d one number", lambda k: k.layers.ZeroPadding2D(2), (5, 4, 3)),
    case("zero padding 2d two numbers", lambda k: k.layers.ZeroPadding2D((1, 2)), (5, 4, 3)),
    case("zero padding 2d four numbers", lambda k: k.layers.ZeroPadding2D(((1, 0), (2, 3))), (5, 4, 3)),
    case("zero padding 2d channels first", lambda k: k.layers.ZeroPadding2D((1, 2), **FIRST), (3, 5, 4)),
    case("zero padding 3d", lambda k: k.layers.ZeroPadding3D((1, 2, 0)), (5, 4, 6, 3)),
    case("cropping 1d", lambda k: k.layers.Cropping1D((1, 2)), (6, 3)),
    case("cropping 2d", lambda k: k.layers.Cropping2D(((1, 0), (2, 1))), (6, 5, 3)),
    case("cropping 3d", lambda k: k.layers.Cropping3D(1), (5, 4, 6, 3)),
    case("up sampling 1d", lambda k: k.layers.UpSampling1D(3), (5, 4)),
    case("up sampling 2d", lambda k: k.layers.UpSampling2D((2, 3)), (5, 4, 3)),
    case("up sampling 2d bilinear", lambda k: k.layers.UpSampling2D((2, 3), interpolation="bilinear"), (5, 4, 3)),
    case("up sampling 2d channels first", lambda k: k.layers.UpSampling2D(2, **FIRST), (3, 5, 4)),
    case("up sampling 3d", lambda k: k.layers.UpSampling3D((1, 2, 3)), (5, 4, 6, 3)),
]  # fmt: skip


@parity(CASES)
def test_shape(run: Any) -> None:
    """Same as Keras."""
    run()
