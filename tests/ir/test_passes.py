"""Each pass: what it removes, when it must not, and outputs that stay equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN, recorded
from layergraph.backends.numpy.table import evaluate
from layergraph.ir import passes
from layergraph.ir.build import Builder
from layergraph.ir.check import validate
from layergraph.ir.graph import Graph, Value, flatten
from layergraph.ir.op import Activation, Op
from layergraph.ir.ops.activation import PReLU, Softmax
from layergraph.ir.ops.convolution import Conv, ConvTranspose, DepthwiseConv
from layergraph.ir.ops.elementwise import Cast, Unary
from layergraph.ir.ops.linear import Dense
from layergraph.ir.ops.merge import Concatenate, Merge
from layergraph.ir.ops.normalization import BatchNorm
from layergraph.ir.ops.shape import Identity, Transpose
from layergraph.ir.types import TensorType

RNG = np.random.default_rng(5)
FILES = sorted(p.parent for p in GOLDEN.glob("*/model.keras"))


def random(*shape: int) -> Any:
    return RNG.normal(size=shape).astype(np.float32)


def statistics(channels: int) -> dict[str, Any]:
    return {
        "gamma": random(channels),
        "beta": random(channels),
        "moving_mean": random(channels),
        "moving_variance": RNG.uniform(0.2, 2, channels).astype(np.float32),
    }


def ops(graph: Graph) -> list[str]:
    """Names of the operators that run."""
    return [type(n.op).__name__ for n in graph.layers]


def assert_same(graph: Graph, changed: Graph, *arrays: Any, rtol: float = 1e-5) -> None:
    """Valid, of the same types, and equal up to rounding."""
    validate(changed)
    assert [graph.type_of(v) for v in graph.outputs] == [
        changed.type_of(v) for v in changed.outputs
    ]
    wanted, got = (
        flatten(lg.Interpreter(g, optimize=False)(*arrays), g.output_structure)
        for g in (graph, changed)
    )
    for one, other in zip(wanted, got, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(other, one, rtol=0, atol=rtol * np.abs(one).max(initial=1e-9))


@pytest.mark.parametrize("name", passes.DEFAULT)
@pytest.mark.parametrize("folder", FILES, ids=lambda p: p.name)
def test_real_models_stay_equal(folder: Any, name: str) -> None:
    graph = lg.load(folder / "model.keras")
    changed = passes.optimize(graph, [name], evaluate=evaluate)
    feeds = recorded(folder / "model.keras").inputs
    names = graph.inputs if len(feeds) > 1 else feeds
    assert_same(graph, changed, *(feeds[n] for n in names))


def chain(*steps: tuple[str, Op, dict[str, Any]], shape: tuple[int | None, ...]) -> Graph:
    """Operators one after the other."""
    build = Builder()
    value = build.input("x", TensorType((None, *shape)))
    for name, op, params in steps:
        (value,) = build.add(name, op, [value], params)
    return build.graph(outputs=[value])


# --- drop_identity ---------------------------------------------------------------------


def test_drop_identity() -> None:
    graph = chain(
        ("a", Identity(), {}),
        ("b", Cast(dtype="float32"), {}),
        ("c", Transpose(axes=(0, 1)), {}),
        ("d", Unary(kind="tanh"), {}),
        ("e", Identity(), {}),
        shape=(3,),
    )
    changed = passes.drop_identity(graph)
    assert ops(changed) == ["Unary"]
    assert changed.outputs == (Value("d"),)
    assert_same(graph, changed, random(2, 3))


def test_drop_identity_keeps_what_changes_something() -> None:
    graph = chain(
        ("a", Cast(dtype="float64"), {}), ("b", Transpose(axes=(0, 2, 1)), {}), shape=(3, 2)
    )
    assert ops(passes.drop_identity(graph)) == ["Cast", "Transpose"]


def test_a_graph_of_identities_gives_its_input() -> None:
    graph = chain(("a", Identity(), {}), shape=(3,))
    changed = passes.drop_identity(graph)
    assert changed.outputs == (Value("x"),)
    assert_same(graph, changed, random(2, 3))


# --- fuse_activation -------------------------------------------------------------------


def conv(**options: Any) -> Conv:
    return Conv(strides=(1, 1), dilation_rate=(1, 1), **options)


@pytest.mark.parametrize("activation", [Unary(kind="relu"), Softmax(axis=(-1,))])
def test_fuse_activation(activation: Activation) -> None:
    graph = chain(
        ("c", conv(), {"kernel": random(3, 2, 3, 4)}), ("a", activation, {}), shape=(7, 5, 3)
    )
    changed = passes.fuse_activation(graph)
    assert [n.name for n in changed.layers] == ["a"]
    assert changed["a"].op == conv(activation=activation)
    assert_same(graph, changed, random(2, 7, 5, 3))


@pytest.mark.parametrize("activation", [Softmax(axis=(1,)), Softmax(axis=(1, 2))])
def test_activation_across_rows_is_not_fused(activation: Activation) -> None:
    """A convolution finishes its output piece by piece, and a piece is not a whole axis."""
    graph = chain(
        ("c", conv(), {"kernel": random(1, 1, 3, 4)}), ("a", activation, {}), shape=(7, 5, 3)
    )
    assert ops(passes.fuse_activation(graph)) == ["Conv", "Softmax"]


def test_activation_with_weights_is_not_fused() -> None:
    graph = chain(
        ("d", Dense(), {"kernel": random(3, 4)}), ("a", PReLU(), {"alpha": random(4)}), shape=(3,)
    )
    assert ops(passes.fuse_activation(graph)) == ["Dense", "PReLU"]


def test_second_activation_stays() -> None:
    graph = chain(
        ("d", Dense(), {"kernel": random(3, 4)}),
        ("a", Unary(kind="relu"), {}),
        ("b", Unary(kind="tanh"), {}),
        shape=(3,),
    )
    changed = passes.fuse_activation(graph)
    assert [str(n.op) for n in changed.layers] == [
        "Dense(activation=Unary(kind='relu'))", "Unary(kind='tanh')",
    ]  # fmt: skip
    assert_same(graph, changed, random(2, 3))


def branched(second_reader: bool) -> Graph:
    """A Dense whose value an activation and somebody else need."""
    build = Builder()
    x = build.input("x", TensorType((None, 3)))
    (y,) = build.add("d", Dense(), [x], {"kernel": random(3, 4)})
    (a,) = build.add("a", Unary(kind="relu"), [y])
    if second_reader:
        (a,) = build.add("m", Merge(kind="add"), [a, y])
        return build.graph(outputs=[a])
    return build.graph(outputs=[a, y])


@pytest.mark.parametrize("second_reader", [True, False])
@pytest.mark.parametrize("name", ["fuse_activation", "fold_batch_norm"])
def test_a_value_others_need_is_kept(second_reader: bool, name: str) -> None:
    graph = branched(second_reader)
    changed = passes.optimize(graph, [name])
    assert "d" in changed
    assert_same(graph, changed, random(2, 3))


# --- fold_batch_norm -------------------------------------------------------------------

PRODUCERS = [
    pytest.param(Dense(), {"kernel": (3, 4), "bias": (4,)}, (3,), 4, id="dense"),
    pytest.param(Dense(), {"kernel": (3, 4)}, (5, 3), 4, id="dense of sequences, no bias"),
    pytest.param(conv(), {"kernel": (3, 2, 3, 4), "bias": (4,)}, (7, 5, 3), 4, id="conv"),
    pytest.param(conv(groups=2), {"kernel": (3, 2, 2, 6)}, (7, 5, 4), 6, id="conv in groups"),
    pytest.param(
        DepthwiseConv(strides=(2, 1), dilation_rate=(1, 1)),
        {"kernel": (3, 2, 3, 2), "bias": (6,)}, (7, 5, 3), 6, id="depthwise",
    ),
    pytest.param(
        ConvTranspose(strides=(2, 2), dilation_rate=(1, 1)),
        {"kernel": (3, 2, 4, 3), "bias": (4,)}, (3, 5, 3), 4, id="transpose",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("op", "shapes", "shape", "channels"), PRODUCERS)
def test_fold_batch_norm(op: Op, shapes: Any, shape: Any, channels: int) -> None:
    params = {role: random(*s) for role, s in shapes.items()}
    norm = BatchNorm(axis=len(shape), epsilon=1e-3)
    graph = chain(("p", op, params), ("n", norm, statistics(channels)), shape=shape)
    changed = passes.fold_batch_norm(graph)
    assert [n.name for n in changed.layers] == ["n"]
    assert changed["n"].op == op
    assert_same(graph, changed, random(2, *shape))


def test_batch_norm_over_another_axis_stays() -> None:
    norm = BatchNorm(axis=1, epsilon=1e-3)
    graph = chain(
        ("d", Dense(), {"kernel": random(3, 4)}), ("n", norm, statistics(5)), shape=(5, 3)
    )
    assert ops(passes.fold_batch_norm(graph)) == ["Dense", "BatchNorm"]


def test_folded_weights_are_new_ones() -> None:
    kernel = random(3, 4)
    graph = chain(
        ("d", Dense(), {"kernel": kernel}),
        ("n", BatchNorm(axis=1, epsilon=1e-3), statistics(4)),
        shape=(3,),
    )
    before = kernel.copy()
    passes.fold_batch_norm(graph)
    assert np.array_equal(kernel, before)


# --- cancel_transposes -----------------------------------------------------------------

LAST, FIRST = Transpose(axes=(0, 2, 3, 1)), Transpose(axes=(0, 3, 1, 2))


def test_channels_first_block_loses_its_transposes() -> None:
    graph = chain(
        ("last", LAST, {}),
        ("conv", conv(), {"kernel": random(3, 2, 3, 4)}),
        ("first", FIRST, {}),
        ("norm", BatchNorm(axis=1, epsilon=1e-3), statistics(4)),
        ("relu", Unary(kind="relu"), {}),
        ("last_1", LAST, {}),
        ("conv_1", conv(), {"kernel": random(2, 2, 4, 5)}),
        ("first_1", FIRST, {}),
        shape=(3, 7, 6),
    )
    changed = passes.cancel_transposes(graph)
    assert ops(changed) == ["Transpose", "Conv", "BatchNorm", "Unary", "Conv", "Transpose"]
    assert_same(graph, changed, random(2, 3, 7, 6))
    best = passes.optimize(graph)
    assert ops(best) == ["Transpose", "Conv", "Conv", "Transpose"]
    assert_same(graph, best, random(2, 3, 7, 6))


def residual() -> Graph:
    """Two blocks with a shortcut, channels first, as ResNets have them."""
    build = Builder()
    value = build.input("x", TensorType((None, 4, 7, 6)))
    for block in ("a", "b"):
        (y,) = build.add(f"{block}/last", LAST, [value])
        (y,) = build.add(f"{block}/conv", conv(padding="same"), [y], {"kernel": random(3, 3, 4, 4)})
        (y,) = build.add(f"{block}/first", FIRST, [y])
        (s,) = build.add(f"{block}/short_last", LAST, [value])
        (s,) = build.add(f"{block}/short", conv(), [s], {"kernel": random(1, 1, 4, 4)})
        (s,) = build.add(f"{block}/short_first", FIRST, [s])
        (value,) = build.add(f"{block}/add", Merge(kind="add"), [y, s])
    return build.graph(outputs=[value])


def test_transposes_sink_through_a_residual_network() -> None:
    graph = residual()
    changed = passes.cancel_transposes(graph)
    assert ops(changed).count("Transpose") == 2
    assert_same(graph, changed, random(2, 4, 7, 6))


def test_transposes_that_differ_stay() -> None:
    build = Builder()
    x = build.input("x", TensorType((None, 3, 3, 3)))
    (a,) = build.add("a", LAST, [x])
    (b,) = build.add("b", FIRST, [x])
    (y,) = build.add("y", Merge(kind="subtract"), [a, b])
    (z,) = build.add("z", Concatenate(axis=1), [y, a])
    graph = build.graph(outputs=[z])
    changed = passes.cancel_transposes(graph)
    assert ops(changed) == ops(graph)
    assert_same(graph, changed, random(2, 3, 3, 3))


def test_joined_transposes() -> None:
    graph = chain(("a", LAST, {}), ("b", LAST, {}), shape=(3, 7, 6))
    changed = passes.cancel_transposes(graph)
    assert ops(changed) == ["Transpose"]
    assert_same(graph, changed, random(2, 3, 7, 6))


def test_joined_transposes_that_do_not_commute() -> None:
    graph = chain(
        ("a", Transpose(axes=(0, 2, 1, 3)), {}),
        ("b", Transpose(axes=(0, 3, 1, 2)), {}),
        shape=(3, 7, 6),
    )
    changed = passes.cancel_transposes(graph)
    assert ops(changed) == ["Transpose"]
    assert_same(graph, changed, random(2, 3, 7, 6))


# --- fold_constants --------------------------------------------------------------------


def test_fold_constants() -> None:
    build = Builder()
    x = build.input("x", TensorType((None, 3)))
    one, two = build.constant("one", random(1, 3)), build.constant("two", random(1, 3))
    (s,) = build.add("sum", Merge(kind="add"), [one, two])
    (t,) = build.add("tanh", Unary(kind="tanh"), [s])
    (y,) = build.add("y", Merge(kind="multiply"), [x, t])
    graph = build.graph(outputs=[y])
    changed = passes.fold_constants(graph, evaluate)
    assert [n.name for n in changed] == ["x", "tanh", "y"]
    assert_same(graph, changed, random(2, 3))


def test_large_results_are_not_folded() -> None:
    build = Builder()
    row = build.constant("row", np.ones((1, 3000), np.float32))
    column = build.constant("column", np.ones((3000, 1), np.float32))
    (y,) = build.add("y", Merge(kind="add"), [row, column])
    assert "Merge" in ops(passes.fold_constants(build.graph(outputs=[y]), evaluate))
