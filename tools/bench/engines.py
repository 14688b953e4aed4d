"""What the models are run with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OURS = "layergraph"
COMPILED = "tf-function"


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One way to run a model.

    Attributes:
        title: what tables call it.
        packages: what it needs, besides layergraph.
        env: environment variables of its process.
        apart: it needs JAX, and runs in an interpreter of its own: TensorFlow imports JAX
            wherever it finds it, which would slow its start.
        compiles: its first run of a shape also compiles, and tells nothing of the next.
        onnx: it runs ``model.onnx``.
    """

    title: str
    packages: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    apart: bool = False
    compiles: bool = False
    onnx: bool = False


TENSORFLOW = {"KERAS_BACKEND": "tensorflow"}

ENGINES: dict[str, Engine] = {
    OURS: Engine(title="layergraph", compiles=True),
    COMPILED: Engine(
        title="tf.function", packages=("keras", "tensorflow"), env=TENSORFLOW, compiles=True
    ),
    "keras-predict": Engine(
        title="model.predict", packages=("keras", "tensorflow"), env=TENSORFLOW, compiles=True
    ),
    "keras-numpy": Engine(
        title="Keras on NumPy", packages=("keras", "jax"), env={"KERAS_BACKEND": "numpy"},
        apart=True,
    ),
    "keras-jax": Engine(
        title="Keras on JAX, jitted", packages=("keras", "jax"), env={"KERAS_BACKEND": "jax"},
        apart=True, compiles=True,
    ),
    "onnx-reference": Engine(title="ONNX reference", packages=("onnx",), onnx=True),
    "onnxruntime": Engine(title="onnxruntime", packages=("onnxruntime",), onnx=True, compiles=True),
    "layergraph-onnxruntime": Engine(
        title="layergraph on onnxruntime", packages=("onnx", "onnxruntime"), compiles=True
    ),
}  # fmt: skip
"""By the name the command line knows."""
