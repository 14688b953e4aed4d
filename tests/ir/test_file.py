"""The IR file: written whole or not at all, mapped at load, and trusted in nothing."""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import layergraph as lg
from files import GOLDEN, recorded
from layergraph.ir.build import Builder
from layergraph.ir.ops.linear import Dense
from layergraph.ir.types import TensorType

MODEL = GOLDEN / "nested_shared-keras3" / "model.keras"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    lg.convert(MODEL, tmp_path / "model.lg")
    return tmp_path / "model.lg"


def test_round_trip(path: Path) -> None:
    graph, back = lg.load(MODEL), lg.load(path)
    assert str(back) == str(graph)
    assert back.origin == graph.origin
    feeds = recorded(MODEL).inputs
    assert np.array_equal(lg.Interpreter(graph)(feeds), lg.Interpreter(back)(feeds))


def test_shared_weights_are_stored_once(path: Path) -> None:
    graph = lg.load(path)
    first, second = graph["shared/dense"].params, graph["shared:1/dense"].params
    assert first["kernel"] is second["kernel"]
    stored = load_file(path)
    assert sum(a.nbytes for a in stored.values()) == sum(
        a.nbytes for a in graph.parameters.values()
    )


def test_weights_stay_in_the_file(path: Path) -> None:
    for array in lg.load(path).parameters.values():
        base: Any = array
        while isinstance(base, np.ndarray) and base.base is not None:
            base = base.base
        assert isinstance(getattr(base, "obj", base), mmap.mmap)
        assert array.flags.aligned
        assert not array.flags.writeable


def test_it_is_a_safetensors_file(path: Path) -> None:
    assert set(load_file(path)) >= {"shared/dense/kernel", "encoder/dense/bias"}


def test_saving_what_was_loaded_over_itself(path: Path) -> None:
    before = path.read_bytes()
    lg.save(lg.load(path), path)
    assert path.read_bytes() == before


def test_writing_over_a_file_leaves_its_readers_alone(path: Path) -> None:
    """The weights of a loaded graph are mapped, so the old file must live on."""
    graph = lg.load(path)
    kept = {id(a): a.copy() for a in graph.parameters.values()}
    lg.convert(GOLDEN / "cnn-keras3" / "model.keras", path, overwrite=True)
    assert all(np.array_equal(a, kept[id(a)]) for a in graph.parameters.values())


def test_permissions_are_those_of_a_new_file(path: Path) -> None:
    (path.parent / "other").touch()
    assert path.stat().st_mode == (path.parent / "other").stat().st_mode


def test_a_failed_write_leaves_the_old_file(path: Path, monkeypatch: Any) -> None:
    before = path.read_bytes()

    def broken(*args: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("layergraph.ir.writing.Draft.write", broken)
    with pytest.raises(lg.FileFormatError, match="No space left"):
        lg.save(lg.load(path), path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(lg.FileFormatError, match="choose a folder that exists"):
        lg.convert(MODEL, tmp_path / "nope" / "model.lg")


def test_an_existing_target_is_kept(path: Path) -> None:
    with pytest.raises(lg.FileFormatError, match="overwrite"):
        lg.convert(MODEL, path)
    lg.convert(MODEL, path, overwrite=True)


def test_unknown_extension(tmp_path: Path) -> None:
    with pytest.raises(lg.FileFormatError, match=r"cannot write \.pt"):
        lg.convert(MODEL, tmp_path / "model.pt")


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "uint32", "bool"])
def test_dtypes(tmp_path: Path, dtype: str) -> None:
    build = Builder()
    value = build.constant("c", np.array([[0, 1, 2]]).astype(dtype))
    lg.save(build.graph(outputs=[value]), tmp_path / "c.lg")
    back = lg.load(tmp_path / "c.lg")["c"].params["value"]
    assert back.dtype == dtype
    assert back.tolist() == np.array([[0, 1, 2]]).astype(dtype).tolist()


def test_odd_arrays(tmp_path: Path) -> None:
    """Empty, transposed and big-endian arrays come back as values."""
    build = Builder()
    x = build.input("x", TensorType((None, 3)))
    kernel = np.arange(6, dtype=">f4").reshape(2, 3).T
    (y,) = build.add("y", Dense(), [x], {"kernel": kernel.astype("f4", order="K")})
    build.constant("empty", np.empty((0, 4), np.float32))
    lg.save(build.graph(outputs=[y]), tmp_path / "odd.lg")
    back = lg.load(tmp_path / "odd.lg")
    assert np.array_equal(back["y"].params["kernel"], kernel)
    assert back["empty"].params["value"].shape == (0, 4)


# --- files that are not to be trusted --------------------------------------------------


def rewritten(path: Path, change: Any) -> Path:
    """The file with its graph's JSON changed."""
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        data = json.loads(file.metadata()["layergraph"])
    change(data)
    arrays = load_file(path)
    save_file(arrays, path, metadata={"layergraph": json.dumps(data)})
    return path


def damaged(change: Any, *words: str, id: str) -> Any:  # noqa: A002 - as pytest.param has it
    return pytest.param(change, words, id=id)


def nodes(change: Any) -> Any:
    return lambda data: change(data["nodes"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        damaged(lambda d: d.update(schema=2), "newer layergraph", "update", id="newer"),
        damaged(lambda d: d.pop("schema"), "damaged", id="no schema"),
        damaged(lambda d: d.pop("nodes"), "damaged", "nodes", id="no nodes"),
        damaged(nodes(lambda n: n[2]["op"].update(op="os.system")), "os.system", id="operator"),
        damaged(nodes(lambda n: n[2]["params"].update(kernel="nope")), "nope", id="array"),
        damaged(nodes(lambda n: n[2].update(name="left")), "two nodes", id="name twice"),
        damaged(nodes(lambda n: n.reverse()), "damaged", id="order"),
        damaged(nodes(lambda n: n[2]["op"].update(strides="ab")), "does not fit", id="attribute"),
        damaged(nodes(lambda n: n[2].update(inputs=[["left", "0"]])), "not a value", id="index"),
        damaged(lambda d: d.update(outputs=[["nope", 0]]), "no value nope", id="output"),
        damaged(lambda d: d.update(origin={"evil": 1}), "damaged", id="origin"),
        damaged(lambda d: d.update(nodes=[1, 2]), "damaged", id="nonsense"),
    ],
)
def test_damaged_graph(path: Path, change: Any, words: tuple[str, ...]) -> None:
    with pytest.raises(lg.FileFormatError) as caught:
        lg.load(rewritten(path, change))
    for word in (str(path), *words):
        assert word in str(caught.value), f"{word!r} is not in: {caught.value}"


def test_other_safetensors_files(tmp_path: Path) -> None:
    save_file({"a": np.ones(3)}, tmp_path / "weights.safetensors")
    with pytest.raises(lg.FileFormatError, match="without a layergraph graph"):
        lg.load(tmp_path / "weights.safetensors")


@pytest.mark.parametrize("keep", [20, 500, 0.5, 0.999])
def test_cut_off(path: Path, keep: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep > 1 else keep * len(data))])
    with pytest.raises(lg.FileFormatError, match="convert the model again"):
        lg.load(path)


# --- exact, and opened without being read ----------------------------------------------

GRAPHS = sorted(p for p in GOLDEN.glob("*/model.*") if p.suffix in (".keras", ".h5"))


@pytest.mark.parametrize("source", GRAPHS, ids=lambda p: f"{p.parent.name}{p.suffix}")
def test_a_round_trip_is_exact(source: Path, tmp_path: Path) -> None:
    """Nodes, operators, types and the bits of every array; and the same file once more."""
    graph = lg.load(source)
    lg.save(graph, tmp_path / "one.lg")
    back = lg.load(tmp_path / "one.lg")
    assert (back.inputs, back.outputs, back.origin) == (graph.inputs, graph.outputs, graph.origin)
    assert (back.input_structure, back.output_structure) == (
        graph.input_structure, graph.output_structure,
    )  # fmt: skip
    for one, two in zip(graph, back, strict=True):
        facts = [(n.name, n.op, n.inputs, n.types, n.sources, [*n.params]) for n in (one, two)]
        assert facts[0] == facts[1]
        for role, array in one.params.items():
            assert array.dtype == two.params[role].dtype
            assert array.shape == two.params[role].shape
            assert array.tobytes() == two.params[role].tobytes()
    lg.save(back, tmp_path / "two.lg")
    assert (tmp_path / "one.lg").read_bytes() == (tmp_path / "two.lg").read_bytes()


OPEN_LARGE = """
import os, sys, time, layergraph as lg
from pathlib import Path

def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")

lg.load(sys.argv[1])  # imports what reading takes
best, before = 9.0, resident()
for _ in range(5):
    start = time.perf_counter()
    graph = lg.load(sys.argv[2])
    best = min(best, time.perf_counter() - start)
grown = resident() - before
print(best, grown, sum(a.nbytes for a in graph.parameters.values()))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_500_megabytes_open_at_once(path: Path, tmp_path: Path) -> None:
    build = Builder()
    x = build.input("x", TensorType((None, 5000)))
    for number in range(5):
        kernel = np.zeros((5000, 5000), "float32")
        (x,) = build.add(f"dense{number}", Dense(), [x], {"kernel": kernel})
    large = tmp_path / "large.lg"
    lg.save(build.graph(outputs=[x]), large)
    assert large.stat().st_size > 500_000_000
    command = [sys.executable, "-c", OPEN_LARGE, str(path), str(large)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    large.unlink()
    seconds, grown, held = map(float, done.stdout.split())
    assert held == 500_000_000
    assert seconds < 0.2
    assert grown < 5_000_000
