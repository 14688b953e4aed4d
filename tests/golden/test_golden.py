"""Golden files: what real Keras answered, node by node, checked without TensorFlow."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import layergraph as lg
from files import RECORDING, recorded
from golden.compare import fed
from layergraph.tools.flat import flat
from layergraph.tools.golden import Golden, check

HERE = Path(__file__).resolve().parent
FILES = sorted(HERE.glob("*/model.*"))
FOLDERS = sorted({path.parent for path in FILES})
LIMIT = 10 * 2**20

each_file = pytest.mark.parametrize("file", FILES, ids=lambda path: path.parent.name + path.suffix)


@each_file
def test_every_node_and_what_the_model_returns(file: Path) -> None:
    golden = recorded(file)
    report = check(file, golden)
    assert report.agrees, report.conclusion()
    assert len(report.rows) == len(golden.nodes) + len(golden.outputs)
    assert list(flat(lg.Interpreter(file)(fed(golden.inputs)))) == list(golden.outputs)


@each_file
def test_inputs_in_order(file: Path) -> None:
    """The recorded order of the inputs is the order of positional arguments."""
    feeds = recorded(file).inputs
    interpreter = lg.Interpreter(file)
    by_name = flat(interpreter(fed(feeds)))
    by_position = flat(interpreter(*feeds.values()))
    assert all((by_name[name] == by_position[name]).all() for name in by_name)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_recording_belongs_to_the_file(folder: Path) -> None:
    assert Golden.read(folder / RECORDING).models == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("model.*")
    }


def test_together_small() -> None:
    assert FILES, "no golden files: run `make golden`"
    assert sum(path.stat().st_size for folder in FOLDERS for path in folder.iterdir()) <= LIMIT
