"""Dtype policies beside real Keras: every family of layers in every float dtype.

Rows build several layers at once where their shapes allow, so that one file
holds a policy for each. bfloat16 comes with initialisers that TensorFlow has
for it: recurrent layers start orthogonal, which it lacks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support import Case, case, parity

Build = Callable[..., Any]

PLAIN = {"recurrent_initializer": "glorot_uniform"}


def _linear(k: Any, x: Any) -> Any:
    return [
        k.layers.Dense(6, activation="gelu")(x),
        k.layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d")(x),
    ]


def _convolution(k: Any, x: Any) -> Any:
    return [
        k.layers.Conv2D(4, 3, strides=2, activation="relu")(x),
        k.layers.DepthwiseConv2D(2, depth_multiplier=2)(x),
        k.layers.SeparableConv2D(5, (3, 2), padding="same")(x),
        k.layers.Conv2DTranspose(3, 3, strides=2, padding="same")(x),
    ]


def _images(k: Any, x: Any) -> Any:
    return [
        k.layers.MaxPooling2D(2)(x),
        k.layers.AveragePooling2D((3, 2), padding="same")(x),
        k.layers.GlobalAveragePooling2D()(x),
        k.layers.GlobalMaxPooling2D()(x),
        k.layers.UpSampling2D(2)(x),
        k.layers.ZeroPadding2D(1)(x),
        k.layers.Cropping2D(1)(x),
    ]


def _resized(k: Any, x: Any) -> Any:
    return k.layers.UpSampling2D(2, interpolation="bilinear")(x)


def _normalization(k: Any, x: Any) -> Any:
    return [
        k.layers.BatchNormalization()(x),
        k.layers.LayerNormalization()(x),
        k.layers.GroupNormalization(2)(x),
        k.layers.UnitNormalization()(x),
        k.layers.LayerNormalization(scale=False)(k.layers.Dense(4)(x)),
    ]


def _activations(k: Any, x: Any) -> Any:
    named = (
        "sigmoid",
        "tanh",
        "softplus",
        "selu",
        "silu",
        "elu",
        "hard_sigmoid",
        "mish",
        "softmax",
    )
    return [
        *(k.layers.Activation(name)(x) for name in named),
        k.layers.LeakyReLU()(x),
        k.layers.PReLU()(x),
        k.layers.ReLU(max_value=2.0, negative_slope=0.25, threshold=0.5)(x),
        k.layers.Softmax(axis=1)(x),
    ]


def _merges(k: Any, x: Any, y: Any) -> Any:
    kinds = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
    return [*(getattr(k.layers, kind)()([x, y]) for kind in kinds), k.layers.Dot(2)([x, y])]


def _recurrent(k: Any, x: Any) -> Any:
    masked = k.layers.Masking()(x)
    return [
        k.layers.LSTM(4, **PLAIN)(x),
        k.layers.GRU(4, return_sequences=True, **PLAIN)(masked),
        k.layers.Bidirectional(k.layers.SimpleRNN(3, **PLAIN))(x),
        k.layers.TimeDistributed(k.layers.Dense(2))(x),
    ]


def _attention(k: Any, q: Any, v: Any) -> Any:
    return [
        k.layers.Attention()([q, v], use_causal_mask=True),
        k.layers.AdditiveAttention()([q, v]),
        k.layers.MultiHeadAttention(3, 4)(q, v),
    ]


def _ids(k: Any, x: Any) -> Any:
    y = k.layers.Embedding(11, 6, mask_zero=True)(x)
    return [y, k.layers.GlobalAveragePooling1D()(y), k.layers.LSTM(3, **PLAIN)(y)]


def _preprocessing(k: Any, x: Any) -> Any:
    return [
        k.layers.Rescaling(1 / 3, offset=0.1)(x),
        k.layers.Normalization(mean=[0.5, 1.0, 2.0], variance=[0.25, 3.0, 2.0])(x),
        k.layers.Flatten()(x),
        k.layers.Permute((2, 1))(x),
        k.layers.Dropout(0.5)(x),
    ]


def _own_dtypes(k: Any, x: Any) -> Any:
    """A dtype a layer; what comes in is cast, or not where Keras leaves it."""
    y = k.layers.Dense(6, dtype="float16")(x)
    z = k.layers.Dense(5, dtype="mixed_bfloat16")(y)
    return [
        y,
        z,
        k.layers.LayerNormalization(dtype="float64")(y),
        k.layers.LayerNormalization(dtype="float16")(x),
        k.layers.BatchNormalization(dtype="float32")(y),
        k.layers.Concatenate(dtype="float16")([y, z]),
        k.layers.Add(dtype="float64")([y, y]),
    ]


def _whole(k: Any, x: Any) -> Any:
    """Layers that take whole numbers as they are."""
    return [
        k.layers.Dense(3)(x),
        k.layers.Add()([x, x]),
        k.layers.Maximum()([x, x]),
        k.layers.Flatten()(x),
        k.layers.RepeatVector(2)(k.layers.Flatten()(x)),
        k.layers.ZeroPadding1D(1)(x),
    ]


def _ids_of_any_dtype(k: Any, x: Any) -> Any:
    return k.layers.Embedding(11, 6, mask_zero=True)(x)


def _mapped(k: Any, x: Any) -> Any:
    """A map of policies: the exact path, a pattern, and the default."""
    policies = k.dtype_policies.DTypePolicyMap("float64")
    policies["half"] = k.dtype_policies.DTypePolicy("mixed_float16")
    policies["brain.*"] = k.dtype_policies.DTypePolicy("mixed_bfloat16")
    return [
        k.layers.Dense(3, name=name, dtype=policies)(x) for name in ("half", "brain_one", "other")
    ]


POLICIES = ("float64", "float16", "mixed_float16", "mixed_bfloat16", "bfloat16")

FAMILIES: dict[str, tuple[Build, Any, dict[str, Any]]] = {
    "linear": (_linear, [(5, 4)], {}),
    "convolution": (_convolution, [(7, 6, 4)], {}),
    "images": (_images, [(7, 6, 4)], {}),
    "resized": (_resized, [(7, 6, 4)], {}),
    "normalization": (_normalization, [(5, 6)], {}),
    "activations": (_activations, [(5, 4)], {}),
    "merges": (_merges, [(5, 4), (5, 4)], {}),
    "recurrent": (_recurrent, [(6, 5)], {"make": "masked"}),
    "attention": (_attention, [(5, 6), (7, 6)], {}),
    "ids": (_ids, [(6,)], {"make": "ids", "dtype": "int32"}),
    "preprocessing": (_preprocessing, [(5, 3)], {}),
}

# Scores are as large as their rounding is multiplied by when they are exponents.
LOOSE = {("attention", "float16"): 8 * 2**-10, ("attention", "bfloat16"): 8 * 2**-7}
# TensorFlow makes a Python number float32 before it becomes float64, and resizes in float32.
INEXACT = {
    "linear": 1e-8, "activations": 5e-8, "attention": 1e-8, "preprocessing": 5e-8, "resized": 2e-7,
}  # fmt: skip


def _row(family: str, policy: str) -> Case:
    build, inputs, options = FAMILIES[family]
    computed = policy.removeprefix("mixed_")
    if policy == "float64":
        options = {"dtype": "float64", "rtol": INEXACT.get(family, 1e-12), **options}
    else:
        options = {"rtol": LOOSE.get((family, computed), 1e-5), **options}
    # A mixed policy differs from a plain one in what is stored; .h5 tells halves apart.
    containers = (".keras",) if policy.startswith("mixed") else (".keras", ".h5")
    return case(
        f"{family} {policy}", build, inputs, policy=policy, containers=containers, **options
    )


CASES = [
    *(_row(family, policy) for family in FAMILIES for policy in POLICIES),
    case("own dtypes", _own_dtypes, [(5, 4)], rtol=4 * 2**-7),
    case("map of policies", _mapped, [(5, 4)], rtol=4 * 2**-7, writers=("keras",)),
    *(
        case(f"whole numbers {d}", _whole, [(5, 4)], dtype=d, writers=("keras",), containers=(".keras",))
        for d in ("int8", "uint8", "int16", "int32", "int64", "uint32")
    ),
    case("whole numbers half", _whole, [(5, 4)], dtype="int32", writers=("keras",), policy="mixed_float16"),
    *(
        case(f"ids {d}", _ids_of_any_dtype, [(6,)], dtype=d, make="ids", containers=(".keras",))
        for d in ("uint8", "int64", "float32")
    ),
]  # fmt: skip


@parity(CASES)
def test_dtypes(run: Any) -> None:
    """Same as Keras."""
    run()
