"""``layergraph bench``: the command."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from layergraph.ir.errors import InputError
from layergraph.tools.bench.engines import COMPILED, ENGINES, OURS
from layergraph.tools.bench.measure import Options
from layergraph.tools.bench.measure import run as measure
from layergraph.tools.bench.models import MODELS, QUICK
from layergraph.tools.bench.report import show, write_page
from layergraph.tools.bench.results import Results

COLD = ("seed_cnn", "ResNet50")
BEYOND = (OURS, COMPILED, "onnxruntime", "layergraph-onnxruntime")
"""Engines that also run the larger batches unless all are to: the others take minutes there."""


def run(parsed: argparse.Namespace) -> int:
    """Measure, or read what was measured; print, and write what is asked for."""
    if parsed.read:
        results = Results.read(parsed.read)
    else:
        with tempfile.TemporaryDirectory(prefix="layergraph-bench-") as folder:
            results = measure(
                options(parsed), Path(folder), _say, lambda found: _keep(found, parsed.json)
            )
    show(results)
    if parsed.plot:
        from layergraph.tools.bench.plot import plot

        plot(results, parsed.plot)
    if parsed.markdown:
        write_page(results, parsed.markdown, parsed.plot)
    return 0


def options(parsed: argparse.Namespace) -> Options:
    """What the arguments ask for.

    Raises:
        InputError: a name is unknown.
    """
    quick, full = parsed.quick, parsed.full
    models = _chosen(parsed.models, QUICK if quick else tuple(MODELS), MODELS, "model")
    default = (OURS, COMPILED, "onnxruntime") if quick else tuple(ENGINES)
    engines = _chosen(parsed.engines, default, ENGINES, "engine")
    everywhere = full or parsed.engines is not None
    batches = parsed.batches or ((1,) if quick else (1, 8, 32) if full else (1, 32))
    # Whole processes predict one row.
    cold = () if quick or 1 not in batches else models if full else COLD
    return Options(
        models=models,
        batches=batches,
        engines=engines,
        beyond=None if everywhere else BEYOND,
        rounds=parsed.rounds or (2 if quick else 5),
        seconds=parsed.seconds or (0.2 if quick else 4.0 if full else 1.0),
        limit=parsed.limit or (300.0 if full else 30.0),
        cold=tuple(model for model in cold if model in models),
        cold_runs=5 if full else 3,
        jax_python=parsed.jax_python or sys.executable,
    )


def _chosen(
    given: list[str] | None, default: tuple[str, ...], known: Iterable[str], what: str
) -> tuple[str, ...]:
    if not given:
        return default
    if unknown := [name for name in given if name not in known]:
        raise InputError(f"there is no {what} {unknown[0]!r}; there are {', '.join(known)}")
    # In the order of the suite, each once.
    return tuple(name for name in known if name in given)


def _keep(results: Results, path: str | None) -> None:
    if path:
        results.save(path)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
