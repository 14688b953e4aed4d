"""Every architecture family of ``keras.applications``, random weights, beside both Kerases."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from support import assert_close, keras_of

# Through some hundred layers, rounding adds up; a wrong option shows in the first digits.
RTOL = 2e-5

# One of each family; a side the network's strides leave odd somewhere.
QUICK = {"MobileNetV2": 75, "EfficientNetB0": 75, "ConvNeXtTiny": 75}
SLOW = {
    "DenseNet121": 75, "EfficientNetV2B0": 75, "InceptionResNetV2": 75, "InceptionV3": 75,
    "MobileNet": 75, "MobileNetV3Large": 75, "MobileNetV3Small": 75, "NASNetMobile": 224,
    "RegNetX002": 75, "RegNetY002": 75, "ResNet50": 75, "ResNet50V2": 75, "ResNetRS50": 75,
    "VGG16": 75, "VGG19": 75, "Xception": 75,
}  # fmt: skip


def rows() -> list[Any]:
    """Every model with every writer; containers take turns."""
    found = []
    for name, side in {**QUICK, **SLOW}.items():
        for writer, container in (("keras", ".keras"), ("keras", ".h5"), ("tf_keras", ".h5")):
            quick = name in QUICK and (writer, container) != ("keras", ".h5")
            marks = [pytest.mark.live] + ([] if quick else [pytest.mark.slow])
            found.append(
                pytest.param(name, side, writer, container, marks=marks,
                             id=f"{name}-{writer}{container}")
            )  # fmt: skip
    return found


def moved(model: Any) -> None:
    """Weights off their defaults: batch norms that do something, biases that show."""
    rng = np.random.default_rng(0)
    arrays = []
    for variable, array in zip(model.weights, model.get_weights(), strict=True):
        name = getattr(variable, "path", variable.name)
        if array.dtype.kind != "f":
            arrays.append(array)
        elif "variance" in name:
            arrays.append(rng.uniform(0.5, 1.5, array.shape))
        elif array.ndim == 1:
            arrays.append(array + rng.normal(0, 0.1, array.shape))
        else:
            arrays.append(array)
    model.set_weights(arrays)


@pytest.mark.parametrize(("name", "side", "writer", "container"), rows())
def test_applications(name: str, side: int, writer: str, container: str, tmp_path: Path) -> None:
    keras = keras_of(writer)
    make = getattr(keras.applications, name, None)
    if make is None:
        pytest.skip(f"{writer} has no {name}")
    keras.backend.clear_session()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make(weights=None, input_shape=(side, side, 3), classes=7)
        moved(model)
        path = tmp_path / f"model{container}"
        model.save(path)
        images = np.random.default_rng(1).uniform(0, 1, (2, side, side, 3)).astype("float32")
        wanted = np.asarray(model(images, training=False))
    del model
    graph = lg.load(path)
    assert_close(lg.Interpreter(graph)(images), wanted, RTOL)
    assert_close(lg.Interpreter(graph, optimize=False)(images[:1]), wanted[:1], RTOL)
