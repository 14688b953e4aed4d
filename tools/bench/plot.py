"""A benchmark as a picture: ratios to ``tf.function`` on a logarithmic axis."""

from __future__ import annotations

import os

from layergraph.ir.errors import Unsupported, UnsupportedError
from layergraph.tools.bench.engines import COMPILED, ENGINES, OURS
from layergraph.tools.bench.results import Results

MARKS = "osD^v<>P"


def plot(results: Results, path: str | os.PathLike[str]) -> None:
    """Draw a panel a batch size, a line a model, a dot an engine.

    Args:
        results: what was measured; models without a time of ``tf.function`` are left out.
        path: a ``.png``, ``.svg`` or ``.pdf`` file.

    Raises:
        UnsupportedError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        what = Unsupported(
            "the plot", "matplotlib", "it is not installed", "pip install 'layergraph[plot]'"
        )
        raise UnsupportedError([what]) from error
    batches = list(dict.fromkeys(batch for _, batch in results.rows()))
    models = list(dict.fromkeys(model for model, _ in results.rows()))
    engines = [engine for engine in results.engines() if engine != COMPILED]
    height = 2 + 0.32 * max(len(models), 3)
    figure = Figure(figsize=(1.6 + 3.4 * max(len(batches), 1), height), layout="constrained")
    panels = figure.subplots(1, max(len(batches), 1), sharey=True, squeeze=False)[0]
    for panel, batch in zip(panels, batches, strict=False):
        for number, engine in enumerate(engines):
            speeds = [speed(results, model, batch, engine) for model in models]
            known = [(s, i) for i, s in enumerate(speeds) if s is not None]
            panel.plot(
                [s for s, _ in known], [i for _, i in known], MARKS[number % len(MARKS)],
                ms=8 if engine == OURS else 5, alpha=1.0 if engine == OURS else 0.7,
                color=f"C{number}", label=ENGINES[engine].title,
            )  # fmt: skip
        panel.axvline(1, color="grey", lw=1)
        panel.set(xscale="log", title=f"batch {batch}", xlabel="times as fast as tf.function")
        panel.set_yticks(range(len(models)), models)
        panel.grid(alpha=0.3)
    if batches:
        panels[0].invert_yaxis()
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower center", ncols=2 * len(batches), fontsize=7
        )
    figure.savefig(path, dpi=90)


def speed(results: Results, model: str, batch: int, engine: str) -> float | None:
    """How many times as fast as ``tf.function`` an engine is."""
    cell, other = results.cell(model, batch, engine), results.cell(model, batch, COMPILED)
    if cell is None or other is None or cell.median is None or other.median is None:
        return None
    return other.median / cell.median
