"""Nodes of a graph that one layer of Keras computes.

A reader takes a layer such as ``MultiHeadAttention`` apart; all its nodes stem from it
and bear its name: ``mha/query``, ``mha/scores``, ``mha``. Families say how such a group
is one layer again (``Spellings.regroups``): they look at the nodes before anything is
written, and return a ``Plan``, or nothing where the layer would compute something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layergraph.backends.keras.table import regrouping_of
from layergraph.ir.graph import Graph, Node, Value
from layergraph.ir.op import Op

if TYPE_CHECKING:
    from layergraph.backends.keras.writer import Writer


@dataclass(frozen=True)
class Group:
    """Nodes of one call of a layer.

    Attributes:
        name: name of the node that bears the layer's name.
        class_name: Keras class it was read from.
        parts: nodes by what stands behind the name, ``query``; empty for the last.
        graph: the graph they are of.
    """

    name: str
    class_name: str
    parts: Mapping[str, Node]
    graph: Graph

    def op(self, part: str) -> Op | None:
        """Operator of a part."""
        return self.parts[part].op if part in self.parts else None

    def reads(self, part: str, *inputs: Value | Node | None) -> bool:
        """Whether a part reads these values, or the only outputs of these nodes."""
        wanted = tuple(v.values[0] if isinstance(v, Node) else v for v in inputs)
        return self.parts[part].inputs == wanted

    def alone(self, held: Iterable[str], returned: Iterable[Value] = ()) -> bool:
        """Whether nobody outside reads what the nodes give, but for what is returned."""
        names, given = set(held), {*self.parts[""].values, *returned}
        inner = [v for name in names for v in self.graph[name].values if v not in given]
        outputs = set(self.graph.outputs)
        return not any(
            v in outputs or any(r.name not in names for r in self.graph.consumers[v]) for v in inner
        )


@dataclass(frozen=True)
class Plan:
    """How nodes are written as one layer.

    Attributes:
        held: names of the nodes.
        last: the one at whose place the layer is written.
        emit: makes the layer; returns the values that stand for outputs of the nodes.
    """

    held: frozenset[str]
    last: str
    emit: Callable[[], Mapping[Value, Any]]


def plans(w: Writer, graph: Graph, needed: Iterable[str]) -> dict[str, Plan]:
    """Plans by the name of each node they hold."""
    wanted = set(needed)
    made: list[Plan] = []
    for group in groups(graph):
        if not all(node.name in wanted for node in group.parts.values()):
            continue
        regroup = regrouping_of(group.class_name)
        plan = None if regroup is None else regroup(w, group)
        if plan is not None:
            made.append(plan)
    found: dict[str, Plan] = {}
    # What a layer wraps is written with it.
    for plan in sorted(made, key=lambda plan: -len(plan.held)):
        if not plan.held & found.keys():
            found.update(dict.fromkeys(plan.held, plan))
    return found


def groups(graph: Graph) -> list[Group]:
    """Nodes that layers were taken apart into, which a family puts together again."""
    found: dict[tuple[str, str], dict[str, Node]] = {}
    for node in graph:
        if len(node.sources) != 1 or regrouping_of(node.sources[0].class_name) is None:
            continue
        layer, class_name = node.sources[0]
        match = re.fullmatch(rf"({re.escape(layer)}(?::\d+)*)(?:/(.*))?", node.name, re.DOTALL)
        if match is not None:
            parts = found.setdefault((match[1], class_name), {})
            parts[match[2] or ""] = node
    return [
        Group(name, class_name, parts, graph)
        for (name, class_name), parts in found.items()
        if "" in parts
    ]


def require(holds: bool) -> None:
    """Say that a group is not what it seems, unless this holds.

    Raises:
        ValueError: it does not.
    """
    if not holds:
        raise ValueError


def read_outside(group: Group, node: Node) -> bool:
    """Whether a value is an output of the graph, or read by another layer."""
    (value,) = node.values
    readers = group.graph.consumers[value]
    own = {n.name for n in group.parts.values()}
    return value in group.graph.outputs or any(r.name not in own for r in readers)
