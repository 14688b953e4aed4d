"""Recorded arrays: what a model returns as one flat dictionary, and how it lies on the disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from layergraph.tools.flat import flat
from layergraph.tools.golden import Golden

__all__ = ["Array", "flat", "recording", "write_arrays"]

Array = NDArray[Any]


def write_arrays(arrays: Mapping[str, Array], path: Path) -> None:
    """A safetensors file that all may read; the library's `save_file` makes it private."""
    path.write_bytes(save({name: np.ascontiguousarray(value) for name, value in arrays.items()}))


def recording(folder: Path) -> Golden:
    """What real Keras answered for the model files of a folder, as `record.py` has left it."""
    note = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    inputs, nodes, outputs = (
        load_file(folder / f"{part}.safetensors") for part in ("inputs", "nodes", "outputs")
    )
    # safetensors sorts by name; Keras' own order is noted.
    return Golden(
        inputs={name: inputs[name] for name in note["inputs"]},
        nodes=nodes,
        outputs={name: outputs[name] for name in note["outputs"]},
        rtol=note["rtol"],
        atol=0.0,
        models=note["sha256"],
        made_by={name: note[name] for name in ("writer", "keras", "tensorflow", "numpy")},
        name=folder.name,
    )
