"""Models that hold text: FeatureSpace files, vocabularies beside the config, what is refused."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from support import keras_of

pytestmark = pytest.mark.live

SAW = np.array([["the cat"], ["The mat, the m.a.t"], ["caf\u00e9 CAF\u00c9 don't"]])


def _saved(keras: Any, layer: Any, path: Path, shape: Any = (1,), dtype: str = "string") -> Any:
    keras.backend.clear_session()
    model = keras.Sequential([keras.layers.Input(shape, dtype=dtype), layer])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(path)
    return model


# --- FeatureSpace ---------------------------------------------------------------------


def _rows(count: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    words = np.array(["a", "b", "c", "dd"])
    return {
        "plain": rng.normal(size=count).astype("float32"),
        "normalized": rng.normal(2, 3, size=count).astype("float32"),
        "rescaled": rng.normal(size=count).astype("float32"),
        "binned": rng.normal(size=count).astype("float32"),
        "number": rng.integers(0, 5, count).astype("int32"),
        "word": words[rng.integers(0, 4, count)],
        "hashed_word": words[rng.integers(0, 4, count)],
        "hashed_number": rng.integers(0, 50, count).astype("int32"),
    }


def _feature_space(keras: Any, output_mode: str) -> Any:
    space = keras.utils.FeatureSpace
    found = space(
        features={
            "word": "string_categorical",
            "plain": "float",
            "normalized": "float_normalized",
            "rescaled": space.float_rescaled(2.0, 1.0),
            "binned": space.float_discretized(num_bins=4),
            "number": space.integer_categorical(num_oov_indices=2, output_mode="one_hot"),
            "hashed_word": space.string_hashed(6),
            "hashed_number": space.integer_hashed(5),
        },
        crosses=[("number", "word"), space.cross(("hashed_word", "hashed_number"), 9)],
        crossing_dim=7,
        output_mode=output_mode,
    )
    import tensorflow as tf

    found.adapt(tf.data.Dataset.from_tensor_slices(_rows(40)))
    return found


@pytest.mark.parametrize("writer", ["keras", "tf_keras"])
@pytest.mark.parametrize("output_mode", ["concat", "dict"])
def test_feature_space(writer: str, output_mode: str, tmp_path: Path) -> None:
    """The file of a FeatureSpace itself, and a model on top of what it encodes."""
    keras = keras_of(writer)
    import tensorflow as tf

    keras.backend.clear_session()
    space = _feature_space(keras, output_mode)
    columns = {name: column[:, None] for name, column in _rows(9).items()}
    wanted = space({name: tf.constant(column) for name, column in columns.items()})
    space.save(tmp_path / "space.keras")
    model = keras.Model(space.get_inputs(), space.get_encoded_features())
    model.save(tmp_path / "model.keras")
    for name in ("space", "model"):
        interp = lg.Interpreter(tmp_path / f"{name}.keras")
        found = interp(columns)
        if output_mode == "concat":
            found, pairs = {"": found}, {"": wanted}
        else:
            pairs = wanted
        assert found.keys() == pairs.keys()
        for key, value in pairs.items():
            assert np.allclose(found[key], np.asarray(value), rtol=1e-5, atol=1e-6), key
            assert found[key].shape == value.shape
        lg.save(interp.source, tmp_path / "back.lg")
        again = lg.Interpreter(tmp_path / "back.lg")(columns)
        again = {"": again} if output_mode == "concat" else again
        assert all(np.array_equal(again[key], found[key]) for key in found)


# --- vocabularies ---------------------------------------------------------------------


def test_a_token_that_ends_a_line(tmp_path: Path) -> None:
    """Texts split into characters have it; the file of the vocabulary shows an empty line."""
    keras = keras_of("keras")
    texts = np.array([["a\nb\n"], ["b c\nd\n"]])
    layer = keras.layers.TextVectorization(split="character", standardize=None)
    layer.adapt(texts)
    model = _saved(keras, layer, tmp_path / "m.keras")
    import tensorflow as tf

    found = lg.Interpreter(tmp_path / "m.keras")(texts)
    assert np.array_equal(found, model(tf.constant(texts)).numpy())


def test_a_lookup_used_twice_and_in_a_nested_model(tmp_path: Path) -> None:
    keras = keras_of("keras")
    import tensorflow as tf

    layer = keras.layers.StringLookup(output_mode="count")
    layer.adapt(np.array(["a", "b", "c"]))
    inner_in = keras.Input((3,), dtype="string")
    inner = keras.Model(inner_in, layer(inner_in))
    one, two = (keras.Input((3,), dtype="string") for _ in range(2))
    model = keras.Model([one, two], [layer(one), inner(two)])
    model.save(tmp_path / "m.keras")
    texts = [np.array([["a", "b", "x"]]), np.array([["c", "c", "b"]])]
    found = lg.Interpreter(tmp_path / "m.keras")(*texts)
    for ours, theirs in zip(found, model([tf.constant(t) for t in texts]), strict=True):
        assert np.array_equal(ours, theirs.numpy())


def test_text_is_fed_in_any_form(tmp_path: Path) -> None:
    keras = keras_of("keras")
    layer = keras.layers.StringLookup(vocabulary=["a", "\u00e9"])
    _saved(keras, layer, tmp_path / "m.keras", ())
    interp = lg.Interpreter(tmp_path / "m.keras")
    for texts in (
        ["a", "\u00e9", "b"],
        np.array(["a", "\u00e9", "b"]),
        np.array(["a", "\u00e9", b"b"], object),
        np.array([b"a", "\u00e9".encode(), b"b"]),
    ):
        assert interp({"input_layer": texts}).tolist() == [1, 2, 0]
    assert interp(np.array([], str)).shape == (0,)


# --- refusals -------------------------------------------------------------------------


def test_what_adapt_found_is_not_in_an_h5(tmp_path: Path) -> None:
    keras = keras_of("keras")
    for name in ("TextVectorization", "StringLookup"):
        layer = getattr(keras.layers, name)()
        layer.adapt(SAW)
        _saved(keras, layer, tmp_path / "m.h5")
        with pytest.raises(lg.UnsupportedError, match=r"vocabulary.*save the model as \.keras"):
            lg.load(tmp_path / "m.h5")


@pytest.mark.parametrize("container", [".keras", ".h5"])
def test_python_functions(container: str, tmp_path: Path) -> None:
    keras = keras_of("keras")
    for option in ("standardize", "split"):
        layer = keras.layers.TextVectorization(vocabulary=["a"], **{option: lambda x: x})
        path = tmp_path / f"m{container}"
        _saved(keras, layer, path)
        with pytest.raises(lg.UnsupportedError, match=rf"{option} is a Python function"):
            lg.load(path)


def test_ragged(tmp_path: Path) -> None:
    keras = keras_of("keras")
    layer = keras.layers.TextVectorization(vocabulary=["a"], ragged=True)
    _saved(keras, layer, tmp_path / "m.keras")
    with pytest.raises(lg.UnsupportedError, match="ragged=False"):
        lg.load(tmp_path / "m.keras")


def test_a_vocabulary_in_another_file(tmp_path: Path) -> None:
    keras = keras_of("tf_keras")
    (tmp_path / "words.txt").write_text("a\nb")
    layer = keras.layers.StringLookup(vocabulary=str(tmp_path / "words.txt"))
    _saved(keras, layer, tmp_path / "m.keras")
    with pytest.raises(lg.UnsupportedError, match="in another file"):
        lg.load(tmp_path / "m.keras")


def test_a_vocabulary_that_is_no_text(tmp_path: Path) -> None:
    keras = keras_of("keras")
    layer = keras.layers.StringLookup()
    layer.adapt(SAW)
    _saved(keras, layer, tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "bad.keras", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, b"\xff\xfe" if name.endswith("vocabulary.txt") else data)
    with pytest.raises(lg.FileFormatError, match=r"vocabulary\.txt is not UTF-8"):
        lg.load(tmp_path / "bad.keras")


def test_unknown_tokens_without_a_number(tmp_path: Path) -> None:
    keras = keras_of("keras")
    layer = keras.layers.StringLookup(vocabulary=["a"], num_oov_indices=0)
    _saved(keras, layer, tmp_path / "m.keras")
    interp = lg.Interpreter(tmp_path / "m.keras")
    assert interp(np.array([["a"]])).tolist() == [[0]]
    with pytest.raises(lg.InputError, match="'b', 'c', and with num_oov_indices=0"):
        interp(np.array([["c"], ["a"], ["b"]]))


def test_wrong_feeds(tmp_path: Path) -> None:
    keras = keras_of("keras")
    layer = keras.layers.StringLookup(vocabulary=["a"])
    _saved(keras, layer, tmp_path / "m.keras")
    interp = lg.Interpreter(tmp_path / "m.keras")
    for wrong in (np.zeros((2, 1)), np.array([["a"], [None]]), np.array([[1]], object)):
        with pytest.raises(lg.InputError, match="text or bytes"):
            interp(wrong)
    with pytest.raises(lg.InputError, match="expects string"):
        interp(np.array(["a"]))


def test_categories_outside(tmp_path: Path) -> None:
    for writer, beyond in (("keras", -1), ("tf_keras", 3)):
        keras = keras_of(writer)
        layer = keras.layers.CategoryEncoding(3)
        path = tmp_path / f"{writer}.keras"
        _saved(keras, layer, path, (2,), "int64")
        with pytest.raises(lg.InputError, match="numbered from 0 to 2"):
            lg.Interpreter(path)(np.array([[0, beyond]]))


def test_batches_of_unlike_width(tmp_path: Path) -> None:
    keras = keras_of("keras")
    layer = keras.layers.TextVectorization(vocabulary=["a", "b"])
    _saved(keras, layer, tmp_path / "m.keras")
    interp = lg.Interpreter(tmp_path / "m.keras")
    texts = np.array([["a b"], ["a b a"]])
    assert interp.predict(texts, batch_size=2).tolist() == [[2, 3, 0], [2, 3, 2]]
    with pytest.raises(lg.InputError, match="output_sequence_length"):
        interp.predict(texts, batch_size=1)
