"""Random architectures beside real Keras.

``make random EXAMPLES=5000`` draws that many at random; the ordinary run draws
the same 200 every time. A failure shrinks, then prints the model as Python.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st

import layergraph as lg
from architectures.layers import LAYERS
from architectures.operations import OPERATIONS
from architectures.sketch import Sketch
from layergraph.ir.graph import flatten
from support import CONTAINERS, WRITERS, _leaves, keras_of

T = TypeVar("T")

EXAMPLES = int(os.environ.get("EXAMPLES", 0))
COUNT = {"drawn": 0, "compared": 0}

SHAPES = [
    (5,),
    (6, 4),
    (None, 3),
    (7, 6, 3),
    (None, None, 2),
    (8, 5, 4),
    (4, 5, 3, 2),
    (3, 6, 5, 2),
]
NUMBERS = [(6,), (None,), (3,)]

RTOL = 1e-5
"""Of the largest value, as everywhere; to which comes what Keras itself makes of inputs
and weights changed in their last two bits. A deep model may amplify those, and then
no two programs agree more closely."""

ATOL = 2e-7
"""An ulp or two of 1: TensorFlow computes elu as ``exp(x) - 1``."""


class Drawn:
    """Choices of hypothesis."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def integer(self, low: int, high: int) -> int:
        return int(self._data.draw(st.integers(low, high)))

    def pick(self, options: Sequence[T]) -> T:
        return self._data.draw(st.sampled_from(list(options)))


def sketch(data: Any, writer: str) -> tuple[Sketch, Any]:
    """A random model."""
    choices, keras = Drawn(data), keras_of(writer)
    keras.backend.clear_session()
    drawing = Sketch(keras, writer, choices, (*LAYERS, *OPERATIONS))
    if writer == "tf_keras":
        drawing.scope["tf"] = import_module("tensorflow")
    for _ in range(choices.integer(1, 3)):
        if choices.integer(0, 3) == 3:
            drawing.input(choices.pick(NUMBERS), "int32")
        else:
            drawing.input(choices.pick(SHAPES))
    for _ in range(choices.integer(1, 9)):
        drawing.step()
    return drawing, drawing.finish()


def feed(model: Any, batch: int) -> list[Any]:
    """Arrays for the model's inputs; unknown sizes are 7, zeros stand in the middle."""
    rng = np.random.default_rng(batch)
    arrays = []
    for tensor in model.inputs:
        shape = (batch, *(7 if d is None else int(d) for d in tensor.shape[1:]))
        if "int" in str(tensor.dtype):
            ids = rng.integers(1, 11, shape).astype("int32")
            ids[:, shape[1] // 2] = 0
            arrays.append(ids)
        else:
            x = rng.normal(0, 1, shape).astype("float32")
            if len(shape) == 3:
                x[:, shape[1] // 2] = 0
            arrays.append(x)
    return arrays


def answers(model: Any, arrays: list[Any]) -> list[Any]:
    """What Keras says."""
    return _leaves(model(arrays if len(arrays) > 1 else arrays[0], training=False))


def shaken(model: Any, arrays: list[Any], wanted: list[Any]) -> list[float]:
    """How far the answers move when inputs and weights move in their last two bits."""
    rng = np.random.default_rng(9)

    def moved(a: Any) -> Any:
        if a.dtype.kind != "f":
            return a
        return (a * (1 + rng.choice([-1, 1], a.shape) * 2.0**-22)).astype(a.dtype)

    kept = model.get_weights()
    model.set_weights([moved(w) for w in kept])
    found = answers(model, [moved(a) for a in arrays])
    model.set_weights(kept)
    return [
        float(np.abs(a.astype("float64") - b).max(initial=0)) if a.dtype.kind == "f" else 0.0
        for a, b in zip(found, wanted, strict=True)
    ]


def assert_near(ours: Any, keras: Any, allowed: float, where: str) -> None:
    assert ours.shape == keras.shape, f"{where}: shape {ours.shape}, Keras has {keras.shape}"
    assert ours.dtype == keras.dtype, f"{where}: dtype {ours.dtype}, Keras has {keras.dtype}"
    a, b = ours.astype("float64"), keras.astype("float64")
    finite = np.isfinite(b) & (np.abs(b) < 1e30)
    assert np.array_equal(np.isnan(a), np.isnan(b)), f"{where}: NaN differs"
    scale = np.abs(b[finite]).max(initial=1e-6)
    worst = np.abs(a[finite] - b[finite]).max(initial=0)
    assert worst <= RTOL * scale + allowed + ATOL, (
        f"{where}: differs by {worst:.2e} of {scale:.2e}, Keras itself moves by {allowed / 4:.1e}"
    )


def compare(model: Any, container: str, folder: Path) -> None:
    """Load what Keras saved, run it every way, compare."""
    path = folder / f"model{container}"
    try:
        model.save(path)
    except Exception:
        # Keras cannot save some models as .h5: two nested ones with equal names.
        assume(False)
    graph = lg.load(path)
    plain, fast = lg.Interpreter(graph, optimize=False), lg.Interpreter(graph)
    lg.save(graph, folder / "model.lg")
    back = lg.Interpreter(lg.load(folder / "model.lg"))
    for batch in (3, 1):
        arrays = feed(model, batch)
        try:
            wanted = answers(model, arrays)
        except Exception:
            # Sizes that were unknown to Keras do not fit each other.
            assume(False)
        allowed = [4 * moved for moved in shaken(model, arrays, wanted)]
        for name, interp in (("plain", plain), ("optimised", fast), ("IR file", back)):
            got = flatten(interp(*arrays), interp.graph.output_structure)
            assert len(got) == len(wanted)
            for ours, keras, moved in zip(got, wanted, allowed, strict=True):
                assert_near(ours, keras, moved, f"{name}, batch {batch}")
    for step in plain.trace(*arrays):
        for type_, array in zip(step.node.types, step.outputs, strict=True):
            where = f"node {step.name!r} ({step.op}): inferred {type_}"
            assert type_.accepts(array.shape), f"{where}, ran {array.shape}"
            assert type_.dtype == array.dtype.name, f"{where}, ran {array.dtype}"


def weigh(model: Any) -> None:
    """Weights of moderate size, variances positive."""
    rng = np.random.default_rng(1)
    model.set_weights([
        rng.uniform(0.1, 1.0, w.shape).astype(w.dtype) - (0.55 if w.ndim > 1 else 0.0)
        for w in model.get_weights()
    ])  # fmt: skip


def script(lines: list[str], writer: str, container: str) -> str:
    """The model as a program."""
    head = f"import numpy as np, tensorflow as tf, {writer} as k"
    return "\n".join([f"# saved as {container}", head, *lines, "model.summary()"])


@settings(
    max_examples=EXAMPLES or 200,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
    print_blob=True,
)
@given(
    data=st.data(),
    writer=st.sampled_from(WRITERS),
    container=st.sampled_from(CONTAINERS),
)
def _architectures(data: Any, writer: str, container: str) -> None:
    COUNT["drawn"] += 1
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        drawing, model = sketch(data, writer)
        note(script(drawing.lines, writer, container))
        weigh(model)
        compare(model, container, Path(folder))
    COUNT["compared"] += 1


@pytest.mark.live
@pytest.mark.filterwarnings("ignore")
def test_random_architectures() -> None:
    """As many as ``EXAMPLES`` says, 200 without it."""
    for writer in WRITERS:
        keras_of(writer)
    _architectures()
    print(f"\n{COUNT['compared']} random architectures compared with Keras")
