"""What the user is told of a file that says something else than its source."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from layergraph.backends.keras.files import SPELLED_OUT, write_h5, write_keras
from layergraph.ir.build import Builder
from layergraph.ir.ops.elementwise import Unary
from layergraph.ir.ops.preprocessing import CountCategories
from layergraph.ir.types import TensorType
from rewriting import live, same_graph
from support import assert_close, keras_of


@pytest.mark.live
def test_attention_that_masks_as_with_dropout(tmp_path: Path) -> None:
    """Keras 3 gives rows that are masked as a whole zero weights where it has dropout."""
    k = keras_of("keras")
    x, seen = k.layers.Input((5, 4)), k.layers.Input((5, 5), dtype="bool")
    heads = k.layers.MultiHeadAttention(2, 3, dropout=0.4, name="heads")
    model = k.Model([x, seen], heads(x, x, attention_mask=seen))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "source.keras")
    graph = lg.load(tmp_path / "source.keras")
    (note,) = write_keras(graph, tmp_path / "target.keras")
    assert note.startswith("heads has a dropout rate of 0.1")
    assert not same_graph(graph, lg.load(tmp_path / "target.keras"))
    rng = np.random.default_rng(0)
    fed: list[Any] = [rng.normal(size=(2, 5, 4)).astype("float32"), rng.random((2, 5, 5)) < 0.5]
    fed[1][0, 2] = False
    found = live(tmp_path / "target.keras")(fed, training=False)
    assert_close(np.asarray(found), np.asarray(model(fed, training=False)))


def test_one_function_that_says_two_operators(tmp_path: Path) -> None:
    build = Builder()
    x = build.input("x", TensorType((None, 3)))
    graph = build.graph(outputs=build.add("clipped", Unary(kind="hard_tanh"), [x]))
    assert not write_keras(graph, tmp_path / "m.keras")
    assert not same_graph(graph, lg.load(tmp_path / "m.keras"))
    (note,) = write_h5(graph, tmp_path / "m.h5")
    assert note.startswith(SPELLED_OUT)
    assert note.endswith("clipped")


def test_what_is_an_error_in_one_keras_alone(tmp_path: Path) -> None:
    build = Builder()
    x = build.input("x", TensorType((None, 3), "int32"))
    op = CountCategories(depth=4, refuses="outside")
    graph = build.graph(outputs=build.add("counted", op, [x]))
    assert not write_h5(graph, tmp_path / "m.h5")
    (note,) = write_keras(graph, tmp_path / "m.keras")
    assert note == (
        "counted calls negative numbers an error in Keras 3, and numbers that are no category "
        "in its source"
    )
