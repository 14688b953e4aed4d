"""Text through the IR file and the command line, without Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from layergraph.ir.build import Builder
from layergraph.ir.ops.preprocessing import CountCategories
from layergraph.ir.ops.text import CleanText, InverseLookup, Lookup, SplitText
from layergraph.ir.types import TensorType, strings
from layergraph.tools import cli

WORDS = strings(["cat", "caf\u00e9", "", "a\0b\0", "the"])


def counting(path: Path) -> Path:
    """A model that counts the words of a text: unknown ones, then ``WORDS``."""
    build = Builder()
    x = build.input("text_in", TensorType((None,), "string"))
    (x,) = build.add("clean", CleanText(lower=True, strip_punctuation=True), [x])
    (x,) = build.add("split", SplitText(by="whitespace"), [x])
    lookup = Lookup(start=1, num_oov=1, mask_token="", mask_index=2**63 - 1)
    words = WORDS[[0, 1, 3, 4]]
    (x,) = build.add("lookup", lookup, [x], {"vocabulary": words})
    (x,) = build.add("count", CountCategories(depth=5, dtype="int64"), [x])
    lg.save(build.graph(outputs=[x]), path)
    return path


def naming(path: Path) -> Path:
    """A model that gives the word of each number."""
    build = Builder()
    x = build.input("number", TensorType((None, 2), "int64"))
    op = InverseLookup(start=1, oov_token="?, no")
    (x,) = build.add("word", op, [x], {"vocabulary": WORDS})
    lg.save(build.graph(outputs=[x]), path)
    return path


def test_texts_in_the_ir_file(tmp_path: Path) -> None:
    back = lg.load(naming(tmp_path / "m.lg"))
    found = back["word"].params["vocabulary"]
    assert found.dtype == object
    assert found.tolist() == WORDS.tolist()
    assert str(back["word"].types[0]) == "string[?, 2]"


def test_a_damaged_ir_file(tmp_path: Path) -> None:
    path = naming(tmp_path / "m.lg")
    data = path.read_bytes()
    ends = np.cumsum([len(w) for w in WORDS]).astype("<i8")
    assert data.count(ends.tobytes()) == 1
    path.write_bytes(data.replace(ends.tobytes(), ends[::-1].tobytes()))
    with pytest.raises(lg.FileFormatError, match="array of text contradicts itself"):
        lg.load(path)


@pytest.mark.parametrize("heading", ["", "text\n", "text_in\n", '"Texts"\n'])
def test_run_on_csv(heading: str, tmp_path: Path, capsys: Any) -> None:
    rows = 'The cat.\n"the, caf\u00e9 the"\n\n"two\nlines the"\n'
    source = tmp_path / "x.csv"
    source.write_text(heading + rows, encoding="utf-8")
    model = counting(tmp_path / "m.lg")
    assert cli.main(["run", str(model), "--input", str(source), "--batch-size", "3"]) == 0
    assert capsys.readouterr().out == "0,1,0,0,1\n0,0,1,0,2\n0,0,0,0,0\n2,0,0,0,1\n"


def test_run_on_npy(tmp_path: Path, capsys: Any) -> None:
    model = counting(tmp_path / "m.lg")
    for texts in (np.array(["The cat.", "x"]), np.array([b"The cat.", b"x"])):
        np.save(tmp_path / "x.npy", texts)
        assert cli.main(["run", str(model), "--input", str(tmp_path / "x.npy")]) == 0
        assert capsys.readouterr().out == "0,1,0,0,1\n1,0,0,0,0\n"


def test_commas_in_texts_need_quotes(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "x.csv").write_text("the cat\nthe, cat\n")
    model = counting(tmp_path / "m.lg")
    assert cli.main(["run", str(model), "--input", str(tmp_path / "x.csv")]) == 2
    error = capsys.readouterr().err
    assert "row 2 has 2 cells, 1 expected; put texts that hold commas into double quotes" in error


def test_texts_come_out_as_text(tmp_path: Path, capsys: Any) -> None:
    model = naming(tmp_path / "m.lg")
    np.save(tmp_path / "x.npy", np.array([[1, 2], [9, 3]]))
    run = ["run", str(model), "--input", str(tmp_path / "x.npy")]
    assert cli.main(run) == 0
    assert capsys.readouterr().out == 'cat,caf\u00e9\n"?, no",\n'
    for kind in (".npy", ".npz", ".csv"):
        assert cli.main([*run, "--output", str(tmp_path / f"y{kind}")]) == 0
    assert "string[2, 2]" in capsys.readouterr().out
    assert np.load(tmp_path / "y.npy").tolist() == [["cat", "caf\u00e9"], ["?, no", ""]]
    assert np.load(tmp_path / "y.npz")["word"].dtype.kind == "U"


def test_inspect_shows_text(tmp_path: Path, capsys: Any) -> None:
    assert cli.main(["inspect", str(counting(tmp_path / "m.lg"))]) == 0
    assert "input text_in: string[?]" in capsys.readouterr().out
    assert cli.main(["inspect", "--json", str(naming(tmp_path / "n.lg"))]) == 0
    assert '"dtype": "string"' in capsys.readouterr().out
