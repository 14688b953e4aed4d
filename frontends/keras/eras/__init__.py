"""Upgrade the config of any Keras era to the current dialect (``spec.py``).

Each era's file knows what its Keras wrote differently; beyond this package no
code needs to know the version.
"""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.eras.arrays import Writer
from layergraph.frontends.keras.spec import LayerSpec
from layergraph.ir.errors import FileFormatError


def upgrade(config: dict[str, Any], keras_version: str, file: str, writer: Writer) -> LayerSpec:
    """The model of a file in the current dialect.

    Args:
        config: the file's model config, ``{"class_name": ..., "config": ...}``.
        keras_version: version that wrote it.
        file: path, for errors.
        writer: what wrote the arrays, which may stand in another file.

    Raises:
        FileFormatError: the config is not that of a model, or of an era we
            do not read.
        UnsupportedError: a subclassed model, whose file holds no graph.
    """
    if keras_version.startswith(("3", "0.")):  # Keras Core, before it became Keras 3
        from layergraph.frontends.keras.eras.keras3 import Keras3

        return Keras3(file).model_layer(config)
    if keras_version.startswith("2"):
        from layergraph.frontends.keras.eras.keras2 import Keras2

        return Keras2(file, writer, keras_version).model_layer(config)
    if keras_version.startswith("1"):
        from layergraph.frontends.keras.eras.keras1 import Keras1

        return Keras1(file, writer, keras_version).model_layer(config)
    raise FileFormatError(f"{file}: unknown Keras version {keras_version!r}")
