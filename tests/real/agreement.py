"""Keras and layergraph on all real test rows: `python tests/real/agreement.py [DATA_DIR]`.

For every trained model file the Keras that wrote it answers, live. Prints one line a file: rows,
equal predictions, macro F1 of both, the largest difference of a probability, and the largest
difference of any node relative to that node's largest value, over all rows.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

import numpy as np

import layergraph as lg
from golden.compare import traced
from golden.trained import TRAINED, rows
from golden.writers import CONTAINERS, WRITERS, Model, keras_of, load
from layergraph.ir.types import Array
from layergraph.tools.comparison.live import Recorder
from study.datasets import find_data

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FILES = [
    f"{name}-{writer}/model{container}"
    for name in TRAINED
    for writer in WRITERS
    for container in CONTAINERS
]
BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What the comparison of one file gave."""

    file: str
    rows: int
    equal: int
    f1_keras: float
    f1_layergraph: float
    probability: float
    node: float
    worst_node: str
    missing: tuple[str, ...]


def agreement(file: str, folder: Path) -> Agreement:
    """Compare one trained model file, a path below `tests/golden`, on all test rows of its data."""
    from sklearn.metrics import f1_score

    name, writer = file.split("/")[0].rsplit("-", 1)
    inputs, labels = rows(TRAINED[name], folder, "test")
    model, interpreter = load(keras_of(writer), GOLDEN / file), lg.Interpreter(GOLDEN / file)
    batches = [inputs[start : start + BATCH] for start in range(0, len(inputs), BATCH)]
    expected = np.concatenate([np.asarray(model.predict_on_batch(batch)) for batch in batches])
    got = np.concatenate([interpreter(batch) for batch in batches])
    classes, classes_got = expected.argmax(axis=-1), got.argmax(axis=-1)
    relative, missing = node_differences(
        model, lg.Interpreter(GOLDEN / file, optimize=False), batches
    )
    worst = max(relative, key=lambda node: relative[node])
    return Agreement(
        file=file,
        rows=len(labels),
        equal=int((classes == classes_got).sum()),
        f1_keras=float(f1_score(labels, classes, average="macro")),
        f1_layergraph=float(f1_score(labels, classes_got, average="macro")),
        probability=float(np.abs(expected - got).max()),
        node=relative[worst],
        worst_node=worst,
        missing=missing,
    )


def node_differences(
    model: Model, interpreter: lg.Interpreter, batches: list[Array]
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Each node's largest difference relative to its largest value; and the nodes not computed."""
    recorder = Recorder(model)
    difference: dict[str, float] = defaultdict(float)
    largest: dict[str, float] = defaultdict(float)
    missing: set[str] = set()
    for batch in batches:
        recorder.run({"rows": batch})
        unseen = dict(recorder.values)
        for name, value in traced(interpreter, {"rows": batch}):
            if name in unseen:
                keras = unseen.pop(name)
                difference[name] = max(difference[name], float(np.abs(value - keras).max()))
                largest[name] = max(largest[name], float(np.abs(keras).max()))
        missing |= set(unseen)
    return relative_to(difference, largest), tuple(sorted(missing))


def relative_to(difference: Mapping[str, float], largest: Mapping[str, float]) -> dict[str, float]:
    """Differences over largest values; a node of zeros must be met exactly."""
    return {
        name: worst / largest[name] if largest[name] else (0.0 if worst == 0 else float("inf"))
        for name, worst in difference.items()
    }


def main() -> None:
    """Print the table, a line as soon as it is known."""
    from rich.progress import track

    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else find_data()
    print(
        "| file | rows | equal | macro F1, Keras | macro F1, layergraph "
        "| largest difference of a probability | of a node, relative |"
    )
    print("|---|---|---|---|---|---|---|")
    for file in track(FILES, "comparing", disable=not sys.stdout.isatty()):
        found = agreement(file, folder)
        print(
            f"| {found.file} | {found.rows} | {found.equal} "
            f"| {found.f1_keras:.16f} | {found.f1_layergraph:.16f} "
            f"| {found.probability:.1e} | {found.node:.1e} ({found.worst_node}) |",
            flush=True,
        )


if __name__ == "__main__":
    main()
