"""The ``.keras`` archive of Keras 3: config, metadata and weights in a zip."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from layergraph.backends.keras.dialects import Dialect
from layergraph.backends.keras.hdf5 import new_hdf5, put_array
from layergraph.backends.keras.model import Layer, Model
from layergraph.backends.keras.names import snake_case
from layergraph.ir.writing import Draft, scratch


def write_archive(model: Model, dialect: Dialect, draft: Draft) -> None:
    """Write a model as Keras 3 does.

    Source: keras/src/saving/saving_lib.py ``_save_model_to_fileobj``, Keras 3.15.

    Raises:
        OSError: the file cannot be written.
    """
    metadata = {
        "keras_version": dialect.version,
        "date_saved": datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
    }
    # Neither file has a name, so that a kill leaves nothing, where the system can do that.
    with scratch(draft.target.parent) as weights:
        _write_weights(model, weights)
        with zipfile.ZipFile(draft.file, "w") as archive:
            archive.writestr("metadata.json", json.dumps(metadata))
            archive.writestr("config.json", json.dumps(dialect.config(model)))
            archive.write(weights, "model.weights.h5")


def _write_weights(model: Model, path: Path) -> None:
    """The arrays of each layer under the path by which Keras finds them."""
    with new_hdf5(path) as file:
        for folder, layer in _paths(model):
            groups = {"": file.create_group(f"{folder}/vars")}
            groups[""].attrs["name"] = layer.name
            for stored in layer.arrays:
                if stored.place not in groups:
                    groups[stored.place] = file.create_group(f"{folder}/{stored.place}/vars")
                    groups[stored.place].attrs["name"] = stored.scope or stored.place
                group = groups[stored.place]
                put_array(group, str(len(group)), stored.array)
        file.create_group("vars").attrs["name"] = model.name


def _paths(model: Model) -> Iterator[tuple[str, Layer]]:
    """Layers, not operations, are numbered by class in the order Keras lists them."""
    counts: dict[str, int] = {}
    for layer in model.layers:
        if layer.module:
            continue
        name = snake_case(layer.class_name)
        number = counts.get(name, 0)
        counts[name] = number + 1
        yield f"layers/{name}_{number}" if number else f"layers/{name}", layer
