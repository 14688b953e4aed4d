"""The two Kerases that write and answer for the golden files, and how both save and load."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

# What an import cannot type: a Keras module, a Keras model.
Keras = Any
Model = Any

# Name used in folder names -> module. tf-keras is Keras 2, kept alive beside TensorFlow.
WRITERS = {"keras3": "keras", "tfkeras": "tf_keras"}
CONTAINERS = (".h5", ".keras")


def keras_of(writer: str) -> Keras:
    """The Keras module of a writer, on TensorFlow's CPU."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    return import_module(WRITERS[writer])


def seed(keras: Keras, number: int) -> None:
    """Fresh layer names, and seeds for Python, NumPy and TensorFlow."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(number)


def save(model: Model, path: Path) -> None:
    """Save without the warning that `.h5` is the old container."""
    with quiet():
        model.save(path)


def load(keras: Keras, path: Path) -> Model:
    """The live model of a file."""
    with quiet():
        return keras.models.load_model(path, compile=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Keras' remarks on old containers and on compiling do not concern anybody here."""
    import logging
    import warnings

    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(previous)
