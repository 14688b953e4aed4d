"""Operations of ``keras.ops`` core beside real Keras, and those that are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import layergraph as lg
from layergraph.frontends.keras.registry import LAYERS, REFUSED
from support import keras_of

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
