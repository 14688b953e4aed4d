"""A benchmark as tables, on the screen and as a page."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from layergraph.ir.writing import replacing
from layergraph.tools.bench.engines import COMPILED, ENGINES, OURS
from layergraph.tools.bench.models import MODELS
from layergraph.tools.bench.results import Cell, Results
from layergraph.tools.bench.targets import verdicts
from layergraph.tools.screen import print_table

Table = tuple[list[str], list[list[str]]]
"""Headings and rows."""

INTRODUCTION = """\
# Benchmarks

`make bench` measured this and wrote this page. The models are built with Keras, with seeded
weights, and saved; every engine loads the same file, or the ONNX file that layergraph writes of
it, in a process of its own. The processes take turns, block by block, so that a machine whose
speed drifts does so for all. An answer that differs from what Keras gives, layer by layer, by more
than 1e-4 of its largest value has no time. The input lies ready in the form that the engine takes;
the time ends when the answer is a NumPy array.

Times are medians of many runs after the first. In brackets stands how many times faster
layergraph's NumPy backend is: **above 1 it is faster**.
"""


def latencies(results: Results, *, bold: bool = False) -> Table:
    """A row a model and batch, a column an engine."""
    engines = results.engines()
    columns = ["model", "batch", *(ENGINES[engine].title for engine in engines)]
    rows = []
    for model, batch in results.rows():
        cells = [_cell(results, results.cell(model, batch, engine), bold) for engine in engines]
        rows.append([model, str(batch), *cells])
    return columns, rows


def processes(results: Results) -> Table:
    """A row a model and engine: start, load, predict once."""
    rows = []
    for cold in results.cold:
        title = "TensorFlow" if cold.engine == COMPILED else ENGINES[cold.engine].title
        ours = results.process(cold.model, OURS)
        if cold.seconds is None or cold.peak is None:
            rows.append([cold.model, title, cold.reason, ""])
        elif ours is None or cold.engine == OURS or not ours.seconds or not ours.peak:
            rows.append([cold.model, title, f"{cold.seconds:.2f} s", f"{cold.peak:.0f} MiB"])
        else:
            seconds, peak = cold.seconds / ours.seconds, cold.peak / ours.peak
            rows.append(
                [
                    cold.model, title, f"{cold.seconds:.2f} s ({seconds:.1f})",
                    f"{cold.peak:.0f} MiB ({peak:.1f})",
                ]
            )  # fmt: skip
    return ["model", "engine", "whole process", "peak memory"], rows


def goals(results: Results) -> Table:
    """A row a target: what was measured, and whether it is met."""
    rows = []
    for verdict in verdicts(results):
        target = verdict.target
        measured = [f"{model} {ratio}" for model, ratio in verdict.ratios.items()]
        measured += [f"{model}: {reason}" for model, reason in verdict.reasons.items()]
        models = named(target.models)
        rows.append([target.what, models, f"{target.least:g}", ", ".join(measured), verdict.text])
    return ["against", "models", "at least", "measured", "target"], rows


def named(models: Sequence[str]) -> str:
    """Some models of the suite in the fewest words."""
    others = [name for name in MODELS if name not in models]
    if not others:
        return "all"
    return f"all but {', '.join(others)}" if len(others) < len(models) else ", ".join(models)


def show(results: Results) -> None:
    """Print all tables."""
    columns, rows = latencies(results)
    print_table(columns, rows, right=columns[1:])
    print("In brackets: how many times faster layergraph is.")
    if results.cold:
        print()
        print_table(*processes(results), right=("whole process", "peak memory"))
    print()
    print_table(*goals(results), right=("at least",))


def write_page(
    results: Results, path: str | os.PathLike[str], plot: str | os.PathLike[str] | None = None
) -> None:
    """Write the page ``docs/benchmarks.md``, atomically.

    Args:
        results: what was measured.
        path: a ``.md`` file.
        plot: the picture to show.
    """
    parts = [INTRODUCTION, _made(results)]
    if plot is not None:
        link = os.path.relpath(plot, Path(path).parent)
        parts.append(f"![Ratios to tf.function]({Path(link).as_posix()})\n")
    parts += ["## Latency\n", *markdown(*latencies(results, bold=True)), ""]
    if results.cold:
        parts += [
            "## Whole processes\n",
            "Start Python, load the model, predict once, end; the most memory held. In brackets: "
            "against layergraph.\n",
            *markdown(*processes(results)),
            "",
        ]
    parts += ["## Targets\n", *markdown(*goals(results)), ""]
    parts += ["## Models\n", *markdown(*_models(results)), ""]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(parts), encoding="utf-8")


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]


def milliseconds(seconds: float) -> str:
    """A time with three digits that count."""
    value = seconds * 1e3
    digits = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f} ms"


def _cell(results: Results, cell: Cell | None, bold: bool) -> str:
    if cell is None:
        return ""
    if cell.median is None:
        ratio = results.ratio(cell.model, cell.batch, cell.engine)
        return f"{cell.reason} ({ratio})" if ratio else cell.reason
    once = ", one run" if cell.runs == 1 else ""
    if cell.engine == OURS:
        time = milliseconds(cell.median) + once
        return f"**{time}**" if bold else time
    ratio = results.ratio(cell.model, cell.batch, cell.engine)
    return f"{milliseconds(cell.median)}{once}" + (f" ({ratio})" if ratio else "")


def _models(results: Results) -> Table:
    names = list(dict.fromkeys(model for model, _ in results.rows()))
    return ["model", "what it is"], [[name, MODELS[name].what] for name in names]


def _made(results: Results) -> str:
    made = results.made
    versions = ", ".join(f"{name} {number}" for name, number in made["versions"].items())
    options = made["options"]
    busy = made.get("load") or 0
    lines = [
        f"Made {made['date']} on {made['processor']}, {made['cores']} cores, "
        f"{made['memory_gib']} GiB, {made['system']}; Python {made['python']}, {versions}. "
        f"{options['rounds']} rounds, {options['seconds']:g} s an engine at each model and batch."
    ]
    if busy > made["cores"] / 2:
        lines.append(
            f"\n**The machine was busy with other work (load {busy:g}): take no figure from here.**"
        )
    lines += [
        f"\n{ENGINES[name].title} is left out: {reason}."
        for name, reason in made.get("skipped", {}).items()
    ]
    return "\n".join(lines) + "\n"
