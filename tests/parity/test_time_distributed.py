"""TimeDistributed beside real Keras: what it wraps, and where masks go."""

from __future__ import annotations

from typing import Any

from support import case, parity

K2 = ("tf_keras",)
SHAPE = (4, 6, 5)


def _distributed(make: Any) -> Any:
    return lambda k: k.layers.TimeDistributed(make(k))


def _masked(make: Any) -> Any:
    """The mask has a flag for each step of each step: the wrapped layer gets it."""
    return lambda k: [k.layers.Masking(), k.layers.TimeDistributed(make(k))]


def _documents(k: Any, x: Any) -> Any:
    """Words to sentences to a document: each level masks its own steps in tf-keras."""
    y = k.layers.TimeDistributed(k.layers.Embedding(10, 3, mask_zero=True))(x)
    y = k.layers.TimeDistributed(k.layers.LSTM(4))(y)
    return k.layers.GRU(2)(y)


def _two_inputs(k: Any, x: Any, y: Any) -> Any:
    return k.layers.TimeDistributed(k.layers.Concatenate())([x, y])


def _model(k: Any) -> Any:
    inputs = k.layers.Input((6, 5))
    y = k.layers.LSTM(4, return_sequences=True)(k.layers.Masking()(inputs))
    return k.Model(inputs, k.layers.Dense(2)(k.layers.GRU(3)(y)))


CASES = [
    case("recurrent", _distributed(lambda k: k.layers.LSTM(4, return_sequences=True)), SHAPE),
    case("recurrent masked", _masked(lambda k: k.layers.GRU(4)), SHAPE, make="masked"),
    case("bidirectional masked", _masked(lambda k: k.layers.Bidirectional(k.layers.LSTM(2, return_sequences=True))), SHAPE, make="masked"),
    case("model that masks", _distributed(_model), SHAPE, make="masked"),
    # Keras 3 runs the wrapped layer's call alone, which casts nothing; tf-keras calls the layer.
    case("dense of another dtype", _distributed(lambda k: k.layers.Dense(3, dtype="float16")), SHAPE, rtol=4 * 2**-10),
    case("dropout of another dtype", _distributed(lambda k: k.layers.Dropout(0.5, dtype="float64")), SHAPE),
    case("recurrent of another dtype", _distributed(lambda k: k.layers.GRU(3, dtype="float64")), SHAPE),
    case("unknown length", _distributed(lambda k: k.layers.SimpleRNN(3)), SHAPE, unknown=(0,)),
    case("twice", _distributed(lambda k: k.layers.TimeDistributed(k.layers.Dense(2))), SHAPE),
    # Keras 3 hands the words' mask on to the document, where it does not fit.
    case("documents", _documents, (4, 6), dtype="int32", writers=K2),
    case("two inputs", _two_inputs, [SHAPE, (4, 6, 3)], writers=K2),
]  # fmt: skip


@parity(CASES)
def test_time_distributed(run: Any) -> None:
    """Same as Keras."""
    run()
