"""The models that are timed, built with a live Keras that the caller imports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from layergraph.ir.types import Array

Keras = Any
"""What an import cannot type: the module keras, one of its models, layers or tensors."""
Model = Any
Tensor = Any


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One model of the suite.

    Attributes:
        what: a few words.
        build: makes it with fresh weights.
        shape: of one row of the input.
        values: what the input holds: ``unit`` floats from 0 to 1, ``pixels`` from 0 to
            255, ``signed`` from -1 to 1, ``ids`` of a vocabulary.
        vocabulary: number of ids.
    """

    what: str
    build: Callable[[Keras], Model]
    shape: tuple[int, ...]
    values: Literal["unit", "pixels", "signed", "ids"] = "unit"
    vocabulary: int = 0

    def inputs(self, batch: int) -> Array:
        """Seeded input of so many rows."""
        rng = np.random.default_rng(batch)
        shape = (batch, *self.shape)
        if self.values == "ids":
            return rng.integers(1, self.vocabulary, shape, np.int32)
        low, high = {"unit": (0, 1), "pixels": (0, 255), "signed": (-1, 1)}[self.values]
        return rng.uniform(low, high, shape).astype(np.float32)


def seed_cnn(keras: Keras) -> Model:
    """Two convolutions, two poolings, a softmax: the README's CNN."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, activation="relu"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )


def cifar_cnn(keras: Keras) -> Model:
    """Six 3x3 convolutions, pooled in pairs, and a hidden layer of 256."""
    layers = keras.layers
    model = keras.Sequential([keras.Input((32, 32, 3))])
    for filters in (32, 64, 128):
        for _ in range(2):
            model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(256, activation="relu"))
    model.add(layers.Dense(10, activation="softmax"))
    return model


def seed_recurrent(kind: str) -> Callable[[Keras], Model]:
    """A text classifier of two bidirectional layers of one kind."""

    def build(keras: Keras) -> Model:
        layers = keras.layers
        layer = getattr(layers, kind)
        return keras.Sequential(
            [
                keras.Input((100,), dtype="int32"),
                layers.Embedding(5000, 128),
                layers.Bidirectional(layer(64, return_sequences=True)),
                layers.Bidirectional(layer(64)),
                layers.Dense(3, activation="softmax"),
            ]
        )

    return build


def transformer(keras: Keras) -> Model:
    """An encoder of four layers over 128 tokens: width 256, 8 heads, hidden 1024."""
    layers = keras.layers
    ids = keras.Input((128,), dtype="int32")
    places = keras.ops.cumsum(keras.ops.ones_like(ids), axis=1) - 1
    x = layers.Embedding(5000, 256)(ids) + layers.Embedding(128, 256)(places)
    for _ in range(4):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = x + layers.MultiHeadAttention(8, 32)(y, y)
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        x = x + layers.Dense(256)(layers.Dense(1024, activation="gelu")(y))
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization(epsilon=1e-6)(x))
    return keras.Model(ids, layers.Dense(10, activation="softmax")(x))


def unet(keras: Keras) -> Model:
    """Four levels down and up again, batch norm after every convolution."""
    layers = keras.layers

    def twice(x: Tensor, filters: int) -> Tensor:
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization()(x))
        return x

    image = x = keras.Input((128, 128, 3))
    levels = []
    for filters in (32, 64, 128, 256):
        levels.append(x := twice(x, filters))
        x = layers.MaxPooling2D(2)(x)
    x = twice(x, 512)
    for left, filters in zip(reversed(levels), (256, 128, 64, 32), strict=True):
        x = layers.Conv2DTranspose(filters, 2, strides=2)(x)
        x = twice(layers.Concatenate()([left, x]), filters)
    return keras.Model(image, layers.Conv2D(1, 1, activation="sigmoid")(x))


def application(name: str) -> Callable[[Keras], Model]:
    """A model of ``keras.applications``, weights as initialised."""
    return lambda keras: getattr(keras.applications, name)(weights=None)


IMAGE = (224, 224, 3)
RECURRENT = {"seed_rnn": "SimpleRNN", "seed_lstm": "LSTM", "seed_gru": "GRU"}

MODELS: dict[str, Recipe] = {
    "seed_cnn": Recipe(what="two convolutions, 32x32", build=seed_cnn, shape=(32, 32, 3)),
    "cifar_cnn": Recipe(what="six 3x3 convolutions, 32x32", build=cifar_cnn, shape=(32, 32, 3)),
    **{
        name: Recipe(
            what=f"two Bidirectional({kind}) of 64, 100 steps",
            build=seed_recurrent(kind),
            shape=(100,),
            values="ids",
            vocabulary=5000,
        )
        for name, kind in RECURRENT.items()
    },
    "transformer": Recipe(
        what="4 layers, width 256, 8 heads, 128 steps", build=transformer, shape=(128,),
        values="ids", vocabulary=5000,
    ),
    "unet": Recipe(what="four levels, 128x128", build=unet, shape=(128, 128, 3)),
    "MobileNetV2": Recipe(
        what="keras.applications, 224x224", build=application("MobileNetV2"), shape=IMAGE,
        values="signed",
    ),
    "EfficientNetB0": Recipe(
        what="keras.applications, 224x224", build=application("EfficientNetB0"), shape=IMAGE,
        values="pixels",
    ),
    "DenseNet121": Recipe(
        what="keras.applications, 224x224", build=application("DenseNet121"), shape=IMAGE,
        values="signed",
    ),
    "ResNet50": Recipe(
        what="keras.applications, 224x224", build=application("ResNet50"), shape=IMAGE,
        values="signed",
    ),
    "ConvNeXtTiny": Recipe(
        what="keras.applications, 224x224", build=application("ConvNeXtTiny"), shape=IMAGE,
        values="pixels",
    ),
    "VGG16": Recipe(
        what="keras.applications, 224x224", build=application("VGG16"), shape=IMAGE,
        values="signed",
    ),
}  # fmt: skip
"""By name, from the least work a row to the most."""

QUICK = ("seed_cnn", "cifar_cnn", "seed_rnn", "seed_lstm", "seed_gru")
"""Those of a quick run."""
