"""Operations written for either Keras: what the model they come from answers, it answers.

A choice of rows of the parity tables, several operations each, so that every family is
seen; ``make test-writers`` goes through all of them.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import layergraph as lg
from rewriting import leaves, live, rewritten, same_graph
from support import Case, assert_close, build_model, draw, keras_of

ROWS: dict[str, tuple[str, ...]] = {
    "frontends.test_operations": ("indexing", "parted", "counted"),
    "frontends.test_operations_elementwise": ("functions of int8", "float16 and float32", "close"),
}
"""Rows by module."""

REFUSED: dict[str, str] = {}
"""Rows that a Keras cannot express, by extension and row; what its refusal names."""


def _rows() -> list[Any]:
    found = []
    for name, ids in ROWS.items():
        cases = [c for v in vars(import_module(name)).values() if isinstance(v, list)
                 for c in v if isinstance(c, Case)]  # fmt: skip
        for row in cases:
            if row.id in ids:
                found += [pytest.param(row, e, id=f"{row.id}{e}") for e in (".keras", ".h5")]
    return found


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
        reason = REFUSED.get(f"{row.id}{extension}")
        if reason is not None:
            with pytest.raises(lg.UnsupportedError, match=reason):
                rewritten(graph, target)
            return
        back = rewritten(graph, target)
        found = leaves(live(target)(fed, training=False))
    if back.alike:
        assert not (difference := same_graph(graph, back.graph)), difference
    assert len(found) == len(wanted)
    for ours, keras in zip(found, wanted, strict=True):
        assert_close(ours, keras, row.tolerance)
