"""Every architecture family of ``keras.applications`` as an ONNX file, beside live Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from applications import FAMILIES, QUICK, application, images
from layergraph.backends.onnx.session import Session
from support import assert_close, keras_of

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

RTOL = 1e-4


def rows() -> list[Any]:
    """Every family, from Keras 3 or, where only Keras 2 has it, from that."""
    return [
        pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow], id=name)
        for name in FAMILIES
    ]


@pytest.mark.live
@pytest.mark.parametrize("name", rows())
def test_applications(name: str, tmp_path: Path) -> None:
    keras = keras_of("keras")
    if not hasattr(keras.applications, name):
        keras = keras_of("tf_keras")
    model = application(keras, name)
    model.save(tmp_path / "model.keras")
    given = images(name, 3)
    wanted = np.asarray(model(given, training=False))
    # Wider values reach further into its activations.
    wide = np.asarray(model(given * 3, training=False))
    del model
    target = tmp_path / "model.onnx"
    graph = lg.convert(tmp_path / "model.keras", target)
    onnx.checker.check_model(str(target), full_check=True)
    found = onnx.load(target, load_external_data=False)
    assert [i.name for i in found.graph.input] == list(graph.inputs)
    assert found.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    session = Session(target)
    for batch in (1, 3):
        (got,) = session.run({graph.inputs[0]: given[:batch]})
        assert_close(got, wanted[:batch], RTOL)
    (got,) = session.run({graph.inputs[0]: given * 3})
    assert_close(got, wide, RTOL)
