"""Operations of ``keras.ops`` core beside real Keras, and those that are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import layergraph as lg
from layergraph.frontends.keras.registry import LAYERS, REFUSED
from support import case, keras_of, parity

# Named functions, because Keras saves no others without asking.
CARRIERS: dict[str, Any] = {
    "Map": lambda k, x: k.ops.map(k.activations.relu, x),
    "VectorizedMap": lambda k, x: k.ops.vectorized_map(k.activations.relu, x),
}


@pytest.mark.live
@pytest.mark.parametrize("container", [".keras", ".h5"])
@pytest.mark.parametrize("name", CARRIERS)
def test_python_functions_are_refused(name: str, container: str, tmp_path: Path) -> None:
    keras = keras_of("keras")
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.ReLU()(CARRIERS[name](keras, x)))
    model.save(tmp_path / f"model{container}")
    with pytest.raises(lg.UnsupportedError, match="Python function") as caught:
        lg.load(tmp_path / f"model{container}")
    assert [item.reason for item in caught.value.items] == [REFUSED[f"ops.{name}"]]


def test_nothing_is_both_read_and_refused() -> None:
    assert not set(LAYERS) & set(REFUSED)
    assert not any(reason.endswith(".") for reason in REFUSED.values())


def _cast(k: Any, x: Any) -> Any:
    o = k.ops
    wide = x * 1e4
    big = o.where(x > 1, x * 1e18, x)
    dtypes = ("int8", "uint8", "int16", "uint16", "int32", "int64", "uint32", "float16", "bool")
    # From float32, Keras clips to a number that int32 does not hold; what it then converts
    # to is left to the processor.
    held = [d for d in dtypes if d not in ("int32", "int64", "uint32")]
    return [*(o.saturate_cast(wide, d) for d in dtypes), *(o.saturate_cast(big, d) for d in held),
            o.saturate_cast(o.cast(wide, "int32"), "uint8"),
            o.saturate_cast(x > 0, "int8")]  # fmt: skip


def _complex(k: Any, x: Any) -> Any:
    o = k.ops
    z = o.polar(o.abs(x), x)
    return [z, o.view_as_real(z), o.view_as_real(x), o.view_as_real(z * z)]


def _erfinv(k: Any, x: Any) -> Any:
    return [k.ops.erfinv(k.ops.tanh(x / 4)), k.ops.erfinv(x)]


def _unstacked(k: Any, x: Any) -> Any:
    return [*k.ops.unstack(x, axis=-1), *k.ops.unstack(x, num=5, axis=1)]


KERAS3: dict[str, Any] = {"writers": ("keras",)}

CASES = [
    case("saturate cast", _cast, (5, 4), **KERAS3),
    case("complex numbers", _complex, (5, 2), **KERAS3),
    case("complex numbers of float64", lambda k, x: k.ops.polar(x, x), (5, 2), dtype="float64", **KERAS3),
    # TensorFlow computes it by way of (1 + x) / 2 in float32, which rounds.
    case("erfinv", _erfinv, (5, 4), rtol=5e-5, **KERAS3),
    case("erfinv float64", _erfinv, (5, 4), dtype="float64", **KERAS3),
    case("unstack", _unstacked, (5, 4), **KERAS3),
]  # fmt: skip


@parity(CASES)
def test_core(run: Any) -> None:
    """Same as Keras."""
    run()
