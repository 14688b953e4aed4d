"""Convolutional LSTMs beside real Keras: paddings, strides, directions, masks, states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from support import CONTAINERS, WRITERS, assert_close, case, keras_of, parity

LINE, IMAGE, BLOCK = (5, 7, 3), (4, 7, 6, 3), (3, 5, 4, 6, 2)


def _layer(rank: int, *args: Any, **options: Any) -> Any:
    return lambda k: getattr(k.layers, f"ConvLSTM{rank}D")(*args, **options)


def _states(k: Any, x: Any) -> Any:
    """An encoder's states start a decoder; both return theirs."""
    y, h, c = k.layers.ConvLSTM2D(
        3, (2, 3), padding="same", return_sequences=True, return_state=True
    )(x)
    return k.layers.ConvLSTM2D(3, 2, padding="same", return_state=True)(y, initial_state=[c, h])


def _explicit_mask(sequences: bool, **options: Any) -> Any:
    """A mask of one flag a step, which no layer makes for images."""

    def build(k: Any, x: Any, m: Any) -> Any:
        layer = k.layers.ConvLSTM2D(3, (2, 3), return_sequences=sequences, **options)
        return layer(x, mask=m)

    return build


def _masked_pixels(k: Any) -> Any:
    """Masking gives one flag a pixel."""
    return [
        k.layers.Masking(),
        k.layers.ConvLSTM2D(4, 2, padding="same", return_sequences=True),
        k.layers.ConvLSTM2D(2, 2, padding="same"),
    ]


def _bidirectional(mode: Any, **options: Any) -> Any:
    def build(k: Any, x: Any) -> Any:
        layer = k.layers.ConvLSTM1D(3, 2, **options)
        return k.layers.Bidirectional(layer, merge_mode=mode)(x)

    return build


def _bidirectional_masked(k: Any, x: Any, m: Any) -> Any:
    layer = k.layers.ConvLSTM1D(3, 2, return_sequences=True)
    return k.layers.Bidirectional(layer)(x, mask=m)


def _own_backward(k: Any) -> Any:
    return k.layers.Bidirectional(
        k.layers.ConvLSTM2D(3, 2, return_sequences=True),
        backward_layer=k.layers.ConvLSTM2D(
            4, 2, return_sequences=True, go_backwards=True, activation="relu"
        ),
    )


CASES = [
    case("line", _layer(1, 4, 3), LINE),
    case("image", _layer(2, 4, (3, 2)), IMAGE),
    case("block", _layer(3, 3, (2, 3, 2), padding="same"), BLOCK),
    case("sequences, even kernel, same", _layer(2, 4, (2, 4), padding="same", return_sequences=True), IMAGE),
    case("strides", _layer(2, 3, 3, strides=(2, 1), padding="same", return_sequences=True), IMAGE),
    case("strides valid", _layer(2, 3, (2, 3), strides=2), IMAGE),
    case("dilation", _layer(2, 3, 2, dilation_rate=(2, 3), return_sequences=True), IMAGE),
    case("dilation same", _layer(1, 3, 3, dilation_rate=2, padding="same"), LINE),
    case("one by one", _layer(2, 3, 1), IMAGE),
    case("backwards", _layer(1, 4, 3, go_backwards=True, return_sequences=True), LINE),
    case("no bias, other activations", _layer(1, 4, 3, use_bias=False, activation="relu", recurrent_activation="sigmoid"), LINE),
    case("hard_sigmoid of its era", _layer(1, 4, 3, recurrent_activation="hard_sigmoid", return_sequences=True), LINE),
    case("dropout ignored", _layer(1, 4, 3, dropout=0.4, recurrent_dropout=0.3, unit_forget_bias=False), LINE, writers=("keras",)),  # tf-keras keeps a mask of the first batch's size
    case("unknown length", _layer(1, 4, 3, return_sequences=True), LINE, unknown=(0,)),
    case("states", _states, IMAGE),
    case("masked", _explicit_mask(False), [IMAGE, (4,)], dtype=["float32", "bool"]),
    case("masked sequences", _explicit_mask(True), [IMAGE, (4,)], dtype=["float32", "bool"]),
    case("masked backwards", _explicit_mask(True, go_backwards=True), [IMAGE, (4,)], dtype=["float32", "bool"]),
    case("masked pixels", _masked_pixels, (4, 5, 6, 1), make="masked"),
    *(case(f"bidirectional {mode}", _bidirectional(mode, return_sequences=True), LINE) for mode in ("concat", "sum", "mul", "ave", None)),
    case("bidirectional last step", _bidirectional("concat"), LINE),
    case("bidirectional states", _bidirectional("sum", return_state=True), LINE),
    case("bidirectional both with states", _bidirectional(None, return_state=True, return_sequences=True), LINE),
    case("bidirectional masked", _bidirectional_masked, [LINE, (5,)], dtype=["float32", "bool"]),
    case("bidirectional with a backward layer of its own", _own_backward, IMAGE),
]  # fmt: skip


@parity(CASES)
def test_convolutional_recurrent(run: Any) -> None:
    """Same as Keras."""
    run()


@pytest.mark.live
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("writer", WRITERS)
def test_channels_first(writer: str, container: str, tmp_path: Path) -> None:
    """TensorFlow has no such convolution on a CPU: Keras answers with channels last."""
    k = keras_of(writer)
    rng = np.random.default_rng(7)

    def model(data_format: str, shape: tuple[int, ...], state: tuple[int, ...]) -> Any:
        k.backend.clear_session()
        options = {"padding": "same", "data_format": data_format, "return_state": True}
        x, h, c = k.layers.Input(shape), k.layers.Input(state), k.layers.Input(state)
        first = k.layers.ConvLSTM2D(4, (3, 2), return_sequences=True, strides=(2, 1), **options)
        second = k.layers.ConvLSTM2D(4, 2, **options)
        y, *states = first(x, initial_state=[h, c])
        return k.Model([x, h, c], [y, *states, *second(y, initial_state=states[::-1])])

    first = model("channels_first", (3, 2, 7, 6), (4, 4, 6))
    last = model("channels_last", (3, 7, 6, 2), (4, 6, 4))
    weights = [rng.uniform(-0.5, 0.6, w.shape).astype("float32") for w in last.get_weights()]
    first.set_weights(weights)
    last.set_weights(weights)
    first.save(tmp_path / f"first{container}")
    x = rng.normal(0, 2, (2, 3, 2, 7, 6)).astype("float32")
    h, c = rng.normal(0, 1, (2, 2, 4, 4, 6)).astype("float32")
    wanted = last([np.moveaxis(x, 2, -1), np.moveaxis(h, 1, -1), np.moveaxis(c, 1, -1)])
    got = lg.Interpreter(tmp_path / f"first{container}")(x, h, c)
    for ours, keras in zip(got, wanted, strict=True):
        assert_close(ours, np.moveaxis(np.asarray(keras), -1, 2 if keras.ndim == 5 else 1))
