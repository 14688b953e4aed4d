"""The models that are trained on real data: what they are made of and what they are fed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from golden.writers import Keras, Model
from layergraph.ir.types import Array
from study.datasets import SENTIMENTS, Ints, Padding, Vocabulary, cifar10, nusax

VOCABULARY, STEPS, EMBEDDING = 600, 80, 32
CLASSES = {"cifar10": 10, "nusax": len(SENTIMENTS)}
Split = Literal["train", "test"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one model is built, fed and trained."""

    what: str
    build: Callable[[Keras], Model]
    data: Literal["cifar10", "nusax"]
    epochs: int
    batch: int
    padding: Padding = "pre"


def cnn(keras: Keras) -> Model:
    """Conv2D-ReLU twice, max and average pooling, Flatten, Dense softmax."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, activation="relu"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(CLASSES["cifar10"], activation="softmax"),
        ],
        name="cnn",
    )


def classifier(
    keras: Keras, name: str, recurrent: str, units: int, *, both_ways: bool, masked: bool
) -> Model:
    """Embedding, one recurrent layer, Dropout, Dense softmax."""
    layers = keras.layers
    recurrent_layer = getattr(layers, recurrent)(units)
    return keras.Sequential(
        [
            keras.Input((STEPS,), dtype="int32"),
            layers.Embedding(VOCABULARY, EMBEDDING, mask_zero=masked),
            layers.Bidirectional(recurrent_layer) if both_ways else recurrent_layer,
            layers.Dropout(0.3),
            layers.Dense(CLASSES["nusax"], activation="softmax"),
        ],
        name=name,
    )


def text(recurrent: str, units: int, *, both_ways: bool, masked: bool, epochs: int) -> Recipe:
    """A text classifier. Only with a mask may padding stand at the end: else it is forgetting."""
    name = {"SimpleRNN": "rnn", "LSTM": "lstm"}[recurrent]
    name = f"bidirectional_{name}" if both_ways else {"rnn": "simple_rnn"}.get(name, name)
    padding: Padding = "post" if masked else "pre"
    return Recipe(
        what="NusaX sentiment: Embedding, "
        f"{'Bidirectional ' * both_ways}{recurrent}, Dropout, Dense softmax; "
        + (f"{padding}-padded, " + ("masked" if masked else "not masked")),
        build=lambda keras: classifier(
            keras, name, recurrent, units, both_ways=both_ways, masked=masked
        ),
        data="nusax",
        epochs=epochs,
        batch=16,
        padding=padding,
    )


TRAINED = {
    "cnn": Recipe(
        what="CIFAR-10: Conv2D-ReLU twice, max and average pooling, Flatten, Dense softmax",
        build=cnn,
        data="cifar10",
        epochs=6,
        batch=64,
    ),
    "simple_rnn": text("SimpleRNN", 64, both_ways=False, masked=False, epochs=12),
    "bidirectional_rnn": text("SimpleRNN", 64, both_ways=True, masked=True, epochs=12),
    "lstm": text("LSTM", 64, both_ways=False, masked=True, epochs=10),
    "bidirectional_lstm": text("LSTM", 32, both_ways=True, masked=False, epochs=10),
}


def rows(recipe: Recipe, folder: Path, split: Split) -> tuple[Array, Ints]:
    """What the model is fed, and the right answers."""
    if recipe.data == "cifar10":
        return cifar10(folder, split)
    vocabulary = Vocabulary(nusax(folder, "train")[0], VOCABULARY)
    sentences, labels = nusax(folder, split)
    return vocabulary.encode(sentences, STEPS, recipe.padding), labels
