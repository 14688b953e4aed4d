"""Read saved Keras models: files -> config and weights -> layer graph.

Open ``wiring.py`` first: it walks the model. ``files.py`` opens a file,
``eras/`` upgrades its config, ``weights.py`` finds its arrays, and
``layers/F.py`` turns the layers of a family into operators. May import ``ir``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from layergraph.ir.errors import FileFormatError, LayerGraphError, UnsupportedError
from layergraph.ir.foreign import ForeignLayers
from layergraph.ir.graph import Graph

NONSENSE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""What is raised where a damaged config has a value of another kind than every Keras writes."""


def load(
    path: str | os.PathLike[str],
    *,
    weights: str | os.PathLike[str] | None = None,
    layers: Mapping[str, Any] | None = None,
    dtype: str | None = None,
) -> Graph:
    """The layer graph of a saved Keras model.

    Args:
        path: ``.h5``, ``.keras``, or an unzipped ``.keras`` folder, recognised
            by content; with ``weights`` also an architecture as JSON.
        weights: a file of weights to be read in place of the model's own.
        layers: the caller's own layers by name, see ``layergraph.ir.foreign``.
        dtype: float dtype to compute in, in place of what the layers' dtype
            policies say; weights are read in full, not rounded to the policy's.

    Raises:
        FileFormatError: not such a file, damaged, or built to do harm.
        UnsupportedError: lists everything in it that we do not have.
    """
    from layergraph.frontends.keras.eras import upgrade
    from layergraph.frontends.keras.files import open_saved_model
    from layergraph.frontends.keras.model import read_model

    if weights is None:
        opened = open_saved_model(path)
    else:
        from layergraph.frontends.keras.separate import open_separate

        opened = open_separate(os.fsdecode(path), os.fsdecode(weights))
    with opened as saved:
        try:
            spec = upgrade(saved.config, saved.keras_version, saved.path, saved.writer)
            return read_model(spec, saved, ForeignLayers(layers), dtype)
        except UnsupportedError as error:
            raise UnsupportedError(error.items, file=saved.path) from None
        except LayerGraphError:
            raise
        except NONSENSE as error:
            raise FileFormatError(
                f"{saved.path}: its model config makes no sense here "
                f"({type(error).__name__}: {' '.join(str(error).split())[:150]}); "
                "if Keras loads the file, please report it"
            ) from error
