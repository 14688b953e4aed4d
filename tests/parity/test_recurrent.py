"""Recurrent layers beside real Keras: masks in the middle, every direction and merge."""

from __future__ import annotations

from typing import Any

from support import case, parity

SHAPE = (7, 5)


def _masked(make: Any) -> Any:
    return lambda k: [k.layers.Masking(), make(k)]


def _states(k: Any, x: Any) -> Any:
    """An encoder's states start a decoder."""
    _, h, c = k.layers.LSTM(4, return_state=True)(x)
    return k.layers.LSTM(4, return_sequences=True)(x, initial_state=[h, c])


def _gru_state(k: Any, x: Any, h: Any) -> Any:
    return k.layers.GRU(4, return_sequences=True, return_state=True)(x, initial_state=h)


def _masked_initial(name: str, count: int) -> Any:
    def first(k: Any, x: Any, states: list[Any]) -> Any:
        y = getattr(k.layers, name)(4, return_sequences=True)(
            k.layers.Masking()(x), initial_state=states
        )
        return [y, k.layers.SimpleRNN(3)(y)]

    if count == 2:
        return lambda k, x, h, c: first(k, x, [h, c])
    return lambda k, x, h: first(k, x, [h])


def _masked_both(k: Any, x: Any, h: Any, g: Any) -> Any:
    layer = k.layers.Bidirectional(k.layers.GRU(4, return_sequences=True))
    y = layer(k.layers.Masking()(x), initial_state=[h, g])
    return [y, k.layers.SimpleRNN(3)(y)]


def _bidirectional_states(k: Any, x: Any) -> Any:
    return k.layers.Bidirectional(k.layers.LSTM(4, return_state=True, return_sequences=True))(x)


def _bidirectional_initial(k: Any, x: Any, h: Any, g: Any) -> Any:
    return k.layers.Bidirectional(k.layers.GRU(4))(x, initial_state=[h, g])


def _two_outputs(k: Any, x: Any) -> Any:
    return k.layers.Bidirectional(k.layers.GRU(4, return_sequences=True), merge_mode=None)(x)


def _separate_backward(k: Any) -> Any:
    return k.layers.Bidirectional(
        k.layers.LSTM(4, return_sequences=True),
        backward_layer=k.layers.LSTM(
            3, return_sequences=True, go_backwards=True, activation="relu"
        ),
    )


def _stacked_masked(k: Any) -> Any:
    return [
        k.layers.Masking(),
        k.layers.Bidirectional(k.layers.LSTM(4, return_sequences=True)),
        k.layers.Dropout(0.5),
        k.layers.GRU(3, return_sequences=True),
        k.layers.SimpleRNN(3),
    ]


def _distributed_model(k: Any) -> Any:
    inner = k.Sequential([k.layers.Input((6, 5, 3)), k.layers.Conv2D(4, 3), k.layers.Flatten()])
    return k.layers.TimeDistributed(inner)


def _functional_masked(k: Any, x: Any) -> Any:
    """Keras 3 writes this mask as nodes of its own."""
    y = k.layers.Masking(mask_value=0.0)(x)
    return k.layers.LSTM(4)(y)


def _cells(*names: str, **options: Any) -> Any:
    """RNN over one cell, or several of different sizes."""

    def build(k: Any) -> Any:
        cells = [getattr(k.layers, n)(3 + i) for i, n in enumerate(names)]
        return k.layers.RNN(cells if len(cells) > 1 else cells[0], return_sequences=True, **options)

    return build


def _masked_cells(*names: str) -> Any:
    return lambda k: [k.layers.Masking(), _cells(*names)(k), k.layers.LSTM(2)]


CASES = [
    # A gate's softmax is over its own units, not over all gates.
    case("lstm gates by softmax", lambda k: k.layers.LSTM(4, recurrent_activation="softmax"), SHAPE),
    case("gru gates by softmax", lambda k: k.layers.Bidirectional(k.layers.GRU(4, activation="softmax", recurrent_activation="softmax")), SHAPE),
    case("bidirectional of another dtype", lambda k: k.layers.Bidirectional(k.layers.LSTM(4, return_sequences=True, dtype="float64")), SHAPE),
    case("called in training", lambda k, x: k.layers.LSTM(4)(x, training=True), SHAPE),
    *(
        row
        for name in ("SimpleRNN", "LSTM", "GRU")
        for row in (
            case(f"{name}", lambda k, n=name: getattr(k.layers, n)(4), SHAPE),
            case(f"{name} sequences", lambda k, n=name: getattr(k.layers, n)(4, return_sequences=True), SHAPE),
            case(f"{name} backwards", lambda k, n=name: getattr(k.layers, n)(4, return_sequences=True, go_backwards=True), SHAPE),
            case(f"{name} no bias, relu", lambda k, n=name: getattr(k.layers, n)(4, use_bias=False, activation="relu"), SHAPE),
            case(f"{name} unknown length", lambda k, n=name: getattr(k.layers, n)(4, return_sequences=True), SHAPE, unknown=(0,)),
            case(f"{name} masked", _masked(lambda k, n=name: getattr(k.layers, n)(4)), SHAPE, make="masked"),
            case(f"{name} masked sequences", _masked(lambda k, n=name: getattr(k.layers, n)(4, return_sequences=True)), SHAPE, make="masked"),
            case(f"{name} masked backwards", _masked(lambda k, n=name: getattr(k.layers, n)(4, return_sequences=True, go_backwards=True)), SHAPE, make="masked"),
            case(f"{name} bidirectional masked", _masked(lambda k, n=name: k.layers.Bidirectional(getattr(k.layers, n)(4, return_sequences=True))), SHAPE, make="masked"),
            case(f"{name} bidirectional last step masked", _masked(lambda k, n=name: k.layers.Bidirectional(getattr(k.layers, n)(4))), SHAPE, make="masked"),
        )
    ),
    *(
        case(f"bidirectional {mode}", lambda k, m=mode: k.layers.Bidirectional(k.layers.LSTM(4, return_sequences=True), merge_mode=m), SHAPE)
        for mode in ("concat", "sum", "mul", "ave")
    ),
    case("bidirectional both outputs", _two_outputs, SHAPE),
    case("bidirectional states", _bidirectional_states, SHAPE),
    case("bidirectional initial state", _bidirectional_initial, [SHAPE, (4,), (4,)]),
    case("bidirectional with a backward layer of its own", _separate_backward, SHAPE),
    case("lstm hard_sigmoid of its era", lambda k: k.layers.LSTM(4, recurrent_activation="hard_sigmoid"), SHAPE),
    case("gru hard_sigmoid of its era", lambda k: k.layers.GRU(4, recurrent_activation="hard_sigmoid", return_sequences=True), SHAPE),
    case("gru reset before", lambda k: k.layers.GRU(4, reset_after=False), SHAPE),
    case("gru reset before, no bias, masked", _masked(lambda k: k.layers.GRU(4, reset_after=False, use_bias=False)), SHAPE, make="masked"),
    case("gru softsign relu6", lambda k: k.layers.GRU(4, activation="softsign", recurrent_activation="relu6"), SHAPE),
    case("lstm linear", lambda k: k.layers.LSTM(4, activation="linear"), SHAPE, rtol=3e-5),
    case("states from an encoder", _states, SHAPE),
    # Keras 3 hands an RNN no mask where it is given states, and masks its output all the same.
    case("masked, with initial state", _masked_initial("LSTM", 2), [SHAPE, (4,), (4,)], make="masked"),
    case("masked rnn over a cell, with initial state", _masked_initial("GRU", 1), [SHAPE, (4,)], make="masked"),
    case("masked, bidirectional, with initial state", _masked_both, [SHAPE, (4,), (4,)], make="masked"),
    case("gru initial state and final state", _gru_state, [SHAPE, (4,)]),
    case("stacked and masked", _stacked_masked, SHAPE, make="masked"),
    case("functional masked", _functional_masked, SHAPE, make="masked"),
    case("one step", lambda k: k.layers.LSTM(4, return_sequences=True), (1, 5)),
    case("time distributed dense", lambda k: k.layers.TimeDistributed(k.layers.Dense(4, activation="tanh")), SHAPE),
    case("time distributed convolution", lambda k: k.layers.TimeDistributed(k.layers.Conv2D(4, 3)), (7, 6, 5, 3), batch0=False),
    case("time distributed model", _distributed_model, (7, 6, 5, 3)),
    case("time distributed keeps the mask", lambda k: [k.layers.Masking(), k.layers.TimeDistributed(k.layers.Dense(3)), k.layers.LSTM(4)], SHAPE, make="masked"),
    *(case(f"rnn over {n}", _cells(n), (6, 4)) for n in ("SimpleRNNCell", "LSTMCell", "GRUCell")),
    *(case(f"rnn over {n} masked", _masked_cells(n), (6, 4), make="masked") for n in ("LSTMCell", "GRUCell")),
    case("rnn over a stack", _cells("LSTMCell", "LSTMCell", "GRUCell"), (6, 4)),
    case("rnn over a stack masked", _masked_cells("GRUCell", "LSTMCell"), (6, 4), make="masked"),
    case("rnn backwards over a stack", _cells("LSTMCell", "SimpleRNNCell", go_backwards=True), (6, 4)),
]  # fmt: skip


@parity(CASES)
def test_recurrent(run: Any) -> None:
    """Same as Keras."""
    run()
