"""Every activation of both Kerases, by name and as a layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from support import case, parity

BOTH = (
    "elu exponential gelu hard_sigmoid linear mish relu selu sigmoid silu softmax softplus "
    "softsign swish tanh leaky_relu"
).split()
KERAS3 = (
    "celu hard_shrink hard_silu hard_swish hard_tanh log_sigmoid log_softmax relu6 "
    "soft_shrink sparse_plus sparse_sigmoid sparsemax squareplus tanh_shrink"
).split()
# exp() of the widest inputs spans five decades, and float32 rounds it to seven digits.
LOOSE = {"exponential": 2e-5}


def _named(name: str) -> Any:
    return lambda k: [k.layers.Dense(6), k.layers.Activation(name)]


def _called(k: Any, model: Any) -> None:
    """Keras 3 makes the weights of a layer in an option when the model is first called."""
    model(np.zeros((2, 5, 4), "float32"))
    model.set_weights([0.9 * w + 0.1 for w in model.get_weights()])


CASES = [
    *(case(f"{n} by name", _named(n), (5, 4), rtol=LOOSE.get(n, 1e-5)) for n in BOTH),
    *(case(f"{n} by name", _named(n), (5, 4), writers=("keras",)) for n in KERAS3),
    case("glu halves the axis", lambda k: k.layers.Dense(6, activation="glu"), (4,), writers=("keras",)),
    case("elu layer", lambda k: k.layers.ELU(alpha=0.7), (5, 4)),
    case("leaky relu layer default", lambda k: k.layers.LeakyReLU(), (5, 4)),
    case("leaky relu layer of whole numbers", lambda k: k.layers.LeakyReLU(), (5, 4), dtype="int32", writers=("tf_keras",)),
    case("prelu", lambda k: k.layers.PReLU(), (5, 4)),
    case("prelu shared axes", lambda k: k.layers.PReLU(shared_axes=[1, 2]), (5, 4, 3)),
    case("prelu shares a negative axis", lambda k: k.layers.PReLU(shared_axes=[-1]), (5, 4, 3)),
    case("prelu inside dense", lambda k: [k.layers.Dense(3, activation=k.layers.PReLU()), k.layers.Dense(2)], (5, 4), after=_called),
    case("prelu inside a convolution", lambda k: k.layers.Conv1D(3, 2, activation=k.layers.PReLU(shared_axes=[1])), (5, 4), after=_called),
    case("batch norm as an activation", lambda k: k.layers.Activation(k.layers.BatchNormalization()), (5, 4), after=_called),
    case("activation layer of another dtype", lambda k: k.layers.Dense(3, activation=k.layers.ELU(), dtype="float64"), (5, 4)),
    case("relu layer plain", lambda k: k.layers.ReLU(), (5, 4)),
    case("relu layer capped", lambda k: k.layers.ReLU(max_value=2.0), (5, 4)),
    case("relu layer slope and threshold", lambda k: k.layers.ReLU(max_value=3.0, negative_slope=0.2, threshold=1.0), (5, 4)),
    case("softmax layer", lambda k: k.layers.Softmax(axis=1), (5, 4)),
    case("softmax over two axes", lambda k: k.layers.Softmax(axis=[1, 2]), (5, 4, 3)),
    case("softmax layer of a mask", lambda k, x, m: k.layers.Softmax()(x, m), [(5, 4), (5, 4)], dtype=["float32", "bool"]),
    case("softmax over two axes of a mask", lambda k, x, m: k.layers.Softmax(axis=[1, 2])(x, m), [(5, 4), (5, 4)], dtype=["float32", "bool"]),
    case("thresholded relu", lambda k: k.layers.ThresholdedReLU(theta=1.5), (5, 4), writers=("tf_keras",)),
    case("activation layer inside dense", lambda k: k.layers.Dense(3, activation=k.layers.LeakyReLU()), (5, 4)),
    case("softmax of large values", lambda k: [k.layers.Dense(6, activation="exponential"), k.layers.Softmax()], (4,), rtol=1e-4),
]  # fmt: skip


@parity(CASES)
def test_activation(run: Any) -> None:
    """Same as Keras."""
    run()
