"""A comparison as one HTML page that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from itertools import pairwise
from math import log10
from string import Template
from typing import Any

from layergraph.ir.graph import Graph
from layergraph.ir.op import Constant
from layergraph.tools.comparison.layout import Drawing, drawing
from layergraph.tools.comparison.report import Report, Row

WIDTH, HEIGHT = 190.0, 40.0
LETTERS = 27

COLOURS = (
    (-7.0, "#1a9850"), (-6.0, "#66bd63"), (-5.0, "#a6d96a"), (-4.0, "#fee08b"),
    (-3.0, "#fdae61"), (-2.0, "#f46d43"), (float("inf"), "#d73027"),
)  # fmt: skip
"""Fill by the decimal logarithm of the relative error: up to this, this colour."""

GREY = "#d9d9d9"


def html(report: Report) -> str:
    """The page: the graph with nodes coloured by error, and the figures of each node."""
    names, edges = _graph_of(report)
    places = drawing(names, edges, node_width=WIDTH, node_height=HEIGHT)
    rows = {row.key: row for row in report.rows}
    template = Template(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    data = {"rows": {row.key: _data(row) for row in report.rows}, "start": _start(report)}
    return template.substitute(
        title=escape(f"{report.a} against {report.b}"),
        a=escape(report.a),
        b=escape(report.b),
        verdict=report.verdict,
        conclusion=escape(report.conclusion()),
        legend=_legend(),
        svg=_svg(places, rows, report.graph),
        # Within a script nothing but "</" could end it.
        data=json.dumps(data).replace("<", "\\u003c"),
    )


def colour(relative: float) -> str:
    """Fill of a node by its relative error."""
    exponent = log10(relative) if relative > 0 else -99.0
    return next(fill for limit, fill in COLOURS if exponent <= limit)


def _start(report: Report) -> str:
    row = report.culprit or (report.rows[-1] if report.rows else None)
    return row.key if row else ""


def _graph_of(report: Report) -> tuple[list[str], list[tuple[str, str]]]:
    """What is drawn: the walked graph without its constants, or the values in a row."""
    graph = report.graph
    if graph is None:
        keys = [row.key for row in report.rows]
        return keys, list(pairwise(keys))
    compared = {row.key for row in report.rows}
    names = [n.name for n in graph if not isinstance(n.op, Constant) or n.name in compared]
    shown = set(names)
    edges = [(v.node, n.name) for n in graph for v in n.arguments if v.node in shown]
    return names, edges


def _svg(places: Drawing, rows: dict[str, Row], graph: Graph | None) -> str:
    parts = [
        f'<svg id="graph" viewBox="0 0 {places.width} {places.height}" width="{places.width}" '
        f'height="{places.height}" role="group">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>',
    ]
    for _, _, points in places.edges:
        parts.append(f'<path class="edge" marker-end="url(#tip)" d="{_line(points)}"/>')
    for name, (x, y) in places.centres.items():
        parts.append(_node(name, x, y, _worst(name, rows, graph), graph))
    return "\n".join([*parts, "</svg>"])


def _line(points: Iterable[tuple[float, float]]) -> str:
    """A smooth line from the bottom of one node to the top of another."""
    given = list(points)
    given[0] = (given[0][0], given[0][1] + HEIGHT / 2)
    given[-1] = (given[-1][0], given[-1][1] - HEIGHT / 2)
    path = f"M{given[0][0]} {given[0][1]}"
    for (x0, y0), (x1, y1) in pairwise(given):
        middle = round((y0 + y1) / 2, 1)
        path += f"C{x0} {middle} {x1} {middle} {x1} {y1}"
    return path


def _worst(name: str, rows: dict[str, Row], graph: Graph | None) -> Row | None:
    """The row of a node; of several outputs, the worst."""
    keys = [str(v) for v in graph[name].values] if graph else [name]
    found = [rows[k] for k in keys if k in rows]
    return max(found, key=lambda r: (r.status == "fault", r.total.relative), default=None)


def _node(name: str, x: float, y: float, row: Row | None, graph: Graph | None) -> str:
    operator = type(graph[name].op).__name__ if graph else ""
    status = row.status if row else "none"
    fill = colour(row.total.relative) if row else GREY
    error = f"{row.total.relative:.1e}" if row and row.total.relative else ("0" if row else "")
    left, top = x - WIDTH / 2, y - HEIGHT / 2
    shown = name if len(name) <= LETTERS else f"…{name[-LETTERS + 1 :]}"
    key = escape(row.key if row else "", quote=True)
    return (
        f'<g class="node {status}" data-key="{key}" tabindex="0" '
        f'transform="translate({left:.1f} {top:.1f})">'
        f"<title>{escape(name)}</title>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{fill}"/>'
        f'<text x="10" y="17" class="name">{escape(shown)}</text>'
        f'<text x="10" y="32" class="op">{escape(operator)}</text>'
        f'<text x="{WIDTH - 10}" y="32" class="error">{error}</text></g>'
    )


def _legend() -> str:
    limits = ["1e-7", "1e-6", "1e-5", "1e-4", "1e-3", "1e-2", ""]
    parts = [
        f'<span style="background:{fill}">{f"≤ {limit}" if limit else "&gt; 1e-2"}</span>'
        for (_, fill), limit in zip(COLOURS, limits, strict=True)
    ]
    return "".join([*parts, f'<span style="background:{GREY}">not compared</span>'])


def _data(row: Row) -> dict[str, Any]:
    """What the page's script shows of a row; texts only, so that nothing is not a number."""
    total, own = row.total, row.own
    facts = [
        ("status", {"agrees": "agrees", "fault": "a fault of this node",
                    "follows": "differs because of what enters it"}[row.status]),
        ("operator", row.op),
        ("layer", row.layer),
        ("type, a", str(total.types[0])),
        ("type, b", str(total.types[1])),
        ("largest difference", f"{total.absolute:.6g}"),
        ("largest value of b", f"{total.largest:.6g}"),
        ("relative", f"{total.relative:.3g}"),
        ("relative, on equal inputs", "cannot be run again" if own is None
                                      else f"{own.relative:.3g}"),
        ("cosine distance", f"{total.cosine:.3g}"),
        ("NaN, a and b", "{} and {}".format(*total.nans)),
        ("infinite, a and b", "{} and {}".format(*total.infs)),
        ("worst place", f"{list(total.place)}: {total.values[0]}, in b {total.values[1]}"),
    ]  # fmt: skip
    bars = row.histograms
    return {
        "facts": [[name, value] for name, value in facts if value],
        "entering": list(row.entering),
        "bars": bars
        and {
            "range": [f"{v:.4g}" for v in bars.range],
            "a": bars.a,
            "b": bars.b,
            "exponents": [f"1e{v:.0f}" for v in bars.exponents],
            "errors": bars.errors,
            "exact": bars.exact,
        },
    }
