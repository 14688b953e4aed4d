"""`layergraph demo`: a shipped, trained model is run and held against Keras' answers."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from layergraph.ir.types import Array
from layergraph.tools.screen import print_table

DATA = Path(__file__).with_name("demo")
TOLERANCE = 1e-5
SHOWN = 6


class Outcome(NamedTuple):
    """What the demo measured.

    Attributes:
        expected: Keras' recorded probabilities, float32 ``(images, classes)``.
        got: layergraph's, of the same shape.
        convert_seconds: from ``.h5`` to ``.lg``.
        first_seconds: load the ``.lg`` file and predict one image.
        all_seconds: predict all images.
    """

    expected: Array
    got: Array
    convert_seconds: float
    first_seconds: float
    all_seconds: float

    @property
    def equal(self) -> int:
        """Images for which both predict the same class."""
        return int((self.expected.argmax(axis=-1) == self.got.argmax(axis=-1)).sum())

    @property
    def difference(self) -> float:
        """Largest difference of a probability."""
        return float(np.abs(self.expected - self.got).max())

    @property
    def agrees(self) -> bool:
        """Every class is the same and every probability within the tolerance."""
        return self.equal == len(self.expected) and self.difference <= TOLERANCE


def model_path() -> Path:
    """The trained CNN that ships with the package, a Keras 2 ``.h5`` file."""
    return DATA / "cnn.h5"


def run_demo() -> int:
    """Convert the shipped model to ``.lg``, run it, show that it agrees with Keras' predictions.

    Returns:
        0 when every prediction agrees, 1 when one does not.
    """
    about = json.loads((DATA / "about.json").read_text(encoding="utf-8"))
    print(
        f"cnn.h5 is a CNN trained on CIFAR-10 and saved by tf-keras {about['tf_keras']} (Keras 2)."
        "\nIts predictions for synthetic images were recorded there; no Keras runs here.\n"
    )
    outcome = measure()
    columns = ("image", "Keras", "layergraph", "difference")
    print_table(columns, predictions(outcome, about["classes"]), right=["difference"])
    print()
    print("\n".join(summary(outcome)))
    return 0 if outcome.agrees else 1


def measure() -> Outcome:
    """Convert, load and run the shipped model on the recorded images."""
    from safetensors.numpy import load_file

    import layergraph as lg

    recorded = load_file(DATA / "recorded.safetensors")
    images = recorded["images"].astype(np.float32) / np.float32(255)
    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        lg.convert(model_path(), Path(folder) / "cnn.lg")
        converted = perf_counter()
        interpreter = lg.Interpreter(lg.load(Path(folder) / "cnn.lg"))
        interpreter(images[:1])
        first = perf_counter()
        got = interpreter(images)
        seconds = (converted - start, first - converted, perf_counter() - first)
        # The weights are mapped from the file: let go of them before the folder is removed.
        del interpreter
    return Outcome(recorded["probabilities"], got, *seconds)


def predictions(outcome: Outcome, classes: list[str]) -> list[tuple[str, ...]]:
    """The first images: what Keras and layergraph say of each."""
    first = zip(outcome.expected[:SHOWN], outcome.got, strict=False)
    return [
        (
            str(number),
            verdict(expected, classes),
            verdict(got, classes),
            f"{np.abs(expected - got).max():.1e}",
        )
        for number, (expected, got) in enumerate(first)
    ]


def verdict(probabilities: Array, classes: list[str]) -> str:
    """The most probable class and its probability."""
    best: Any = probabilities.argmax()
    return f"{classes[best]} {probabilities[best]:.6f}"


def summary(outcome: Outcome) -> list[str]:
    """The result in three sentences."""
    images = len(outcome.expected)
    return [
        f"Converted to cnn.lg in {outcome.convert_seconds * 1e3:.0f} ms; loaded, with a first "
        f"prediction, in {outcome.first_seconds * 1e3:.0f} ms.",
        f"{images} images took {outcome.all_seconds * 1e3:.0f} ms.",
        f"Equal predictions: {outcome.equal} of {images}; "
        f"largest difference of a probability: {outcome.difference:.1e}.",
        "The predictions agree."
        if outcome.agrees
        else f"The predictions DIFFER by more than {TOLERANCE:g}.",
    ]
