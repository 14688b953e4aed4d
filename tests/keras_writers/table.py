"""Every row of the parity tables written for the other Keras: what became of it, counted.

    python tests/keras_writers/table.py [--log FILE] [tests/parity/test_linear.py ...]

prints the table of docs/conversion.md; ``make writers-table`` puts it there. A row counts
once, in the first of its containers: ``same graph`` where the file also reads back as an
isomorphic graph, ``spelled out`` where it was written with the note that other layers
compute it, ``refused`` where the writer raised ``UnsupportedError``. All that is written
has answered in the other Keras what the row answered in the first.
"""

from __future__ import annotations

import argparse
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "src"), str(TESTS.parent / "examples")]

import layergraph as lg  # noqa: E402
from rewriting import in_the_other  # noqa: E402
from support import Case, build_model, keras_of  # noqa: E402


def rows(path: Path) -> Iterator[tuple[Case, str]]:
    """Rows and writers of what a test module passes to ``parity``."""
    spec = spec_from_file_location(f"rows_of_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    for test in vars(module).values():
        for mark in getattr(test, "pytestmark", ()) if callable(test) else ():
            if mark.name == "parametrize" and mark.args[0] == "row":
                found = [param.values[0] for param in mark.args[1]]
                yield from ((r, w) for r, w, c in found if c == r.containers[0])


def outcome(row: Case, writer: str) -> str:
    """What became of a row; see ``in_the_other``, and ``"FAILED: why"``."""
    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        try:
            model = build_model(row, keras_of(writer))
            source = Path(folder) / f"model{row.containers[0]}"
            model.save(source)
            graph = lg.load(source, layers=row.layers)
            return in_the_other(row, writer, graph, model, Path(folder))
        except Exception as error:
            lines = traceback.format_exc().strip().splitlines()
            where = next((x.strip() for x in reversed(lines) if x.strip().startswith("File")), "")
            return f"FAILED: {type(error).__name__}: {error} ({where})".replace("\n", " ")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--log", type=Path, help="what became of each row, a line each")
    given = parser.parse_args()
    files = given.files or sorted(
        p for room in ("parity", "frontends") for p in (TESTS / room).glob("test_*.py")
    )
    counts: dict[str, Counter[str]] = {"keras": Counter(), "tf_keras": Counter()}
    for file in files:
        for row, writer in rows(file):
            found = outcome(row, writer)
            counts[writer][found.partition(":")[0]] += 1
            if given.log is not None:
                with given.log.open("a") as log:
                    print(file.name, repr(row.id), writer, found[:1000], sep="\t", file=log)
    print(table(counts))
    return int(any(c["FAILED"] for c in counts.values()))


def table(counts: dict[str, Counter[str]]) -> str:
    """Markdown."""
    names: dict[str, str] = {
        "keras": ".keras to .h5, for tf-keras",
        "tf_keras": ".h5 to .keras, for Keras 3",
    }
    lines = [
        "| direction | rows | same graph | spelled out | refused | failed |",
        "|---|---|---|---|---|---|",
    ]
    for writer, name in names.items():
        c = counts[writer]
        cells = [c.total(), c["isomorphic"], c["spelled out"], c["refused"], c["FAILED"]]
        lines.append("| " + " | ".join([name, *map(str, cells)]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
