"""What layers and models are called on: constants beside tensors, inputs and outputs by key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from layergraph.ir.graph import flatten
from support import _leaves, assert_close, keras_of

RNG = np.random.default_rng(4)
SEQUENCE = RNG.normal(size=(2, 3, 4)).astype("float32")
ROWS = [RNG.normal(size=(2, 4)).astype("float32") for _ in range(2)]
STATES = RNG.normal(size=(2, 2, 4)).astype("float32")


def merged(keras: Any) -> tuple[Any, Any]:
    """Keras 3 adds no constants in layers."""
    layers, x = keras.layers, keras.layers.Input((4,))
    one, many = np.arange(4, dtype="float32")[None], np.ones((2, 3), "float32")
    outputs = [
        layers.Add()([constant(one), x]),
        layers.Subtract()([x, constant(one)]),
        layers.Concatenate()([constant(many), x]),
    ]
    return keras.Model(x, outputs), ROWS[0]


def constant(array: Any) -> Any:
    import tensorflow

    return tensorflow.constant(array)


def beside(keras: Any) -> tuple[Any, Any]:
    """Masks and states."""
    layers, x = keras.layers, keras.layers.Input((3, 4))
    mask = np.array([[True, False, True], [False, True, True]])
    seen = np.tril(np.ones((2, 3, 3), bool))
    outputs = [
        layers.LSTM(4)(x, mask=constant(mask)),
        layers.GRU(4)(x, initial_state=[constant(STATES[0])]),
        layers.LSTM(4)(x, initial_state=[constant(s) for s in STATES]),
        layers.MultiHeadAttention(2, 3)(x, x, attention_mask=constant(seen)),
        layers.Attention()([x, x], mask=[None, None]),
    ]
    return keras.Model(x, outputs), SEQUENCE


def by_key(keras: Any) -> tuple[Any, Any]:
    """Keras counts the tensors of a dict in the order of its keys, not in its own."""
    layers = keras.layers
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    outputs = {"s": layers.Dense(2)(a), "d": layers.Subtract()([a, b])}
    inner = keras.Model({"q": a, "p": b}, outputs, name="inner")
    u, v = layers.Input((4,), name="u"), layers.Input((4,), name="v")
    one, two = inner({"q": u, "p": v}), inner({"p": u, "q": v})
    return keras.Model([u, v], {"z": one["s"], "y": [two["d"], two["s"]]}), ROWS


CASES = [(merged, ("tf_keras",)), (beside, ("tf_keras", "keras")), (by_key, ("tf_keras", "keras"))]


@pytest.mark.live
@pytest.mark.parametrize("container", [".h5", ".keras"])
@pytest.mark.parametrize(
    ("build", "writer"), [(build, writer) for build, writers in CASES for writer in writers]
)
def test_arguments(build: Any, writer: str, container: str, tmp_path: Path) -> None:
    keras = keras_of(writer)
    keras.backend.clear_session()
    model, fed = build(keras)
    rng = np.random.default_rng(1)
    model.set_weights([rng.uniform(-0.5, 1, w.shape) for w in model.get_weights()])
    model.save(tmp_path / f"model{container}")
    wanted = _leaves(model(fed, training=False))
    for optimize in (True, False):
        interpreter = lg.Interpreter(tmp_path / f"model{container}", optimize=optimize)
        got = flatten(interpreter(fed), interpreter.graph.output_structure)
        assert len(got) == len(wanted)
        for ours, keras_own in zip(got, wanted, strict=True):
            assert_close(ours, keras_own)
