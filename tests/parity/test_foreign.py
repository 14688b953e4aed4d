"""Custom layers and Lambdas: what the caller says they compute, beside the real layers."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from layergraph.ir.errors import UnsupportedError
from layergraph.ir.ops.elementwise import Scale
from support import assert_close, build_model, case, keras_of, parity


@cache
def custom(keras: Any) -> Any:  # noqa: C901 - four classes, not branches
    """Layers as a user writes them, for one Keras."""

    @keras.utils.register_keras_serializable("mine")
    class Gain(keras.layers.Layer):  # type: ignore[misc]
        """Weights, an option, a mask that passes."""

        def __init__(self, power: float = 1.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.power = power
            self.supports_masking = True

        def build(self, shape: Any) -> None:
            self.gain = self.add_weight(name="gain", shape=(shape[-1],))
            self.shift = self.add_weight(name="shift", shape=(shape[-1],))

        def call(self, x: Any) -> Any:
            return x * self.gain * self.power + self.shift

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "power": self.power}

    @keras.utils.register_keras_serializable("mine")
    class Dense(keras.layers.Layer):  # type: ignore[misc]
        """Bears the name of a layer of Keras and is another."""

        def call(self, x: Any) -> Any:
            return x * 3.0

    @keras.utils.register_keras_serializable("mine")
    class Both(keras.layers.Layer):  # type: ignore[misc]
        """Several inputs, several outputs, an argument by keyword."""

        def call(self, inputs: Any, scale: float = 1.0) -> Any:
            a, b = inputs
            return a * scale, a + b

    @keras.utils.register_keras_serializable("mine")
    class Block(keras.layers.Layer):  # type: ignore[misc]
        """Made of layers."""

        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.attention = keras.layers.MultiHeadAttention(2, 3)
            self.norm = keras.layers.LayerNormalization()
            self.inner = keras.layers.Dense(units, activation="relu")

        def build(self, shape: Any) -> None:
            self.attention.build(shape, shape)
            self.norm.build(shape)
            self.inner.build(shape)
            super().build(shape)

        def call(self, x: Any) -> Any:
            return self.inner(self.norm(x + self.attention(x, x)))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    return {c.__name__: c for c in (Gain, Dense, Both, Block)}


def gain(x: Any, *, weights: Any, config: Any) -> Any:
    """The function for ``Gain``; arrays in the order of the file."""
    scale, shift = weights.values()
    return x * scale * np.float32(config["power"]) + shift


def read_gain(call: Any) -> Any:
    """The same layer spelled in operators."""
    width = call.input().shape[-1]
    arrays = call.weights(gain=(width,), shift=(width,))
    power = call.config.float("power")
    params = {"scale": arrays["gain"] * np.float32(power), "offset": arrays["shift"]}
    return call.emit(Scale(), call.input(), params=params)


def read_block(call: Any) -> Any:
    """A layer spelled in layers of Keras."""
    x = call.input()
    attention = call.sublayer("attention", "MultiHeadAttention", num_heads=2, key_dim=3)
    norm = call.sublayer("norm", "LayerNormalization")
    inner = call.sublayer("inner", "Dense", units=call.config.int("units"), activation="relu")
    added = call.sublayer("add", "Add")([[x, attention([x, x])]])
    return inner([norm([added])])


GAIN_MASKED = lg.LayerFunction(gain, masking="pass")

CASES = [
    case("function with weights and options", lambda k: custom(k)["Gain"](power=2.5), (5, 3),
         layers={"Gain": gain, "mine>Gain": gain}),
    case("reader", lambda k: custom(k)["Gain"](power=2.5), (5, 3),
         layers={"mine>Gain": lg.LayerReader(read_gain)}),
    case("mask passes", lambda k: [k.layers.Masking(), custom(k)["Gain"](), k.layers.LSTM(4)],
         (6, 3), make="masked", layers={"mine>Gain": GAIN_MASKED}),
    case("a class that bears a name of Keras", lambda k: custom(k)["Dense"](), (5, 3),
         layers={"mine>Dense": lambda x: x * np.float32(3)}),
    case("several inputs and outputs", lambda k, a, b: custom(k)["Both"]()([a, b], scale=2.0),
         [(5, 3), (5, 3)],
         layers={"mine>Both": lambda ab, scale: (ab[0] * np.float32(scale), ab[0] + ab[1])}),
    case("unknown dimensions", lambda k: custom(k)["Gain"](), (5, 3), unknown=(0,),
         layers={"mine>Gain": gain}),
    case("lambda by its layer name", lambda k: k.layers.Lambda(lambda x: x * x, name="squared"),
         (5, 3), layers={"squared": lambda x: x * x}),
    case("made of layers of Keras", lambda k: custom(k)["Block"](4), (5, 3), writers=("keras",),
         layers={"mine>Block": lg.LayerReader(read_block)}),
]  # fmt: skip


@parity(CASES)
def test_foreign(run: Any) -> None:
    run()


@pytest.mark.live
@pytest.mark.parametrize("writer", ["keras", "tf_keras"])
@pytest.mark.parametrize("container", [".keras", ".h5"])
def test_unknown_classes_are_refused_with_the_way_out(
    writer: str, container: str, tmp_path: Path
) -> None:
    keras = keras_of(writer)
    path = tmp_path / f"model{container}"
    build_model(CASES[3], keras).save(path)
    with pytest.raises(UnsupportedError, match=r"layers=\{'mine>Dense': function\}"):
        lg.load(path)
    build_model(CASES[6], keras).save(path)
    with pytest.raises(UnsupportedError, match=r"layers=\{'squared': function\}"):
        lg.load(path)


@pytest.mark.live
def test_registered_functions_serve_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from layergraph.ir import foreign

    monkeypatch.setattr(foreign, "REGISTERED", {})
    model = build_model(CASES[0], keras_of("keras"))
    model.save(tmp_path / "model.keras")
    lg.register("mine>Gain")(gain)
    graph = lg.load(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    assert_close(lg.Interpreter(graph)(x), np.asarray(model(x)))
    lg.save(graph, tmp_path / "model.lg")
    assert_close(lg.Interpreter(tmp_path / "model.lg")(x), np.asarray(model(x)))
    foreign.REGISTERED.clear()
    with pytest.raises(UnsupportedError, match="not part of the file"):
        lg.Interpreter(tmp_path / "model.lg")(x)


@pytest.mark.live
def test_installed_packages_offer_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_model(CASES[0], keras_of("keras"))
    model.save(tmp_path / "model.keras")
    package = tmp_path / "site" / "offers.py"
    info = tmp_path / "site" / "offers-1.0.dist-info"
    info.mkdir(parents=True)
    package.write_text(
        "def gain(x, *, weights, config):\n"
        "    scale, shift = weights.values()\n"
        "    return x * scale * x.dtype.type(config['power']) + shift\n"
    )
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offers\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[layergraph.layers]\nmine>Gain = offers:gain\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    assert_close(lg.Interpreter(tmp_path / "model.keras")(x), np.asarray(model(x)))


@pytest.mark.live
def test_code_of_the_caller_that_fails_is_named(tmp_path: Path) -> None:
    build_model(CASES[0], keras_of("keras")).save(tmp_path / "model.keras")
    with pytest.raises(UnsupportedError, match="reader given for 'mine>Gain' failed: ZeroDiv"):
        lg.load(tmp_path / "model.keras", layers={"mine>Gain": lg.LayerReader(lambda c: 1 / 0)})
    with pytest.raises(UnsupportedError, match=r"nothing here knows the option power=2\.5"):
        lg.load(
            tmp_path / "model.keras",
            layers={"mine>Gain": lg.LayerReader(lambda c: c.emit(Scale(), c.input()))},
        )
    with pytest.raises(UnsupportedError, match="'mine>Gain' failed on arrays of ones: ZeroDiv"):
        lg.load(tmp_path / "model.keras", layers={"mine>Gain": lambda x: x * (1 / 0)})


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a function"):
        lg.register("x", 3)  # type: ignore[call-overload]
