"""Every family of ``keras.applications`` written for the other Keras, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from applications import application, families, images
from rewriting import answers, rewritten, same_graph
from support import assert_close, keras_of

# Through some hundred layers, rounding adds up; a wrong option shows in the first digits.
RTOL = 2e-5

QUICK = ("MobileNetV2-keras", "EfficientNetB0-tf_keras")
SOURCE = {"keras": ".keras", "tf_keras": ".h5"}
OTHER = {"keras": ".h5", "tf_keras": ".keras"}


SPELLED_OUT = ("MobileNetV3Large-keras", "MobileNetV3Small-keras")
"""Keras 2 has no ``hard_swish``: four functions of TensorFlow compute it, and stay such."""


def rows() -> list[Any]:
    """Every family from either Keras; a few that other tests do not take are quick."""
    return [
        pytest.param(
            name,
            writer,
            id=f"{name}-{writer}",
            marks=() if f"{name}-{writer}" in QUICK else pytest.mark.slow,
        )
        for writer in SOURCE
        for name in families(writer)
    ]


@pytest.mark.live
@pytest.mark.parametrize(("name", "writer"), rows())
def test_applications(name: str, writer: str, tmp_path: Path) -> None:
    keras = keras_of(writer)
    model = application(keras, name)
    source = tmp_path / f"model{SOURCE[writer]}"
    model.save(source)
    batches = [images(name, batch) for batch in (1, 3)]
    wanted = [np.asarray(model(batch, training=False)) for batch in batches]
    del model
    graph = lg.load(source)
    other = tmp_path / f"other{OTHER[writer]}"
    there = rewritten(graph, other)
    back = rewritten(there.graph, tmp_path / f"back{SOURCE[writer]}")
    assert there.alike == (f"{name}-{writer}" not in SPELLED_OUT)
    assert back.alike
    first = graph if there.alike else there.graph
    for found in (there.graph, back.graph):
        assert not (difference := same_graph(first, found)), difference
    for batch, want in zip(batches, wanted, strict=True):
        (answer,) = answers(other, {graph.inputs[0]: batch}, graph)
        assert_close(answer, want, RTOL)
