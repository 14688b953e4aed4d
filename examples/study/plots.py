"""The pictures of the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.configurations import FACTORS, Configuration, varied
from study.results import LIMIT, Result

Results = Mapping[Configuration, Result]

DPI = 80
CURVES = (("loss", "loss"), ("accuracy", "accuracy"))


def levels(results: Results, kind: str, factor: str) -> dict[Any, Result]:
    """The results of a factor's levels, as far as they are there."""
    of = varied(kind, factor)
    return {level: results[c] for level, c in of.items() if c in results}


def drawn(results: Results, kind: str) -> list[str]:
    """The factors of a kind that have something to compare."""
    return [factor for factor in FACTORS[kind] if len(levels(results, kind, factor)) > 1]


def kinds(results: Results) -> list[str]:
    """The kinds of network that have something to compare."""
    return [kind for kind in FACTORS if drawn(results, kind)]


def save_all(results: Results, folder: Path) -> dict[str, Path]:
    """Draw what there is to draw.

    Args:
        results: of the configurations.
        folder: where the pictures go; it is made.

    Returns:
        Files by what they show: a kind for its curves, `f1`, `differences`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for kind in kinds(results):
        found[kind] = _saved(curves(results, kind), folder / f"{kind.lower()}.png")
    if found:
        found["f1"] = _saved(f1(results), folder / "macro-f1.png")
    found["differences"] = _saved(differences(results), folder / "differences.png")
    return found


def curves(results: Results, kind: str) -> Any:
    """Loss and accuracy, epoch by epoch: a column a factor; dashed what the model learns from."""
    factors = drawn(results, kind)
    figure = _figure(3.1 * len(factors), 4.6)
    grid = figure.subplots(len(CURVES), len(factors), sharex=True, sharey="row", squeeze=False)
    for column, factor in enumerate(factors):
        for number, (level, result) in enumerate(levels(results, kind, factor).items()):
            for row, (measure, _) in enumerate(CURVES):
                for prefix, dashes in (("", "--"), ("val_", "-")):
                    values = result.history[prefix + measure]
                    grid[row][column].plot(
                        range(1, len(values) + 1), values, dashes, color=f"C{number}", lw=1.3,
                        label=str(level) if prefix else None,
                    )  # fmt: skip
        grid[0][column].set_title(f"{kind}: {factor}", fontsize=10)
        grid[0][column].legend(fontsize=7)
        grid[-1][column].set_xlabel("epoch")
    for row, (_, name) in enumerate(CURVES):
        grid[row][0].set_ylabel(name)
    return figure


def f1(results: Results) -> Any:
    """Macro F1 over the levels of each factor: Keras' as rings, layergraph's as dots in them."""
    shown = kinds(results)
    width = max(len(drawn(results, kind)) for kind in shown)
    figure = _figure(2.3 * width, 2.2 * len(shown))
    grid = figure.subplots(len(shown), width, sharey="row", squeeze=False)
    for row, kind in zip(grid, shown, strict=True):
        factors = drawn(results, kind)
        for axes, factor in zip(row, factors, strict=False):
            found = levels(results, kind, factor)
            names = [str(level) for level in found]
            agreements = [next(iter(result.agreement.values())) for result in found.values()]
            axes.plot(names, [a.f1_keras for a in agreements], "o-", ms=9, mfc="none", lw=0.8,
                      label="Keras")  # fmt: skip
            axes.plot(names, [a.f1_layergraph for a in agreements], "o", ms=3.5,
                      label="layergraph")  # fmt: skip
            axes.set_xlabel(factor)
            axes.grid(axis="y", alpha=0.3)
        row[0].set_ylabel(f"{kind}\nmacro F1")
        for axes in row[len(factors) :]:
            axes.set_axis_off()
    grid[0][0].legend(fontsize=7)
    return figure


def differences(results: Results) -> Any:
    """The largest difference of a probability, model by model, and the limit."""
    figure = _figure(7.5, 0.9 + 0.19 * len(results))
    axes = figure.subplots()
    names = [configuration.name for configuration in results]
    for container, mark, size in ((".h5", "o", 7), (".keras", "x", 4)):
        values = [result.agreement[container].difference for result in results.values()]
        axes.plot(values, names, mark, ms=size, mfc="none", label=container)
    axes.axvline(LIMIT, color="crimson", lw=1, label=f"limit, {LIMIT:g}")
    axes.set(xscale="log", xlabel="largest difference of a probability")
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=8)
    axes.grid(axis="x", alpha=0.3)
    axes.legend(fontsize=7, loc="lower right")
    return figure


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _saved(figure: Any, path: Path) -> Path:
    """Write a picture of few colours, which is small; without a date, which would differ."""
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    figure.savefig(buffer, dpi=DPI, format="png", metadata={"Software": None})
    with Image.open(buffer) as image:
        image.convert("RGB").quantize(64).save(path, optimize=True)
    return path
