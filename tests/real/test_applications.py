"""Every architecture family of ``keras.applications``, random weights, beside both Kerases."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from applications import QUICK, application, families, images
from support import assert_close, keras_of

# Through some hundred layers, rounding adds up; a wrong option shows in the first digits.
RTOL = 2e-5


def rows() -> list[Any]:
    """Every model with every writer; containers take turns."""
    found = []
    for writer, container in (("keras", ".keras"), ("keras", ".h5"), ("tf_keras", ".h5")):
        for name in families(writer):
            quick = name in QUICK and (writer, container) != ("keras", ".h5")
            marks = [pytest.mark.live] + ([] if quick else [pytest.mark.slow])
            found.append(
                pytest.param(name, writer, container, marks=marks,
                             id=f"{name}-{writer}{container}")
            )  # fmt: skip
    return found


@pytest.mark.parametrize(("name", "writer", "container"), rows())
def test_applications(name: str, writer: str, container: str, tmp_path: Path) -> None:
    keras = keras_of(writer)
    model = application(keras, name)
    path = tmp_path / f"model{container}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)
    given = images(name, 2)
    wanted = np.asarray(model(given, training=False))
    del model
    graph = lg.load(path)
    assert_close(lg.Interpreter(graph)(given), wanted, RTOL)
    assert_close(lg.Interpreter(graph, optimize=False)(given[:1]), wanted[:1], RTOL)
