"""Both ways of computing gates, forced, beside live Keras: which is chosen depends on the
processor and on how many numbers there are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from layergraph.backends.numpy import cells
from parity.test_recurrent import CASES
from support import assert_parity

NAMES = ("bidirectional both outputs", "gru reset before", "lstm linear", "stacked and masked",
         "gru initial state and final state", "bidirectional initial state")  # fmt: skip


@pytest.mark.live
@pytest.mark.parametrize("many", [0, sys.maxsize], ids=["exp", "tanh"])
@pytest.mark.parametrize("name", NAMES)
def test_gates(name: str, many: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cells, "MANY", many)
    (row,) = [case for case in CASES if case.id == name]
    assert_parity(row, "keras", ".keras", tmp_path)
