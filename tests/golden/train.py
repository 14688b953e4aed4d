"""Train the real models: `python tests/golden/train.py DATA_DIR [NAME ...]`.

Every model is trained once with Keras 3 and once with tf-keras, and saved as `.h5` and `.keras` in
`tests/golden/<model>-<writer>/`. Run `record.py` afterwards: the recordings belong to the files.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

from golden.trained import TRAINED, Recipe, rows
from golden.writers import CONTAINERS, WRITERS, Keras, Model, keras_of, save, seed
from layergraph.ir.types import Array
from study.datasets import Ints

HERE = Path(__file__).resolve().parent
SEED = 20


def train(name: str, recipe: Recipe, writer: str, folder: Path) -> None:
    """Train one model with one Keras, save it in both containers, and note how it was made."""
    keras = keras_of(writer)
    seed(keras, SEED)
    model = recipe.build(keras)
    model.compile(
        keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    inputs, labels = rows(recipe, folder, "train")
    started = time.perf_counter()
    model.fit(inputs, labels, batch_size=recipe.batch, epochs=recipe.epochs, verbose=2)
    seconds = time.perf_counter() - started
    accuracy = test_accuracy(model, *rows(recipe, folder, "test"))
    target = HERE / f"{name}-{writer}"
    target.mkdir(exist_ok=True)
    save_without_optimizer(recipe, keras, model, target)
    note = {
        "data": recipe.data,
        "rows": len(labels),
        "epochs": recipe.epochs,
        "batch": recipe.batch,
        "optimizer": "Adam, learning rate 0.001",
        "seed": SEED,
        "test_accuracy": round(accuracy, 4),
    }
    (target / "training.json").write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
    print(f"{target.name}: test accuracy {accuracy:.4f} after {seconds:.0f} s", flush=True)


def save_without_optimizer(recipe: Recipe, keras: Keras, model: Model, target: Path) -> None:
    """Save a copy that was never compiled: a `.keras` file cannot leave its optimizer out."""
    weights = model.get_weights()
    seed(keras, SEED)
    copy = recipe.build(keras)
    copy.set_weights(weights)
    for container in CONTAINERS:
        save(copy, target / f"model{container}")


def test_accuracy(model: Model, inputs: Array, labels: Ints) -> float:
    """The share of right answers."""
    predicted = model.predict(inputs, batch_size=500, verbose=0).argmax(axis=-1)
    return float((predicted == labels).mean())


def main() -> None:
    """Train every model named, or all of them, with every writer."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "data", type=Path, metavar="DATA_DIR", help="folder that holds cifar10/ and nusax/"
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(TRAINED)}; default: all"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(TRAINED):
        parser.error(f"no such model: {', '.join(sorted(unknown))}")
    for name in arguments.names or TRAINED:
        for writer in WRITERS:
            print(f"{name} with {WRITERS[writer]}", flush=True)
            train(name, TRAINED[name], writer, arguments.data)


if __name__ == "__main__":
    main()
