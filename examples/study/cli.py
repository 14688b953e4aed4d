"""The command line of the study."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from study.configurations import Configuration, grid, one_factor_at_a_time
from study.datasets import require
from study.page import write
from study.progress import Progress
from study.results import Result, Settings, complaints, finished, largest
from study.training import make

ROWS = {"cifar10": 10_000, "nusax": 500}
EPOCHS = {"cifar10": 6, "nusax": 8}
BATCHES = {"cifar10": 64, "nusax": 16}
SEED = 20


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    made = argparse.ArgumentParser(
        prog="python examples/study",
        description="Train the models of the study in Keras, and hold layergraph against it.",
        epilog="Exit status: 0 all rows agree, 1 some do not (they are named), 2 bad usage.",
    )
    add = made.add_argument
    add("data", type=Path, metavar="DATA", help="folder that holds cifar10/ and nusax/")
    add("--work", type=Path, default=Path("build/study"), metavar="FOLDER",
        help="where models and results are kept; what is finished there is not trained again "
        "(default: %(default)s)")  # fmt: skip
    add("--page", type=Path, metavar="FILE",
        help="the page to write (default: study.md in the working folder)")  # fmt: skip
    add("--grid", action="store_true", help="all combinations of levels, not one factor at a time")
    add("--only", nargs="+", metavar="PATTERN", help="configurations by name: 'lstm-*'")
    add("--rows", type=_positive, metavar="N", help="training rows at most")
    add("--epochs", type=_positive, metavar="N", help="epochs of every model")
    add("--seed", type=int, default=SEED, metavar="N", help="(default: %(default)s)")
    return made


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def settings_of(parsed: argparse.Namespace) -> Settings:
    """How models are trained."""
    return Settings(
        rows={data: min(n, parsed.rows or n) for data, n in ROWS.items()},
        epochs={data: parsed.epochs or n for data, n in EPOCHS.items()},
        batch=BATCHES,
        seed=parsed.seed,
    )


def chosen(parsed: argparse.Namespace) -> list[Configuration]:
    """The configurations asked for."""
    every = grid() if parsed.grid else one_factor_at_a_time()
    patterns = parsed.only or ["*"]
    return [c for c in every if any(fnmatch(c.name, pattern) for pattern in patterns)]


def trained(
    configurations: Sequence[Configuration], settings: Settings, data: Path, work: Path
) -> dict[Configuration, Result]:
    """The results of all configurations; those that are not there are made."""
    results = {}
    with Progress(len(configurations)) as progress:
        for configuration in configurations:
            result = finished(configuration, settings, work)
            new = result is None
            if result is None:
                progress.began(configuration, settings.epochs[configuration.data])
                result = make(configuration, settings, data, work, progress.tick)
            results[configuration] = result
            progress.ended(configuration, result, trained=new)
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is missing, write the page, and say whether all rows agree."""
    made = parser()
    parsed = made.parse_args(arguments)
    configurations = chosen(parsed)
    if not configurations:
        made.error(f"no configuration is called {' or '.join(parsed.only)}")
    try:
        require(parsed.data, *sorted({c.data for c in configurations}))
    except FileNotFoundError as error:
        made.error(str(error))
    results = trained(configurations, settings_of(parsed), parsed.data, parsed.work)
    page = parsed.page or parsed.work / "study.md"
    write(results, page)
    print(f"written: {page}")
    return _verdict(results)


def _verdict(results: dict[Configuration, Result]) -> int:
    wrong = complaints(results)
    for line in wrong:
        print(line, file=sys.stderr)
    rows = sum(found.rows for r in results.values() for found in r.agreement.values())
    if not wrong:
        print(
            f"{len(results)} models, two files each, {rows} test rows: every prediction and every "
            f"macro F1 is that of Keras; probabilities differ by at most "
            f"{largest(results.values()):.1e}"
        )
    return 1 if wrong else 0
