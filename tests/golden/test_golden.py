"""Golden files: what real Keras answered, node by node, checked without TensorFlow."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

import layergraph as lg
from golden.compare import check_nodes, complaint, fed
from golden.structure import flat

HERE = Path(__file__).resolve().parent
FOLDERS = sorted(path.parent for path in HERE.glob("*/case.json"))
FILES = [path for folder in FOLDERS for path in sorted(folder.glob("model.*"))]
LIMIT = 10 * 2**20

each_file = pytest.mark.parametrize("file", FILES, ids=lambda path: path.parent.name + path.suffix)


def note(folder: Path) -> Any:
    """The folder's case.json."""
    return json.loads((folder / "case.json").read_text(encoding="utf-8"))


@each_file
def test_every_node(file: Path) -> None:
    interpreter = lg.Interpreter(lg.load(file), optimize=False)
    feeds, nodes = (
        load_file(file.with_name(f"{name}.safetensors")) for name in ("inputs", "nodes")
    )
    check_nodes(interpreter, feeds, nodes, note(file.parent)["rtol"])


@each_file
def test_predictions(file: Path) -> None:
    feeds, expected = (
        load_file(file.with_name(f"{name}.safetensors")) for name in ("inputs", "outputs")
    )
    got = flat(lg.Interpreter(file)(fed(feeds)))
    assert list(got) == note(file.parent)["outputs"]
    for name, value in got.items():
        reason = complaint(value, expected[name], note(file.parent)["rtol"])
        assert not reason, f"output {name!r} {reason}"


@each_file
def test_inputs_in_order(file: Path) -> None:
    """The recorded order of the inputs is the order of positional arguments."""
    feeds = load_file(file.with_name("inputs.safetensors"))
    interpreter = lg.Interpreter(file)
    by_name = flat(interpreter(fed(feeds)))
    by_position = flat(interpreter(*(feeds[name] for name in note(file.parent)["inputs"])))
    assert all((by_name[name] == by_position[name]).all() for name in by_name)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_recording_belongs_to_the_file(folder: Path) -> None:
    recorded = note(folder)["sha256"]
    assert recorded == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("model.*")
    }


def test_together_small() -> None:
    assert FILES, "no golden files: run `make golden`"
    assert sum(path.stat().st_size for folder in FOLDERS for path in folder.iterdir()) <= LIMIT
