"""Thirty faults, each put into one node of a golden model: the report names that node.

The faults are those that converters are known for. A model with a fault is
compared with the model as it is, node by node, and with what real Keras
answered, layer by layer. With no fault there is no alarm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN, recorded
from layergraph.backends.numpy.interpreter import Interpreter
from layergraph.ir.build import Builder
from layergraph.ir.graph import Graph, Node, Value
from layergraph.ir.ops.activation import HardSigmoid
from layergraph.ir.ops.shape import Pad
from layergraph.ir.types import Array
from layergraph.tools.comparison.report import Report

Spoil = Callable[[Node], Node | tuple[Node, ...]]


def weight(role: str, change: Callable[[Array], Array]) -> Spoil:
    """Another array in one role."""

    def spoil(node: Node) -> Node:
        array = node.params[role]
        changed = np.ascontiguousarray(change(array), array.dtype)
        assert changed.shape == array.shape
        assert (changed != array).any()
        return replace(node, params={**node.params, role: changed})

    return spoil


def option(**attributes: Any) -> Spoil:
    """Other attributes of the operator."""

    def spoil(node: Node) -> Node:
        op: Any = node.op
        assert all(getattr(op, name) != value for name, value in attributes.items())
        return replace(node, op=replace(op, **attributes))

    return spoil


def padded(*padding: tuple[int, int]) -> Spoil:
    """Zeros put around the input, where the node itself would have padded."""

    def spoil(node: Node) -> tuple[Node, ...]:
        op: Any = node.op
        (value,) = node.arguments
        pad = Node(name=f"{node.name}/padded", op=Pad(padding=padding), inputs=(value,), types=())
        given = (Value(pad.name),)
        return pad, replace(node, op=replace(op, padding="valid"), inputs=given)

    return spoil


def no_mask(node: Node) -> Node:
    """The mask does not arrive."""
    assert node.inputs[1] is not None
    return replace(node, inputs=(node.inputs[0], None, *node.inputs[2:]))


def swapped(count: int, i: int, j: int) -> Callable[[Array], Array]:
    """Two of the gates exchanged, as where one library says i, f, c, o and another i, c, f, o."""

    def change(array: Array) -> Array:
        gates = np.split(array, count, axis=-1)
        gates[i], gates[j] = gates[j], gates[i]
        return np.concatenate(gates, axis=-1)

    return change


def to_half(array: Array) -> Array:
    return array.astype(np.float16).astype(array.dtype)


def transposed(array: Array) -> Array:
    return array.swapaxes(0, 1)


@dataclass(frozen=True)
class Fault:
    """One fault: in which model, at which node, and what is wrong."""

    model: str
    node: str
    what: str
    spoil: Spoil


FAULTS = (
    # Convolutional models.
    Fault("cnn", "conv2d/conv", "kernel transposed in space", weight("kernel", transposed)),
    Fault("cnn", "conv2d_1/conv", "kernel mirrored: a true convolution",
          weight("kernel", lambda k: k[::-1, ::-1])),
    Fault("cnn", "dense/dense", "rows as flattened with channels first",
          weight("kernel", lambda k: k.reshape(7, 7, 32, -1).transpose(2, 0, 1, 3)
                 .reshape(k.shape))),
    Fault("cnn", "average_pooling2d", "largest instead of mean", option(kind="max")),
    Fault("cnn", "dense", "softmax over the rows", option(axis=(0,))),
    Fault("cnn", "conv2d/conv", "weights rounded to float16", weight("kernel", to_half)),
    Fault("cnn", "dense/dense", "one stale weight",
          weight("bias", lambda b: np.where(np.arange(len(b)) == 7, 0.05, b))),
    Fault("same_padding", "conv2d_1", "groups interleaved",
          weight("kernel", lambda k: k[..., [0, 2, 1, 3]])),
    Fault("same_padding", "average_pooling2d", "padding counted as zeros",
          padded((0, 1), (0, 1))),
    Fault("separable_convolutions", "separable_conv2d/depthwise", "the odd row padded in front",
          padded((1, 0), (1, 1))),
    Fault("causal_conv1d", "conv1d/conv", "same instead of causal", option(padding="same")),
    Fault("causal_conv1d", "zero_padding1d", "padding on the other side",
          option(padding=((2, 1),))),
    Fault("causal_conv1d", "cropping1d", "crop off by one", option(cropping=((1, 2),))),
    Fault("separable_convolutions", "depthwise_conv2d", "multipliers before channels",
          weight("kernel", lambda k: k.swapaxes(2, 3).reshape(k.shape))),
    Fault("transposed_convolutions", "conv2d_transpose_1", "kernel not mirrored",
          weight("kernel", lambda k: k[::-1, ::-1])),
    Fault("batch_normalization", "batch_normalization", "wrong epsilon", option(epsilon=0.001)),
    Fault("batch_normalization", "batch_normalization_2", "standard deviation for variance",
          weight("moving_variance", np.sqrt)),
    Fault("shapes", "up_sampling2d_1", "nearest instead of bilinear",
          option(interpolation="nearest")),
    # SimpleRNN, LSTM, GRU.
    Fault("simple_rnn", "simple_rnn", "recurrent kernel transposed",
          weight("recurrent_kernel", transposed)),
    Fault("simple_rnn", "embedding", "table shifted by one row",
          weight("embeddings", lambda t: np.roll(t, 1, axis=0))),
    Fault("lstm", "lstm", "gates f and c exchanged", weight("kernel", swapped(4, 1, 2))),
    Fault("lstm", "lstm", "mask lost", no_mask),
    Fault("hard_sigmoid_lstm", "lstm", "hard_sigmoid of Keras 3",
          option(recurrent_activation=HardSigmoid(slope=1 / 6))),
    Fault("gru_resets", "reset_after", "gates z and r exchanged",
          weight("recurrent_kernel", swapped(3, 0, 1))),
    Fault("gru_resets", "backwards", "run forwards", option(go_backwards=False)),
    Fault("bidirectional_lstm", "bidirectional", "both directions with the same weights",
          lambda node: replace(node, params={
              **node.params, "backward_kernel": node.params["forward_kernel"]})),
    # Attention.
    Fault("attention", "heads/scaled", "scores not scaled", option(factor=1.0)),
    Fault("attention", "heads/mask", "masks joined the wrong way", option(kind="or")),
    Fault("attention", "heads", "heads exchanged", weight("kernel", lambda k: k[::-1])),
    Fault("attention", "normalized", "epsilon of another library", option(epsilon=1e-6)),
)  # fmt: skip

SWALLOWED = {"attention-tfkeras": "heads/weights"}
"""No false alarm: Keras 2 hides a score by adding -1e9, and where all of a row are hidden, float32
loses the scores in that and float64 does not."""

MODELS = sorted({path.parent for path in GOLDEN.glob("*/model.*")})


def spoilt(graph: Graph, fault: Fault) -> Graph:
    """The graph with the fault in it; types are inferred anew."""
    build = Builder()
    for node in graph:
        made = fault.spoil(node) if node.name == fault.node else node
        for each in made if isinstance(made, tuple) else (made,):
            build.add(each.name, each.op, each.inputs, each.params, each.sources)
    return build.graph(
        inputs=graph.inputs,
        outputs=graph.outputs,
        input_structure=graph.input_structure,
        output_structure=graph.output_structure,
        origin=graph.origin,
    )


def plain(graph: Graph) -> Interpreter:
    return Interpreter(graph, optimize=False)


def named(report: Report) -> str | None:
    """The node that the report holds to be at fault."""
    assert report.first is None or report.first is report.culprit
    return report.first.key if report.first else None


def test_there_are_thirty() -> None:
    assert len(FAULTS) == 30
    assert len({(f.model, f.node, f.what) for f in FAULTS}) == 30


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f.model}: {f.what}")
def test_the_faulty_node_is_named(fault: Fault) -> None:
    folder = GOLDEN / f"{fault.model}-tfkeras"
    good = lg.load(folder / "model.h5")
    bad = spoilt(good, fault)
    golden = recorded(folder / "model.h5")
    report = lg.compare(plain(bad), plain(good), dict(golden.inputs))
    assert named(report) == fault.node, report
    assert report.verdict == "fault"
    assert [row.key for row in report.faults] == [fault.node]
    # Keras shows layers, not the steps within them.
    layer = fault.node if fault.node in golden.nodes else good[fault.node].sources[0].layer
    report = lg.compare(plain(bad), golden.side())
    assert named(report) == layer, report
    assert [row.key for row in report.faults] == [layer]


@pytest.mark.parametrize("folder", MODELS, ids=lambda path: path.name)
def test_no_fault_no_alarm(folder: Path) -> None:
    for model in sorted(folder.glob("model.*")):
        graph, golden = lg.load(model), recorded(model)
        for run in (plain(graph), Interpreter(graph)):
            report = lg.compare(run, golden.side())
            assert report, report
        report = lg.compare(Interpreter(graph), plain(lg.load(model, dtype="float64")))
        assert named(report) == SWALLOWED.get(folder.name), report
