"""One configuration: trained in Keras, saved twice, and answered by both engines."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from layergraph.tools.evaluate import Evaluation, evaluate
from study.configurations import Configuration, described
from study.models import build
from study.results import CONTAINERS, Agreement, Result, Settings
from study.rows import Rows, splits

BATCH = 500
"""Test rows at a time."""

Tick = Callable[[], None]


def keras_module() -> Any:
    """Keras 3; imported when something is to be trained, because that takes seconds."""
    import keras

    return keras


def make(
    configuration: Configuration,
    settings: Settings,
    data: Path,
    work: Path,
    tick: Tick = lambda: None,
) -> Result:
    """Train a configuration and leave its files in a folder of its name.

    They are made in a folder beside it, which takes that name when all are
    there: whatever is interrupted is never taken for finished.

    Args:
        configuration: which.
        settings: how.
        data: folder of the data sets.
        work: folder of the results.
        tick: called after each epoch.
    """
    part, folder = work / f".{configuration.name}.part", work / configuration.name
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    result = _made(configuration, settings, data, part, tick)
    result.write(part)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    return result


def _made(
    configuration: Configuration, settings: Settings, data: Path, folder: Path, tick: Tick
) -> Result:
    keras = keras_module()
    keras.backend.clear_session()
    keras.utils.set_random_seed(settings.seed)
    how = settings.of(configuration.data)
    rows = splits(configuration.data, data, how["rows"])
    model = build(keras, configuration)
    started = time.perf_counter()
    history = model.fit(
        *rows.train,
        validation_data=rows.validation,
        batch_size=how["batch"],
        epochs=how["epochs"],
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: tick()),
            # It never stops so early; it brings back the weights of the best epoch.
            keras.callbacks.EarlyStopping(
                "val_accuracy", mode="max", patience=how["epochs"], restore_best_weights=True
            ),
        ],
    ).history
    seconds = time.perf_counter() - started
    for container in CONTAINERS:
        save(model, folder / f"model{container}")
    return Result(
        configuration=described(configuration),
        settings=how,
        parameters=int(model.count_params()),
        seconds=round(seconds, 1),
        history={name: [float(value) for value in values] for name, values in history.items()},
        agreement={
            container: agreement(folder / f"model{container}", rows.test)
            for container in CONTAINERS
        },
        made_by=made_by(keras),
    )


def save(model: Any, path: Path) -> None:
    """Save without the remark that `.h5` is the old container."""
    import logging

    logging.disable(logging.WARNING)
    try:
        model.save(path)
    finally:
        logging.disable(logging.NOTSET)


def agreement(path: Path, rows: Rows) -> Agreement:
    """What Keras and layergraph answer from a saved file, on all rows.

    A third answer, computed in float64, says how far either is from what the
    model means.
    """
    inputs, labels = rows
    ours, keras, exact = (
        evaluate(side, {"rows": inputs}, labels, ("accuracy", "macro_f1"), batch_size=BATCH)
        for side in (path, f"{path}@keras", f"{path}@float64")
    )
    return Agreement(
        rows=len(labels),
        equal=int((ours.predicted == keras.predicted).sum()),
        f1_keras=keras.metrics["macro_f1"],
        f1_layergraph=ours.metrics["macro_f1"],
        accuracy=ours.metrics["accuracy"],
        difference=apart(ours, keras),
        rounding_keras=apart(exact, keras),
        rounding_layergraph=apart(exact, ours),
    )


def apart(one: Evaluation, other: Evaluation) -> float:
    """The largest difference of a probability."""
    return float(np.abs(one.outputs.astype(np.float64) - other.outputs).max())


def made_by(keras: Any) -> dict[str, str]:
    """The versions and the machine behind a result."""
    import tensorflow

    import layergraph

    return {
        "layergraph": layergraph.__version__,
        "keras": keras.__version__,
        "tensorflow": tensorflow.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": f"{processor()}, {os.cpu_count()} cores, {platform.system()}",
    }


def processor() -> str:
    """What the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
