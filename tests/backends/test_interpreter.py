"""The interpreter's promises: feeds checked, any node by name, threads, memory it owns."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from files import GOLDEN, recorded
from layergraph.backends.numpy import scratch, threads
from layergraph.ir.build import Builder
from layergraph.ir.graph import Graph
from layergraph.ir.ops.elementwise import Unary
from layergraph.ir.ops.linear import Dense
from layergraph.ir.ops.shape import Flatten, Identity, Reshape
from layergraph.ir.types import TensorType

TWO = GOLDEN / "several_inputs_and_outputs-keras3" / "model.keras"
CNN = GOLDEN / "cnn-tfkeras" / "model.h5"


@pytest.fixture(scope="module")
def two() -> tuple[lg.Interpreter, Mapping[str, Any]]:
    return lg.Interpreter(TWO), recorded(TWO).inputs


@pytest.fixture(scope="module")
def cnn() -> lg.Interpreter:
    return lg.Interpreter(CNN)


def images(rows: int) -> Any:
    return np.random.default_rng(0).random((rows, 32, 32, 3), np.float32)


def test_inputs_by_position_list_and_name(two: Any) -> None:
    interp, feeds = two
    arrays = [feeds[name] for name in interp.inputs]
    by_position, by_list, by_name = interp(*arrays), interp(arrays), interp(feeds)
    for other in (by_list, by_name):
        assert all(np.array_equal(a, b) for a, b in zip(by_position, other, strict=True))


def test_run_gives_any_node(two: Any) -> None:
    interp, feeds = two
    read, joined = interp.run(["read", "joined"], feeds)
    assert np.array_equal(joined[:, : read.shape[1]], read)
    np.testing.assert_allclose(read, recorded(TWO).nodes["read"], rtol=1e-5, atol=1e-5)


def test_run_computes_only_what_is_asked_for(two: Any) -> None:
    interp, feeds = two
    (read,) = interp.run(["read"], {"words": feeds["words"]})
    assert read.shape[0] == len(feeds["words"])


def test_run_gives_what_a_pass_fused_away(cnn: lg.Interpreter) -> None:
    x = images(2)
    before, after = cnn.run(["conv2d/conv", "conv2d"], {"input_1": x})
    assert np.array_equal(np.maximum(before, 0), after)
    assert before.min() < 0


def test_outputs_keep_their_names_through_passes() -> None:
    build = Builder()
    x = build.input("x", TensorType((None, 3)))
    (y,) = build.add("tanh", Unary(kind="tanh"), [x])
    (out,) = build.add("dropout", Identity(), [y])
    interp = lg.Interpreter(build.graph(outputs=[out]))
    assert list(interp.outputs) == ["dropout"]
    array = np.ones((2, 3), np.float32)
    assert np.array_equal(interp.run(["dropout"], {"x": array})[0], interp(array))


def test_trace_shows_every_node_as_read(cnn: lg.Interpreter) -> None:
    plain = lg.Interpreter(CNN, optimize=False)
    steps = list(plain.trace(images(1)))
    names = [node.name for node in plain.graph.layers]
    assert [s.name for s in steps] == names
    assert all(s.seconds >= 0 and s.outputs for s in steps)
    assert len(list(cnn.trace(images(1)))) < len(names)


def test_profile_adds_up(cnn: lg.Interpreter) -> None:
    profile = cnn.profile(images(1), repeat=2)
    assert sum(n.share for n in profile.nodes) == pytest.approx(1)
    assert [n.name for n in profile.nodes] == [n.name for n in cnn.graph.layers]
    assert "dense" in str(profile)


def test_predict_in_batches_is_a_call(cnn: lg.Interpreter) -> None:
    x = images(7)
    np.testing.assert_allclose(cnn.predict(x, batch_size=3), cnn(x), atol=1e-5)
    assert cnn.predict(x[:0]).shape == (0, 10)


def test_passes_are_switchable() -> None:
    graph = lg.load(CNN)
    fused = lg.Interpreter(graph, optimize=["fuse_activation"]).graph
    plain = lg.Interpreter(graph, optimize=False).graph
    assert len(fused) < len(plain) == len(graph)
    with pytest.raises(lg.GraphError, match="no pass 'faster'"):
        lg.Interpreter(graph, optimize=["faster"])


@pytest.mark.parametrize("name", ["cnn-tfkeras", "bidirectional_lstm-tfkeras", "gru_resets-keras3"])
def test_threads_share_one_interpreter(name: str) -> None:
    file = next((GOLDEN / name).glob("model.*"))
    interp = lg.Interpreter(file)
    feeds = recorded(file).inputs
    (array,) = feeds.values()
    # Different batch sizes, so that shape caches and work buffers are contended.
    batches = [np.repeat(array, n, axis=0) for n in (1, 2, 3)] * 8
    want = [interp(batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(interp, batches))
    for one, other in zip(want, got, strict=True):
        for a, b in zip(np.atleast_1d(one), np.atleast_1d(other), strict=True):
            np.testing.assert_array_equal(a, b)


def test_results_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles are the same, whoever computes them."""
    monkeypatch.setattr(threads, "WORTH_SPREADING", 0)
    one, three = (lg.Interpreter(CNN, threads=n) for n in (1, 3))
    for rows in (1, 40):
        np.testing.assert_array_equal(one(images(rows)), three(images(rows)))
    with pytest.raises(lg.InputError, match="threads is a number from 1 on"):
        lg.Interpreter(CNN, threads=0)


def test_what_fails_in_a_tile_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "WORTH_SPREADING", 0)
    monkeypatch.setattr(scratch.current, "threads", 2)

    def tile(i: int) -> None:
        if i == 5:
            raise ValueError("tile 5")

    for _ in range(20):
        with pytest.raises(ValueError, match="tile 5"):
            threads.spread(tile, 9, 1.0)
    done: list[int] = []
    threads.spread(done.append, 9, 1.0)
    assert sorted(done) == list(range(9))


def test_blas_gets_its_threads_back(cnn: lg.Interpreter) -> None:
    before = threads.available_threads()
    with threads.blas_on_one_thread():
        assert threads.available_threads() == before
        cnn(images(1))
    steps = cnn.trace(images(1))
    next(steps)
    del steps
    assert threads.available_threads() == before


def test_a_kept_value_is_never_overwritten(cnn: lg.Interpreter) -> None:
    """Outputs lie in blocks that are used again once nobody holds them or a view of them."""
    x = images(8)
    kept = [step.outputs[0][1:].reshape(-1) for step in cnn.trace(x)]
    copies = [value.copy() for value in kept]
    for _ in range(3):
        cnn(images(8) + 1)
        list(cnn.trace(images(8) + 2))
    assert all(np.array_equal(a, b) for a, b in zip(kept, copies, strict=True))
    assert max(value.nbytes for value in kept) > scratch.SMALL_BYTES


def test_blocks_are_used_again() -> None:
    arena = scratch.Arena()
    first = arena.empty((100, 1000), np.float32)
    address, view = first.ctypes.data, first[3:]
    assert address % scratch.LINE == 0
    del first
    other = arena.empty((100, 1000), np.float32)
    assert other.ctypes.data != address
    del view
    assert arena.empty((90, 1000), np.float32).ctypes.data == address


def test_profile_names_the_variant(cnn: lg.Interpreter) -> None:
    found = {n.name: n.variant for n in cnn.profile(images(1), repeat=1).nodes}
    assert found["conv2d"] == "planar"
    assert found["dense"] == ""
    assert "[planar]" in str(cnn.profile(images(1), repeat=1))


def test_results_are_the_callers(cnn: lg.Interpreter) -> None:
    x = images(2)
    first = cnn(x)
    kept = first.copy()
    first[:] = -1
    assert np.array_equal(cnn(x), kept)


def identity_graph() -> Graph:
    """An output that is an input seen through views, twice."""
    build = Builder()
    x = build.input("x", TensorType((None, 4)))
    (y,) = build.add("reshape", Reshape(target_shape=(2, 2)), [x])
    (z,) = build.add("flatten", Flatten(), [y])
    return build.graph(outputs=[z, z, x])


@pytest.mark.parametrize("optimize", [True, False])
def test_outputs_never_alias_feeds_or_each_other(optimize: bool) -> None:
    array = np.arange(8, dtype=np.float32).reshape(2, 4)
    outputs = lg.Interpreter(identity_graph(), optimize=optimize)(array)
    for i, one in enumerate(outputs):
        assert np.array_equal(one, array)
        assert not np.may_share_memory(one, array)
        assert not any(np.may_share_memory(one, other) for other in outputs[i + 1 :])


def test_weights_are_not_written_to(tmp_path: Any) -> None:
    lg.convert(CNN, tmp_path / "cnn.lg")
    graph = lg.load(tmp_path / "cnn.lg")
    assert not any(a.flags.writeable for a in graph.parameters.values())
    assert lg.Interpreter(graph)(images(2)).shape == (2, 10)


# --- what does not fit ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "words"),
    [
        pytest.param([np.zeros((32, 32, 3), "f4")], ["float32[?, 32, 32, 3]", "x[None]"], id="no batch"),
        pytest.param([np.zeros((1, 3, 32, 32), "f4")], ["np.moveaxis(x, 1, -1)"], id="channels first"),
        pytest.param([np.zeros((1, 32, 31, 3), "f4")], ["[1, 32, 31, 3]"], id="size"),
        pytest.param([np.zeros((1, 32, 32), "f4")], ["reshape"], id="no channels"),
        pytest.param([np.full((1, 32, 32, 3), "a")], ["dtype <U1"], id="text"),
        pytest.param([np.zeros((1, 32, 32, 3), "c8")], ["complex64"], id="complex"),
        pytest.param([[[1, 2], [3]]], ["unequal length", "pad"], id="ragged"),
        pytest.param([], ["1 inputs", "got 0"], id="nothing"),
        pytest.param([np.zeros(1), np.zeros(1)], ["got 2 arrays"], id="too many"),
        pytest.param([{"imput_1": np.zeros(1)}], ["no input 'imput_1'", "did you mean 'input_1'"], id="name"),
        pytest.param([{}], ["'input_1' is missing"], id="missing"),
    ],
)  # fmt: skip
def test_wrong_feeds(cnn: lg.Interpreter, args: list[Any], words: list[str]) -> None:
    with pytest.raises(lg.InputError) as caught:
        cnn(*args)
    assert isinstance(caught.value, ValueError)
    for word in words:
        assert word in str(caught.value), f"{word!r} is not in: {caught.value}"


def test_fractions_for_whole_numbers(two: Any) -> None:
    interp, feeds = two
    whole = interp({**feeds, "words": feeds["words"].astype("float64")})
    assert np.array_equal(whole[0], interp(feeds)[0])
    with pytest.raises(lg.InputError, match="cannot hold"):
        interp({**feeds, "words": feeds["words"] + 0.5})


def test_batches_that_differ(two: Any) -> None:
    interp, feeds = two
    with pytest.raises(lg.InputError, match="different batch sizes"):
        interp({**feeds, "words": feeds["words"][:1]})


def test_unknown_node(cnn: lg.Interpreter) -> None:
    with pytest.raises(lg.InputError, match="did you mean 'dense'"):
        cnn.run(["dens"], {"input_1": images(1)})
    with pytest.raises(lg.InputError, match="dense#3"):
        cnn.run(["dense#3"], {"input_1": images(1)})


def test_token_out_of_the_vocabulary() -> None:
    interp = lg.Interpreter(GOLDEN / "lstm-keras3" / "model.keras")
    (type_,) = interp.inputs.values()
    x = np.zeros((1, *(d or 5 for d in type_.shape[1:])), "float32")
    x[0, 0] = 10**6
    with pytest.raises(lg.InputError, match=r"layer 'embedding' \(Embedding\): .* row 1000000"):
        interp(x)


def test_kernel_that_fails_names_the_layer(monkeypatch: Any) -> None:
    graph = lg.load(CNN)
    interp = lg.Interpreter(graph, optimize=False)

    def broken(*arrays: Any) -> Any:
        raise ZeroDivisionError("boom")

    plan = interp._plan
    plan.steps = tuple(
        s._replace(kernel=broken) if s.node.name == "dense/dense" else s for s in plan.steps
    )
    with pytest.raises(lg.KernelError) as caught:
        interp(images(1))
    for word in ("dense/dense", "'dense' (Dense)", "float32[1, 1568]", "boom", "report"):
        assert word in str(caught.value)


def test_no_kernel() -> None:
    class Unheard(Dense):
        __slots__ = ()

    Unheard.__module__ = Dense.__module__
    build = Builder()
    x = build.input("x", TensorType((None, 3)))
    (y,) = build.add("y", Unheard(), [x], {"kernel": np.ones((3, 2), np.float32)})
    with pytest.raises(lg.UnsupportedError, match="no kernel"):
        lg.Interpreter(build.graph(outputs=[y]))
