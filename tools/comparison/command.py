"""``layergraph compare``: the command."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from layergraph.ir.errors import InputError
from layergraph.tools.comparison.compare import compare
from layergraph.tools.comparison.sides import Side, side
from layergraph.tools.predict import read_arrays


def run(parsed: argparse.Namespace) -> int:
    """Compare and print; returns 1 when the sides part."""
    a, b = side(parsed.a), side(parsed.b)
    report = compare(
        a,
        b,
        read_inputs(parsed.input, a, b),
        rtol=parsed.rtol,
        atol=parsed.atol,
        seed=parsed.seed,
        histograms=parsed.html is not None,
    )
    if parsed.json:
        print(json.dumps(report.data(), indent=1))
    else:
        report.print()
    if parsed.html:
        report.save_html(parsed.html)
    if parsed.plot:
        report.save_plot(parsed.plot)
    return 0 if report.agrees else 1


def read_inputs(path: str | None, *sides: Side) -> Mapping[str, Any] | None:
    """The inputs of a file, by the names of the first side that has a graph."""
    if path is None:
        return None
    for found in sides:
        if found.graph is not None:
            graph = found.graph
            return read_arrays(path, {n: graph[n].types[0] for n in graph.inputs})
    if not path.endswith(".npz"):
        raise InputError(f"{path}: without a graph the inputs must be named; use an .npz file")
    from layergraph.tools.comparison.sides import Npz

    return dict(Npz(path))
