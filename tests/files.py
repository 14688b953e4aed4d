"""Golden models: what Keras answered for them, and copies to damage; no Keras is needed."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py

from layergraph.tools.golden import Golden

GOLDEN = Path(__file__).resolve().parent / "golden"
RECORDING = "golden.safetensors"
SMALL = "several_inputs_and_outputs"

Change = Callable[[dict[str, Any]], None]


def recorded(model: Path) -> Golden:
    """What real Keras answered for a golden model file."""
    return Golden.read(model.with_name(RECORDING))


def copy_h5(folder: Path, name: str = f"{SMALL}-tfkeras") -> Path:
    """A copy of a golden ``.h5`` model."""
    return Path(shutil.copy(GOLDEN / name / "model.h5", folder / "model.h5"))


def copy_keras(folder: Path, name: str = f"{SMALL}-keras3") -> Path:
    """A copy of a golden ``.keras`` model."""
    return Path(shutil.copy(GOLDEN / name / "model.keras", folder / "model.keras"))


def unzipped(folder: Path, name: str = f"{SMALL}-keras3") -> Path:
    """A golden ``.keras`` model as a folder."""
    target = folder / "model"
    with zipfile.ZipFile(GOLDEN / name / "model.keras") as archive:
        archive.extractall(target)
    return target


def rezipped(folder: Path, **members: bytes) -> Path:
    """A golden ``.keras`` model with members replaced, ``config_json=b"..."``."""
    source, target = copy_keras(folder), folder / "changed.keras"
    replaced = {name.replace("_json", ".json"): data for name, data in members.items()}
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, replaced.pop(name, None) or old.read(name))
        for name, data in replaced.items():
            new.writestr(name, data)
    return target


def reconfigured(path: Path, change: Change) -> Path:
    """An ``.h5`` file whose model config went through ``change``."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)
    return path
