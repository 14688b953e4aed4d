"""``make compare-cost``: what a comparison costs beside the runs it is made of."""

from __future__ import annotations

import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from layergraph.backends.numpy.interpreter import Interpreter
from layergraph.tools.comparison.compare import compare
from layergraph.tools.comparison.live import Live
from layergraph.tools.comparison.sides import Run
from layergraph.tools.screen import print_table

ROUNDS = 5
TIMES = 5
"""A comparison may take so many optimised runs, and one of Keras."""


def saved(path: Path) -> None:
    """Write ResNet50 with seeded weights; Keras' own archive of them need not be fetched."""
    import keras

    keras.utils.set_random_seed(0)
    keras.applications.ResNet50(weights=None).save(path)


def seconds(run: Callable[[], Any]) -> tuple[float, float]:
    """How long a call takes: on the clock, and of all processors together."""
    clock, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - clock, time.process_time() - processor


def peak(run: Callable[[], Any]) -> float:
    """MiB that a call holds at most beyond what there was, NumPy's arrays included."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def main() -> int:
    """Measure, print, and say by the exit status whether the comparison is cheap enough."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    x = np.random.default_rng(0).random((1, 224, 224, 3), np.float32)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "resnet50.keras"
        saved(path)
        started = time.perf_counter()
        ours = Run(path.name, Interpreter(path))
        read = time.perf_counter()
        keras = Live.read(f"{path.name}@keras", str(path), "keras")
        print(
            f"loading takes layergraph {read - started:.2f} s, "
            f"Keras {time.perf_counter() - read:.2f} s\n"
        )
    return measured(ours, keras, x)


def measured(ours: Run, keras: Live, x: Any) -> int:
    """Time the comparison and its parts in turns, the best of some rounds each."""
    runs: dict[str, Callable[[], Any]] = {
        "optimised run": lambda: ours.interpreter(x),
        "Keras run": lambda: keras.model(x, training=False),
        "comparison": lambda: compare(ours, keras, x),
    }
    rounds = [{what: seconds(run) for what, run in runs.items()} for _ in range(ROUNDS)]
    best = {what: tuple(map(min, zip(*(r[what] for r in rounds), strict=True))) for what in runs}
    print_table(
        ["", "clock", "processors", "peak of arrays"],
        [
            [what, *(f"{1000 * t:.0f} ms" for t in best[what]), f"{peak(run):.0f} MiB"]
            for what, run in runs.items()
        ],
        right=["clock", "processors", "peak of arrays"],
    )
    allowed = [
        TIMES * run + live
        for run, live in zip(best["optimised run"], best["Keras run"], strict=True)
    ]
    shares = [cost / most for cost, most in zip(best["comparison"], allowed, strict=True)]
    print(
        f"allowed are {TIMES} optimised runs and one of Keras: the comparison takes "
        f"{shares[0]:.2f} of that on the clock, {shares[1]:.2f} of the processors' time"
    )
    return int(shares[0] > 1)


if __name__ == "__main__":
    sys.exit(main())
