"""Old files that no Keras of today writes, against what their own Keras answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import layergraph as lg
from recordings import RECORDED, assert_as_recorded
from support import assert_close, keras_of

ARCHIVES = sorted([*RECORDED.glob("*.keras"), *RECORDED.glob("keras3*.h5")])


@pytest.mark.parametrize("path", ARCHIVES, ids=lambda p: p.stem)
def test_files_of_tensorflow_2_12_to_2_15_keras_core_and_older_keras_3(path: Path) -> None:
    """tests/recorded/archives.py says how they were made."""
    for optimize in (True, False):
        assert_as_recorded(lg.Interpreter(path, optimize=optimize), path)


# --- arrays of CuDNN and of Theano, made from files of tf-keras ----------------------------


def cudnn_arrays(layer: Any, arrays: list[Any]) -> list[Any]:
    """The arrays of an LSTM or GRU as CuDNN's layer stores them, by tf-keras' own conversion."""
    from tf_keras.src.saving.legacy.hdf5_format import _convert_rnn_weights

    target = type(f"CuDNN{type(layer).__name__}", (), {})()
    return list(_convert_rnn_weights(target, arrays))


def stored(file: Any, layer: str) -> tuple[Any, list[str]]:
    """A layer's group in an .h5, and the names of its arrays."""
    group = file[f"model_weights/{layer}"]
    return group, list(group.attrs["weight_names"])


def replaced(group: Any, names: list[str], arrays: list[Any]) -> None:
    for name, array in zip(names, arrays, strict=True):
        del group[name]
        group[name] = array


def recurrent_model(keras: Any) -> Any:
    kl = keras.layers
    x = kl.Input((5, 3), name="x")
    outputs = [
        kl.LSTM(2, name="lstm")(x),
        kl.GRU(2, name="gru", return_sequences=True, return_state=True)(x)[0],
        kl.Bidirectional(kl.GRU(2, name="inner"), name="both_gru")(x),
        kl.Bidirectional(kl.LSTM(2, go_backwards=True, name="inner"), name="both_lstm")(x),
    ]
    model, rng = keras.Model(x, outputs), np.random.default_rng(4)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.mark.live
@pytest.mark.parametrize("named", [True, False], ids=["CuDNN layers", "LSTM with CuDNN arrays"])
def test_cudnn(named: bool, tmp_path: Path) -> None:
    keras = keras_of("tf_keras")
    model, path = recurrent_model(keras), tmp_path / "model.h5"
    model.save(path)
    keep = {"name", "trainable", "dtype", "batch_input_shape", "units", "go_backwards",
            "return_sequences", "return_state", "stateful", "time_major"}  # fmt: skip

    def older(entry: Any) -> Any:
        if isinstance(entry, list):
            return [older(item) for item in entry]
        if not isinstance(entry, dict):
            return entry
        entry = {key: older(value) for key, value in entry.items()}
        if entry.get("class_name") in ("LSTM", "GRU"):
            entry["class_name"] = f"CuDNN{entry['class_name']}"
            entry["config"] = {k: v for k, v in entry["config"].items() if k in keep}
        return entry

    with h5py.File(path, "r+") as file:
        if named:
            config = older(json.loads(file.attrs["model_config"]))
            file.attrs["model_config"] = json.dumps(config)
        for name in ("lstm", "gru", "both_gru", "both_lstm"):
            group, names = stored(file, name)
            layer = model.get_layer(name)
            inner = [layer.forward_layer, layer.backward_layer] if "both" in name else [layer]
            arrays = [group[n][()] for n in names]
            made = [
                array
                for i, one in enumerate(inner)
                for array in cudnn_arrays(one, arrays[3 * i : 3 * i + 3])
            ]
            replaced(group, names, made)
    x = np.random.default_rng(1).normal(0, 2, (3, 5, 3)).astype("float32")
    for ours, wanted in zip(lg.Interpreter(path)(x), model(x), strict=True):
        assert_close(ours, np.asarray(wanted))


@pytest.mark.live
def test_theano_kernels_are_mirrored(tmp_path: Path) -> None:
    """Keras 2 mirrors kernels of Theano when it loads them elsewhere; tf-keras has dropped that."""
    keras = keras_of("tf_keras")
    kl = keras.layers
    x = kl.Input((6, 5, 3), name="x")
    flat = kl.Reshape((15, 6))(x)
    volume = kl.Reshape((6, 5, 3, 1))(x)
    outputs = [
        kl.Conv2D(2, (3, 2), name="a")(x),
        kl.Conv2DTranspose(2, (2, 3), strides=2, name="b")(x),
        kl.Conv1D(2, 4, name="c")(flat),
        kl.Conv3D(2, (2, 3, 2), name="d")(volume),
        kl.Dense(2, name="e")(flat),
    ]
    model, path = keras.Model(x, outputs), tmp_path / "model.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        file.attrs["backend"] = file["model_weights"].attrs["backend"] = "theano"
        for name in "abcd":
            group, names = stored(file, name)
            kernel = group[names[0]][()]
            replaced(group, names[:1], [kernel[(slice(None, None, -1),) * (kernel.ndim - 2)]])
    data = np.random.default_rng(1).normal(size=(3, 6, 5, 3)).astype("float32")
    for ours, wanted in zip(lg.Interpreter(path)(data), model(data), strict=True):
        assert_close(ours, np.asarray(wanted))


FROZEN = [(), ("d",), ("d", "norm"), ("tower",), ("norm", "e")]


@pytest.mark.live
@pytest.mark.parametrize("writer", ["tf_keras", "keras"])
def test_frozen_layers_and_equal_names(writer: str, tmp_path: Path) -> None:
    """Frozen layers of a nested model stand last in its list; a layer of the model that holds it
    has the name and the shapes of one within."""
    keras = keras_of(writer)
    kl = keras.layers
    x = np.random.default_rng(2).normal(size=(3, 4)).astype("float32")
    for frozen in FROZEN:
        keras.backend.clear_session()
        inside = kl.Input((4,))
        y = kl.BatchNormalization(name="norm")(kl.Dense(4, name="d")(inside))
        tower = keras.Model(inside, kl.Dense(4, name="e")(y), name="tower")
        outside = kl.Input((4,))
        model = keras.Model(outside, kl.Dense(4, name="d")(tower(outside)))
        rng = np.random.default_rng(len(frozen))
        model.set_weights([rng.uniform(0.1, 1, w.shape) for w in model.get_weights()])
        for name in frozen:
            (tower if name == "tower" else tower.get_layer(name)).trainable = False
        for container in (".h5", ".keras"):
            path = tmp_path / f"model{container}"
            model.save(path)
            assert_close(lg.Interpreter(path)(x), np.asarray(model(x, training=False)))


@pytest.mark.live
def test_names_with_slashes_and_very_many_layers(tmp_path: Path) -> None:
    """Groups within groups; lists of names too long for one attribute are cut in parts."""
    keras = keras_of("tf_keras")
    kl = keras.layers
    inside = kl.Input((2,))
    y = kl.BatchNormalization(name="block/norm")(kl.Dense(2, name="block/a")(inside))
    tower = keras.Model(inside, kl.Dense(2, name="block/a/b")(y), name="tower")
    y = outside = kl.Input((2,))
    for i in range(3):
        y = kl.Dense(2, name=f"{'long' * 5500}/{i}")(y)
    model = keras.Model(outside, kl.Dense(2, name="block/a")(tower(y)))
    rng = np.random.default_rng(6)
    model.set_weights([rng.uniform(0.1, 1, w.shape) for w in model.get_weights()])
    path = tmp_path / "model.h5"
    model.save(path)
    with h5py.File(path) as file:
        assert "layer_names1" in file["model_weights"].attrs
    x = np.random.default_rng(2).normal(size=(3, 2)).astype("float32")
    assert_close(lg.Interpreter(path)(x), np.asarray(model(x, training=False)))


@pytest.mark.live
def test_locally_connected_channels_first(tmp_path: Path) -> None:
    """Its bias is reshaped where it should be transposed."""
    keras = keras_of("tf_keras")
    layer = keras.layers.LocallyConnected2D(3, (3, 2), data_format="channels_first")
    model = keras.Sequential([keras.layers.Input((2, 6, 4)), layer])
    rng = np.random.default_rng(6)
    model.set_weights([rng.uniform(0.1, 1, w.shape) for w in model.get_weights()])
    model.save(tmp_path / "model.h5")
    x = rng.normal(size=(3, 2, 6, 4)).astype("float32")
    assert_close(lg.Interpreter(tmp_path / "model.h5")(x), np.asarray(model(x)))


@pytest.mark.live
@pytest.mark.parametrize("container", [".h5", ".keras"])
@pytest.mark.parametrize("kernel", ["gaussian", "laplacian"])
def test_random_fourier_features(kernel: str, container: str, tmp_path: Path) -> None:
    keras = keras_of("tf_keras")
    layer = keras.layers.experimental.RandomFourierFeatures(5, kernel, scale=2.5)
    model = keras.Sequential([keras.layers.Input((4,)), layer])
    model.save(tmp_path / f"model{container}")
    x = np.random.default_rng(6).normal(size=(3, 4)).astype("float32")
    assert_close(lg.Interpreter(tmp_path / f"model{container}")(x), np.asarray(model(x)))


@pytest.mark.live
def test_kernels_of_theano_under_a_newer_version(tmp_path: Path) -> None:
    """Keras 2 transposes a convolution's kernel of another shape than the layer has."""
    keras = keras_of("tf_keras")
    layer = keras.layers.Conv2D(2, (4, 3), name="a")
    model, path = keras.Sequential([keras.layers.Input((6, 7, 5)), layer]), tmp_path / "model.h5"
    model.save(path)
    with h5py.File(path, "r+") as file:
        group, names = stored(file, "a")
        replaced(group, names[:1], [group[names[0]][()].transpose(2, 3, 1, 0)])
    x = np.random.default_rng(1).normal(size=(3, 6, 7, 5)).astype("float32")
    assert_close(lg.Interpreter(path)(x), np.asarray(model(x)))
