"""Parts of models: beside live Keras' sub-models, and put together again."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN
from layergraph.ir.check import validate
from layergraph.ir.graph import Graph, flatten
from layergraph.tools.convert import sample
from support import assert_close, keras_of

GRAPHS = sorted(p for p in GOLDEN.glob("*/model.*") if p.suffix in (".keras", ".h5"))


def run(graph: Graph, feeds: dict[str, Any]) -> dict[str, Any]:
    """Outputs by name, of the graph as it is."""
    validate(graph)
    given = {name: feeds[name] for name in graph.inputs}
    found = lg.Interpreter(graph, optimize=False).run(None, given)
    return dict(zip(map(str, graph.outputs), found, strict=True))


def attempted(known: str, cut: Callable[[], Any]) -> Any:
    """What a cut gives, or what it says of why it cannot be; that has to be a known reason."""
    try:
        return cut()
    except lg.GraphError as error:
        said = str(error)
    assert re.search(known, said), said
    return said


def assert_whole(graph: Graph, head: Graph, tail: Graph) -> None:
    """The tail on the head is the graph, to the last bit."""
    feeds = sample(graph)
    crossing = run(head, feeds)
    assert tail.inputs[: len(crossing)] == tuple(crossing)
    wanted, found = run(graph, feeds), run(tail, {**feeds, **crossing})
    for one, two in zip(wanted.values(), found.values(), strict=True):
        assert np.array_equal(one, two, equal_nan=True)
    assert tail.output_structure == graph.output_structure


@pytest.mark.parametrize("path", GRAPHS, ids=lambda p: f"{p.parent.name}{p.suffix}")
def test_split_at_every_node(path: Path) -> None:
    graph = lg.load(path)
    known = r"nothing follows|nothing that the model returns depends|is not the batch"
    done = 0
    for node in graph:
        parts = attempted(known, lambda name=node.name: lg.split(graph, name))
        if not isinstance(parts, str):
            assert_whole(graph, *parts)
            done += 1
    assert done or len(graph.layers) < 3


@pytest.mark.parametrize("path", GRAPHS, ids=lambda p: f"{p.parent.name}{p.suffix}")
def test_what_is_proposed_works(path: Path) -> None:
    """The error of an inner cut names layers; with them it is none, and computes the same."""
    graph = lg.load(path)
    for node in graph:
        known = r"--inputs (\S+)|is not the batch|nothing that is returned"
        part = attempted(known, lambda name=node.name: lg.extract(graph, inputs=name))
        if isinstance(part, str):
            proposed = re.search(r"--inputs (\S+)", part)
            if not proposed:
                continue
            part = lg.extract(graph, inputs=proposed[1].split(","))
        feeds = sample(graph)
        names = list(part.inputs)
        values = lg.Interpreter(graph, optimize=False).run(names, feeds)
        wanted, found = run(graph, feeds), run(part, dict(zip(names, values, strict=True)))
        for one, two in zip(wanted.values(), found.values(), strict=True):
            assert np.array_equal(one, two, equal_nan=True)


# --- beside live Keras -----------------------------------------------------------------


def cnn(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            layers.Input((9, 7, 2)),
            layers.Conv2D(3, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(4, activation="tanh", name="features"),
            layers.Dense(3, activation="softmax", name="classes"),
        ]
    )


def masked(k: Any) -> Any:
    layers = k.layers
    words = k.Input((6,), dtype="int32", name="words")
    x = layers.Embedding(11, 5, mask_zero=True, name="table")(words)
    x = layers.LSTM(4, return_sequences=True, name="first")(x)
    return k.Model(words, layers.Dense(3, name="answer")(layers.LSTM(7, name="second")(x)))


def residual(k: Any) -> Any:
    layers = k.layers
    image = k.Input((8, 7, 3), name="image")
    x = layers.Conv2D(4, 3, padding="same", name="stem")(image)
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="inner")(x)
    y = layers.Conv2D(4, 1, name="outer")(layers.BatchNormalization(name="norm")(y))
    return k.Model(image, layers.GlobalAveragePooling2D(name="mean")(
        layers.Add(name="sum")([x, y])))  # fmt: skip


def branches(k: Any) -> Any:
    layers = k.layers
    left, right = k.Input((5,), name="left"), k.Input((3,), name="right")
    shared = layers.Dense(4, activation="tanh", name="shared")
    a = layers.Dense(6, name="wide")(left)
    one, two = shared(a), shared(layers.Dense(6, name="grown")(right))
    joined = layers.Concatenate(name="joined")([one, two])
    return k.Model([left, right], [layers.Dense(2, name="head")(joined),
                                   layers.Dense(1, name="other")(one)])  # fmt: skip


def states(k: Any) -> Any:
    layers = k.layers
    x = k.Input((6, 3), name="x")
    every, h, c = layers.LSTM(4, return_sequences=True, return_state=True, name="lstm")(x)
    again = layers.LSTM(4, name="again")(every, initial_state=[h, c])
    return k.Model(x, again)


OUTPUTS = [
    (cnn, ["conv"]), (cnn, ["flat"]), (cnn, ["features"]), (cnn, ["pool", "features"]),
    (masked, ["table"]), (masked, ["first"]), (masked, ["second"]),
    (residual, ["inner"]), (residual, ["norm", "stem"]), (residual, ["sum"]),
    (branches, ["wide"]), (branches, ["shared"]), (branches, ["joined", "other"]),
    (states, ["lstm"]),
]  # fmt: skip


def saved(build: Any, writer: str, folder: Path) -> tuple[Any, Any, Graph]:
    """A live model with weights that show, and its graph."""
    keras = keras_of(writer)
    keras.backend.clear_session()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = build(keras)
        rng = np.random.default_rng(1)
        model.set_weights([rng.uniform(0.1, 0.9, w.shape) - 0.3 * (w.ndim > 1)
                           for w in model.get_weights()])  # fmt: skip
        model.save(folder / "model.keras")
    return keras, model, lg.load(folder / "model.keras")


@pytest.mark.live
@pytest.mark.parametrize("writer", ["keras", "tf_keras"])
@pytest.mark.parametrize(
    ("build", "names"), OUTPUTS, ids=lambda v: ",".join(v) if isinstance(v, list) else v.__name__
)
def test_outputs_are_those_of_a_sub_model(
    build: Any, names: list[str], writer: str, tmp_path: Path
) -> None:
    keras, model, graph = saved(build, writer, tmp_path)
    wanted = []
    for name in names:
        node = model.get_layer(name)
        several = name == "shared"
        found = node.get_output_at(0) if several and writer == "tf_keras" else None
        if several and found is None:
            found = node._inbound_nodes[0].outputs[0]
        wanted.append(node.output if found is None else found)
    sub = keras.Model(model.inputs, wanted if len(wanted) > 1 else wanted[0])
    part = lg.extract(graph, outputs=names)
    validate(part)
    feeds = sample(graph)
    live = sub([feeds[i] for i in graph.inputs] if len(feeds) > 1 else next(iter(feeds.values())))
    found = lg.Interpreter(part).run(None, {name: feeds[name] for name in part.inputs})
    flat = [np.asarray(a) for item in (live if isinstance(live, list) else [live])
            for a in (item if isinstance(item, (list, tuple)) else [item])]  # fmt: skip
    for ours, theirs in zip(found, flat, strict=True):
        assert_close(ours, theirs)


@pytest.mark.live
@pytest.mark.parametrize("writer", ["keras", "tf_keras"])
@pytest.mark.parametrize("build", [cnn, masked, residual, branches, states])
def test_head_and_tail_make_the_live_model(build: Any, writer: str, tmp_path: Path) -> None:
    _, model, graph = saved(build, writer, tmp_path)
    feeds = sample(graph)
    arrays = [feeds[name] for name in graph.inputs]
    live = model(arrays if len(arrays) > 1 else arrays[0])
    wanted = [np.asarray(a) for a in (live if isinstance(live, (list, tuple)) else [live])]
    done = 0
    for name in [layer.name for layer in model.layers[:-1]]:
        parts = attempted("nothing follows", lambda name=name: lg.split(graph, name))
        if isinstance(parts, str):
            continue
        head, tail = parts
        first = run(head, feeds)
        found = lg.Interpreter(tail)(*({**feeds, **first}[n] for n in tail.inputs))
        for ours, theirs in zip(flatten(found, tail.output_structure), wanted, strict=True):
            assert_close(ours, theirs)
        done += 1
    assert done > 1


# --- what crosses, and what is said ----------------------------------------------------


def test_a_skip_crosses_a_split_and_is_named_by_extract(tmp_path: Path) -> None:
    _, _, graph = saved(residual, "keras", tmp_path)
    head, tail = lg.split(graph, "norm")
    assert tail.inputs == ("norm", "stem")
    assert [str(v) for v in head.outputs] == ["norm", "stem"]
    with pytest.raises(lg.GraphError, match=r"also reads 'stem'.*--inputs norm,stem"):
        lg.extract(graph, inputs="norm")
    part = lg.extract(graph, inputs=["norm", "stem"], outputs="sum")
    assert part.inputs == ("norm", "stem")
    assert [n.name for n in part.layers] == ["outer", "sum"]


def test_masks_cross_by_themselves(tmp_path: Path) -> None:
    _, _, graph = saved(masked, "tf_keras", tmp_path)
    part = lg.extract(graph, inputs="first")
    assert part.inputs == ("first", "table/mask")
    assert str(part["table/mask"].types[0]) == "bool[?, 6]"
    assert lg.extract(graph, inputs="table").inputs == ("table", "table/mask")
    # Behind the last layer that reads it, none is needed.
    assert lg.extract(graph, inputs="second").inputs == ("second",)


def test_calls_steps_and_outputs_have_names(tmp_path: Path) -> None:
    _, _, graph = saved(branches, "keras", tmp_path)
    part = lg.extract(graph, outputs=["shared:1"])
    assert part.inputs == ("right",)
    assert part.input_structure == part.output_structure == 0
    # An input that feeds no layer of the cut stays one.
    assert lg.extract(graph, inputs=["shared"]).inputs == ("shared", "right")
    _, _, graph = saved(states, "keras", tmp_path)
    assert len(lg.extract(graph, outputs="lstm").outputs) == 3
    assert [str(v) for v in lg.extract(graph, outputs=["lstm#2"]).outputs] == ["lstm#2"]
    assert lg.extract(graph, inputs="lstm").inputs == ("lstm", "lstm#1", "lstm#2")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"outputs": "featurs"}, "no layer 'featurs'; did you mean 'features'"),
        ({"inputs": "features", "outputs": "flat"}, "nothing that is returned depends"),
        ({"inputs": ["flat", "features"]}, "depends on layer 'flat', or only through another"),
        ({"outputs": []}, "no layer is named"),
    ],
)
def test_cuts_that_make_no_sense(options: Any, said: str, tmp_path: Path) -> None:
    _, _, graph = saved(cnn, "keras", tmp_path)
    with pytest.raises(lg.GraphError, match=said):
        lg.extract(graph, **options)


def test_ends_of_a_model_cannot_be_split_off(tmp_path: Path) -> None:
    _, _, graph = saved(cnn, "keras", tmp_path)
    with pytest.raises(lg.GraphError, match="nothing follows layer 'classes'"):
        lg.split(graph, "classes")


def test_structures_keep_what_is_left() -> None:
    graph = lg.load(GOLDEN / "dictionaries-keras3" / "model.keras")
    part = lg.extract(graph, outputs="large")
    assert part.inputs == ("zebra",)
    assert part.input_structure == {"zebra": 0}
    assert lg.Interpreter(part)({"zebra": np.zeros((2, 5), "float32")}).shape == (2, 4)
