"""The ``.h5`` file of Keras 2: the config in an attribute, arrays by layer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layergraph.backends.keras.dialects import Dialect
from layergraph.backends.keras.model import Layer, Model, Stored
from layergraph.ir.types import Array
from layergraph.ir.writing import Draft

if TYPE_CHECKING:
    import h5py

CHUNK = 2000
"""Names an attribute holds: HDF5 allows an object's header 64 KiB."""


def write_hdf5(model: Model, dialect: Dialect, draft: Draft) -> None:
    """Write a model as Keras 2 does.

    Source: tf_keras/src/saving/legacy/hdf5_format.py ``save_model_to_hdf5``, tf-keras 2.21.

    Raises:
        OSError: the file cannot be written.
    """
    with new_hdf5(draft.path) as file:
        file.attrs["backend"] = "tensorflow"
        file.attrs["keras_version"] = dialect.version
        file.attrs["model_config"] = json.dumps(dialect.config(model))
        weights = file.create_group("model_weights")
        weights.attrs["backend"] = "tensorflow"
        weights.attrs["keras_version"] = dialect.version
        _put_names(weights, "layer_names", [layer.name for layer in model.layers])
        for layer in model.layers:
            group = weights.create_group(layer.name)
            names = _weight_names(layer)
            _put_names(group, "weight_names", names)
            for name, stored in zip(names, layer.arrays, strict=True):
                # Of bfloat16 tf-keras reads no array back, not even of its own.
                wide = stored.array.dtype.name == "bfloat16"
                put_array(group, name, stored.array.astype("float32") if wide else stored.array)
        _put_names(weights.create_group("top_level_model_weights"), "weight_names", [])


@contextmanager
def new_hdf5(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file to fill, in a file that is there and may have no name.

    HDF5 itself opens files by their real names, so it is given the open file.
    """
    import h5py

    with path.open("r+b") as stream, h5py.File(stream, "w") as file:
        yield file


def _weight_names(layer: Layer) -> list[str]:
    """``dense/kernel:0``; a name that occurs again is numbered."""
    names: dict[str, None] = {}
    for stored in layer.arrays:
        name, number = _name(layer, stored), 0
        while name in names:
            number += 1
            name = _name(layer, stored, f"_{number}")
        names[name] = None
    return list(names)


def _name(layer: Layer, stored: Stored, number: str = "") -> str:
    parts = (layer.name, stored.scope, f"{stored.role}{number}:0")
    return "/".join(part for part in parts if part)


def _put_names(group: h5py.Group, key: str, names: Sequence[str]) -> None:
    if not names:
        group.attrs[key] = np.zeros(0)
        return
    data: Any = [name.encode() for name in names]
    if len(names) <= CHUNK:
        group.attrs[key] = np.array(data, object)
        return
    for i in range(0, len(data), CHUNK):
        group.attrs[f"{key}{i // CHUNK}"] = np.array(data[i : i + CHUNK], object)


def put_array(group: h5py.Group, name: str, array: Array) -> None:
    """One array; of bfloat16 its bytes, as Keras stores them."""
    if array.dtype.name != "bfloat16":
        group[name] = np.ascontiguousarray(array) if array.ndim else array
        return
    group[name] = np.ascontiguousarray(array).view("V2")
    group[name].attrs["dtype"] = "bfloat16"
