"""The table of supported layers: complete beside the installed Keras, and on the page."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from layergraph.frontends.keras.eras.history import KERAS_1, KERAS_2, LEGACY
from layergraph.frontends.keras.restrictions import RESTRICTIONS
from layergraph.tools import cli
from layergraph.tools.support import page, rows
from support import keras_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "support.md"
OPERATION_MODULES = ("core", "einops", "image", "linalg", "math", "nn", "numpy")
# Bases, which no file holds.
BASES = {
    "AbstractRNNCell", "Layer", "Operation", "PreprocessingLayer", "SegmentReduction", "Wrapper",
}  # fmt: skip


def layer_classes(keras: Any) -> set[str]:
    """Layers a Keras exports, by class name."""
    exported = [*vars(keras.layers).values()]
    preprocessing = getattr(getattr(keras.layers, "experimental", None), "preprocessing", None)
    exported += vars(preprocessing).values() if preprocessing else []
    found = {
        item.__name__
        for item in exported
        if inspect.isclass(item) and issubclass(item, keras.layers.Layer)
    }
    return found - BASES


def operation_classes() -> Iterator[str]:
    """Operation classes of Keras 3."""
    base = import_module("keras.src.ops.operation").Operation
    for name in OPERATION_MODULES:
        module = import_module(f"keras.src.ops.{name}")
        for item in vars(module).values():
            own = inspect.isclass(item) and item.__module__ == module.__name__
            if own and issubclass(item, base) and item.__name__ not in BASES:
                yield f"ops.{item.__name__}"


@pytest.mark.live
def test_every_layer_of_keras_3_is_read_or_refused_on_purpose() -> None:
    known = {row.name for row in rows()}
    assert layer_classes(keras_of("keras")) - known == set()


@pytest.mark.live
def test_every_operation_of_keras_3_is_read_or_refused_on_purpose() -> None:
    keras_of("keras")
    known = {row.name for row in rows()}
    assert set(operation_classes()) - known == set()


@pytest.mark.live
def test_every_layer_of_keras_2_is_read_or_refused_on_purpose() -> None:
    known = {row.name for row in rows()}
    assert layer_classes(keras_of("tf_keras")) - known == set()


@pytest.mark.live
def test_versions_are_those_of_the_kerases() -> None:
    new, old = layer_classes(keras_of("keras")), layer_classes(keras_of("tf_keras"))
    for row in rows():
        if row.kind != "layer" or row.name not in new | old:
            continue
        first, last = row.keras[0], row.keras[-1]
        assert (last == "3") == (row.name in new), row
        assert (first in "12") == (row.name in old), row


def test_history_names_what_is_read() -> None:
    known = {row.name for row in rows()}
    assert (KERAS_1 | KERAS_2 | LEGACY.keys()) - known == set()


def test_restrictions_name_what_is_read() -> None:
    read = {row.name for row in rows() if row.status == "supported"}
    assert RESTRICTIONS.keys() - read == set()


def test_page_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == page(rows()), "run `make support`"


def test_ops_command(capsys: Any) -> None:
    assert cli.main(["ops", "convlstm", "LAMBDA", "--json"]) == 0
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert found["Lambda"]["status"] == "refused"
    assert "ever executed" in found["Lambda"]["restrictions"]
    assert cli.main(["ops"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert any(line.split()[:2] == ["Dense", "layer"] for line in out.splitlines())
    assert cli.main(["ops", "no such thing"]) == 1
