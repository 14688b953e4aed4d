"""Pooling beside real Keras: odd edges, padding that must not count, masks."""

from __future__ import annotations

from typing import Any

from support import case, parity


def _masked_mean(k: Any, x: Any) -> Any:
    return k.layers.GlobalAveragePooling1D()(k.layers.Masking()(x))


# Keras 2 has no adaptive pooling.
KERAS3: dict[str, Any] = {"writers": ("keras",)}

CASES = [
    case("max2d odd edge dropped", lambda k: k.layers.MaxPooling2D(2), (7, 5, 3)),
    case("max2d same odd", lambda k: k.layers.MaxPooling2D(3, strides=2, padding="same"), (7, 6, 4)),
    case("max2d overlapping", lambda k: k.layers.MaxPooling2D((3, 2), strides=1), (7, 6, 4)),
    case("max2d stride over window", lambda k: k.layers.MaxPooling2D(2, strides=3), (8, 7, 4)),
    case("max2d unknown sides", lambda k: k.layers.MaxPooling2D(2), (7, 6, 4), unknown=(0, 1)),
    case("max1d same", lambda k: k.layers.MaxPooling1D(4, strides=3, padding="same"), (9, 4)),
    case("max1d window one", lambda k: k.layers.MaxPooling1D(1, strides=2), (9, 4)),
    case("max3d", lambda k: k.layers.MaxPooling3D(2, padding="same"), (5, 7, 6, 3)),
    case("average2d odd edge dropped", lambda k: k.layers.AveragePooling2D(2), (7, 5, 3)),
    case("average2d same counts real elements", lambda k: k.layers.AveragePooling2D(3, strides=2, padding="same"), (6, 7, 4)),
    case("average2d same wide window", lambda k: k.layers.AveragePooling2D(5, strides=1, padding="same"), (6, 7, 4)),
    case("average1d", lambda k: k.layers.AveragePooling1D(2, padding="same"), (7, 4)),
    case("average3d", lambda k: k.layers.AveragePooling3D(2), (5, 7, 6, 3)),
    case("windows apart 3d", lambda k: k.layers.AveragePooling3D(1, strides=3, padding="same"), (8, 6, 9, 2)),
    case("max windows apart 3d", lambda k: k.layers.MaxPooling3D((2, 1, 3), strides=(4, 5, 4), padding="same"), (8, 7, 9, 2)),
    case("windows apart", lambda k: k.layers.AveragePooling2D(1, strides=3, padding="same"), (6, 9, 2)),
    case("global max 1d", lambda k: k.layers.GlobalMaxPooling1D(), (7, 4)),
    case("global average 1d", lambda k: k.layers.GlobalAveragePooling1D(), (7, 4)),
    case("global average 1d masked", _masked_mean, (7, 4), make="masked"),
    case("global max 2d keepdims", lambda k: k.layers.GlobalMaxPooling2D(keepdims=True), (7, 6, 4)),
    case("global average 2d", lambda k: k.layers.GlobalAveragePooling2D(), (7, 6, 4)),
    case("global average 2d channels first", lambda k: k.layers.GlobalAveragePooling2D(data_format="channels_first"), (4, 7, 6)),
    case("adaptive average 1d", lambda k: k.layers.AdaptiveAveragePooling1D(4), (10, 3), **KERAS3),
    case("adaptive average 1d growing", lambda k: k.layers.AdaptiveAveragePooling1D((7,)), (5, 3), **KERAS3),
    case("adaptive max 1d", lambda k: k.layers.AdaptiveMaxPooling1D(3), (10, 4), **KERAS3),
    case("adaptive max 1d growing", lambda k: k.layers.AdaptiveMaxPooling1D(8), (5, 3), **KERAS3),
    case("adaptive max 1d channels first", lambda k: k.layers.AdaptiveMaxPooling1D(3, data_format="channels_first"), (4, 11), **KERAS3),
    case("adaptive average 2d", lambda k: k.layers.AdaptiveAveragePooling2D((3, 4)), (7, 11, 2), **KERAS3),
    case("adaptive average 2d one size", lambda k: k.layers.AdaptiveAveragePooling2D(3), (8, 7, 2), **KERAS3),
    case("adaptive max 2d channels first", lambda k: k.layers.AdaptiveMaxPooling2D((2, 5), data_format="channels_first"), (3, 7, 6), **KERAS3),
    case("adaptive max 2d to one", lambda k: k.layers.AdaptiveMaxPooling2D(1), (7, 6, 3), **KERAS3),
    case("adaptive average 3d", lambda k: k.layers.AdaptiveAveragePooling3D((2, 3, 4)), (5, 7, 6, 3), **KERAS3),
    case("adaptive average 3d channels first", lambda k: k.layers.AdaptiveAveragePooling3D(2, data_format="channels_first"), (3, 5, 7, 4), **KERAS3),
    case("adaptive max 3d", lambda k: k.layers.AdaptiveMaxPooling3D((3, 2, 5)), (5, 7, 6, 3), **KERAS3),
    case("global max 3d", lambda k: k.layers.GlobalMaxPooling3D(), (5, 7, 6, 3)),
]  # fmt: skip


@parity(CASES)
def test_pooling(run: Any) -> None:
    """Same as Keras."""
    run()
