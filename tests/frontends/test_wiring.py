"""How models are put together: nesting, sharing, several inputs and outputs, both eras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from support import CONTAINERS, WRITERS, assert_close, case, keras_of, parity


def nested(k: Any, x: Any) -> Any:
    """A Functional inside a Functional, its layers frozen in part."""
    a = k.layers.Input((5,))
    h = k.layers.Dense(4, name="inner_first", trainable=False)(a)
    inner = k.Model(a, k.layers.Dense(3, activation="tanh", name="inner_second")(h), name="inner")
    return k.layers.Dense(2, name="last")(inner(k.layers.Dense(5, name="first")(x)))


def nested_shared(k: Any, x: Any) -> Any:
    """A nested model called twice, and a layer shared with its parent."""
    shared = k.layers.Dense(5, activation="relu", name="shared")
    a = k.layers.Input((5,))
    inner = k.Model(a, k.layers.Dense(5, name="own")(a), name="inner")
    return k.layers.Add()([inner(shared(x)), inner(shared(inner(x)))])


def sequential_in_functional(k: Any, x: Any) -> Any:
    """A Sequential used as a layer, twice."""
    inner = k.Sequential([k.layers.Dense(4), k.layers.Dense(5, activation="tanh")], name="inner")
    return k.layers.Subtract()([inner(x), inner(inner(x))])


def two_levels(k: Any, x: Any) -> Any:
    """Equal layer names at different depths."""
    a = k.layers.Input((5,))
    low = k.Model(a, k.layers.Dense(4, name="dense_in")(a), name="low")
    b = k.layers.Input((5,))
    high = k.Model(b, k.layers.Dense(3, name="dense_mid")(low(b)), name="high")
    return k.layers.Dense(2, name="dense_out")(high(x))


def several_outputs(k: Any, x: Any, y: Any) -> Any:
    """A list of outputs, one of them used further."""
    p = k.layers.Dense(3, name="p")(x)
    q = k.layers.Dense(3, name="q")(y)
    return [k.layers.Multiply()([p, q]), q]


def dict_outputs(k: Any, x: Any) -> Any:
    """A dict of outputs whose keys are not in layer order."""
    p = k.layers.Dense(3, name="p")(x)
    return {"z": p, "a": k.layers.Dense(2, name="q")(p)}


def nested_two_outputs(k: Any, x: Any) -> Any:
    """A nested model with two inputs and two outputs."""
    a, b = k.layers.Input((5,)), k.layers.Input((4,))
    inner = k.Model([a, b], [k.layers.Dense(4, name="u")(b), k.layers.Dense(5, name="v")(a)])
    u, v = inner([x, k.layers.Dense(4, name="w")(x)])
    return k.layers.Concatenate()([v, u])


def passed_through(k: Any, x: Any) -> Any:
    """An input that is an output as well."""
    return [x, k.layers.Dense(2, name="d")(x)]


def diamond(k: Any, x: Any) -> Any:
    """A layer called three times, its calls out of order in the config."""
    d = k.layers.Dense(5, activation="tanh", name="d")
    one = d(x)
    two = d(one)
    return k.layers.Average()([d(two), one, two])


def fixed_batch(k: Any, x: Any) -> Any:
    """An input that states a batch size none of the fed batches has: Keras does not mind."""
    inner = k.layers.Input(batch_shape=(7, 5))
    return k.Model(inner, k.layers.Dense(3)(inner))(x)


CASES = [
    case("nested with a batch size", fixed_batch, (5,)),
    case("nested, partly frozen", nested, (5,)),
    case("nested and called twice, shared layer", nested_shared, (5,)),
    case("sequential in functional, twice", sequential_in_functional, (5,)),
    case("two levels", two_levels, (5,)),
    case("several inputs and outputs", several_outputs, [(4,), (5,)]),
    case("dict outputs", dict_outputs, (5,), containers=(".keras",)),
    case("nested with two outputs", nested_two_outputs, (5,)),
    case("input passed through", passed_through, (5,)),
    case("one layer called three times", diamond, (5,)),
    case("plain sequential", lambda k: [k.layers.Dense(4), k.layers.Dense(3)], (5,)),
    case(
        "sequential in sequential",
        lambda k: [k.layers.Dense(4), k.Sequential([k.layers.Dense(3), k.layers.Dense(2)])],
        (5,),
    ),
]


@parity(CASES)
def test_wiring(run: Any) -> None:
    """Same outputs as Keras, whatever the wiring."""
    run()


@pytest.mark.live
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("writer", WRITERS)
def test_batch_size(writer: str, container: str, tmp_path: Path) -> None:
    """A batch size that an Input states, or that a first call had, binds no later batch."""
    k = keras_of(writer)
    called = k.Sequential([k.layers.Dense(4), k.layers.BatchNormalization()])
    called(np.zeros((2, 5), "float32"))
    x = k.layers.Input(batch_shape=(2, 5))
    for model in (called, k.Model(x, k.layers.Dense(3)(x))):
        model.save(tmp_path / f"model{container}")
        interp = lg.Interpreter(tmp_path / f"model{container}")
        for batch in (2, 3):
            rows = np.random.default_rng(0).normal(size=(batch, 5)).astype("float32")
            assert_close(interp(rows), np.asarray(model(rows, training=False)))


IN_TRAINING = {
    "Dropout": lambda k, x: k.layers.Dropout(0.5)(x, training=True),
    "GaussianNoise": lambda k, x: k.layers.GaussianNoise(0.5)(x, training=True),
    "BatchNormalization": lambda k, x: k.layers.BatchNormalization()(x, training=True),
    "LSTM": lambda k, x: k.layers.LSTM(3, dropout=0.5)(x, training=True),
    "nested": lambda k, x: k.Sequential([k.layers.Dense(3), k.layers.Dropout(0.5)])(
        x, training=True
    ),
}


@pytest.mark.live
@pytest.mark.parametrize("writer", ["keras", "tf_keras"])
@pytest.mark.parametrize("what", IN_TRAINING)
def test_calls_in_training_are_refused(what: str, writer: str, tmp_path: Path) -> None:
    keras = keras_of(writer)
    x = keras.layers.Input((5, 4))
    model = keras.Model(x, IN_TRAINING[what](keras, x))
    for container in (".keras", ".h5"):
        model.save(tmp_path / f"model{container}")
        with pytest.raises(lg.UnsupportedError, match="called with training=True"):
            lg.load(tmp_path / f"model{container}")


@pytest.mark.live
def test_defaults_that_keras_3_stores_are_no_calls_in_training(tmp_path: Path) -> None:
    keras = keras_of("keras")
    x = keras.layers.Input((8, 6, 3))
    y = keras.layers.Resizing(5, 4)(keras.layers.RandomFlip()(x))
    keras.Model(x, keras.layers.RandomRotation(0.1)(y)).save(tmp_path / "model.keras")
    assert len(lg.load(tmp_path / "model.keras")) > 1
