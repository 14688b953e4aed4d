"""RNN over cells of every kind beside real Keras, cells as layers, Bidirectional over both."""

from __future__ import annotations

from typing import Any

from support import case, parity

SHAPE = (7, 5)
K2, K3 = ("tf_keras",), ("keras",)


def _rnn(make: Any, **options: Any) -> Any:
    return lambda k: k.layers.RNN(make(k), **options)


def _masked(make: Any, **options: Any) -> Any:
    return lambda k: [k.layers.Masking(), _rnn(make, **options)(k)]


def _three(k: Any) -> Any:
    return [k.layers.LSTMCell(4), k.layers.SimpleRNNCell(3), k.layers.GRUCell(2)]


def _nested(k: Any) -> Any:
    inner = k.layers.StackedRNNCells([k.layers.GRUCell(3), k.layers.GRUCell(4)])
    return k.layers.StackedRNNCells([k.layers.LSTMCell(2), inner, k.layers.GRUCell(3)])


def _residual(k: Any) -> Any:
    """The outer residual spans a stack; the cell before it gives the width."""
    from tf_keras.src.layers.rnn import cell_wrappers as w

    inner = w.ResidualWrapper(k.layers.GRUCell(4))
    held = w.DeviceWrapper(k.layers.LSTMCell(4), "/cpu:0")
    return [
        k.layers.GRUCell(4),
        inner,
        w.DropoutWrapper(k.layers.GRUCell(4)),
        w.ResidualWrapper(held),
    ]


def _one_residual(k: Any) -> Any:
    from tf_keras.src.layers.rnn import cell_wrappers as w

    return w.ResidualWrapper(k.layers.GRUCell(5))


def _all_states(k: Any, x: Any) -> Any:
    found = k.layers.RNN(_three(k), return_state=True, return_sequences=True)(x)
    return list(found)


def _given_states(k: Any, x: Any, h: Any, c: Any, g: Any) -> Any:
    cells = [k.layers.LSTMCell(4), k.layers.GRUCell(3)]
    return k.layers.RNN(cells, return_sequences=True)(x, initial_state=[[h, c], g])


def _flat_states(k: Any, x: Any, h: Any, c: Any, g: Any) -> Any:
    cells = [k.layers.LSTMCell(4), k.layers.GRUCell(3)]
    return k.layers.RNN(cells, return_sequences=True)(x, initial_state=[(h, c), g])


def _reversed_order(k: Any, x: Any) -> Any:
    cells = k.layers.StackedRNNCells(
        [k.layers.GRUCell(3), k.layers.SimpleRNNCell(3)], reverse_state_order=True
    )
    return k.layers.RNN(cells, return_state=True)(x)


def _cell_as_layer(k: Any, x: Any, h: Any, c: Any) -> Any:
    y, states = k.layers.LSTMCell(4)(x, [h, c])
    z, _ = k.layers.GRUCell(4)(y, [states[1]])
    return [y, states[0], states[1], z]


def _bidirectional(make: Any, mode: str | None = "concat", **options: Any) -> Any:
    def build(k: Any, x: Any) -> Any:
        return k.layers.Bidirectional(k.layers.RNN(make(k), **options), merge_mode=mode)(x)

    return build


def _bidirectional_masked(make: Any, mode: str | None = "concat", **options: Any) -> Any:
    def build(k: Any, x: Any) -> Any:
        return _bidirectional(make, mode, **options)(k, k.layers.Masking()(x))

    return build


def _different_kinds(k: Any, x: Any) -> Any:
    forward = k.layers.LSTM(4, return_sequences=True)
    backward = k.layers.GRU(3, return_sequences=True, go_backwards=True, reset_after=False)
    return k.layers.Bidirectional(forward, backward_layer=backward)(k.layers.Masking()(x))


def _layer_and_cells(k: Any, x: Any) -> Any:
    backward = k.layers.RNN(_three(k), go_backwards=True)
    layer = k.layers.Bidirectional(k.layers.LSTM(2), backward_layer=backward, merge_mode="mul")
    return layer(k.layers.Masking()(x))


def _backwards_first(k: Any, x: Any) -> Any:
    forward = k.layers.GRU(3, go_backwards=True, return_sequences=True)
    return k.layers.Bidirectional(forward, backward_layer=k.layers.GRU(3, return_sequences=True))(x)


def _bidirectional_given(k: Any, x: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    layer = k.layers.RNN([k.layers.GRUCell(4), k.layers.GRUCell(4)], return_state=True)
    return k.layers.Bidirectional(layer)(x, initial_state=[a, b, c, d])


def _time_major(make: Any, **options: Any) -> Any:
    return lambda k, x: make(k)(k.layers.Masking()(x), **options)


def _mask_and_state(k: Any, x: Any, h: Any, m: Any) -> Any:
    """A mask given beside an initial state is the sequence's."""
    return k.layers.GRU(4, return_sequences=True)(x, mask=m, initial_state=h)


def _number_mask(k: Any, x: Any, m: Any) -> Any:
    return k.layers.LSTM(4)(x, mask=m)


MAJOR = {"time_major": True, "return_sequences": True}
CASES = [
    case("three cells, every state", _all_states, SHAPE),
    case("stacks in stacks", _rnn(_nested, return_sequences=True), SHAPE),
    case("stacks in stacks masked", _masked(_nested, return_sequences=True), SHAPE, make="masked"),
    case("backwards masked", _masked(_three, go_backwards=True, return_sequences=True), SHAPE, make="masked"),
    case("zeros where masked", _masked(_three, zero_output_for_mask=True, return_sequences=True), SHAPE, make="masked", writers=K3),
    case("last step masked", _masked(_three), SHAPE, make="masked"),
    case("nested states given", _given_states, [SHAPE, (4,), (4,), (3,)], writers=K3),
    case("states in pairs", _flat_states, [SHAPE, (4,), (4,), (3,)], writers=K3),
    case("states announced in reverse order", _reversed_order, SHAPE, writers=K2),
    case("wrapped cells", _rnn(_residual, return_sequences=True), SHAPE, writers=K2),
    case("wrapped cells, last step", _rnn(_residual, go_backwards=True), SHAPE, writers=K2),
    case("residual masked", _masked(_one_residual, return_sequences=True), SHAPE, make="masked", writers=K2),
    case("residual masked backwards, last step", _masked(_one_residual, go_backwards=True), SHAPE, make="masked", writers=K2),
    case("cells as layers", _cell_as_layer, [(5,), (4,), (4,)]),
    case("bidirectional cell", _bidirectional(lambda k: k.layers.LSTMCell(4), return_sequences=True, return_state=True), SHAPE),
    *(
        case(f"bidirectional stack {mode}", _bidirectional(_three, mode, return_sequences=True), SHAPE)
        for mode in ("concat", "ave", None)
    ),
    case("bidirectional stack masked", _bidirectional_masked(_three, "sum", return_sequences=True), SHAPE, make="masked"),
    case("bidirectional stack, last step masked", _bidirectional_masked(_three), SHAPE, make="masked"),
    case("bidirectional of two kinds", _different_kinds, SHAPE, make="masked"),
    case("bidirectional of layer and cells", _layer_and_cells, SHAPE, make="masked"),
    case("bidirectional backwards first", _backwards_first, SHAPE),
    case("bidirectional states given", _bidirectional_given, [SHAPE, (4,), (4,), (4,), (4,)]),
    # Time before the batch: a batch of 0 is a sequence without steps.
    case("time major", _time_major(lambda k: k.layers.LSTM(4, **MAJOR)), SHAPE, make="masked", writers=K2, batch0=False),
    case("time major, last step", _time_major(lambda k: k.layers.GRU(4, time_major=True, return_state=True)), SHAPE, make="masked", writers=K2, batch0=False),
    case("time major stack", _time_major(lambda k: k.layers.RNN(_three(k), **MAJOR)), SHAPE, make="masked", writers=K2, batch0=False),
    case("time major bidirectional", _time_major(lambda k: k.layers.Bidirectional(k.layers.GRU(3, **MAJOR))), SHAPE, make="masked", writers=K2, batch0=False),
    case("unrolled, zeros where masked", lambda k: [k.layers.Masking(), k.layers.GRU(3, unroll=True, return_sequences=True, zero_output_for_mask=True)], SHAPE, make="masked"),
    case("mask beside a state", _mask_and_state, [SHAPE, (4,), (7,)], dtype=["float32", "float32", "bool"]),
    # tf-keras takes masks of booleans only.
    case("mask of numbers", _number_mask, [SHAPE, (7,)], dtype=["float32", "int32"], make="ids", rtol=3e-5, writers=K3),
]  # fmt: skip


@parity(CASES)
def test_cells(run: Any) -> None:
    """Same as Keras."""
    run()
