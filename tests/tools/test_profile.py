"""``layergraph profile``: nodes beside their work and what the machine could do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from files import GOLDEN
from layergraph.backends.numpy.profile import NodeTime
from layergraph.backends.numpy.roofline import BYTES, Machine, measure
from layergraph.tools import cli
from layergraph.tools.profile_command import least_time, with_rows

CNN = str(GOLDEN / "cnn-keras3" / "model.keras")
MACHINE = Machine(100e9, (40e9,) * (len(BYTES) - 1) + (10e9,))


def test_the_roofline_is_the_slower_of_two_ways() -> None:
    assert MACHINE.seconds(10**9, 1000) == (0.01, "compute")
    # Far beyond the caches memory counts.
    assert MACHINE.seconds(10**6, 10**9) == (0.1, "memory")
    assert MACHINE.seconds(None, 40_000) == (1e-6, "memory")
    assert MACHINE.bandwidth_of(1 << 26) == pytest.approx(25e9)
    view = NodeTime("flatten", "Flatten()", 1e-6, 0.1)
    assert least_time(view, MACHINE) == (0.0, "")


def test_a_machine_is_measured() -> None:
    machine = measure(threads=2, seconds=0.05)
    assert 1e8 < machine.peak < 1e14
    assert len(machine.bandwidth) == len(machine.sizes)
    assert all(1e7 < rate < 1e13 for rate in machine.bandwidth)


def test_a_table_with_the_slowest_first(capsys: Any) -> None:
    assert cli.main(["profile", CNN, "--repeat", "3", "--top", "2"]) == 0
    out = capsys.readouterr().out
    heading, *rows = out.splitlines()
    assert heading.split()[:4] == ["time", "share", "Mflop", "GFLOP/s"]
    assert rows[2] == "and 4 more nodes"
    shares = [float(row.split("%")[0].split()[-1]) for row in rows[:2]]
    assert shares == sorted(shares, reverse=True)
    assert "medians of 3 runs on input_layer (1, 32, 32, 3)" in out
    assert "of the best is reached" in out


def test_json_holds_the_whole_profile(capsys: Any) -> None:
    assert cli.main(["profile", CNN, "--batch", "4", "--repeat", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["inputs"] == {"input_layer": [4, 32, 32, 3]}
    nodes = {node["name"]: node for node in found["nodes"]}
    # 3x3 from 3 to 16 channels, with bias and relu; then 3x3 from 16 to 32, valid.
    assert nodes["conv2d"]["flops"] == 4 * 32 * 32 * 16 * (2 * 3 * 3 * 3 + 2)
    assert nodes["conv2d_1"]["flops"] == 4 * 14 * 14 * 32 * (2 * 3 * 3 * 16 + 2)
    assert nodes["flatten"]["bytes"] == 0
    assert nodes["dense"]["bytes"] == 4 * (4 * 1568 + 1568 * 10 + 10 + 4 * 10)
    assert sum(node["share"] for node in found["nodes"]) == pytest.approx(1)
    assert 0 < found["least"] == pytest.approx(sum(node["least"] for node in found["nodes"]))
    assert found["whole"] > 0
    assert nodes["conv2d"]["gflops"] == pytest.approx(
        nodes["conv2d"]["flops"] / nodes["conv2d"]["seconds"] / 1e9
    )


def test_rows_of_a_file_are_taken_over_again(tmp_path: Path, capsys: Any) -> None:
    x = np.random.default_rng(0).random((2, 32, 32, 3), "float32")
    np.save(tmp_path / "x.npy", x)
    arguments = ["profile", CNN, "--input", str(tmp_path / "x.npy"), "--repeat", "1", "--json"]
    assert cli.main([*arguments, "--batch", "5"]) == 0
    assert json.loads(capsys.readouterr().out)["inputs"] == {"input_layer": [5, 32, 32, 3]}
    assert cli.main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["inputs"] == {"input_layer": [2, 32, 32, 3]}
    assert np.array_equal(with_rows({"x": x}, 3)["x"], x[[0, 1, 0]])
    with pytest.raises(SystemExit):
        cli.main(["profile", CNN, "--batch", "0"])
