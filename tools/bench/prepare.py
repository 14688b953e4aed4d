"""A process that builds the models of the suite in live Keras, and says what they answer.

Speaks the protocol of ``channel``. For each model a folder gets ``model.keras``, the
inputs ``x<batch>.npy`` and the answers ``y<batch>.npy`` of Keras run layer by layer; on
demand ``model.onnx``, as layergraph writes it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from layergraph.ir.types import Array
from layergraph.tools.bench.channel import missing_packages, serve, versions
from layergraph.tools.bench.models import MODELS, Keras, Model

PACKAGES = ("keras", "tensorflow")
SPREAD = 2.0
"""Standard deviation of the logits of a classifier."""


def main() -> int:
    """Build what is asked for until the asker is gone."""
    if missing := missing_packages(PACKAGES):
        return serve({}, {"missing": missing})
    return serve({"build": build}, {"versions": versions(PACKAGES)})


def build(*, name: str, folder: str, batches: list[int], onnx: bool) -> dict[str, Any]:
    """Build one model, with inputs and answers for some batch sizes."""
    import keras

    path = Path(folder)
    recipe = MODELS[name]
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    model = recipe.build(keras)
    enliven(keras, model, recipe.inputs(4))
    model.save(path / "model.keras")
    for batch in batches:
        x = recipe.inputs(batch)
        np.save(path / f"x{batch}.npy", x)
        y = answer(model, x)
        check_alive(y)
        np.save(path / f"y{batch}.npy", y)
    if onnx:
        import layergraph

        layergraph.convert(path / "model.keras", path / "model.onnx", overwrite=True)
    return {"parameters": int(model.count_params())}


def enliven(keras: Keras, model: Model, x: Array) -> None:
    """Weights as of a trained model: fresh ones would let errors pass unseen.

    Scales and offsets leave 1 and 0; moving statistics are those of real data, so that
    no layer dies or explodes; a classifier's logits spread as those of a trained one.
    """
    rng = np.random.default_rng(7)
    for weight in model.weights:
        shape = tuple(weight.shape)
        if weight.name == "gamma":
            weight.assign(rng.uniform(0.7, 1.3, shape).astype(np.float32))
        elif weight.name in ("beta", "bias") and len(shape) == 1:
            weight.assign(weight + rng.normal(0, 0.1, shape).astype(np.float32))
    norms = [x for x in model._flatten_layers() if type(x).__name__ == "BatchNormalization"]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    if norms:
        # With no momentum, one step of training leaves the statistics of this very batch.
        model(x, training=True)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
    last = model.layers[-1]
    if getattr(last, "activation", None) is keras.activations.softmax:
        logits = np.log(np.maximum(answer(model, x), 1e-30))
        last.kernel.assign(last.kernel * (SPREAD / logits.std(axis=-1).mean()))


def answer(model: Model, x: Array) -> Array:
    """What Keras answers, layer by layer."""
    return np.asarray(model(x, training=False))


def check_alive(y: Array) -> None:
    """Refuse a model that answers the same whatever it is given: it would hide errors.

    Raises:
        ValueError: it does.
    """
    flat = y.reshape(len(y), -1)
    if not np.isfinite(y).all() or np.ptp(flat, axis=1).max() < 1e-2:
        raise ValueError("the model's answers are no numbers, or all alike")
    if len(y) > 1 and np.ptp(flat, axis=0).max() < 1e-4:
        raise ValueError("the model answers the same whatever it is given")


if __name__ == "__main__":
    raise SystemExit(main())
