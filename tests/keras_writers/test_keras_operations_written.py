"""Operations written for either Keras: what the model they come from answers, it answers.

A choice of rows of the parity tables, several operations each, so that every family is
seen; ``make test-writers`` goes through all of them.
"""

from __future__ import annotations

import warnings
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

import layergraph as lg
from rewriting import leaves, live, rewritten, same_graph
from support import Case, assert_close, build_model, draw, keras_of

TESTS = Path(__file__).parents[1]

ROWS: dict[str, tuple[str, ...]] = {
    "frontends.test_operations": ("indexing", "parted"),
    "frontends.test_operations_elementwise": ("close",),
    "parity.test_linalg": ("square",),
    "parity.test_creation": ("spaces",),
    "parity.test_signal": ("stft odd",),
    "frontends.test_tensorflow_functions": ("reductions",),
    "frontends.test_tensorflow_science": ("signals",),
    "parity.test_activation": ("hard_tanh by name",),
    "parity.test_dtypes": ("resized float16", "recurrent mixed_bfloat16", "linear bfloat16"),
    "parity.test_text": ("string mask", "text bigrams"),
}
"""Rows by module."""


def _cases(name: str) -> list[Case]:
    """All rows of a test module, which is loaded from where it lies."""
    path = TESTS.joinpath(*name.split(".")).with_suffix(".py")
    spec = spec_from_file_location(f"rows_of_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    tables = [v for v in vars(module).values() if isinstance(v, list)]
    return [c for table in tables for c in table if isinstance(c, Case)]


def _rows() -> list[Any]:
    return [
        pytest.param(row, extension, id=f"{row.id}{extension}")
        for name, ids in ROWS.items()
        for row in _cases(name)
        if row.id in ids
        for extension in (".keras", ".h5")
    ]


@pytest.mark.live
@pytest.mark.parametrize(("row", "extension"), _rows())
def test_operations_are_written_for_either_keras(row: Case, extension: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = build_model(row, keras_of(row.writers[0]))
        source = tmp_path / f"source{row.containers[0]}"
        model.save(source)
        graph, target = lg.load(source), tmp_path / f"written{extension}"
        arrays = draw(row, 3)
        fed: Any = arrays if len(arrays) > 1 else arrays[0]
        wanted = leaves(model(fed, training=False))
        back = rewritten(graph, target)
        found = leaves(live(target)(fed, training=False))
    if back.alike:
        assert not (difference := same_graph(graph, back.graph)), difference
    assert len(found) == len(wanted)
    for ours, keras in zip(found, wanted, strict=True):
        assert_close(ours, keras, row.tolerance)
