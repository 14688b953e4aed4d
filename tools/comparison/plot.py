"""A comparison as a picture: errors along the graph."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from layergraph.ir.errors import Unsupported, UnsupportedError
from layergraph.ir.types import Array
from layergraph.tools.comparison.report import Report

FLOOR, CEILING = 1e-10, 1e2
"""Errors below and above are drawn there: a logarithm knows neither 0 nor infinity."""


def plot(report: Report, path: str | os.PathLike[str]) -> None:
    """Draw total and own relative errors in running order, faults marked.

    Args:
        report: the comparison.
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
    total = _shown([row.total.relative for row in report.rows])
    own = _shown([np.nan if row.own is None else row.own.relative for row in report.rows])
    count = len(report.rows)
    figure = Figure(figsize=(min(7 + count / 12, 30), 4.5), layout="constrained")
    axes = figure.add_subplot()
    x = np.arange(count)
    axes.plot(x, total, "o-", ms=4, lw=1.2, label="difference")
    axes.plot(x, own, "x", ms=5, label="on equal inputs")
    faults = [i for i, row in enumerate(report.rows) if row.status == "fault"]
    axes.plot(faults, total[faults], "o", ms=11, mfc="none", mec="crimson", mew=2, label="fault")
    axes.axhline(report.rtol or 1e-5, color="grey", lw=1, ls=":", label="tolerance")
    axes.set(yscale="log", ylim=(FLOOR / 2, CEILING * 2), ylabel="relative to the largest value")
    every = max(1, count // 60)
    axes.set_xticks(x[::every], [row.key for row in report.rows][::every], rotation=90, fontsize=7)
    axes.set_title(f"{Path(report.a).name} against {Path(report.b).name}: {report.verdict}")
    axes.grid(axis="y", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=90)


def _shown(errors: list[float]) -> Array:
    shown: Array = np.clip(np.array(errors, float), FLOOR, CEILING)
    return shown
