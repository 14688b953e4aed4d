"""What a comparison found, as text, table and JSON."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from layergraph.ir.graph import Graph
from layergraph.tools.comparison.figures import Figures

Status = Literal["agrees", "fault", "follows"]
"""``fault``: the node computes something else on equal inputs. ``follows``: its
output differs because what enters it does."""

Verdict = Literal["agree", "drift", "fault"]

COLUMNS = ("node", "shape", "max |a-b|", "relative", "own", "cosine", "NaN", "Inf", "status")


@dataclass(frozen=True)
class Histograms:
    """Distributions of a node's values and of its errors.

    Attributes:
        range: first and last edge of the values' bins.
        a, b: counts of either side.
        exponents: first and last edge of the bins of ``log10 |a - b|``.
        errors: their counts; those without error are ``exact``.
        exact: elements that do not differ at all.
    """

    range: tuple[float, float]
    a: tuple[int, ...]
    b: tuple[int, ...]
    exponents: tuple[float, float]
    errors: tuple[int, ...]
    exact: int


@dataclass(frozen=True)
class Row:
    """One value of both sides.

    Attributes:
        key: its name: the node's, ``lstm#1`` for a second output.
        op: operator with its attributes, where a graph is known.
        layer: the Keras layers it stems from.
        entering: names of the nearest values before it that both sides have.
        total: how far the sides are apart.
        own: the same with equal inputs: the node run again on the other side's
            values of what enters it; ``None`` where that cannot be done.
        status: see ``Status``.
        histograms: when asked for.
    """

    key: str
    op: str
    layer: str
    entering: tuple[str, ...]
    total: Figures
    own: Figures | None
    status: Status
    histograms: Histograms | None = None

    @property
    def identical(self) -> bool:
        """Whether both sides are equal to the last bit."""
        types = self.total.types
        return self.total.absolute == 0 and types[0] == types[1]

    def cells(self) -> tuple[str, ...]:
        """The row of a table."""
        a, b = self.total.types
        shape = str(a) if a == b else f"{a} / {b}"
        own = "" if self.own is None else _short(self.own.relative)
        return (
            self.key, shape, _short(self.total.absolute), _short(self.total.relative), own,
            _short(self.total.cosine), _counts(self.total.nans), _counts(self.total.infs),
            "" if self.status == "agrees" else self.status,
        )  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What ``layergraph.compare`` found.

    Attributes:
        a, b: names of the sides; ``b`` is the reference.
        rows: values in running order.
        rtol, atol: tolerances, ``None`` for the defaults.
        only_a, only_b: values that the other side does not have.
        failure: why the walk ended early; empty if it did not.
        graph: the graph that was walked, if a side has one.
    """

    a: str
    b: str
    rows: tuple[Row, ...]
    rtol: float | None = None
    atol: float | None = None
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    failure: str = ""
    graph: Graph | None = None

    @property
    def parted(self) -> tuple[Row, ...]:
        """Rows that differ by more than the tolerance."""
        return tuple(row for row in self.rows if row.status != "agrees")

    @property
    def first(self) -> Row | None:
        """The first row that differs."""
        return next(iter(self.parted), None)

    @property
    def faults(self) -> tuple[Row, ...]:
        """Rows whose node computes something else on equal inputs."""
        return tuple(row for row in self.rows if row.status == "fault")

    @property
    def culprit(self) -> Row | None:
        """Where to look: the first fault, or the first row that differs."""
        return next(iter(self.faults), self.first)

    @property
    def agrees(self) -> bool:
        """Whether nothing differs and both sides came to the end."""
        return not self.parted and not self.failure

    @property
    def verdict(self) -> Verdict:
        """``fault``: some node computes something else. ``drift``: errors, each small, add up."""
        if self.agrees:
            return "agree"
        return "fault" if self.faults or not self.parted else "drift"

    def row(self, key: str) -> Row:
        """The row of a value.

        Raises:
            KeyError: no such value was compared.
        """
        for row in self.rows:
            if row.key == key:
                return row
        raise KeyError(key)

    def __bool__(self) -> bool:
        return self.agrees

    def __str__(self) -> str:
        from layergraph.tools.screen import plain_table

        table = plain_table(COLUMNS, [row.cells() for row in self.rows], right=COLUMNS[2:8])
        return "\n".join([*table, "", self.conclusion()])

    def print(self) -> None:
        """Print the table and what follows from it."""
        from layergraph.tools.screen import print_table

        print_table(COLUMNS, [row.cells() for row in self.rows], right=COLUMNS[2:8])
        print()
        print(self.conclusion())

    def conclusion(self) -> str:
        """What was found, in sentences."""
        return "\n".join(_sentences(self))

    def data(self) -> dict[str, Any]:
        """The report as plain JSON data; what is not finite is text."""
        return {
            "a": self.a,
            "b": self.b,
            "verdict": self.verdict,
            "first": self.first.key if self.first else None,
            "faults": [row.key for row in self.faults],
            "failure": self.failure or None,
            "rtol": self.rtol,
            "atol": self.atol,
            "only_a": list(self.only_a),
            "only_b": list(self.only_b),
            "conclusion": self.conclusion(),
            "nodes": [_row_data(row) for row in self.rows],
        }

    def save_html(self, path: str | os.PathLike[str]) -> None:
        """Write one page that needs nothing else: the graph, coloured by error."""
        from layergraph.tools.comparison.page import html

        _write(path, html(self).encode())

    def save_plot(self, path: str | os.PathLike[str]) -> None:
        """Draw the errors along the graph; needs the extra ``plot``.

        Raises:
            UnsupportedError: matplotlib is not installed.
        """
        from layergraph.tools.comparison.plot import plot

        plot(self, path)


def _write(path: str | os.PathLike[str], data: bytes) -> None:
    from layergraph.ir.writing import replacing

    with replacing(path) as temporary:
        temporary.write_bytes(data)


def _sentences(report: Report) -> list[str]:
    nodes = f"{len(report.rows)} values compared"
    lines = []
    if report.agrees:
        worst = max(report.rows, key=lambda row: row.total.relative, default=None)
        far = f", at most {worst.total.relative:.2g} ({worst.key}) off" if worst else ""
        lines.append(f"{report.a} and {report.b} agree: {nodes}{far}.")
    elif report.first is not None:
        lines += _parting(report, report.first)
    if report.failure:
        lines.append(report.failure)
    lines += _alone(report.a, report.only_a) + _alone(report.b, report.only_b)
    return lines


def _parting(report: Report, first: Row) -> list[str]:
    lines = [
        f"{report.a} and {report.b} part at {first.key!r}"
        + (f", layer {first.layer}" if first.layer else "")
        + (f", {first.op}" if first.op else "")
        + ".",
        f"  It is {_far(first.total)}.",
        f"  Into it go {_entering(report, first)}.",
    ]
    if report.verdict == "drift":
        lines.append(
            "  Drift: no node computes anything else on equal inputs; small errors add up."
        )
        if worst := max((r for r in report.rows if r.own), key=_own_relative, default=None):
            lines.append(f"  Most is added by {worst.key!r}, {_own_relative(worst):.2g}.")
        return lines
    if first.status == "fault":
        own = first.own
        again = (
            f"on equal inputs it is {_far(own)}" if own is not None and own is not first.total
            else "what enters it agrees"
        )  # fmt: skip
        lines.append(f"  A fault of this node: {again}.")
    others = [row for row in report.faults if row is not first]
    if others:
        names = ", ".join(repr(row.key) for row in others[:5])
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        also = "also " if first.status == "fault" else ""
        lines.append(f"  On equal inputs {also}differ: {names}{more}.")
    follow = sum(row.status == "follows" for row in report.rows)
    if follow:
        lines.append(f"  {follow} more values differ because of what enters their nodes.")
    return lines


def _own_relative(row: Row) -> float:
    return row.own.relative if row.own else 0.0


def _far(figures: Figures) -> str:
    a, b = figures.types
    if not figures.comparable:
        return f"{a} where {b} is expected"
    if not isfinite(figures.absolute):
        return (
            f"{figures.values[0]} at {list(figures.place)}, where the reference is "
            + (figures.values[1])
        )
    return (
        f"off by {figures.absolute:.3g}, {figures.relative:.3g} of the largest value, at "
        f"{list(figures.place)}: {figures.values[0]}, in the reference {figures.values[1]}"
    )


def _entering(report: Report, row: Row) -> str:
    known = {r.key: r for r in report.rows}
    parts = [
        f"{key} ({known[key].total.relative:.2g} off)" if key in known else f"{key} (an input)"
        for key in row.entering
    ]
    return ", ".join(parts) or "no values that both sides have"


def _alone(name: str, keys: Sequence[str]) -> list[str]:
    if not keys:
        return []
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    return [f"Only {name} has {', '.join(keys[:5])}{more}."]


def _row_data(row: Row) -> dict[str, Any]:
    return {
        "node": row.key,
        "operator": row.op,
        "layer": row.layer,
        "inputs": list(row.entering),
        "status": row.status,
        **_figures_data(row.total),
        "own": None if row.own is None else _figures_data(row.own),
    }


def _figures_data(figures: Figures) -> dict[str, Any]:
    return {
        "types": [str(t) for t in figures.types],
        **{n: _number(getattr(figures, n)) for n in ("absolute", "relative", "largest", "cosine")},
        "nan": list(figures.nans),
        "inf": list(figures.infs),
        "place": list(figures.place),
        "values": list(figures.values),
    }


def _number(value: float) -> float | str:
    return value if isfinite(value) else str(value)


def _short(value: float) -> str:
    return "0" if value == 0 else f"{value:.2g}"


def _counts(pair: tuple[int, int]) -> str:
    if not any(pair):
        return "0"
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}/{pair[1]}"
