"""Graphs, their builder, their rules, their text, and operators as data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np
import pytest

from files import GOLDEN
from layergraph import Graph, GraphError, load
from layergraph.ir.build import Builder
from layergraph.ir.check import validate
from layergraph.ir.graph import Node, Value, flatten, pack
from layergraph.ir.op import Input, op_from_json, op_to_json, signature
from layergraph.ir.ops.convolution import Conv
from layergraph.ir.ops.elementwise import Unary
from layergraph.ir.ops.linear import Dense
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.recurrent import LSTM
from layergraph.ir.types import TensorType, broadcast_shapes, promote

X = TensorType((None, 3))
KERNEL = np.ones((3, 2), np.float32)


def small() -> Graph:
    build = Builder()
    x = build.input("x", X)
    (y,) = build.add("dense", Dense(), [x], {"kernel": KERNEL})
    (z,) = build.add("tanh", Unary(kind="tanh"), [y])
    (w,) = build.add("sum", Merge(kind="add"), [y, z])
    return build.graph(outputs=[w])


def test_text_is_stable() -> None:
    assert str(small()) == (
        "graph (x) -> (sum)\n"
        "  x: float32[?, 3] = input\n"
        "  dense: float32[?, 2] = Dense()(x, kernel: float32[3, 2])\n"
        "  tanh: float32[?, 2] = Unary(kind='tanh')(dense)\n"
        "  sum: float32[?, 2] = Merge(kind='add')(dense, tanh)"
    )


def test_networkx_sees_every_use() -> None:
    digraph = small().digraph
    assert list(nx.topological_sort(digraph)) == ["x", "dense", "tanh", "sum"]
    assert digraph.edges["dense", "sum", 0]["index"] == 0
    assert digraph.edges["tanh", "sum", 1]["index"] == 0
    assert digraph.nodes["tanh"]["node"].op == Unary(kind="tanh")
    assert nx.is_isomorphic(digraph.copy(), digraph)


def test_consumers_count_uses() -> None:
    consumers = small().consumers
    assert [n.name for n in consumers[Value("dense")]] == ["tanh", "sum"]
    assert consumers[Value("sum")] == ()


def test_names_are_made_unique() -> None:
    build = Builder()
    x = build.input("x", X)
    names = [build.add("y", Unary(kind="relu"), [x])[0].node for _ in range(3)]
    assert names == ["y", "y:1", "y:2"]


@pytest.mark.parametrize(
    ("op", "count", "params", "words"),
    [
        pytest.param(Dense(), 1, {}, ["takes parameters (kernel, bias)"], id="role missing"),
        pytest.param(Dense(), 1, {"kernel": KERNEL, "gamma": KERNEL}, ["gamma"], id="role unknown"),
        pytest.param(Dense(), 2, {"kernel": KERNEL}, ["takes (x)", "2 inputs"], id="arity"),
        pytest.param(Dense(), 1, {"kernel": KERNEL.T}, ["last axis is 3", "expects 2"], id="shape"),
    ],
)
def test_builder_refuses(op: Any, count: int, params: Any, words: list[str]) -> None:
    build = Builder()
    x = build.input("x", X)
    with pytest.raises(GraphError) as caught:
        build.add("y", op, [x] * count, params)
    for word in ("'y'", "Dense", *words):
        assert word in str(caught.value)


def node(name: str, *inputs: str) -> Node:
    return Node(
        name=name, op=Unary(kind="relu"), inputs=tuple(Value(i) for i in inputs), types=(X,)
    )


INPUT = Node(name="x", op=Input(shape=(None, 3)), types=(X,))


@pytest.mark.parametrize(
    ("nodes", "outputs", "words"),
    [
        pytest.param([INPUT, INPUT], [], "two nodes are called 'x'", id="twice"),
        pytest.param([INPUT, node("y", "z"), node("z", "x")], [], "not before it", id="order"),
        pytest.param([INPUT], [Value("y")], "no value y", id="output"),
        pytest.param([INPUT], [Value("x", 1)], "no value x#1", id="index"),
    ],
)
def test_graph_refuses(nodes: list[Node], outputs: list[Value], words: str) -> None:
    with pytest.raises(GraphError, match=words):
        Graph(nodes, inputs=["x"], outputs=outputs)


def test_validate_accepts_what_was_read() -> None:
    for file in sorted(GOLDEN.glob("*/model.keras")):
        validate(load(file))


def test_validate_sees_wrong_types() -> None:
    graph = small()
    wrong = [replace(n, types=(X,)) if n.name == "dense" else n for n in graph]
    with pytest.raises(GraphError, match="'dense' states types"):
        validate(graph.replaced(wrong))


def test_validate_sees_unlisted_inputs_and_bad_structure() -> None:
    with pytest.raises(GraphError, match="does not list"):
        validate(Graph([INPUT], inputs=[], outputs=[Value("x")]))
    with pytest.raises(GraphError, match="does not number"):
        validate(Graph([INPUT], inputs=["x"], outputs=[Value("x")], output_structure=[0, 1]))


def test_a_choice_that_does_not_exist() -> None:
    with pytest.raises(GraphError, match="'tan', expected one of"):
        Unary(kind="tan")  # type: ignore[arg-type]


def test_operators_survive_json() -> None:
    ops = [
        Conv(strides=(1, 2), dilation_rate=(1, 1), activation=Unary(kind="relu")),
        LSTM(activation=Unary(kind="tanh"), recurrent_activation=None),
        Input(shape=(None, 3), dtype="int32"),
    ]
    for op in ops:
        assert op_from_json(op_to_json(op)) == op


@pytest.mark.parametrize(
    "data",
    [
        {"op": "linear.Conv"},
        {"op": "os.system"},
        {"op": "linear.TensorType"},
        {"op": "linear.Dense", "units": 3},
        {},
    ],
)
def test_operators_that_are_none(data: Any) -> None:
    with pytest.raises(GraphError):
        op_from_json(data)


def test_signature_is_read_from_infer() -> None:
    found = signature(LSTM)
    assert found.inputs == ("x", "mask")
    assert (found.required_inputs, found.variadic) == (1, True)
    assert found.params == {"kernel": True, "recurrent_kernel": True, "bias": False}


def test_structures() -> None:
    structure: Any = {"b": [1, 0], "a": 2}
    leaves = flatten({"a": "A", "b": ["B", "C"]}, structure)
    assert leaves == ["C", "B", "A"]
    assert pack(leaves, structure) == {"b": ["B", "C"], "a": "A"}
    with pytest.raises(ValueError, match="keys b, a"):
        flatten({"a": 1}, structure)


def test_types() -> None:
    assert str(TensorType((None, 2), "int32")) == "int32[?, 2]"
    assert broadcast_shapes((None, 1, 3), (5, 1)) == (None, 5, 3)
    assert broadcast_shapes((None, 2), (4, 2)) == (4, 2)
    with pytest.raises(ValueError, match="do not broadcast"):
        broadcast_shapes((2,), (3,))
    assert promote("int64", "float32") == "float32"
    assert promote("bool", "int8") == "int8"
    with pytest.raises(ValueError, match="unknown dtype"):
        TensorType((1,), "quaternion")
