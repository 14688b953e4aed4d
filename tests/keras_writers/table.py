"""Every row of the parity tables written for the other Keras: what became of it, counted.

    python tests/keras_writers/table.py [--rows] [tests/parity/test_linear.py ...]

prints a table. A row counts once for each Keras, in the first of its containers:
``same graph`` where the file also reads back as an isomorphic graph, ``spelled out``
where it was written with the note that other layers compute it, ``refused`` where the
writer raised ``UnsupportedError``. All that is written has answered in the other Keras
what the row answered in the first.
"""

from __future__ import annotations

import argparse
import subprocess
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
            return f"FAILED: {type(error).__name__}: {error} ({where})".translate({9: " ", 10: " "})


def counted(files: list[Path]) -> tuple[dict[str, Counter[str]], Counter[str]]:
    """Outcomes of each writer, and why rows were refused or failed.

    Each file has a process of its own: TensorFlow keeps the memory of models that are gone.
    """
    counts: dict[str, Counter[str]] = {writer: Counter() for writer in DIRECTIONS}
    reasons: Counter[str] = Counter()
    for file in files:
        done = subprocess.run([sys.executable, __file__, "--rows", str(file)], check=True,
                              stdout=subprocess.PIPE, text=True)  # fmt: skip
        for line in done.stdout.splitlines():
            if line.count("\t") != 2:
                continue  # what Keras itself prints
            _, writer, found = line.split("\t")
            kind, _, reason = found.partition(": ")
            counts[writer][kind] += 1
            if reason:
                reasons[reason if kind == "refused" else line] += 1
        print(file.name, *(f"{kind} {n}" for kind, n in sum(counts.values(), Counter()).items()))
    return counts, reasons


DIRECTIONS = {
    "tf_keras": "tf-keras to `.keras`, for Keras 3",
    "keras": "Keras 3 to `.h5`, for tf-keras",
}


def table(counts: dict[str, Counter[str]]) -> str:
    """Markdown."""
    lines = ["| direction | rows | written, same graph | written, spelled out | refused | wrong |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for writer, name in DIRECTIONS.items():
        found = counts[writer]
        cells = [found[kind] for kind in ("isomorphic", "spelled out", "refused", "FAILED")]
        lines.append("| " + " | ".join([name, str(found.total()), *map(str, cells)]) + " |")
    return "\n".join(lines)


def main() -> int:
    """What the command line says; the exit status is 1 when a row is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--rows", action="store_true", help="print what became of each row")
    given = parser.parse_args()
    files = given.files or sorted(
        p for room in ("parity", "frontends") for p in (TESTS / room).glob("test_*.py")
    )
    if given.rows:
        for file in files:
            for row, writer in rows(file):
                print(row.id, writer, outcome(row, writer), sep="\t", flush=True)
        return 0
    counts, reasons = counted(files)
    for reason, number in reasons.most_common():
        print(f"{number:4} {reason}")
    print(table(counts))
    return int(any(found["FAILED"] for found in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
