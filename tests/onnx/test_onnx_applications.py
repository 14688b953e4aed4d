"""Every architecture family of ``keras.applications`` as an ONNX file, beside live Keras."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from layergraph.backends.onnx.session import Session
from support import assert_close, keras_of

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

# One of each family; a side the network's strides leave odd somewhere.
QUICK = {"MobileNetV2": 75, "EfficientNetB0": 75, "ConvNeXtTiny": 75}
SLOW = {
    "DenseNet121": 75, "EfficientNetV2B0": 75, "InceptionResNetV2": 75, "InceptionV3": 75,
    "MobileNet": 75, "MobileNetV3Large": 75, "MobileNetV3Small": 75, "NASNetMobile": 224,
    "RegNetX002": 75, "RegNetY002": 75, "ResNet50": 75, "ResNet50V2": 75, "ResNetRS50": 75,
    "VGG16": 75, "VGG19": 75, "Xception": 75,
}  # fmt: skip
RTOL = 1e-4


def rows() -> list[Any]:
    """Every family, from Keras 3 or, where only Keras 2 has it, from that."""
    return [
        pytest.param(name, side, marks=[] if name in QUICK else [pytest.mark.slow], id=name)
        for name, side in {**QUICK, **SLOW}.items()
    ]


def moved(model: Any) -> None:
    """Weights off their defaults: batch norms that do something, biases that show."""
    rng = np.random.default_rng(0)
    arrays = []
    for variable, array in zip(model.weights, model.get_weights(), strict=True):
        if array.dtype.kind == "f" and "variance" in getattr(variable, "path", variable.name):
            array = rng.uniform(0.5, 1.5, array.shape).astype(array.dtype)
        elif array.dtype.kind == "f" and array.ndim == 1:
            array = array + rng.normal(0, 0.1, array.shape).astype(array.dtype)
        arrays.append(array)
    model.set_weights(arrays)


@pytest.mark.live
@pytest.mark.parametrize(("name", "side"), rows())
def test_applications(name: str, side: int, tmp_path: Path) -> None:
    keras = keras_of("keras")
    if not hasattr(keras.applications, name):
        keras = keras_of("tf_keras")
    keras.backend.clear_session()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = getattr(keras.applications, name)(
            weights=None, input_shape=(side, side, 3), classes=7
        )
        moved(model)
        model.save(tmp_path / "model.keras")
        images = np.random.default_rng(1).uniform(0, 1, (3, side, side, 3)).astype("float32")
        wanted = np.asarray(model(images, training=False))
        # Its images are scaled to what it expects within the model, or not at all; wider
        # values reach further into its activations.
        wide = np.asarray(model(images * 3, training=False))
    del model
    target = tmp_path / "model.onnx"
    graph = lg.convert(tmp_path / "model.keras", target)
    onnx.checker.check_model(str(target), full_check=True)
    found = onnx.load(target, load_external_data=False)
    assert [i.name for i in found.graph.input] == list(graph.inputs)
    assert found.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    session = Session(target)
    for batch in (1, 3):
        (got,) = session.run({graph.inputs[0]: images[:batch]})
        assert_close(got, wanted[:batch], RTOL)
    (got,) = session.run({graph.inputs[0]: images * 3})
    assert_close(got, wide, RTOL)
