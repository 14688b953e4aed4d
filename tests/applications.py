"""Families of ``keras.applications``, with weights that show what is computed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

QUICK: Mapping[str, int] = MappingProxyType(
    {"MobileNetV2": 75, "EfficientNetB0": 75, "ConvNeXtTiny": 75}
)
"""Families of every run, each with a side that the network's strides leave odd somewhere."""

FAMILIES: Mapping[str, int] = MappingProxyType({
    **QUICK,
    "DenseNet121": 75, "EfficientNetV2B0": 75, "InceptionResNetV2": 75, "InceptionV3": 75,
    "MobileNet": 75, "MobileNetV3Large": 75, "MobileNetV3Small": 75, "NASNetMobile": 224,
    "RegNetX002": 75, "RegNetY002": 75, "ResNet50": 75, "ResNet50V2": 75, "ResNetRS50": 75,
    "VGG16": 75, "VGG19": 75, "Xception": 75,
})  # fmt: skip
"""All families; those that are not quick take ``-m slow``."""


TF_KERAS_ONLY = ("RegNetX002", "RegNetY002", "ResNetRS50")
"""Families that Keras 3 does not have."""


def families(writer: str) -> list[str]:
    """Those that a Keras has."""
    return [name for name in FAMILIES if writer == "tf_keras" or name not in TF_KERAS_ONLY]


def application(keras: Any, name: str) -> Any:
    """A model of a family for 7 classes, its weights drawn."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    side = FAMILIES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = getattr(keras.applications, name)(
            weights=None, input_shape=(side, side, 3), classes=7
        )
    model.set_weights(list(_moved(model)))
    return model


def images(name: str, batch: int) -> Any:
    """What such a model is fed; each scales it to what it expects, or not at all."""
    shape = (batch, FAMILIES[name], FAMILIES[name], 3)
    return np.random.default_rng(1).uniform(0, 1, shape).astype("float32")


def _moved(model: Any) -> Iterator[Any]:
    """Weights off their defaults: batch norms that do something, biases that show."""
    rng = np.random.default_rng(0)
    for variable, array in zip(model.weights, model.get_weights(), strict=True):
        if array.dtype.kind == "f" and "variance" in getattr(variable, "path", variable.name):
            yield rng.uniform(0.5, 1.5, array.shape).astype(array.dtype)
        elif array.dtype.kind == "f" and array.ndim == 1:
            yield array + rng.normal(0, 0.1, array.shape).astype(array.dtype)
        else:
            yield array
