"""A model file written anew for the other Keras, and held against what it was.

``rewritten`` writes a graph and reads it back; ``same_graph`` says whether two graphs
are isomorphic: nodes equal in operator and parameters, edges in slot and output,
whatever their names; ``answers`` runs the file in the live Keras it is for.

Before graphs are compared, what a file may say otherwise without computing otherwise
is taken out (``normalised``):

* identities (an index that takes all is one), nodes that no output needs, constants
  that are parameters (``drop_identity``, ``bind_parameters``), casts to the dtype a
  value already has, whether two readers share a constant, what depends on constants
  only (``fold_constants``),
* whether a number is held by the operator or read as a constant (``NotEqual``,
  ``Replace``), and whether an axis counts from the front or from the end,
* the dtype of a number beside others, where both are promoted before they are computed,
* whether constant places to scatter to are int32 or int64,
* whether it is said how many segments constant numbers make,
* the factor of a ``Scale``, multiplied into what it scales by, and an offset of 0,
* what a recurrent layer would do with a mask or a given state where it has none,
* how ``and`` and ``or`` of several values are bracketed and ordered,
* the number of a token to mask where there is none,
* whether ``argmax`` takes -0.0 for less than 0.0, which a note says,
* which numbers a layer that counts categories calls an error, which a note says,
* names, those of kept states included,
* ``add`` and ``fill`` of ``MaskedSoftmax``: Keras 2 adds -1e9 to masked scores where
  Keras 3 replaces them, which is the same to all digits of float32; and all its ways
  where no row is masked as a whole.

Where the writer notes that it spells a layer out of several, the file says other
operators, and only what it computes is compared.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

import layergraph as lg
from layergraph.backends.keras.files import SPELLED_OUT
from layergraph.backends.numpy.table import run
from layergraph.backends.targets import TARGETS
from layergraph.ir.graph import Graph, Node, Value, flatten
from layergraph.ir.op import Constant, Input, Op
from layergraph.ir.ops.attention import BandMask
from layergraph.ir.ops.dynamic import Range
from layergraph.ir.ops.elementwise import Binary, Cast, NotEqual, Scale, Where
from layergraph.ir.ops.indexing import Slice
from layergraph.ir.ops.merge import Logical, Merge, Replace, Stack
from layergraph.ir.ops.preprocessing import CountCategories
from layergraph.ir.ops.scatter import Scatter, ScatterUpdate, Segment
from layergraph.ir.ops.shape import ExpandDims
from layergraph.ir.ops.text import Lookup
from layergraph.ir.passes import bind_parameters, drop_identity, fold_constants
from layergraph.ir.passes.rewrite import pruned, rebuilt
from layergraph.ir.types import numpy_dtype, promote, type_of
from support import Case, assert_close, draw, keras_of

KERAS = {".keras": "keras", ".h5": "tf_keras"}
"""Which Keras a written file is for, by its extension."""


class Rewritten(NamedTuple):
    """A graph that was written and read again, and whether it must be as it was."""

    graph: Graph
    alike: bool


def rewritten(graph: Graph, target: Path, layers: Mapping[str, Any] | None = None) -> Rewritten:
    """Write a graph, and read the file; the extension says for which Keras."""
    return _read(target, TARGETS[target.suffix[1:]].write(graph, target), layers)


def _read(target: Path, notes: list[str], layers: Mapping[str, Any] | None) -> Rewritten:
    alike = not any(note.startswith(SPELLED_OUT) for note in notes)
    return Rewritten(lg.load(target, layers=layers), alike)


OTHER = {"keras": ".h5", "tf_keras": ".keras"}
"""Extension of files for the other Keras."""

OWN = {"keras": ".keras", "tf_keras": ".h5"}
"""Extension of files for a Keras."""


def in_the_other(row: Case, writer: str, graph: Graph, model: Any, folder: Path) -> str:
    """A row of the parity tables in the other Keras, against the first, and back.

    Of a row that is refused, outputs that do not need what is refused are held to the same.

    Returns:
        Whether the file is ``"isomorphic"``, ``"spelled out"`` or ``"refused: why"``.
    """
    target, refused = folder / f"other{OTHER[writer]}", ""
    places = list(range(len(graph.outputs)))
    part = graph
    while True:
        try:
            notes = TARGETS[target.suffix[1:]].write(part, target)
            break
        except lg.UnsupportedError as error:
            refused = refused or f"refused: {error.items[0].reason}"
            names = {item.layer for item in error.items}
            places = [i for i in places if not _needs(part, graph.outputs[i], names)]
            if not places:
                return refused
            part = pruned(Graph(graph, inputs=graph.inputs,
                                outputs=[graph.outputs[i] for i in places],
                                input_structure=graph.input_structure))  # fmt: skip
    back = _read(target, notes, row.layers)
    if back.alike:
        assert not (difference := same_graph(part, back.graph)), difference
        difference = _difference_at_home(part, back.graph, folder / f"home{OWN[writer]}", row)
        assert not difference, difference
    other = live(target)
    if row.noted:
        assert any(row.noted in note for note in notes), notes
        # Then the answers are those of what was read back.
        model = _Read(back.graph)
    for batch in (3, 1):
        arrays = draw(row, batch)
        fed = arrays if len(arrays) > 1 else arrays[0]
        found, wanted = (leaves(m(fed, training=False)) for m in (other, model))
        assert len(found) == len(places)
        for ours, place in zip(found, places, strict=True):
            assert_close(ours, wanted[place], row.tolerance)
    return refused or ("isomorphic" if back.alike else "spelled out")


ONE_WAY = ("keras.ops makes complex64 of pairs of real numbers, not complex128",)
"""Why a graph that is the same in the other Keras may not go back: no node says it.

Complex numbers of float64 come from functions of Keras 3 that a graph holds as the pair
they are made of; TensorFlow has a function that makes them of one, Keras 3 has none.
"""


def _difference_at_home(graph: Graph, read: Graph, target: Path, row: Case) -> str:
    """What was read from a file for the other Keras, written for the first again."""
    try:
        home = rewritten(read, target, layers=row.layers)
    except lg.UnsupportedError as error:
        if all(any(why in item.reason for why in ONE_WAY) for item in error.items):
            return ""
        raise
    return same_graph(graph, home.graph) if home.alike else ""


class _Read:
    """A graph that is called as a live model is."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __call__(self, fed: Any, training: bool = False) -> Any:
        arrays = fed if isinstance(fed, (list, tuple)) else [fed]
        return flatten(lg.Interpreter(self.graph)(*arrays), self.graph.output_structure)


def _needs(graph: Graph, output: Value, layers: set[str]) -> bool:
    """Whether an output needs one of these layers."""
    nodes = (graph[name] for name in graph.ancestors([output.node]))
    return any(n.name in layers or any(s.layer in layers for s in n.sources) for n in nodes)


def answers(path: Path, feeds: Mapping[str, Any], graph: Graph) -> list[Any]:
    """Outputs of a file in its live Keras, flat as the graph's."""
    model = live(path)
    given = flatten_inputs(graph, feeds)
    return leaves(model(given, training=False))


def live(path: Path) -> Any:
    """The model in the Keras that its extension says, loaded as anyone would."""
    keras = keras_of(KERAS[path.suffix])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        keras.backend.clear_session()
        return keras.models.load_model(path)


def flatten_inputs(graph: Graph, feeds: Mapping[str, Any]) -> Any:
    """Arrays by name, nested as the model takes them."""
    from layergraph.ir.graph import pack

    return pack([feeds[name] for name in graph.inputs], graph.input_structure)


def leaves(data: Any) -> list[Any]:
    """What a live model returned, flat; dicts by key."""
    if isinstance(data, dict):
        return [leaf for key in sorted(data) for leaf in leaves(data[key])]
    if isinstance(data, (list, tuple)):
        return [leaf for value in data for leaf in leaves(value)]
    return [np.asarray(data)]


def same_graph(first: Graph, second: Graph) -> str:
    """Empty when two graphs are isomorphic, else the first thing that tells them apart."""
    one, two = (labelled(normalised(g)) for g in (first, second))
    if nx.is_isomorphic(one, two, node_match=_same, edge_match=_same_edges):
        return ""
    kinds = [sorted(str(data["what"])[:100] for _, data in g.nodes(data=True)) for g in (one, two)]
    missing = [k for k in kinds[0] if kinds[0].count(k) != kinds[1].count(k)]
    added = [k for k in kinds[1] if kinds[0].count(k) != kinds[1].count(k)]
    return f"lost {missing[:6]}, gained {added[:6]}" if missing or added else "wired otherwise"


def normalised(graph: Graph) -> Graph:
    """See the module's docstring."""
    graph = bind_parameters(fold_constants(_counted_out(drop_identity(graph)), run))
    moved = {
        node.values[0]: node.arguments[0]
        for node in graph
        if node.op == Slice(key=("...",))
        or (isinstance(node.op, Cast) and graph.type_of(node.arguments[0]).dtype == node.op.dtype)
    }
    constants: dict[Any, Value] = {}
    for node in graph:
        if isinstance(node.op, Constant):
            first = constants.setdefault(_what(node, graph), node.values[0])
            if first != node.values[0]:
                moved[node.values[0]] = first
    kept = [_with_numbers(n, graph) for n in graph if Value(n.name) not in moved]
    found = _joined(rebuilt(graph, kept, moved))
    found = found.replaced([replace(n, op=_plain(n.op, n, found)) for n in found])
    labels = _labels(found)
    return found.replaced([_sorted(n, labels) for n in found])


def _counted_out(graph: Graph) -> Graph:
    """Ranges between constants, which no pass computes: their type says no length."""
    nodes = list(graph)
    for i, node in enumerate(nodes):
        given = [graph[v.node] for v in node.arguments]
        if isinstance(node.op, Range) and all(isinstance(n.op, Constant) for n in given):
            value: Any = run(node.op, node.params, [n.params["value"] for n in given])
            nodes[i] = replace(node, op=Constant(), inputs=(), params={"value": value},
                               types=(type_of(value),))  # fmt: skip
    return graph.replaced(nodes)


def _joined(graph: Graph) -> Graph:
    """``a and (b and c)`` as ``a and b and c``."""
    inputs: dict[str, tuple[Value | None, ...]] = {}
    for node in graph:
        inputs[node.name] = node.inputs
        if isinstance(node.op, Logical):
            flat: list[Value | None] = []
            for value in node.arguments:
                alike = graph[value.node].op == node.op
                flat += inputs[value.node] if alike else (value,)
            inputs[node.name] = tuple(flat)
    return rebuilt(graph, [replace(n, inputs=inputs[n.name]) for n in graph], {})


def _sorted(node: Node, labels: Mapping[str, int]) -> Node:
    """Operands of ``and`` and ``or`` in an order that does not depend on the file."""
    if not isinstance(node.op, Logical):
        return node
    order = sorted(node.arguments, key=lambda v: (labels[v.node], v.index))
    return replace(node, inputs=tuple(order))


PLACES: dict[type[Op], int] = {Scatter: 0, ScatterUpdate: 1, Segment: 1}
"""Operators that scatter, and which input says where to."""


def _with_numbers(node: Node, graph: Graph) -> Node:
    """A number that is read as a constant, held by the operator; places as int32."""
    if isinstance(node.op, Constant) and node.params["value"].ndim == 0:
        return _as_computed(node, graph)
    if isinstance(node.op, Constant) and node.types[0].dtype == "int64":
        readers = graph.consumers[node.values[0]]
        slots = [PLACES.get(type(r.op)) for r in readers]
        if all(
            s is not None and r.inputs[s] == node.values[0]
            for s, r in zip(slots, readers, strict=True)
        ):
            places = node.params["value"].astype("int32")
            return replace(node, params={"value": places}, types=(type_of(places),))
        return node
    if isinstance(node.op, Scale):
        return replace(node, op=Scale(), params=_scaling(node))
    place = {Binary(kind="not_equal"): 1, Where(): 2}.get(node.op)
    if place is None:
        return node
    number = graph[node.arguments[place].node]
    if not isinstance(number.op, Constant) or number.params["value"].size != 1:
        return node
    value = float(number.params["value"].item())
    if place == 1:
        return replace(node, op=NotEqual(value=value), inputs=node.inputs[:1])
    return replace(node, op=Replace(value=value), inputs=(node.inputs[1], node.inputs[0]))


def _as_computed(node: Node, graph: Graph) -> Node:
    """A number in the dtype that operators of two values make of both."""
    readers = graph.consumers[node.values[0]]
    if not all(isinstance(r.op, (Merge, Binary)) for r in readers):
        return node
    dtypes = {promote(*(graph.type_of(v).dtype for v in r.arguments)) for r in readers}
    if len(dtypes) != 1 or node.params["value"].dtype.kind not in "biuf":
        return node
    value = node.params["value"].astype(numpy_dtype(dtypes.pop()))
    return replace(node, params={"value": value}, types=(type_of(value),))


def _scaling(node: Node) -> dict[str, Any]:
    """What a ``Scale`` multiplies by, its factor included, and what it adds unless 0."""
    assert isinstance(node.op, Scale)
    dtype = numpy_dtype(node.types[0].dtype)
    scale = np.asarray(node.params.get("scale", 1.0), "float64") * node.op.factor
    offset = node.params.get("offset")
    params = {"scale": scale.astype(dtype)}
    return params if offset is None or not offset.any() else {**params, "offset": offset}


def _plain(op: Op, node: Node, graph: Graph) -> Op:
    """The operator in the spelling that all share."""
    ranks = [graph.type_of(v).rank for v in node.arguments]
    rank = node.types[0].rank if isinstance(op, (ExpandDims, Stack)) else max(ranks, default=1)
    masked = len(node.inputs) > 1 and node.inputs[1] is not None
    changes = _unheeded(op) | _counted(op, node, graph)
    for field in fields(op):
        value: Any = getattr(op, field.name)
        if field.name in ("forward", "backward"):
            changes[field.name] = _plain(value, node, graph)
        elif field.name == "axis" and isinstance(value, (int, tuple)) and rank:
            changes["axis"] = value % rank if isinstance(value, int) else _axes(value, rank)
        elif field.name == "stateful":
            changes["stateful"] = "kept" if value else ""
        elif field.name == "equal_zeros":
            changes["equal_zeros"] = False
        elif field.name == "kept_first" and len(node.inputs) < 3:
            changes["kept_first"] = False
        elif field.name in ("zero_output_for_mask", "outputs_states") and not masked:
            changes[field.name] = False
        elif field.name == "masking" and (value == "add" or _is_band(node, graph)):
            changes["masking"] = "fill"
        elif field.name == "value" and isinstance(value, (int, float)):
            changes["value"] = float(value)
    return replace(op, **changes) if changes else op


def _unheeded(op: Op) -> dict[str, Any]:
    """What an operator says of errors, and of tokens it does not have, as one value."""
    if isinstance(op, CountCategories):
        return {"refuses": "nothing"}
    return {"mask_index": 0} if isinstance(op, Lookup) and op.mask_token is None else {}


def _counted(op: Op, node: Node, graph: Graph) -> dict[str, Any]:
    """How many segments Keras 3 finds, where their numbers are constants."""
    if not isinstance(op, Segment) or op.sorted or op.count is not None or len(node.inputs) > 2:
        return {}
    ids = graph[node.arguments[1].node].params.get("value")
    if ids is None:
        return {}
    return {"count": len(set(ids.tolist())) if op.kind == "sum" else int(ids.max()) + 1}


def _is_band(node: Node, graph: Graph) -> bool:
    """Whether the mask of a softmax is a band alone, which masks no row as a whole."""
    mask = graph[node.arguments[1].node]
    while isinstance(mask.op, ExpandDims):
        mask = graph[mask.arguments[0].node]
    return isinstance(mask.op, BandMask)


def _axes(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    return tuple(sorted(a % rank if a is not None else a for a in axes))


def labelled(graph: Graph) -> nx.MultiDiGraph[Any]:
    """The graph with what each node is, and nodes that mark inputs and outputs by number.

    The label of a node says what it computes from, all the way up, and what is computed
    from it, so that searching for an isomorphism never has to guess.
    """
    found, labels = graph.digraph.copy(), _labels(graph)
    read: dict[str, list[tuple[int, ...]]] = {node.name: [] for node in graph}
    for i, value in enumerate(graph.outputs):
        read[value.node].append((i, value.index))
    for node in reversed(list(graph)):
        labels[node.name] = hash((labels[node.name], tuple(sorted(read[node.name]))))
        for slot, source in enumerate(node.inputs):
            if source is not None:
                read[source.node].append((labels[node.name], slot, source.index))
    for node in graph:
        found.nodes[node.name].update(label=labels[node.name], what=_what(node, graph)[0])
    for i, value in enumerate(graph.outputs):
        found.add_node(("output", i), label=i, what="output")
        found.add_edge(value.node, ("output", i), key=0, index=value.index)
    return found


def _labels(graph: Graph) -> dict[str, int]:
    """A number for what each node computes from what."""
    labels: dict[str, int] = {}
    for node in graph:
        read = [None if v is None else (labels[v.node], v.index) for v in node.inputs]
        while read and read[-1] is None:
            read.pop()
        if isinstance(node.op, Logical):
            read.sort(key=str)
        labels[node.name] = hash((_what(node, graph), tuple(read)))
    return labels


def _what(node: Node, graph: Graph) -> tuple[Any, ...]:
    """Operator and parameters."""
    if isinstance(node.op, Input):
        return (f"input {graph.inputs.index(node.name)} {node.op}", ())
    arrays = tuple(
        (role, array.shape, array.dtype.name, _content(array))
        for role, array in sorted(node.params.items())
    )
    return (str(node.op), arrays)


def _same(one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    return bool(one["label"] == two["label"])


def _same_edges(one: Mapping[Any, Any], two: Mapping[Any, Any]) -> bool:
    return {k: d["index"] for k, d in one.items()} == {k: d["index"] for k, d in two.items()}


def _content(array: Any) -> Any:
    """The elements; of text the texts, not where they lie."""
    return tuple(array.ravel().tolist()) if array.dtype == object else array.tobytes()


__all__ = ["answers", "flatten", "leaves", "live", "rewritten", "same_graph"]
