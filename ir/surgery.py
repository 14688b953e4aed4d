"""Parts of a graph: up to a layer, from a layer on, and both sides of a cut.

A cut replaces values by inputs. What else of the part before the cut is read behind it
has to cross too. Masks do so by themselves: they are truth values computed beside the
layers, which nobody thinks of when naming one. A skip connection does not: ``extract``
names the layers that would have to be cut with it, ``split`` lets it cross.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from layergraph.ir.errors import GraphError
from layergraph.ir.graph import Graph, Node, Structure, Value
from layergraph.ir.op import Input
from layergraph.ir.refine import refined

Names = str | Sequence[str] | None


def extract(graph: Graph, *, inputs: Names = None, outputs: Names = None) -> Graph:
    """The part of a model between some layers and some others.

    Args:
        graph: any graph.
        inputs: layers whose outputs are fed from now on; their values that are needed
            become the inputs, in this order, then masks that belong to them, then the
            model's own inputs that feed none of these layers. By default the model's
            inputs, without those that nothing needs any more.
        outputs: layers whose outputs are returned, in this order; by default what the
            model returns.

    A layer is called what it is called in Keras, its second call ``layer:1``, layers of
    nested models ``model/layer``; any node's name will do, and one output of several is
    ``lstm#1``. A layer with several outputs stands for all of them.

    Returns:
        A graph of the nodes needed; weights are shared, not copied.

    Raises:
        GraphError: no such layer; nothing returned depends on a layer of ``inputs``; or
            more has to be fed than they give, and what.

    Example:

        >>> import layergraph as lg
        >>> from layergraph.tools.demo import model_path
        >>> features = lg.extract(lg.load(model_path()), outputs="flatten")
        >>> [str(value) for value in features.outputs]
        ['flatten']
    """
    returned = graph.outputs
    structure: Structure | None = graph.output_structure
    if outputs is not None:
        returned, structure = tuple(_values(graph, outputs)), None
    if inputs is None:
        return _part(graph, (), returned, structure)
    cut = _values(graph, inputs)
    _hold_batches(graph, cut)
    crossing = _crossing(graph, cut, returned)
    masks = [v for v in crossing if v not in cut and _is_mask(graph, v)]
    for name in _listed(inputs):
        if not set(_values(graph, name)) & set(crossing):
            raise GraphError(
                f"nothing that is returned depends on layer {name!r}, or only through another "
                "of the layers given; leave it out"
            )
    if needed := [v for v in crossing if v not in (*cut, *masks)]:
        raise GraphError(_not_fed(graph, _listed(inputs), cut, needed, returned))
    _hold_batches(graph, masks)
    fed = [*(v for v in cut if v in crossing), *masks]
    return _part(graph, fed, returned, structure)


def split(graph: Graph, at: str) -> tuple[Graph, Graph]:
    """A model as two, of which the second goes on where the first ends.

    The head returns the layer's outputs, then whatever else of the head is needed behind
    it: masks, and values that skip the layer. The tail takes these, in this order and
    under these names, then the model's inputs that the head does not need. So
    ``tail(*head(x))`` is ``model(x)``, with ``tail(head(x))`` where one value crosses.

    Args:
        graph: any graph.
        at: a layer; see ``extract``.

    Raises:
        GraphError: no such layer, or nothing that is returned depends on it.

    Example:

        >>> import layergraph as lg
        >>> from layergraph.tools.demo import model_path
        >>> head, tail = lg.split(lg.load(model_path()), at="flatten")
        >>> tail.inputs
        ('flatten',)
    """
    cut = _values(graph, at)
    crossing = _crossing(graph, cut, graph.outputs)
    own = [v for v in cut if v in crossing]
    if not own:
        raise GraphError(
            f"nothing that the model returns depends on layer {at!r}; split at another"
        )
    passed = [*own, *(v for v in crossing if v not in own)]
    _hold_batches(graph, passed)
    tail = _part(graph, passed, graph.outputs, graph.output_structure)
    if not tail.layers:
        raise GraphError(f"nothing follows layer {at!r}; split at an earlier one")
    return _part(graph, (), passed, None), tail


def _listed(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())


def _values(graph: Graph, names: Names) -> list[Value]:
    """Values of the layers named, each once.

    Raises:
        GraphError: there is no such layer.
    """
    found = dict.fromkeys(v for name in _listed(names) for v in _named(graph, name))
    if not found:
        raise GraphError("no layer is named")
    return list(found)


def _named(graph: Graph, name: str) -> Sequence[Value]:
    if name in graph:
        return graph[name].values
    node, _, index = name.rpartition("#")
    if node in graph and index.isdigit() and int(index) < len(graph[node].types):
        return (Value(node, int(index)),)
    if inside := [n for n in graph if n.name.startswith(f"{name}/")]:
        # A model with several outputs has no node of its name: what leaves it counts.
        scope = {n.name for n in inside}
        left = [
            v for n in inside for v in n.values
            if v in graph.outputs or any(r.name not in scope for r in graph.consumers[v])
        ]  # fmt: skip
        if left := [v for v in left if graph.type_of(v).dtype != "bool"] or left:
            return left
    if nodes := [n for n in graph if any(s.layer == name for s in n.sources)]:
        return nodes[-1].values
    known = dict.fromkeys([*graph.nodes, *(s.layer for n in graph for s in n.sources)])
    near = get_close_matches(name, list(known), 3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "`inspect` lists the names"
    raise GraphError(f"the model has no layer {name!r}; {hint}")


def _fed(graph: Graph) -> set[str]:
    """Nodes that depend on what is fed; the others are constants, known on both sides."""
    fed: set[str] = set()
    for node in graph:
        if isinstance(node.op, Input) or any(v.node in fed for v in node.arguments):
            fed.add(node.name)
    return fed


def _before(graph: Graph, cut: Sequence[Value], fed: set[str]) -> set[str]:
    """Nodes before a cut: those that the cut values depend on, and masks beside them.

    A mask belongs here if it is made of what does not cross. It may be made in steps: a
    step that alone reads another and has fewer axes, as ``any`` over features, comes along.
    """
    import networkx as nx

    before = {v.node for v in cut}
    for value in cut:
        before |= nx.ancestors(graph.digraph, value.node)
    before &= fed
    there = set(cut)
    for node in graph:
        read = [v for v in node.arguments if v.node in fed]
        if node.name in before or not read or not _is_mask(graph, node.values[0]):
            continue
        if any(v.node not in before for v in read):
            continue
        hidden = any(v not in there and not _is_mask(graph, v) for v in read)
        lowers = any(
            v not in there
            and len(graph.consumers[v]) == 1
            and graph.type_of(v).rank > node.types[0].rank
            for v in read
        )
        if hidden or lowers:
            before.add(node.name)
    return before


def _crossing(graph: Graph, cut: Sequence[Value], outputs: Iterable[Value]) -> list[Value]:
    """Values made before a cut that outputs need and nodes behind it, or the caller, read.

    What can be computed from the cut values, and masks that cross, need not cross.
    """
    fed = _fed(graph)
    before, there = _before(graph, cut, fed), set(cut)
    known = set(graph.nodes) - before - fed
    for node in graph:
        mask = _is_mask(graph, node.values[0])
        if node.arguments and all(
            v in there or v.node in known or (not mask and _is_mask(graph, v))
            for v in node.arguments
        ):
            known.add(node.name)
    found: set[Value] = set()
    behind: set[str] = set()
    pending = list(outputs)
    while pending:
        value = pending.pop()
        if value in there or (value.node in before and value.node not in known):
            found.add(value)
        elif value.node not in behind:
            behind.add(value.node)
            pending.extend(graph[value.node].arguments)
    return [v for node in graph for v in node.values if v in found]


def _is_mask(graph: Graph, value: Value) -> bool:
    return graph.type_of(value).dtype == "bool"


def _part(
    graph: Graph, cut: Sequence[Value], outputs: Sequence[Value], structure: Structure | None
) -> Graph:
    """The nodes that outputs need, with inputs in place of cut values."""
    fresh = {value: _input(graph, value) for value in cut}
    needed: set[str] = set()
    pending = list(outputs)
    while pending:
        value = pending.pop()
        if value not in fresh and value.node not in needed:
            needed.add(value.node)
            pending.extend(graph[value.node].arguments)
    if clash := sorted(needed & {node.name for node in fresh.values()}):
        raise GraphError(f"a value that crosses is called {clash[0]!r}, as a layer behind it is")

    def place(value: Value | None) -> Value | None:
        return Value(fresh[value].name) if value in fresh else value

    nodes = [replace(n, inputs=tuple(map(place, n.inputs))) for n in graph if n.name in needed]
    kept = [name for name in graph.inputs if name in needed]
    own = None if cut else _without(graph.input_structure, [n in kept for n in graph.inputs])
    return Graph(
        [*fresh.values(), *nodes],
        inputs=[*(node.name for node in fresh.values()), *kept],
        outputs=[Value(fresh[v].name) if v in fresh else v for v in outputs],
        input_structure=own,
        output_structure=structure,
        origin=graph.origin,
    )


BATCH = 7919
"""A size by which a batch is known again; a prime, so that no other size makes it."""


def _hold_batches(graph: Graph, cut: Iterable[Value]) -> None:
    """Refuse to feed what is no batch, as steps folded into rows within a layer.

    Raises:
        GraphError: names the layer.
    """
    if any(graph[name].types[0].shape[:1] != (None,) for name in graph.inputs):
        return
    sizes = refined(graph, batch=BATCH)
    for value in cut:
        unknown = graph.type_of(value).shape[:1] == (None,)
        if unknown and sizes.type_of(value).shape[0] != BATCH:
            raise GraphError(
                f"the first axis of {str(value)!r} is not the batch, so that a model cannot begin "
                "there; cut at the layer around it"
            )


def _input(graph: Graph, value: Value) -> Node:
    """An input in place of a value; a model's own input stays what it is."""
    node, type_ = graph[value.node], graph.type_of(value)
    if isinstance(node.op, Input):
        return node
    op = Input(shape=type_.shape, dtype=type_.dtype)
    return Node(name=str(value), op=op, types=(type_,), sources=node.sources)


def _without(structure: Structure, kept: Sequence[bool]) -> Structure | None:
    """A structure of inputs without those that are gone; ``None`` if it becomes the usual one."""
    if all(kept):
        return structure
    places = {old: new for new, old in enumerate(i for i, there in enumerate(kept) if there)}

    def reduced(part: Any) -> Any:
        if isinstance(part, int):
            return places.get(part)
        if isinstance(part, list):
            return [r for p in part if (r := reduced(p)) is not None] or None
        return {k: r for k, p in part.items() if (r := reduced(p)) is not None} or None

    found: Any = reduced(structure)
    # A list of one that was a list of several: the caller feeds the one array.
    return None if found == [0] else found


def _not_fed(
    graph: Graph,
    given: Sequence[str],
    cut: Sequence[Value],
    needed: Sequence[Value],
    outputs: Iterable[Value],
) -> str:
    """What to say of values that a cut leaves without a source, and where else to cut."""
    read = dict.fromkeys(_layer_of(graph[v.node]) for v in needed)
    missing = ", ".join(map(repr, read))
    more = _also_cut(graph, cut, outputs)
    way = f"cut there too: --inputs {','.join([*given, *more])}" if more else "cut further back"
    return (
        f"from {', '.join(map(repr, given))} on, the model also reads {missing}, which would not "
        f"be fed; {way}"
    )


def _layer_of(node: Node) -> str:
    """The call of a layer that a node ends or is a step of, as the user knows it."""
    layers = [source.layer for source in node.sources]
    return node.name if _ends_layer(node) or not layers else layers[-1]


def _ends_layer(node: Node) -> bool:
    """Whether the node bears its layer's name, or that of one of its calls."""
    return any(node.name == s.layer or node.name.startswith(f"{s.layer}:") for s in node.sources)


def _also_cut(graph: Graph, cut: Sequence[Value], outputs: Iterable[Value]) -> list[str]:
    """The fewest nodes which, cut as well, leave nothing unfed: a minimum cut.

    Nodes behind the cut stay as they are, else the cut itself would be for nothing; of
    several smallest cuts it is the last.
    """
    import networkx as nx

    behind = set().union(*(nx.descendants(graph.digraph, v.node) for v in cut))
    done = {v.node for v in cut}
    flow: nx.DiGraph[Any] = nx.DiGraph()
    for node in graph:
        if node.name in done or _is_mask(graph, node.values[0]):
            continue
        whole = _ends_layer(node) or isinstance(node.op, Input)
        # No capacity is infinite: steps within a layer are cut only where nothing else helps.
        price = {} if node.name in behind else {"capacity": 1 if whole else len(graph)}
        flow.add_edge((node.name, "in"), (node.name, "out"), **price)
        if isinstance(node.op, Input):
            flow.add_edge("fed", (node.name, "in"))
        for value in node.arguments:
            flow.add_edge((value.node, "out"), (node.name, "in"))
    for value in outputs:
        if value.node not in done:
            flow.add_edge((value.node, "out"), "returned")
    for name in done:
        flow.remove_nodes_from([(name, "out")])
    if not {"fed", "returned"} <= set(flow):
        return []
    try:
        _, (near, _) = nx.minimum_cut(flow, "fed", "returned")
    except nx.NetworkXUnbounded:
        return []
    return [n.name for n in graph if (n.name, "in") in near and (n.name, "out") not in near
            and (n.name, "in") in flow and (n.name, "out") in flow]  # fmt: skip
