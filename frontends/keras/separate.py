"""A model whose architecture and weights stand in two files.

The architecture is ``model.to_json()`` of any Keras, a ``config.json``, or a model file whose own
weights are set aside; the weights are what ``save_weights`` of any Keras writes, or a model file.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any, NamedTuple

from layergraph.frontends.keras import limits, strangers
from layergraph.frontends.keras.archive import ZipMembers
from layergraph.frontends.keras.files import (
    CONFIG,
    HDF5_MAGIC,
    LEGACY_WEIGHTS,
    METADATA,
    ZIP_MAGIC,
    LegacyWeights,
    NumberedWeights,
    SavedModel,
    VariableTree,
    file_head,
    is_folder,
    model_config,
    open_saved_model,
    version_text,
    weights_member,
)
from layergraph.frontends.keras.hdf5 import Hdf5File
from layergraph.ir.errors import FileFormatError


class _Weights(NamedTuple):
    version: str
    backend: str
    legacy: LegacyWeights | None = None
    variables: VariableTree | None = None


def open_separate(name: str, weights: str) -> SavedModel:
    """Open an architecture and the weights that belong to it.

    Args:
        name: path of the architecture.
        weights: path of the weights.

    Raises:
        FileFormatError: one of the two is something else (says what), damaged,
            or built to do harm.
    """
    config, version = _architecture(name)
    with ExitStack() as opened:
        found = _weights(weights, opened)
        return SavedModel(
            name,
            "h5" if found.variables is None else "keras",
            config,
            keras_version=version,
            backend=found.backend or "tensorflow",
            legacy=found.legacy,
            variables=found.variables,
            weights_path=weights,
            weights_version=found.version or version,
            opened=(opened.pop_all(),),
        )


# --- the architecture -------------------------------------------------------------


def _architecture(name: str) -> tuple[dict[str, Any], str]:
    """Config and Keras version."""
    if is_folder(name):
        return _architecture(os.path.join(name, CONFIG))
    if not file_head(name).lstrip().startswith(b"{"):
        with open_saved_model(name) as saved:
            return saved.config, saved.keras_version
    config = model_config(_text(name), "it", name)
    if "weight_map" in config:
        raise FileFormatError(
            f"{name}: this is the index of sharded weights; pass it as weights, with the "
            "model's architecture (model.to_json()) as the model"
        )
    if not isinstance(config.get("class_name"), str) or "config" not in config:
        raise FileFormatError(
            f"{name}: this JSON describes no Keras model; save model.to_json() of one"
        )
    return config, version_text(_version_of(name, config), name)


def _text(name: str) -> str:
    size = os.path.getsize(name)
    if size > limits.MAX_CONFIG_BYTES:
        raise limits.refused(name, f"it has {size} bytes of JSON")
    try:
        with open(name, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{name}: it is not UTF-8 text; fetch it again") from error


def _version_of(name: str, config: dict[str, Any]) -> str:
    """Version of Keras that wrote a config: as it says, as the file beside it says, or by style.

    Keras 1 and 2 put it into ``to_json``; Keras 3 does not.
    """
    if isinstance(config.get("keras_version"), str):
        return str(config["keras_version"])
    beside = os.path.join(os.path.dirname(name), METADATA)
    if os.path.basename(name) == CONFIG and os.path.isfile(beside):
        return str(model_config(_text(beside), METADATA, name).get("keras_version"))
    if "module" not in config:
        return "1" if isinstance(config["config"], list) else "2"
    module = str(config.get("module"))
    return "2" if module.startswith("tf_keras") or ".engine." in module else "3"


# --- the weights ------------------------------------------------------------------


def _weights(name: str, opened: ExitStack) -> _Weights:
    if is_folder(name):
        return _weights(os.path.join(name, "model.weights.h5"), opened)
    head = file_head(name)
    if head.startswith(HDF5_MAGIC):
        stored = Hdf5File(name, name, os.path.getsize(name))
        opened.callback(stored.close)
        return _hdf5_weights(stored)
    if head.startswith(ZIP_MAGIC):
        members = ZipMembers(name)
        opened.callback(members.close)
        parts: list[Any] = []
        opened.callback(lambda: [part.close() for part in reversed(parts)])
        return _Weights("", "", variables=VariableTree(weights_member(members, name, parts)))
    if head.lstrip().startswith(b"{"):
        return _Weights("", "", variables=_shards(name, opened))
    raise strangers.strange_file(name, head)


def _hdf5_weights(stored: Hdf5File) -> _Weights:
    group = LEGACY_WEIGHTS if LEGACY_WEIGHTS in stored.groups else ""
    version, backend = (
        stored.text(group, key) or stored.text("", key) or ""
        for key in ("keras_version", "backend")
    )
    if stored.has_attribute(group, "nb_layers"):
        return _Weights("1", backend, legacy=NumberedWeights(stored, group))
    if stored.texts(group, "layer_names") is not None:
        return _Weights(version or "1", backend, legacy=LegacyWeights(stored, group))
    tree = VariableTree(stored)
    # A model without arrays has weights without arrays, whose groups are there.
    if not tree.groups() and "vars" not in stored.groups:
        raise strangers.strange_hdf5(stored.file, stored.top(), ())
    return _Weights("", "", variables=tree)


def _shards(name: str, opened: ExitStack) -> VariableTree:
    """The files that the index of sharded weights names, which lie beside it."""
    index = model_config(_text(name), "it", name).get("weight_map")
    if not isinstance(index, dict):
        raise FileFormatError(
            f"{name}: this JSON holds no weights; pass the index that save_weights wrote "
            "(.weights.json), or a .weights.h5 file"
        )
    named = [n for v in index.values() for n in (v if isinstance(v, list) else [v])]
    folder, files = os.path.dirname(name), []
    for shard in dict.fromkeys(named):
        if not isinstance(shard, str) or os.path.basename(shard) != shard:
            raise limits.refused(name, f"it names {str(shard)[:60]!r}, which is no file beside it")
        path = os.path.join(folder, shard)
        if not file_head(path).startswith(HDF5_MAGIC):
            raise strangers.strange_file(path, file_head(path))
        stored = Hdf5File(path, path, os.path.getsize(path))
        opened.callback(stored.close)
        files.append(stored)
    return VariableTree(*files)
