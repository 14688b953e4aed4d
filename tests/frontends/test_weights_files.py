"""Architecture in one file, weights in another, against the Keras that wrote both."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN
from layergraph.ir.graph import flatten
from layergraph.tools.cli import main
from support import assert_close, keras_of

RECORDED = GOLDEN.parent / "recorded"


def functional(keras: Any) -> Any:
    """Layers of one class that only names or places tell apart, a nested model, a recurrent one."""
    layers = keras.layers
    inside = layers.Input((4,))
    tower = keras.Model(inside, layers.Dense(4)(layers.BatchNormalization()(inside)))
    x = layers.Input((5, 4), name="x")
    y = layers.Dense(4, activation="relu")(x)
    y = layers.Dense(4)(layers.Dropout(0.2)(y))
    y = layers.Bidirectional(layers.LSTM(2))(y)
    return keras.Model(x, layers.Dense(3)(layers.Add()([tower(y), tower(layers.Dense(4)(y))])))


def sequential(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((5, 4)), layers.Conv1D(4, 2), layers.BatchNormalization(),
            layers.Conv1D(4, 2), layers.Flatten(), layers.Dense(3), layers.Dense(3),
        ]
    )  # fmt: skip


def filled(build: Callable[[Any], Any], keras: Any) -> Any:
    model, rng = build(keras), np.random.default_rng(5)
    model.set_weights([rng.uniform(0.1, 1, w.shape) for w in model.get_weights()])
    return model


X = np.random.default_rng(3).normal(size=(3, 5, 4)).astype("float32")

WRITERS = [
    ("tf_keras", "model.weights.h5"),
    ("tf_keras", "model.h5"),
    ("keras", "model.weights.h5"),
]


@pytest.mark.live
@pytest.mark.parametrize("build", [functional, sequential], ids=lambda f: f.__name__)
@pytest.mark.parametrize("same_names", [True, False], ids=["same names", "other names"])
@pytest.mark.parametrize(("writer", "file"), WRITERS, ids=["tree2", "legacy2", "tree3"])
def test_json_and_weights(
    writer: str, file: str, same_names: bool, build: Any, tmp_path: Path
) -> None:
    keras = keras_of(writer)
    keras.backend.clear_session()
    architecture = tmp_path / "model.json"
    if not same_names:
        # Built twice, the second has the same layers under higher numbers.
        architecture.write_text(build(keras).to_json())
    model = filled(build, keras)
    if same_names:
        architecture.write_text(model.to_json())
    model.save_weights(tmp_path / file)
    graph = lg.load(architecture, weights=tmp_path / file)
    assert_close(lg.Interpreter(graph)(X), np.asarray(model(X, training=False)))


@pytest.mark.live
def test_sharded_weights(tmp_path: Path) -> None:
    keras = keras_of("keras")
    model = filled(functional, keras)
    (tmp_path / "model.json").write_text(model.to_json())
    model.save_weights(tmp_path / "model.weights.json", max_shard_size=3e-7)
    assert len(list(tmp_path.glob("model_0*.weights.h5"))) > 2
    parts = tmp_path / "model.json", tmp_path / "model.weights.json"
    graph = lg.load(parts[0], weights=parts[1])
    wanted = np.asarray(model(X, training=False))
    assert_close(lg.Interpreter(graph)(X), wanted)
    assert_close(lg.Interpreter(parts[0], weights=parts[1])(X), wanted)
    with pytest.raises(lg.InputError, match=r"lg\.load"):
        lg.Interpreter(graph, weights=parts[1])


@pytest.mark.live
@pytest.mark.parametrize("writer", ["keras", "tf_keras"])
def test_model_files_as_either_part(writer: str, tmp_path: Path) -> None:
    """The config of one file with the weights of another, whatever they are."""
    keras = keras_of(writer)
    first, second = filled(sequential, keras), sequential(keras)
    second.set_weights([w + 1 for w in first.get_weights()])
    for model, name in ((first, "first"), (second, "second")):
        model.save(tmp_path / f"{name}.h5")
        model.save(tmp_path / f"{name}.keras")
    wanted = np.asarray(second(X, training=False))
    for one in ("first.h5", "first.keras"):
        for other in ("second.h5", "second.keras"):
            graph = lg.load(tmp_path / one, weights=tmp_path / other)
            assert_close(lg.Interpreter(graph)(X), wanted)


def parts(stem: str, folder: Path) -> tuple[Path, Path]:
    """A recorded file of Keras 1 as ``to_json`` and ``save_weights`` would have written it."""
    architecture, weights = folder / "model.json", folder / "weights.h5"
    with h5py.File(RECORDED / f"{stem}.h5") as whole, h5py.File(weights, "w") as apart:
        config = json.loads(whole.attrs["model_config"])
        config["keras_version"] = "1.2.2"
        architecture.write_text(json.dumps(config))
        apart.attrs.update(whole["model_weights"].attrs)
        for name in whole["model_weights"]:
            whole.copy(f"model_weights/{name}", apart)
    return architecture, weights


def assert_recorded(graph: lg.Graph, stem: str) -> None:
    with np.load(RECORDED / f"{stem}.npz") as arrays:
        inputs = [arrays[n] for n in sorted(arrays.files) if n[0] == "x"]
        wanted = [arrays[n] for n in sorted(arrays.files) if n[0] == "y"]
    for ours, keras in zip(
        flatten(lg.Interpreter(graph)(*inputs), graph.output_structure), wanted, strict=True
    ):
        assert_close(ours, keras)


STEMS = ("keras1_words", "keras1_nested", "keras1_merge_of_merges")


@pytest.mark.parametrize("stem", STEMS)
def test_keras_1_parts(stem: str, tmp_path: Path) -> None:
    architecture, weights = parts(stem, tmp_path)
    assert_recorded(lg.load(architecture, weights=weights), stem)


@pytest.mark.parametrize("stem", STEMS)
def test_numbered_layers_of_keras_0(stem: str, tmp_path: Path) -> None:
    architecture, weights = parts(stem, tmp_path)
    numbered = tmp_path / "numbered.h5"
    with h5py.File(weights) as named, h5py.File(numbered, "w") as file:
        names = named.attrs["layer_names"]
        file.attrs["nb_layers"] = len(names)
        for i, name in enumerate(names):
            group = file.create_group(f"layer_{i}")
            arrays = [named[name][w][()] for w in named[name].attrs["weight_names"]]
            group.attrs["nb_params"] = len(arrays)
            for j, array in enumerate(arrays):
                group[f"param_{j}"] = array
    if stem == "keras1_nested":
        with pytest.raises(lg.FileFormatError, match="belongs to none of its layers"):
            lg.load(architecture, weights=numbered)
        return
    assert_recorded(lg.load(architecture, weights=numbered), stem)


def test_command_line(tmp_path: Path, capsys: Any) -> None:
    architecture, weights = map(str, parts("keras1_words", tmp_path))
    with np.load(RECORDED / "keras1_words.npz") as arrays:
        np.save(tmp_path / "x.npy", arrays["x0"])
        wanted = arrays["y0"]
    for command in ("inspect", "check"):
        assert main([command, architecture, "--weights", weights]) == 0
    target = str(tmp_path / "model.lg")
    assert main(["convert", architecture, target, "--weights", weights]) == 0
    output = str(tmp_path / "y.npy")
    given = ["--input", str(tmp_path / "x.npy"), "--output", output]
    assert main(["run", architecture, "--weights", weights, *given]) == 0
    assert_close(np.load(output), wanted)
    assert_recorded(lg.load(target), "keras1_words")
    assert main(["inspect", architecture]) == 2
    assert "--weights" in capsys.readouterr().err


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    architecture, weights = parts("keras1_words", tmp_path)
    with pytest.raises(lg.FileFormatError, match=r"without its weights.*weights="):
        lg.load(architecture)
    with pytest.raises(lg.FileFormatError, match=r"weights without the model.*to_json"):
        lg.load(weights)
    with pytest.raises(lg.FileFormatError, match="holds no weights"):
        lg.load(architecture, weights=architecture)
    strange = tmp_path / "strange.json"
    strange.write_text('{"a": 1}')
    with pytest.raises(lg.FileFormatError, match="describes no Keras model"):
        lg.load(strange, weights=weights)
    index = tmp_path / "model.weights.json"
    index.write_text('{"weight_map": {"/layers/dense/vars": "../../secret.h5"}}')
    with pytest.raises(lg.FileFormatError, match="no file beside it"):
        lg.load(architecture, weights=index)
    with pytest.raises(lg.FileFormatError, match="pass it as weights"):
        lg.load(index, weights=weights)
    other = RECORDED / "keras1_merges.h5"
    with pytest.raises(lg.FileFormatError, match=r"different models|belong together"):
        lg.load(architecture, weights=other)


@pytest.mark.live
def test_a_model_without_arrays_has_weights_without_arrays(tmp_path: Path) -> None:
    keras = keras_of("keras")
    x = keras.Input((3,))
    model = keras.Model(x, keras.ops.relu(x))
    model.save_weights(tmp_path / "model.weights.h5")
    (tmp_path / "model.json").write_text(model.to_json())
    graph = lg.load(tmp_path / "model.json", weights=tmp_path / "model.weights.h5")
    assert lg.Interpreter(graph)(np.float32([[-1, 0, 2]])).tolist() == [[0, 0, 2]]


@pytest.mark.live
@pytest.mark.parametrize("first", ["outer", "inner"])
def test_a_layer_shared_with_a_deeper_model(first: str, tmp_path: Path) -> None:
    """Its arrays stand where Keras came first, which need not be where it is run first."""
    keras = keras_of("keras")
    shared = keras.layers.LSTM(3, return_sequences=True, name="shared")
    inside = keras.Input((5, 3))
    inner = keras.Model(inside, keras.layers.Dense(3)(shared(inside)), name="inner")
    x = keras.Input((5, 3))
    if first == "outer":
        y = inner(keras.layers.Dense(3)(shared(x)))
    else:
        y = shared(keras.layers.Dense(3)(inner(x)))
    model = keras.Model(x, y)
    model.save(tmp_path / "model.keras")
    arrays = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    assert_close(lg.Interpreter(tmp_path / "model.keras")(arrays), np.asarray(model(arrays)))
