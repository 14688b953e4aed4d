"""The models of the study, built in Keras."""

from __future__ import annotations

from typing import Any

from study.configurations import Cnn, Configuration, Recurrent
from study.datasets import SENTIMENTS

VOCABULARY = 2000
"""Words that have an embedding, padding and unknown words included."""

STEPS = 80
"""Tokens of a sentence; NusaX's longest sentence has 77."""

EMBEDDING = 32
DROPOUT = 0.3
CLASSES = {"cifar10": 10, "nusax": len(SENTIMENTS)}


def build(keras: Any, configuration: Configuration) -> Any:
    """The model, compiled for training.

    Args:
        keras: the module of Keras 3.
        configuration: which.
    """
    layers = (
        _cnn(keras, configuration)
        if isinstance(configuration, Cnn)
        else _recurrent(keras, configuration)
    )
    model = keras.Sequential(layers, name=configuration.kind.lower())
    model.compile(
        keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def _cnn(keras: Any, of: Cnn) -> list[Any]:
    layers = keras.layers
    pooling = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D}[of.pooling]
    stack = [keras.Input((32, 32, 3))]
    for _ in range(of.layers):
        stack.append(layers.Conv2D(of.filters, of.kernel, padding="same", activation="relu"))
        stack.append(pooling(2))
    return [*stack, layers.Flatten(), layers.Dense(CLASSES[of.data], activation="softmax")]


def _recurrent(keras: Any, of: Recurrent) -> list[Any]:
    layers = keras.layers
    stack = [
        keras.Input((STEPS,), dtype="int32"),
        layers.Embedding(VOCABULARY, EMBEDDING, mask_zero=True),
    ]
    for number in range(of.layers):
        layer = getattr(layers, of.cell)(of.units, return_sequences=number + 1 < of.layers)
        stack.append(layers.Bidirectional(layer) if of.direction == "both" else layer)
    return [
        *stack,
        layers.Dropout(DROPOUT),
        layers.Dense(CLASSES[of.data], activation="softmax"),
    ]
