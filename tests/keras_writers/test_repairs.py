"""Files of Keras 2 that Keras 3 refuses or computes otherwise, repaired: written anew for it.

Each is a file of genuine tf-keras, or one whose config was made what older Kerases wrote;
what it becomes is loaded by Keras 3 as it is, and compared with tf-keras.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import layergraph as lg
from layergraph.ir.types import Array
from rewriting import live
from support import assert_close, keras_of

pytestmark = pytest.mark.live

Build = Callable[[Any], Any]


def sequence(k: Any, *layers: Any, steps: int = 5) -> Any:
    """Layers over a sequence of three features."""
    return k.Sequential([k.layers.Input((steps, 3), name="x"), *layers])


def image(k: Any, *layers: Any) -> Any:
    """Layers over an image of two channels."""
    return k.Sequential([k.layers.Input((7, 5, 2), name="x"), *layers])


def nested(k: Any) -> Any:
    """A model used twice in another, and one that holds a model itself."""
    kl = k.layers
    encoder = k.Sequential([kl.Input((5, 3)), kl.LSTM(4, name="lstm")], name="encoder")
    deeper = k.Sequential([kl.Input((5, 3)), kl.GRU(4), kl.Dense(3)], name="deeper")
    one = kl.Input((5, 3), name="one")
    wrapped = k.Model(one, kl.Dense(2, name="head")(deeper(one)), name="wrapped")
    x, y = kl.Input((5, 3), name="x"), kl.Input((5, 3), name="y")
    return k.Model([x, y], kl.Concatenate()([encoder(x), encoder(y), wrapped(y)]))


def functions(k: Any) -> Any:
    """Functions of TensorFlow and Python's operators."""
    tf = pytest.importorskip("tensorflow")
    x = k.layers.Input((5, 3), name="x")
    h = k.layers.Dense(4)(x) * 2.0 - 1.0
    h = tf.nn.relu(h)[:, 1:] / (1.0 + tf.reduce_max(tf.abs(h), axis=-1, keepdims=True)[:, 1:])
    return k.Model(x, tf.concat([h, tf.square(h)], axis=-1))


def masked(k: Any) -> Any:
    """A mask that travels to where it is wanted."""
    kl = k.layers
    x = kl.Input((6,), dtype="int32", name="x")
    words = kl.Embedding(9, 3, mask_zero=True)(x)
    h = kl.Bidirectional(kl.LSTM(4, return_sequences=True))(words)
    return k.Model(x, kl.GRU(3)(kl.Dropout(0.5)(h)))


CASES: dict[str, Build] = {
    "LSTM, which has time_major": lambda k: sequence(k, k.layers.LSTM(4)),
    "LSTM with time_major on": lambda k: sequence(k, k.layers.LSTM(4, time_major=True), steps=2),
    "GRU within Bidirectional": lambda k: sequence(k, k.layers.Bidirectional(k.layers.GRU(4))),
    "DepthwiseConv2D, which has groups": lambda k: image(k, k.layers.DepthwiseConv2D(3)),
    "Conv2DTranspose, which has groups": lambda k: image(k, k.layers.Conv2DTranspose(4, 3)),
    "SeparableConv2D, which has kernel options": lambda k: image(k, k.layers.SeparableConv2D(4, 3)),
    "BatchNormalization, whose axis is a list": lambda k: image(k, k.layers.BatchNormalization()),
    "hard_sigmoid of a layer": lambda k: sequence(k, k.layers.Dense(4, activation="hard_sigmoid")),
    "hard_sigmoid of gates": lambda k: sequence(
        k, k.layers.LSTM(4, recurrent_activation="hard_sigmoid")
    ),
    "LocallyConnected1D": lambda k: sequence(k, k.layers.LocallyConnected1D(4, 2)),
    "LocallyConnected2D": lambda k: image(k, k.layers.LocallyConnected2D(4, (3, 2), strides=2)),
    "ThresholdedReLU": lambda k: sequence(k, k.layers.ThresholdedReLU(0.4)),
    "nested models": nested,
    "functions of TensorFlow": functions,
    "masks": masked,
}


def saved(build: Build, path: Path) -> Any:
    """A model of tf-keras with drawn weights, saved."""
    keras = keras_of("tf_keras")
    keras.backend.clear_session()
    rng = np.random.default_rng(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = build(keras)
        drawn = [rng.uniform(0.1, 1, w.shape) - 0.4 * (w.ndim > 1) for w in model.get_weights()]
        model.set_weights([d.astype("float32") for d in drawn])
        model.save(path)
    return model


def feeds(model: Any, rows: int) -> list[Array]:
    """Values that reach beyond where the two hard_sigmoids end; words with gaps."""
    rng = np.random.default_rng(rows)
    arrays: list[Array] = []
    for x in model.inputs:
        shape = (rows, *x.shape[1:])
        if x.dtype == "int32":
            ids = rng.integers(1, 9, shape).astype("int32")
            ids[:, 2] = 0
            ids[0, -2:] = 0
            arrays.append(ids)
        else:
            arrays.append(rng.normal(0, 2.5, shape).astype("float32"))
    return arrays


def assert_repaired(path: Path, target: Path, model: Any) -> None:
    lg.convert(path, target, verify=True)
    repaired = live(target)
    for rows in (1, 2):
        arrays = feeds(model, rows)
        fed = arrays if len(arrays) > 1 else arrays[0]
        found, wanted = (np.asarray(m(fed, training=False)) for m in (repaired, model))
        assert_close(found, wanted)


@pytest.mark.parametrize("name", CASES)
def test_keras_3_loads_what_it_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "old.h5"
    assert_repaired(path, tmp_path / "new.keras", saved(CASES[name], path))


def old_config(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)


def test_groups_in_the_config_of_a_depthwise_convolution(tmp_path: Path) -> None:
    path = tmp_path / "old.h5"
    model = saved(CASES["DepthwiseConv2D, which has groups"], path)

    def change(config: dict[str, Any]) -> None:
        config["config"]["layers"][-1]["config"]["groups"] = 1

    old_config(path, change)
    with pytest.raises(TypeError, match="groups"):
        keras_of("keras").models.load_model(path)
    assert_repaired(path, tmp_path / "new.keras", model)


def test_a_shape_on_the_first_layer(tmp_path: Path) -> None:
    """Before TensorFlow 2.3 a Sequential had no InputLayer; layers state shape or length."""
    path = tmp_path / "old.h5"
    model = saved(lambda k: sequence(k, k.layers.LSTM(4)), path)

    def change(config: dict[str, Any]) -> None:
        layers = config["config"]["layers"]
        shape = layers.pop(0)["config"]["batch_input_shape"]
        layers[0]["config"]["batch_input_shape"] = shape

    old_config(path, change)
    assert_repaired(path, tmp_path / "new.keras", model)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_layers_of_cudnn(kind: str, tmp_path: Path) -> None:
    """CuDNNLSTM and CuDNNGRU are stored otherwise, and compute what LSTM and GRU do."""
    hdf5 = pytest.importorskip("tf_keras.src.saving.legacy.hdf5_format")
    convert = hdf5._convert_rnn_weights
    path = tmp_path / "old.h5"
    layer = {"LSTM": lambda k: k.layers.LSTM(4), "GRU": lambda k: k.layers.GRU(4)}[kind]
    model = saved(lambda k: sequence(k, layer(k)), path)

    def change(config: dict[str, Any]) -> None:
        entry = config["config"]["layers"][-1]
        entry["class_name"] = f"CuDNN{kind}"
        kept = ("name", "trainable", "dtype", "units", "return_sequences", "return_state",
                "go_backwards", "stateful")  # fmt: skip
        entry["config"] = {key: entry["config"][key] for key in kept}

    old_config(path, change)
    with h5py.File(path, "r+") as file:
        group = file[f"model_weights/{model.layers[-1].name}"]
        names = list(group.attrs["weight_names"])
        # tf-keras' own conversion, in the direction that it has for loading such layers.
        arrays = convert(type(f"CuDNN{kind}", (), {})(), [group[name][()] for name in names])
        for name, array in zip(names, arrays, strict=True):
            del group[name]
            group[name] = array
    assert_repaired(path, tmp_path / "new.keras", model)
