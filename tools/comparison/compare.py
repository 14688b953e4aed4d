"""``layergraph.compare``: two runs of a model, node by node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from layergraph.backends.numpy.table import Kernel
from layergraph.ir.errors import InputError, LayerGraphError
from layergraph.ir.graph import Graph, Node, Value
from layergraph.ir.types import STRING, Array
from layergraph.tools.comparison.draws import drawn
from layergraph.tools.comparison.figures import Figures, kind_of, measured
from layergraph.tools.comparison.report import Histograms, Report, Row, Status
from layergraph.tools.comparison.rerun import Reruns
from layergraph.tools.comparison.sides import Run, Side, Table, Values, dotted, feeds_of, side

JUMP = 30.0
"""Where a node cannot be run again: it errs if its error is so many times that which enters it."""

ROUNDING = 1e-7
"""Relative error that any node may bring in."""

BINS = 32


def compare(
    a: Any,
    b: Any,
    inputs: Any = None,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    seed: int = 0,
    layers: Mapping[str, Any] | None = None,
    histograms: bool = False,
) -> Report:
    """Run two sides on the same inputs and compare them node by node.

    Values are matched by name: layer name and call. Each node is also run
    again on the other side's values of what enters it, which tells a node that
    computes something else from one that passes an error on. Values are
    dropped once compared.

    Args:
        a: what is examined: a file (``"model.h5"``), with options after an ``@``
            (``"model.h5@plain"`` as read, without passes; ``@float64``;
            ``@plain+float64``; ``@onnxruntime``; ``@keras``, ``@tfkeras`` in live
            Keras); a golden
            ``.safetensors`` file; an ``.npz`` file of arrays by node name; or a
            graph, an interpreter, a live Keras model, a dict of arrays.
        b: the reference, the same choice. Errors are relative to its values.
        inputs: an array, a dict by input name, or a tuple of arrays in order;
            without it those of a golden file, else seeded ones that fit.
        rtol: tolerance, relative to the largest value of a node; ``None`` for
            1e-5, or 8 roundings where a side is float16 or bfloat16.
        atol: absolute tolerance; ``None`` for 1e-9.
        seed: of the inputs drawn.
        layers: as for ``layergraph.load``.
        histograms: also collect each node's values for the HTML page.

    Raises:
        InputError: a side is nothing that can be compared, the inputs do not
            fit, or the sides have no node in common.

    Example:

        >>> import layergraph as lg
        >>> from layergraph.tools.demo import model_path
        >>> report = lg.compare(model_path(), f"{model_path()}@float64")
        >>> report.verdict, len(report.rows)
        ('agree', 6)
    """
    left, right = side(a, layers=layers), side(b, layers=layers)
    names = (left.name, right.name)
    if left.name == right.name:
        names = (f"{left.name} (a)", f"{right.name} (b)")
    feeds = feeds_for(left, right, inputs, seed)
    comparison = _Comparison(left, right, feeds, rtol, atol, histograms)
    rows = list(comparison.rows())
    return Report(
        a=names[0],
        b=names[1],
        rows=tuple(rows),
        rtol=rtol,
        atol=atol,
        only_a=comparison.alone[0],
        only_b=comparison.alone[1],
        failure=comparison.failure,
        graph=comparison.lead.graph,
    )


def feeds_for(left: Side, right: Side, inputs: Any, seed: int = 0) -> dict[str, Array]:
    """What both sides are run on; arguments as for ``compare``."""
    recorded = [s.feeds for s in (left, right) if s.feeds is not None]
    graph = left.graph or right.graph
    if recorded:
        return _recorded(recorded, inputs)
    if inputs is not None:
        if graph is not None:
            return feeds_of(graph, inputs)
        return dict(inputs) if isinstance(inputs, Mapping) else {"0": np.asarray(inputs)}
    tables = [s for s in (left, right) if isinstance(s, Table)]
    if tables:
        return {} if len(tables) == 2 else _stored(tables[0], graph)
    for live in (left, right):
        path = getattr(live, "path", None)
        if graph is None and path:
            from layergraph.api import load

            graph = load(path)
    if graph is None:
        raise InputError("a live model cannot say what inputs fit; pass some")
    return drawn(graph, seed)


def _recorded(recorded: list[Mapping[str, Array]], inputs: Any) -> dict[str, Array]:
    if inputs is not None:
        raise InputError("a recording was made with inputs of its own; leave the inputs away")
    first, last = recorded[0], recorded[-1]
    if first.keys() != last.keys() or any(not np.array_equal(first[n], last[n]) for n in first):
        raise InputError("the recordings were made with different inputs")
    return dict(first)


def _stored(table: Table, graph: Graph | None) -> dict[str, Array]:
    found = {n: np.asarray(table.arrays[n]) for n in _names(graph) if n in table.arrays}
    if graph is None or len(found) < len(graph.inputs):
        raise InputError(
            f"{table.name} does not say what inputs its arrays belong to; pass them "
            "(--input), or store them in it under the names of the inputs"
        )
    return found


def _names(graph: Graph | None) -> tuple[str, ...]:
    return graph.inputs if graph else ()


class _Comparison:
    """One walk over both sides.

    Attributes:
        lead: the side whose order is followed, one that has a graph if any.
        alone: names that only the one or the other side has.
        failure: why a side could not go on.
    """

    def __init__(
        self,
        left: Side,
        right: Side,
        feeds: Mapping[str, Array],
        rtol: float | None,
        atol: float | None,
        histograms: bool,
    ) -> None:
        self.sides = (left, right)
        self.lead = left if left.graph or not right.graph else right
        self.failure = ""
        self._tolerance = (rtol, atol)
        self._histograms = histograms
        given = [feeds_of(s.graph, feeds) if s.graph else feeds for s in self.sides]
        known = [s.keys() for s in self.sides]
        early = [
            s.start(f, other) if mine is None else None
            for s, f, mine, other in zip(self.sides, given, known, reversed(known), strict=True)
        ]
        keys = [
            list(mine or ()) if v is None else list(v.keys)
            for mine, v in zip(known, early, strict=True)
        ]
        self._spelled = _matched(keys[0], keys[1])
        order = keys[0] if self.lead is left else list(self._spelled.values())
        self.alone = _alone(self.sides, keys, self._spelled)
        if not self._spelled:
            raise InputError(
                f"{left.name} and {right.name} have no node of the same name; "
                f"the first has {', '.join(keys[0][:3])}, the second {', '.join(keys[1][:3])}"
            )
        if self.lead is left:
            self._order = [k for k in order if k in self._spelled]
        else:
            back = {other: key for key, other in self._spelled.items()}
            self._order = [back[k] for k in keys[1] if k in back]
        wanted = (set(self._spelled), set(self._spelled.values()))
        self._values: list[Values] = [
            early_ or s.start(f, w)
            for early_, s, f, w in zip(early, self.sides, given, wanted, strict=True)
        ]
        self._reruns = [
            Reruns(s.graph, f, w, _prepared(s)) if s.graph else None
            for s, f, w in zip(self.sides, given, wanted, strict=True)
        ]
        self._known: dict[str, Row] = {}
        self._before: Row | None = None

    def rows(self) -> Iterator[Row]:
        """Compare value after value."""
        for number, key in enumerate(self._order):
            names = (key, self._spelled[key])
            arrays: list[Array] = []
            for side_, values, name in zip(self.sides, self._values, names, strict=True):
                try:
                    arrays.append(values.take(name))
                except LayerGraphError as error:
                    self.failure = f"{side_.name} could not go on: {error}"
                    return
            row = self._row(key, names, arrays[0], arrays[1])
            self._known[key] = self._before = row
            # What the one side computed is what the other side's nodes are run on.
            for reruns, name, array in zip(self._reruns, names, reversed(arrays), strict=True):
                if reruns:
                    reruns.put(name, array)
            following = self._order[number + 1] if number + 1 < len(self._order) else ""
            self._leave(key, following)
            yield row

    def _leave(self, key: str, following: str) -> None:
        for side_, reruns, names in zip(
            self.sides, self._reruns, ((key, following), self._pair(key, following)), strict=True
        ):
            node = _value(side_, names[0])
            if reruns and node and not (names[1] and _same(node, _value(side_, names[1]))):
                reruns.done(node.node)

    def _pair(self, key: str, following: str) -> tuple[str, str]:
        return self._spelled[key], self._spelled.get(following, "")

    def _row(self, key: str, names: tuple[str, str], a: Array, b: Array) -> Row:
        total = measured(a, b)
        node, entering = self._about(names)
        own = self._own(names, a, b, total, entering)
        return Row(
            key=key,
            op=str(node.op) if node else "",
            layer=", ".join(f"{s.layer} ({s.class_name})" for s in node.sources) if node else "",
            entering=entering,
            total=total,
            own=own,
            status=self._status(total, own, entering),
            histograms=_histograms(a, b) if self._histograms else None,
        )

    def _about(self, names: tuple[str, str]) -> tuple[Node | None, tuple[str, ...]]:
        """The node, and what enters it in the names of the left side."""
        back = {other: key for key, other in self._spelled.items()}
        for number, (side_, reruns) in enumerate(zip(self.sides, self._reruns, strict=True)):
            value = _value(side_, names[number])
            if value and reruns and side_.graph:
                found = reruns.entering(value.node)
                return side_.graph[value.node], tuple(
                    back.get(k, k) if number else k for k in found
                )
        return None, ()

    def _own(
        self,
        names: tuple[str, str],
        a: Array,
        b: Array,
        total: Figures,
        entering: tuple[str, ...],
    ) -> Figures | None:
        """The error on equal inputs: what the node adds by itself."""
        known = [self._known.get(k) for k in entering]
        if any(self._reruns) and all(r is None or r.identical for r in known):
            return total
        for number, (side_, reruns) in enumerate(zip(self.sides, self._reruns, strict=True)):
            value = _value(side_, names[number])
            # Single nodes are run again by NumPy, which says nothing of another backend's.
            ours = isinstance(side_, Run) and side_.interpreter.backend == "numpy"
            again = reruns.value(value) if reruns and value and ours else None
            if again is not None:
                return measured(a, again) if number else measured(again, b)
        return None

    def _status(self, total: Figures, own: Figures | None, entering: tuple[str, ...]) -> Status:
        if not total.parts(*self._tolerance):
            return "agrees"
        if own is not None:
            return "fault" if own.parts(*self._tolerance) else "follows"
        before = [self._known[k] for k in entering if k in self._known]
        if not entering and self._before is not None:
            before = [self._before]
        if any(row.status != "agrees" for row in before):
            return "follows"
        worst = max((row.total.relative for row in before), default=0.0)
        return "fault" if total.relative > JUMP * max(worst, ROUNDING) else "follows"


def _prepared(side_: Side) -> Mapping[str, Kernel]:
    """Kernels that a side has made for its own runs."""
    if isinstance(side_, Run) and side_.graph:
        return side_.interpreter.kernels_of(side_.graph)
    return {}


def _value(side_: Side, key: str) -> Value | None:
    """Where a side computes a value."""
    return side_.value_of(key) if isinstance(side_, Run) and key else None


def _same(a: Value, b: Value | None) -> bool:
    return b is not None and a.node == b.node


def _matched(a: Iterable[str], b: Iterable[str]) -> dict[str, str]:
    """Names of the left side that the right side has, and how it spells them."""
    a, other = list(a), set(b)
    spellings = {dotted(name): name for name in other}
    found = {}
    for name in a:
        spelled = name if name in other else spellings.get(dotted(name))
        if spelled is not None:
            found[name] = spelled
    return found


def _alone(
    sides: tuple[Side, Side], keys: list[list[str]], matched: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    shared = (set(matched), set(matched.values()))
    found = [
        tuple(k for k in mine if k not in both) for mine, both in zip(keys, shared, strict=True)
    ]
    inputs = [set(_names(s.graph)) for s in sides]
    # A table may hold the inputs too.
    return (
        tuple(k for k in found[0] if k not in inputs[1]),
        tuple(k for k in found[1] if k not in inputs[0]),
    )


def _histograms(a: Array, b: Array) -> Histograms | None:
    kinds = {kind_of(STRING if x.dtype == object else x.dtype.name) for x in (a, b)}
    if "text" in kinds or a.shape != b.shape or not a.size:
        return None
    x, y = (np.abs(v) if v.dtype.kind == "c" else v.astype(np.float64) for v in (a, b))
    finite = np.isfinite(x) & np.isfinite(y)
    x, y = x[finite], y[finite]
    if not x.size:
        return None
    low, high = float(min(x.min(), y.min())), float(max(x.max(), y.max()))
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        low, high = low - 0.5, high + 0.5
    errors = np.abs(x - y)
    exponents = np.log10(errors[errors > 0])
    of_errors = np.histogram(np.clip(exponents, -12, 4), BINS, (-12, 4))[0]
    return Histograms(
        (low, high),
        tuple(int(n) for n in np.histogram(x, BINS, (low, high))[0]),
        tuple(int(n) for n in np.histogram(y, BINS, (low, high))[0]),
        (-12.0, 4.0),
        tuple(int(n) for n in of_errors),
        int((errors == 0).sum()),
    )
