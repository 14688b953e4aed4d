"""The main job on real models and real rows: CIFAR-10's and NusaX's test split, live Keras.

Needs Keras (the `dev` extra) and the data; skipped with the reason where either is missing.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from study.datasets import find_data

pytest.importorskip(
    "tensorflow", reason="needs live Keras: pip install layergraph[dev]", exc_type=ImportError
)
pytest.importorskip(
    "tf_keras", reason="needs live tf-keras: pip install layergraph[dev]", exc_type=ImportError
)

from real.agreement import FILES, agreement

ROWS = {"cnn": 10_000}
TEXT_ROWS = 400


@pytest.fixture(scope="module")
def data() -> Path:
    """The data folder, or a skip that says what is missing."""
    try:
        return find_data()
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("file", FILES)
def test_agrees_on_every_row(file: str, data: Path) -> None:
    found = agreement(file, data)
    assert found.rows == ROWS.get(file.split("-")[0], TEXT_ROWS)
    assert found.equal == found.rows
    assert found.f1_layergraph == found.f1_keras
    assert found.probability <= 1e-5
    assert not found.missing
    assert found.node <= 1e-5, (
        f"{found.worst_node!r} differs by {found.node:.2g} of its largest value"
    )
