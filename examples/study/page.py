"""docs/study.md: tables, pictures and text from the results of a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from textwrap import fill

from study.configurations import BASES, FACTORS, WIDE, Configuration
from study.discussion import chapter, lstm_against_rnn, rounding
from study.models import EMBEDDING, STEPS, VOCABULARY
from study.plots import Results, drawn, kinds, save_all
from study.results import CONTAINERS, LIMIT, Result, complaints, largest

WIDTH = 100

HEAD = """# The study

The report that layergraph grew from trained a CNN, a SimpleRNN and an LSTM in Keras, and computed
their forward passes again by hand in NumPy. The text model came out with a macro F1 of 0.08 where
Keras had 0.47, and 133 of 400 predictions were the same; the chapter on the LSTM was not finished.
This page repeats the study with layergraph in the place of the code by hand. All of it, the figures
in the text included, is written by the command below from what the run left.
"""

HOW = """## How it was made

    make study DATA=folder

trains every model in Keras, saves it as `.h5` and as `.keras`, lets Keras and layergraph load both
files and answer every test row, and writes this page. Finished models in `build/study` are not
trained again; `python examples/study --help` lists the options, `--grid` trains all combinations.
The command ends with exit status 1 and names the model if a single prediction or macro F1 differs,
or a probability by more than {limit:g}.
"""


def write(results: Results, path: Path) -> None:
    """Write the page, and its pictures into `images/study` beside it; the page comes last."""
    pictures = save_all(results, path.parent / "images" / "study")
    links = {name: os.path.relpath(file, path.parent) for name, file in pictures.items()}
    fresh = path.with_name(f".{path.name}.part")
    fresh.write_text(page(results, links), encoding="utf-8")
    fresh.replace(path)


def page(results: Results, pictures: Mapping[str, str]) -> str:
    """The text of the page.

    Args:
        results: of the configurations.
        pictures: where they are, by what they show.
    """
    parts = [HEAD, *_agreement(results, pictures), HOW.format(limit=LIMIT), *_settings(results)]
    for kind in (k for k in FACTORS if any(c.kind == k for c in results)):
        parts += [f"## {kind}\n", _table(results, kind), *_discussed(results, kind, pictures)]
    if told := lstm_against_rnn(results):
        parts += ["## LSTM against SimpleRNN\n", *map(_paragraph, told)]
    return "\n".join(parts)


def _agreement(results: Results, pictures: Mapping[str, str]) -> Iterable[str]:
    wrong = complaints(results)
    rows = sum(found.rows for r in results.values() for found in r.agreement.values())
    equal = sum(found.equal for r in results.values() for found in r.agreement.values())
    same = sum(
        found.f1_keras == found.f1_layergraph
        for r in results.values()
        for found in r.agreement.values()
    )
    yield "## The difference is gone\n"
    yield _paragraph(
        f"{len(results)} models, two files each: of {rows} predictions {equal} are the same class "
        f"in Keras and in layergraph, macro F1 is the same number for {same} of {2 * len(results)} "
        f"files, and no probability differs by more than {largest(results.values()):.1e}. "
        f"The limit is {LIMIT:g}."
    )
    if wrong:
        yield "Not as it should be:\n\n" + "\n".join(f"- {line}" for line in wrong) + "\n"
    yield f"![Largest differences]({pictures['differences']})\n"
    if "f1" in pictures:
        yield _paragraph(rounding(results))
        yield _paragraph("Macro F1 by factor; each dot of layergraph lies in Keras' ring:")
        yield f"![Macro F1]({pictures['f1']})\n"


def _settings(results: Results) -> Iterable[str]:
    by_data = {c.data: r for c, r in results.items()}
    if images := by_data.get("cifar10"):
        yield _paragraph(
            f"- **CIFAR-10**: {_trained(images)}; validation on the last tenth of the training "
            "file. The base is "
            f"{_spelled(BASES['CNN'])}. Each layer is a convolution with `same` padding and ReLU, "
            "followed by pooling that halves the image. The filter counts 2, 3 and 4 are the "
            f"report's; {WIDE} is there for a model worth using."
        )
    if texts := by_data.get("nusax"):
        yield _paragraph(
            f"- **NusaX**: {_trained(texts)}; its own validation rows. {VOCABULARY} words, made "
            f"from the training rows, {STEPS} tokens, zeros at the end, masked; an embedding of "
            f"{EMBEDDING}. The base is {_spelled(BASES['LSTM'])}."
        )
    made = {(tuple(sorted(r.made_by.items()))) for r in results.values()}
    for versions in sorted(made):
        found = dict(versions)
        machine = found.pop("machine")
        yield _paragraph(
            "- Adam with a learning rate of 0.001; the weights kept are those of the epoch with "
            "the highest validation accuracy; "
            + ", ".join(f"{name} {version}" for name, version in found.items())
            + f"; {machine}; {sum(r.seconds for r in results.values()) / 60:.0f} minutes of "
            "training beside other work."
        )


def _trained(result: Result) -> str:
    how = result.settings
    return (
        f"{how['rows']} training rows at most, {how['epochs']} epochs in batches of "
        f"{how['batch']}, seed {how['seed']}"
    )


def _spelled(configuration: Configuration) -> str:
    """Its factors, without the cell."""
    listed = [
        f"{field.name} {getattr(configuration, field.name)}"
        for field in fields(configuration)
        if field.name != "cell"
    ]
    return ", ".join(listed)


def _discussed(results: Results, kind: str, pictures: Mapping[str, str]) -> Iterable[str]:
    if kind in kinds(results):
        yield _paragraph(
            f"Loss and accuracy by epoch, a column a factor ({', '.join(drawn(results, kind))}); "
            "dashed on training rows, solid on validation rows:"
        )
        yield f"![Curves of the {kind}]({pictures[kind]})\n"
        yield from map(_paragraph, chapter(results, kind))


def _table(results: Results, kind: str) -> str:
    of = {c: r for c, r in results.items() if c.kind == kind}
    names = [field.name for field in fields(next(iter(of))) if field.name != "cell"]
    heading = [
        *names, "parameters", "epoch kept", "its accuracy: training, validation", "macro F1, Keras",
        *(f"macro F1, `{container}`" for container in CONTAINERS),
        "equal predictions", "largest difference",
    ]  # fmt: skip
    rows = [[*(str(getattr(c, name)) for name in names), *_cells(r)] for c, r in of.items()]
    return markdown(heading, rows)


def _cells(result: Result) -> list[str]:
    history, found = result.history, [result.agreement[c] for c in CONTAINERS]
    keras = list(dict.fromkeys(f"{a.f1_keras:.6f}" for a in found))
    equal = " and ".join(str(a.equal) for a in found)
    return [
        str(result.parameters),
        f"{result.kept} of {len(history['loss'])}",
        f"{history['accuracy'][result.kept - 1]:.3f}, "
        f"{history['val_accuracy'][result.kept - 1]:.3f}",
        ", ".join(keras),
        *(f"{a.f1_layergraph:.6f}" for a in found),
        f"{equal} of {found[0].rows}",
        f"{result.difference:.1e}",
    ]


def markdown(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _paragraph(text: str) -> str:
    indent = "  " if text.startswith("- ") else ""
    wrapped = fill(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return wrapped + "\n"
