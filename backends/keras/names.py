"""Names of nodes as names of Keras layers."""

from __future__ import annotations

import re

SCOPE = ">"
"""Stands for ``/``, which Keras keeps for paths; no Keras makes names with it."""

CALL = re.compile(r":\d+(?=/|$)")
"""Number of a shared layer's call within a node's name, ``encoder:1/dense``."""


def shared_name(name: str) -> str:
    """The node's name without numbers of calls: that of the layer."""
    return CALL.sub("", name)


def legal(name: str) -> str:
    """A node's name as Keras takes it: ``encoder/lstm_1`` is ``encoder>lstm_1``.

    TensorFlow, which makes scopes of the names, allows letters, digits and ``_.\\>-``, not
    all of them in front; what it forbids becomes ``_``.
    """
    kept = re.sub(r"[^A-Za-z0-9_.\\>-]", "_", name.replace("/", SCOPE))
    return kept if re.match(r"[A-Za-z0-9.]", kept) else f"layer{kept}"


def snake_case(class_name: str) -> str:
    """A class as Keras 3 spells it in paths of weights.

    Source: keras/src/utils/naming.py ``to_snake_case``, Keras 3.15.
    """
    name = re.sub(r"\W+", "", class_name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
