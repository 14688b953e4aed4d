"""``layergraph golden``: the command."""

from __future__ import annotations

import argparse
import json
import os

from layergraph.tools.comparison.command import read_inputs
from layergraph.tools.comparison.sides import side
from layergraph.tools.golden import Golden, as_read, check, checksums, record


def run(parsed: argparse.Namespace) -> int:
    """Record or check; returns 1 when a node has moved."""
    return _record(parsed) if parsed.action == "record" else _check(parsed)


def _record(parsed: argparse.Namespace) -> int:
    inputs = None
    if parsed.input is not None:
        inputs = read_inputs(parsed.input, side(as_read(parsed.model)))
    golden = record(
        parsed.model,
        parsed.output,
        inputs,
        rtol=parsed.rtol,
        atol=parsed.atol,
        seed=parsed.seed,
    )
    size = os.path.getsize(parsed.output)
    print(f"{parsed.output}: {len(golden.nodes)} values, {size:,} bytes")
    return 0


def _check(parsed: argparse.Namespace) -> int:
    golden = Golden.read(parsed.golden)
    report = check(parsed.model, golden, histograms=parsed.html is not None)
    if parsed.json:
        print(json.dumps(report.data(), indent=1))
    else:
        report.print()
        (found,) = checksums(parsed.model).values()
        if golden.models and found not in golden.models.values():
            print(f"{parsed.model} is not the file that was recorded ({', '.join(golden.models)}).")
    if parsed.html:
        report.save_html(parsed.html)
    return 0 if report.agrees else 1
