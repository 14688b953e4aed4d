"""Which dtype a layer computes in, and what Keras casts to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from layergraph.ir.types import DTYPES, FLOATS, Array, is_float, numpy_dtype

if TYPE_CHECKING:
    from layergraph.frontends.keras.layer import Layer

AS_THEY_COME = frozenset(
    {
        "CategoryEncoding", "Embedding", "HashedCrossing", "Hashing", "InputLayer",
        "IntegerLookup", "RandomCrop", "ReversibleEmbedding", "StringLookup",
        "TextVectorization",
    }
)  # fmt: skip
"""Layers built with ``autocast=False``, and those that convert their inputs themselves."""

AS_THEY_COME_3 = AS_THEY_COME | {"GroupNormalization", "LayerNormalization"}
"""Those of Keras 3."""

KEEPS_VARIABLES = frozenset({"BatchNormalization", "GroupNormalization", "LayerNormalization"})
"""Layers whose variables are made with ``autocast=False``."""


def autocasts(layer: Layer) -> bool:
    """Whether Keras casts what a layer is called with."""
    fixed = AS_THEY_COME if layer.context.keras_major < 3 else AS_THEY_COME_3
    config = layer.spec.config
    return layer.spec.class_name not in fixed and config.get("autocast", True) is not False


def compute_dtype(layer: Layer) -> str | None:
    """The dtype a layer computes in; ``None`` when its config names none.

    Raises:
        UnsupportedError: a dtype we do not have.
    """
    if layer.spec.is_operation:
        return None
    found = layer.policy().compute
    if found in FLOATS and layer.context.dtype is not None:
        return layer.context.dtype
    if found is None or found == "string":
        return found
    if found not in DTYPES:
        raise layer.refusal(
            f"it computes in {found!r}, which is not supported",
            "build the model with the policy 'float32', load these weights into it and save that",
        )
    # Says what to install where bfloat16 is missing.
    numpy_dtype(found)
    return found


def scope_dtype(layer: Layer) -> str | None:
    """The dtype Keras casts a layer's inputs and variables to: its own, or its wrapper's.

    A wrapper that runs ``layer.call`` instead of calling the layer leaves casting as it
    is in its own call. Source: keras/src/layers/rnn/time_distributed.py ``call``, Keras 3.15.
    """
    return layer.scope if layer.scope and autocasts(layer) else compute_dtype(layer)


def as_computed(layer: Layer, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """A layer's arrays, floats in the dtype it computes in."""
    dtype = scope_dtype(layer)
    if dtype not in FLOATS or layer.spec.class_name in KEEPS_VARIABLES:
        return dict(arrays)
    target = numpy_dtype(dtype)
    return {r: a.astype(target, copy=False) if is_float(a) else a for r, a in arrays.items()}
