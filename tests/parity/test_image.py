"""Layers on images beside real Keras; augmentation does nothing at inference."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layers.image import AUGMENTATION
from support import case, parity

K2_ONLY = ("RandomHeight", "RandomWidth")
IN_BOTH = ("RandomBrightness", "RandomContrast", "RandomFlip", "RandomRotation",
           "RandomTranslation", "RandomZoom")  # fmt: skip
OPTIONS: dict[str, dict[str, Any]] = {
    "RandomBrightness": {"factor": 0.2}, "RandomColorDegeneration": {"factor": 0.2},
    "RandomContrast": {"factor": 0.2}, "RandomHeight": {"factor": 0.2}, "RandomHue": {"factor": 0.2},
    "RandomPosterization": {"factor": 4}, "RandomRotation": {"factor": 0.2},
    "RandomSaturation": {"factor": 0.2}, "RandomSharpness": {"factor": 0.2},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1}, "RandomWidth": {"factor": 0.2},
    "RandomZoom": {"height_factor": 0.1},
}  # fmt: skip


def _writers(name: str) -> tuple[str, ...]:
    if name in K2_ONLY:
        return ("tf_keras",)
    return ("keras", "tf_keras") if name in IN_BOTH else ("keras",)


def _containers(name: str) -> tuple[str, ...]:
    """Keras 3 fails to save some of its layers to .h5."""
    broken = ("RandomBrightness", "RandomColorDegeneration", "RandomPosterization",
              "RandomSaturation", "RandomSharpness")  # fmt: skip
    return (".keras",) if name in broken else (".keras", ".h5")


def _augmentation(name: str) -> Any:
    return lambda k: getattr(k.layers, name)(**OPTIONS.get(name, {}))


CASES = [
    *(case(n, _augmentation(n), (6, 5, 3), writers=_writers(n), batch0=False, containers=_containers(n)) for n in AUGMENTATION),
    case("resizing larger", lambda k: k.layers.Resizing(9, 11), (6, 5, 3)),
    case("resizing smaller", lambda k: k.layers.Resizing(4, 3), (7, 5, 3)),
    case("resizing nearest", lambda k: k.layers.Resizing(4, 11, interpolation="nearest"), (7, 5, 3)),
    case("resizing bytes", lambda k: k.layers.Resizing(4, 11), (7, 5, 3), dtype="uint8"),
    case("center crop", lambda k: k.layers.CenterCrop(4, 3), (7, 6, 5)),
]  # fmt: skip


@parity(CASES)
def test_image(run: Any) -> None:
    """Same as Keras."""
    run()
