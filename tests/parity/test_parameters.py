"""Operators whose kernels are computed by the model itself, beside real Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from support import case, parity

# Operations of keras.ops are Keras 3's.
KERAS3: dict[str, Any] = {"writers": ("keras",)}


def _kernel(k: Any, x: Any, *shape: int) -> Any:
    """A kernel made of the first input row of numbers."""
    size = int(np.prod(shape))
    flat = k.ops.reshape(k.ops.mean(x, axis=0), (-1,))
    return k.ops.reshape(k.ops.tile(flat, 1 + size // flat.shape[0])[..., :size], shape)


def _conv(k: Any, x: Any) -> Any:
    o = k.ops
    return [
        o.conv(x, _kernel(k, x, 3, 2, 4, 5), strides=(2, 1), padding="same"),
        o.conv(x, _kernel(k, x, 1, 1, 4, 3)),
        o.conv(x, _kernel(k, x, 3, 2, 4, 6), dilation_rate=(1, 2)),
        o.depthwise_conv(x, _kernel(k, x, 3, 2, 4, 2), padding="same"),
        o.separable_conv(x, _kernel(k, x, 2, 3, 4, 1), _kernel(k, x, 1, 1, 4, 3)),
    ]


def _half(k: Any, x: Any) -> Any:
    """One kernel of the graph, one constant."""
    pointwise = np.random.default_rng(3).normal(size=(1, 1, 4, 3)).astype("float32")
    return k.ops.separable_conv(x, _kernel(k, x, 2, 3, 4, 1), pointwise)


CASES = [
    case("convolutions", _conv, (7, 6, 4), batch0=False, **KERAS3),
    # Keras 3's .h5 with array arguments cannot be read back by Keras 3; we read both.
    case("one constant kernel", _half, (7, 6, 4), batch0=False, **KERAS3),
]


@parity(CASES)
def test_parameters(run: Any) -> None:
    """Same as Keras."""
    run()
