"""Layers with ``stateful=True``: states go from run to run as in Keras."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from layergraph.ir.graph import flatten
from support import CONTAINERS, WRITERS, assert_close, keras_of

BATCH, SHAPE = 3, (3, 5, 4)


def _plain(k: Any, x: Any) -> Any:
    y = k.layers.LSTM(4, return_sequences=True, stateful=True, name="lstm")(x)
    y = k.layers.GRU(3, go_backwards=True, return_sequences=True, stateful=True, name="gru")(y)
    return k.layers.SimpleRNN(2, stateful=True, return_state=True, name="simple")(y)


def _stack(k: Any, x: Any) -> Any:
    cells = [k.layers.LSTMCell(3), k.layers.GRUCell(2)]
    return k.layers.RNN(cells, stateful=True, return_state=True, name="stack")(x)


def _both(k: Any, x: Any) -> Any:
    layer = k.layers.LSTM(2, return_sequences=True, stateful=True)
    return k.layers.Bidirectional(layer, name="both")(x)


def _cells(k: Any, x: Any) -> Any:
    cells = k.layers.RNN([k.layers.GRUCell(2), k.layers.LSTMCell(3)], stateful=True)
    return k.layers.Bidirectional(cells, name="cells")(x)


def _masked(k: Any, x: Any) -> Any:
    y = k.layers.Masking()(x)
    return k.layers.GRU(3, return_sequences=True, stateful=True, name="gru")(y)


def _images(k: Any, x: Any) -> Any:
    y = k.layers.Reshape((5, 4, 1))(x)
    return k.layers.ConvLSTM1D(2, 3, stateful=True, return_state=True, name="conv")(y)


def _shared(k: Any, x: Any) -> Any:
    """Both calls of a layer have the same states."""
    layer = k.layers.LSTM(4, return_sequences=True, stateful=True, name="lstm")
    return layer(layer(x))


BUILDS = {f.__name__[1:]: f for f in (_plain, _stack, _both, _cells, _masked, _images, _shared)}


def _saved(writer: str, build: str, path: Path) -> Any:
    """A live model with weights drawn, saved."""
    k = keras_of(writer)
    k.backend.clear_session()
    x = k.layers.Input(batch_shape=SHAPE)
    model = k.Model(x, BUILDS[build](k, x))
    rng = np.random.default_rng(3)
    model.set_weights([rng.uniform(-0.6, 0.7, w.shape) for w in model.get_weights()])
    model.save(path)
    _reset(model)
    return model


def _reset(model: Any) -> None:
    """All states zero; Keras 3's own ``reset_state`` fails on several cells."""
    if hasattr(model, "reset_states"):
        model.reset_states()
        return
    for layer in model.layers:
        for name in ("forward_layer", "backward_layer"):
            _zero(getattr(getattr(layer, name, None), "states", None))
        if not hasattr(layer, "forward_layer"):
            _zero(getattr(layer, "states", None))


def _zero(states: Any) -> None:
    if isinstance(states, (list, tuple)):
        for state in states:
            _zero(state)
    elif states is not None:
        states.assign(np.zeros(states.shape, "float32"))


def _leaves(data: Any) -> list[Any]:
    if isinstance(data, (list, tuple)):
        return [leaf for item in data for leaf in _leaves(item)]
    return [np.asarray(data)]


def _batches(count: int) -> Iterator[Any]:
    rng = np.random.default_rng(5)
    for _ in range(count):
        x = rng.normal(0, 2, SHAPE).astype("float32")
        x[:, 2] = 0
        x[1, 3:] = 0
        yield x


def _same(ours: Any, keras: Any, interp: lg.Interpreter) -> None:
    mine_flat = flatten(ours, interp.graph.output_structure)
    for mine, theirs in zip(mine_flat, _leaves(keras), strict=True):
        assert_close(mine, theirs)


@pytest.mark.live
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("build", BUILDS)
def test_states_go_from_run_to_run(build: str, writer: str, container: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{container}"
    model = _saved(writer, build, path)
    graph = lg.load(path)
    lg.save(graph, tmp_path / "model.lg")
    interps = [
        lg.Interpreter(graph),
        lg.Interpreter(graph, optimize=False),
        lg.Interpreter(tmp_path / "model.lg"),
    ]
    for x in _batches(3):
        wanted = model(x, training=False)
        for interp in interps:
            _same(interp(x), wanted, interp)
    _reset(model)
    x = next(_batches(1))
    wanted = model(x, training=False)
    for interp in interps:
        interp.reset_states()
        _same(interp(x), wanted, interp)


@pytest.mark.live
@pytest.mark.parametrize("writer", WRITERS)
def test_given_and_kept_states(writer: str, tmp_path: Path) -> None:
    """Keras 3 begins with the given state, tf-keras with the kept one once there is one."""
    k = keras_of(writer)
    k.backend.clear_session()
    x, h = k.layers.Input(batch_shape=SHAPE), k.layers.Input(batch_shape=(3, 2))
    model = k.Model([x, h], k.layers.GRU(2, stateful=True)(x, initial_state=h))
    model.save(tmp_path / "model.keras")
    _reset(model)
    interp = lg.Interpreter(tmp_path / "model.keras")
    state = np.random.default_rng(2).normal(0, 1, (3, 2)).astype("float32")
    for batch in _batches(2):
        _same(interp(batch, state), model([batch, state], training=False), interp)


@pytest.fixture
def interp(tmp_path: Path) -> lg.Interpreter:
    _saved("keras", "plain", tmp_path / "model.keras")
    return lg.Interpreter(tmp_path / "model.keras")


@pytest.mark.live
def test_ways_to_run(interp: lg.Interpreter) -> None:
    """A call, run, predict and trace carry states alike; a profile does not."""
    x, y, z = _batches(3)
    wanted = [interp(b)[0] for b in (x, y, z)]
    after = interp.states
    interp.reset_states()
    assert np.array_equal(interp.predict(np.concatenate([x, y, z]))[0], np.concatenate(wanted))
    interp.reset_states()
    (name,) = interp.inputs
    interp.run(["lstm"], {name: x})
    assert interp.states["lstm"][0].any()
    assert not interp.states["simple"][0].any(), "only what was run has new states"
    interp.reset_states()
    interp.run(None, {name: x})
    walk = interp.trace(y)
    next(walk)
    walk.close()
    assert np.array_equal(list(interp.trace(y))[-1].outputs[0], wanted[1])
    interp.profile(x, repeat=1)
    assert np.array_equal(interp(z)[0], wanted[2])
    for key, states in interp.states.items():
        assert all(np.array_equal(a, b) for a, b in zip(states, after[key], strict=True))


@pytest.mark.live
def test_states_put_away_and_back(interp: lg.Interpreter) -> None:
    x, y, _ = _batches(3)
    assert list(interp.states) == ["lstm", "gru", "simple"]
    assert not any(s.any() for states in interp.states.values() for s in states)
    output, state = interp(x)
    kept = interp.states
    second = interp(y)[0]
    for array in (output, state, *interp.states["lstm"]):
        array[...] = 9
    interp.reset_states(kept)
    assert np.array_equal(interp(y)[0], second), "nobody else holds the states"
    with pytest.raises(lg.InputError, match="no stateful layer 'lst'; stateful are lstm"):
        interp.reset_states({"lst": kept["lstm"]})
    with pytest.raises(lg.InputError, match=r"'gru' keeps states of types float32\[3, 3\]"):
        interp.reset_states({"gru": [np.zeros((1, 3))]})


@pytest.mark.live
def test_a_failing_run_changes_nothing(
    interp: lg.Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = next(_batches(1))
    interp(x)
    before = interp.states
    *steps, last = interp._plan.steps

    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no")

    monkeypatch.setattr(interp._plan, "steps", (*steps, last._replace(kernel=fails)))
    with pytest.raises(lg.LayerGraphError):
        interp(x)
    assert np.array_equal(before["lstm"][0], interp.states["lstm"][0])


@pytest.mark.live
def test_threads_take_turns(interp: lg.Interpreter) -> None:
    """Equal batches in any order leave the states of as many runs in a row."""
    x = next(_batches(1))
    for _ in range(40):
        interp(x)
    wanted = interp.states
    interp.reset_states()
    threads = [Thread(target=lambda: [interp(x) for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for before, after in zip(wanted["lstm"], interp.states["lstm"], strict=True):
        assert np.array_equal(before, after)


@pytest.mark.live
def test_batches_must_be_whole(interp: lg.Interpreter) -> None:
    with pytest.raises(lg.InputError, match="batches of 3 rows, 4 rows do not fill them"):
        interp.predict(np.zeros((4, 5, 4), "float32"))
