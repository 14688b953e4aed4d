"""MultiHeadAttention and GroupedQueryAttention, put together again from what they are made of."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from itertools import combinations
from math import sqrt
from typing import Any

from layergraph.backends.keras.grouping import Group, Plan, read_outside, require
from layergraph.backends.keras.model import Stored, Tensor
from layergraph.backends.keras.writer import Writer
from layergraph.ir.graph import Node, Value
from layergraph.ir.ops.activation import Softmax
from layergraph.ir.ops.attention import BandMask, MaskedSoftmax, attention_equations
from layergraph.ir.ops.elementwise import Scale, Unary
from layergraph.ir.ops.linear import Einsum, EinsumDense
from layergraph.ir.ops.merge import Logical, Merge
from layergraph.ir.ops.shape import ExpandDims, RepeatElements
from layergraph.ir.types import broadcast_shapes


class Heads:
    """What a group says that was a MultiHeadAttention or GroupedQueryAttention.

    Raises:
        ValueError: it is none that the layer would be read as.
    """

    def __init__(self, group: Group) -> None:
        self.group, parts = group, group.parts
        for part in ("query", "key", "value", "scaled", "scores", "weights", "mixed", ""):
            require(part in parts)
        self.projections = {n: parts[n] for n in ("query", "key", "value", "gate") if n in parts}
        self.output = parts[""]
        self.rank = group.parts["query"].types[0].rank
        self.grouped = group.class_name != "MultiHeadAttention"
        self._check_projections()
        keys, values = self._repeated()
        self._check_scores(keys)
        require(group.reads("mixed", parts["weights"], values))
        mixed = parts["mixed"]
        if "gate" in parts:
            require(group.op("gate_sigmoid") == Unary(kind="sigmoid"))
            require(group.reads("gate_sigmoid", parts["gate"]))
            require(group.op("gated") == Merge(kind="multiply"))
            require(group.reads("gated", mixed, parts["gate_sigmoid"]))
            mixed = parts["gated"]
        require(group.reads("", mixed))
        self.scores_returned = read_outside(group, parts["weights"])
        self._find_masks()

    def _check_projections(self) -> None:
        free = string.ascii_lowercase[: self.rank - 2]
        biased = {"bias" in node.params for node in (*self.projections.values(), self.output)}
        for node in self.projections.values():
            require(node.op == EinsumDense(equation=f"{free}x,xyz->{free}yz"))
        kernel = self.output.params["kernel"]
        out = string.ascii_uppercase[: kernel.ndim - 2]
        require(self.output.op == EinsumDense(equation=f"{free}yz,yz{out}->{free}{out}"))
        require(len(biased) == 1)
        self.biased = biased.pop()
        sizes = {n: node.params["kernel"].shape[1:] for n, node in self.projections.items()}
        self.heads, self.size = sizes["query"]
        self.held, self.depth = sizes["value"]
        require(sizes["key"] == (self.held, self.size))
        require(kernel.shape[:2] == (self.heads, self.depth))
        if "gate" in self.projections:
            require(self.group.reads("gate", self.group.parts["query"].inputs[0]))

    def _repeated(self) -> tuple[Node, Node]:
        """Keys and values with as many heads as the query has."""
        parts = self.group.parts
        if self.held == self.heads:
            return parts["key"], parts["value"]
        repeat = RepeatElements(axis=2, repeats=self.heads // self.held)
        for part, source in (("keys", "key"), ("values", "value")):
            require(self.group.op(part) == repeat and self.group.reads(part, parts[source]))
        return parts["keys"], parts["values"]

    def _check_scores(self, keys: Node) -> None:
        group, parts = self.group, self.group.parts
        require(group.op("scaled") == Scale(factor=1 / sqrt(self.size)))
        require(not parts["scaled"].params and group.reads("scaled", parts["query"]))
        require(group.reads("scores", keys, parts["scaled"]))
        self.softmax = parts["weights"].op
        require(isinstance(self.softmax, (Softmax, MaskedSoftmax)))
        self.softmax_axis: tuple[int, ...] = getattr(self.softmax, "axis", ())
        count = len(self.softmax_axis)
        require(self.softmax_axis == tuple(range(-count, 0)))
        equations = (group.op("scores"), group.op("mixed"))
        usual = tuple(range(1, self.rank - 2))
        for axes in (usual, *combinations(range(1, self.rank - 1), count)):
            if equations == tuple(Einsum(equation=e) for e in attention_equations(self.rank, axes)):
                self.axes = None if axes == usual else list(axes)
                require(len(axes) == count)
                return
        raise ValueError

    def _find_masks(self) -> None:
        """The mask as the layer is given it, and the band that it makes itself."""
        self.mask: Value | None = None
        self.band: BandMask | None = None
        self.inner: list[str] = []
        self.others: list[Value] = []
        if isinstance(self.softmax, Softmax):
            return
        graph, parts = self.group.graph, self.group.parts
        mask = parts["weights"].inputs[1]
        heads = ExpandDims(axis=-2 * len(self.softmax_axis) - 1)
        assert mask is not None
        while (node := graph[mask.node]).op == heads and node.name.startswith(self.group.name):
            self.inner.append(node.name)
            (mask,) = node.arguments
        if isinstance(node.op, BandMask):
            leaves: tuple[Value, ...] = (mask,)
        elif node.op == Logical(kind="and") and node.name == f"{self.group.name}/mask":
            leaves = node.arguments
        else:
            leaves = ()
        bands = [v for v in leaves if isinstance(graph[v.node].op, BandMask)]
        if not bands:
            self.mask = mask
            return
        require(len(bands) == 1)
        band = graph[bands[0].node]
        require(band.inputs == (self.input("query"), self.input("value")))
        self.band = band.op  # type: ignore[assignment]
        self.inner += [band.name, *([node.name] if node is not band else [])]
        self.others = [v for v in leaves if v != bands[0]]

    def input(self, name: str) -> Value | None:
        """What is projected."""
        return self.projections[name].inputs[0]

    @property
    def nodes(self) -> frozenset[str]:
        """Names of all nodes that the layer stands for."""
        steps = ("scaled", "scores", "weights", "mixed", "keys", "values", "gate_sigmoid", "gated")
        parts = [*self.projections.values(), self.output]
        parts += [self.group.parts[p] for p in steps if p in self.group.parts]
        return frozenset({*(node.name for node in parts), *self.inner})

    @property
    def masked(self) -> bool:
        """Whether a mask may leave a place without anything to see."""
        return self.mask is not None or bool(self.others)


def multi_head(w: Writer, group: Group) -> Plan | None:
    """A group that is one layer again, where that treats masked places alike."""
    try:
        heads = Heads(group)
    except (ValueError, KeyError):
        return None
    returned = group.parts["weights"].values if heads.scores_returned else ()
    if not group.alone(heads.nodes, returned):
        return None
    config = _config_3(heads) if w.keras3 else _config_2(heads)
    if config is None:
        return None
    return Plan(heads.nodes, group.parts[""].name, lambda: _emit_heads(w, heads, config))


def _config_3(heads: Heads) -> dict[str, Any] | None:
    """Options in Keras 3."""
    masking = getattr(heads.softmax, "masking", "fill")
    explicit = heads.scores_returned or heads.rank != 4
    config: dict[str, Any] = {}
    if heads.masked and masking == "zero" and not explicit:
        # Keras masks so where it drops weights in training.
        config["dropout"] = 0.1
    elif heads.masked and (masking == "zero") != explicit:
        return None
    if heads.grouped:
        if heads.depth != heads.size or heads.axes is not None:
            return None
        config.update(
            head_dim=heads.size, num_query_heads=heads.heads, num_key_value_heads=heads.held
        )
    elif heads.held != heads.heads:
        return None
    else:
        config.update(num_heads=heads.heads, key_dim=heads.size, value_dim=heads.depth)
        config.update(attention_axes=heads.axes)
    if not heads.grouped:
        config["output_shape"] = _output_shape(heads)
    elif _output_shape(heads) is not None:
        return None
    if "gate" in heads.projections:
        config["use_gate"] = True
    if heads.band is not None and heads.band.window is not None:
        config["sliding_window"] = heads.band.window
    return {**config, "use_bias": heads.biased}


def _config_2(heads: Heads) -> dict[str, Any] | None:
    """Options in Keras 2, which has fewer."""
    masking = getattr(heads.softmax, "masking", "add")
    if heads.masked and masking == "zero":
        return None
    plain = heads.held == heads.heads and "gate" not in heads.projections
    if not plain or (heads.band is not None and heads.band.window is not None):
        return None
    return {
        "num_heads": heads.heads, "key_dim": heads.size, "value_dim": heads.depth,
        "use_bias": heads.biased, "output_shape": _output_shape(heads),
        "attention_axes": heads.axes,
    }  # fmt: skip


def _output_shape(heads: Heads) -> list[int] | None:
    shape = heads.output.params["kernel"].shape[2:]
    query = heads.projections["query"].params["kernel"].shape[0]
    return None if shape == (query,) else list(shape)


def _emit_heads(w: Writer, heads: Heads, config: dict[str, Any]) -> Mapping[Value, Any]:
    group = heads.group
    tensors = {
        name: w.bare(w.tensor(w.values[value], f"its {name}"))
        for name in ("query", "value", "key")
        if (value := heads.input(name)) is not None
    }
    kwargs: dict[str, Any] = {"value": tensors["value"]}
    if heads.input("key") != heads.input("value"):
        kwargs["key"] = tensors["key"]
    given = [heads.mask] if heads.mask is not None else heads.others
    if given:
        masks = [w.tensor(w.values[v], "its mask") for v in given]
        kwargs["attention_mask"] = _all_of(w, masks)
    if heads.band is not None and heads.band.causal:
        kwargs["use_causal_mask"] = True
    weights, output = group.parts["weights"], heads.output
    types = [output.types[0]]
    if heads.scores_returned:
        kwargs["return_attention_scores"] = True
        types.append(weights.types[0])
    if not w.keras3:
        # Keras 2 makes the arrays from the shapes before it calls the layer.
        shapes = {f"{n}_shape": list(tensors[n].shape) for n in ("query", "value", "key")}
        config = {**config, **shapes}
    if "dropout" in config:
        w.note(
            f"{output.name} has a dropout rate of {config['dropout']}, because Keras 3 masks as "
            "its source does where weights are dropped in training"
        )
    name = group.class_name if heads.grouped and w.keras3 else "MultiHeadAttention"
    found = w.layer(
        name, tensors["query"], kwargs=kwargs, types=types, masking="drop",
        arrays=_head_arrays(heads), **config,
    )  # fmt: skip
    if heads.scores_returned:
        return {output.values[0]: found[0], weights.values[0]: found[1]}
    return {output.values[0]: found}


def _head_arrays(heads: Heads) -> list[Stored]:
    order = ["query", "key", *(["gate"] if "gate" in heads.projections else []), "value"]
    nodes = [*((name, heads.projections[name]) for name in order), ("output", heads.output)]
    return [
        Stored(role, node.params[role], f"{name}_dense",
               "attention_output" if name == "output" else name)
        for name, node in nodes
        for role in ("kernel", "bias")
        if role in node.params
    ]  # fmt: skip


def _all_of(w: Writer, masks: Sequence[Tensor]) -> Tensor:
    found, *more = masks
    for i, mask in enumerate(more):
        types = found.type.with_shape(broadcast_shapes(found.shape, mask.shape))
        part = f"mask_{i}"
        if w.keras3:
            found = w.op("LogicalAnd", found, mask, types=types, part=part)
        else:
            found = w.tf("math.logical_and", found, y=mask, types=types, part=part)
    return found
