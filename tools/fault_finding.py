"""The demonstration in docs/fault-finding.md: three faults put into models, and found.

``make fault-finding`` writes the page, its plots and, where chromium is
installed, its picture again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill
from typing import Any

import numpy as np

from layergraph.api import load
from layergraph.backends.numpy.interpreter import Interpreter
from layergraph.ir.build import Builder
from layergraph.ir.graph import Graph, Node, Value
from layergraph.ir.ops.shape import Pad
from layergraph.tools.comparison.compare import compare
from layergraph.tools.comparison.report import Report

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"
DOCS = GOLDEN.parents[1] / "docs"


def transposed_kernel(node: Node) -> list[Node]:
    """The kernel's height and width exchanged."""
    kernel = np.ascontiguousarray(node.params["kernel"].swapaxes(0, 1))
    return [replace(node, params={**node.params, "kernel": kernel})]


def padded_evenly(node: Node) -> list[Node]:
    """``same`` as ``(kernel - 1) / 2`` zeros on either side."""
    op: Any = node.op
    sizes = node.params["kernel"].shape[: len(op.strides)]
    pad = Node(
        name=f"{node.name}/padded",
        op=Pad(padding=tuple(((k - 1) // 2,) * 2 for k in sizes)),
        inputs=node.inputs,
        types=(),
    )
    return [pad, replace(node, op=replace(op, padding="valid"), inputs=(Value(pad.name),))]


def without_edges(node: Node) -> list[Node]:
    """Pooling that leaves out what does not fill a window."""
    op: Any = node.op
    return [replace(node, op=replace(op, padding="valid"))]


@dataclass(frozen=True)
class Case:
    """One fault.

    Attributes:
        title: heading of the page.
        model: folder of the golden model.
        node: where the fault is put.
        why: what it is and why it is easily missed.
        spoil: puts it there.
    """

    title: str
    model: str
    node: str
    why: str
    spoil: Callable[[Node], list[Node]]

    @property
    def name(self) -> str:
        """Name of its files."""
        return self.spoil.__name__.replace("_", "-")


CASES = (
    Case(
        "A transposed kernel",
        "cnn-keras3",
        "conv2d_1/conv",
        "A kernel whose height and width are exchanged has the right shape, and the model goes on "
        "to predict, only worse. What is seen from outside is a wrong class now and then.",
        transposed_kernel,
    ),
    Case(
        "Same padding as (k - 1) / 2",
        "same_padding-keras3",
        "conv2d_1",
        "Padding `(k - 1) / 2` on either side is right for odd kernels without strides. For an "
        "even kernel Keras pads one more behind than in front, and dilation widens the kernel.",
        padded_evenly,
    ),
    Case(
        "Pooling that drops odd edges",
        "same_padding-keras3",
        "max_pooling2d",
        "With `padding='same'` a row or column that does not fill a window is pooled by itself. "
        "Dropping it makes the output smaller, and all that follows is computed from other places.",
        without_edges,
    ),
)


def spoilt(graph: Graph, case: Case) -> Graph:
    """The graph with the fault in it; types are inferred anew."""
    build = Builder()
    for node in graph:
        for made in case.spoil(node) if node.name == case.node else [node]:
            build.add(made.name, made.op, made.inputs, made.params, made.sources)
    return build.graph(
        inputs=graph.inputs,
        outputs=graph.outputs,
        input_structure=graph.input_structure,
        output_structure=graph.output_structure,
        origin=replace(graph.origin, model=f"{case.name}"),
    )


def examined(case: Case) -> Report:
    """The model with the fault against the model as it is."""
    good = load(GOLDEN / case.model / "model.h5")
    good = _called(good, case.model.partition("-")[0])
    sides = (Interpreter(g, optimize=False) for g in (spoilt(good, case), good))
    return compare(*sides, histograms=True)


def _called(graph: Graph, name: str) -> Graph:
    """The same graph under a name that reports can show."""
    return Graph(
        graph,
        inputs=graph.inputs,
        outputs=graph.outputs,
        input_structure=graph.input_structure,
        output_structure=graph.output_structure,
        origin=replace(graph.origin, model=name),
    )


HEAD = """# Finding a fault

A model converted by hand predicts almost the same as before. Which layer is wrong? This page puts
three faults into models and lets `layergraph compare` find them. It is made by `make fault-finding`
(`tools/fault_finding.py`); thirty more faults are found in `tests/tools/test_faults.py`.

Each time, one side is the model with the fault, the other the model as it is. The crosses are the
errors on equal inputs: each node is run again on what enters it on the *other* side. Only a node
that is wrong itself has one there; the others pass on what they were given. Another shape counts as
an infinite error.
"""


def page(reports: list[tuple[Case, Report]]) -> str:
    """The page of the documentation."""
    parts = [HEAD]
    for case, report in reports:
        said = "\n".join(f"    {line}" for line in report.conclusion().splitlines())
        picture = f"![Errors along the graph](images/{case.name}.png)"
        parts.append(
            f"## {case.title}\n\n{fill(case.why, 100)}\n\nIt is put into `{case.node}` of "
            f"`tests/golden/{case.model}`:\n\n{said}\n\n{picture}\n"
        )
    parts.append(
        "## The graph\n\n`--html report.html` (in Python `report.save_html`) draws the graph, "
        "coloured by error.\nA click on a node shows its figures and the distributions of both "
        "sides' values:\n\n![The page](images/page.png)\n\nTo do the same with two files:\n\n"
        "    $ layergraph compare mine.lg@plain model.h5@plain --html report.html "
        "--plot errors.png\n    $ layergraph compare mine.lg@plain model.h5@keras\n"
    )
    return "\n".join(parts)


def main() -> None:
    """Write the page and its images."""
    images = DOCS / "images"
    images.mkdir(exist_ok=True)
    reports = [(case, examined(case)) for case in CASES]
    for case, report in reports:
        if report.culprit is None or report.culprit.key != case.node:
            raise SystemExit(f"{case.title}: not found at {case.node}\n{report}")
        report.save_plot(images / f"{case.name}.png")
    (DOCS / "fault-finding.md").write_text(page(reports), encoding="utf-8")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("chromium is not installed: images/page.png stays as it is", file=sys.stderr)
        return
    with TemporaryDirectory() as folder:
        reports[0][1].save_html(Path(folder) / "page.html")
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1100,760",
            f"--user-data-dir={folder}/profile", f"--screenshot={images / 'page.png'}",
            f"file://{folder}/page.html",
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    main()
