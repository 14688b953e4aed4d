"""TimeDistributed: nodes between the fold of time and its inverse, as a layer that is wrapped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from layergraph.backends.keras.grouping import Group, Plan
from layergraph.backends.keras.model import Layer, Model, Stored
from layergraph.backends.keras.names import snake_case
from layergraph.ir.graph import Graph, Node, Value
from layergraph.ir.op import Constant, Input
from layergraph.ir.ops.recurrent import FoldTime, UnfoldTime

if TYPE_CHECKING:
    from layergraph.backends.keras.writer import Writer

NOT_TRAINED = ("moving_mean", "moving_variance")
"""Arrays that Keras 2 stores behind all others of a model within a layer."""

HEEDS_MASKS = frozenset(
    {"AdditiveAttention", "Attention", "Bidirectional", "Functional", "GRU",
     "GlobalAveragePooling1D", "LSTM", "MultiHeadAttention", "RNN", "SimpleRNN", "Softmax"}
)  # fmt: skip
"""Classes whose layers would be handed the mask of a step."""


def time_distributed(w: Writer, group: Group) -> Plan | None:
    """What was wrapped, wrapped again: one value in, one out, nothing else read."""
    fold, last = group.parts.get("fold"), group.parts[""]
    folds = [node for node in group.parts.values() if isinstance(node.op, FoldTime)]
    plain = fold is not None and isinstance(last.op, UnfoldTime) and folds == [fold]
    if fold is None or not plain or last.inputs[1] != fold.inputs[0]:
        return None
    inner = _between(group.graph, fold, last)
    if inner is None:
        return None
    held = frozenset({fold.name, last.name, *(node.name for node in inner)})
    outputs = set(group.graph.outputs)
    for name in held - {last.name}:
        for value in group.graph[name].values:
            readers = group.graph.consumers[value]
            if value in outputs or any(reader.name not in held for reader in readers):
                return None
    return Plan(held, last.name, lambda: _emit(w, group.graph, fold, last, inner))


def _between(graph: Graph, fold: Node, last: Node) -> list[Node] | None:
    """Nodes that the result is computed by from the folded value and constants alone."""
    needed = [node for node in graph if node.name in graph.ancestors([last.inputs[0].node])]  # type: ignore[union-attr]
    above = graph.ancestors([fold.name])
    inner = [node for node in needed if node.name not in above]
    names = {node.name for node in inner} | {fold.name}
    if not inner or any(v.node not in names for node in inner for v in node.arguments):
        return None
    if all(isinstance(node.op, (Constant, Input)) for node in inner):
        return None
    return inner


def _emit(
    w: Writer, graph: Graph, fold: Node, last: Node, inner: list[Node]
) -> Mapping[Value, Any]:
    given = Node(name=fold.name, op=Input(shape=fold.types[0].shape, dtype=fold.types[0].dtype),
                 types=fold.types)  # fmt: skip
    (result, _) = last.arguments
    model = w.inner(Graph([given, *inner], inputs=[fold.name], outputs=[result]))
    x = w.tensor(w.values[fold.arguments[0]])
    layer = _single(model)
    if layer is None:
        config: Any = w.dialect.config(model)
        arrays = _model_arrays(w, model)
        class_name = "Functional"
    else:
        class_name = layer.class_name
        config = w.dialect.inner(class_name, {"name": layer.name, **layer.config})
        arrays = [_placed(stored, "layer", layer.name) for stored in layer.arrays]
    if class_name in HEEDS_MASKS:
        x = w.bare(x)
    # Each Keras casts what it is given to the dtype of the wrapper, then to that of the layer.
    dtype = x.dtype if x.type.is_float else None
    return {last.values[0]: w.layer("TimeDistributed", x, arrays=arrays, layer=config, dtype=dtype)}


def _single(model: Model) -> Layer | None:
    """The one layer that a model is, called once."""
    layers = [layer for layer in model.layers if layer.class_name != "InputLayer"]
    if len(layers) != 1 or layers[0].module or "Lambda" in layers[0].class_name:
        return None
    return layers[0] if len(layers[0].calls) == 1 else None


def _placed(stored: Stored, place: str, scope: str) -> Stored:
    inside = "/".join(part for part in (place, stored.place) if part)
    named = "/".join(part for part in (scope, stored.scope) if part)
    return Stored(stored.role, stored.array, inside, named)


def _model_arrays(w: Writer, model: Model) -> list[Stored]:
    """Arrays of a model that is wrapped, by path and in the order of Keras 2."""
    counts: dict[str, int] = {}
    found: list[Stored] = []
    for layer in model.layers:
        if layer.module:
            continue
        name = snake_case(layer.class_name)
        number = counts.get(name, 0)
        counts[name] = number + 1
        place = f"layer/layers/{name}_{number}" if number else f"layer/layers/{name}"
        found += [_placed(stored, place, layer.name) for stored in layer.arrays]
    if w.keras3:
        return found
    return sorted(found, key=lambda stored: stored.role in NOT_TRAINED)
