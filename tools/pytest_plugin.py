"""A pytest plugin: golden tests of your own models.

``pytest --layergraph-golden DIR`` checks every golden file under a folder with
the model files that lie beside it. The fixture ``golden`` checks a model from
within a test::

    def test_encoder(golden):
        golden("encoder.keras")

and records it when the tests are run with ``--layergraph-record``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from layergraph.tools.comparison.report import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("layergraph")
    group.addoption(
        "--layergraph-golden", metavar="DIR",
        help="check the golden files under this folder; also where the fixture keeps its own",
    )  # fmt: skip
    group.addoption(
        "--layergraph-record", action="store_true",
        help="let the fixture `golden` record instead of check",
    )  # fmt: skip


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add a test for each golden file and each model beside it."""
    folder = config.getoption("--layergraph-golden")
    if not folder:
        return
    if not Path(folder).is_dir():
        raise pytest.UsageError(f"--layergraph-golden: {folder} is no folder")
    for path in sorted(Path(folder).absolute().rglob("*.safetensors")):
        file = GoldenFile.from_parent(session, path=path, name=os.path.relpath(path, folder))
        items.extend(file.collect())


class GoldenFile(pytest.File):
    """A golden file, as pytest collects it."""

    def collect(self) -> Iterator[GoldenItem]:
        """A test for each model file that lies beside it."""
        from layergraph import FileFormatError
        from layergraph.tools.golden import Golden

        try:
            models = Golden.read(self.path).models
        except FileFormatError as error:
            # A folder of models may hold weights in safetensors too.
            if "no golden one" in str(error):
                return
            models = {}
        for name in models or [""]:
            yield GoldenItem.from_parent(self, name=name or "model", model=name)


class GoldenItem(pytest.Item):
    """One model held against one recording."""

    def __init__(self, *, model: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.model = self.path.parent / model

    def runtest(self) -> None:
        """Run the model and compare."""
        from layergraph import InputError
        from layergraph.tools.golden import Golden, check

        golden = Golden.read(self.path)
        if not self.model.exists() or self.model == self.path.parent:
            raise InputError(f"{self.path.name} was recorded from a model that is not beside it")
        _hold(check(self.model, golden))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> str:
        """Which node moved, by how much; no traceback."""
        from layergraph import LayerGraphError

        if isinstance(excinfo.value, (AssertionError, LayerGraphError)):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where pytest says that the test stands."""
        return self.path, None, f"{self.parent.name if self.parent else ''}: {self.name}"


class GoldenCheck:
    """What the fixture ``golden`` gives: call it with a model.

    Args:
        folder: where golden files are kept.
        name: name of the test, and of its golden file.
        record: record instead of check.
    """

    def __init__(self, folder: Path, name: str, record: bool) -> None:
        self.folder, self.name, self.recording = folder, name, record

    def __call__(self, model: Any, inputs: Any = None, *, name: str | None = None) -> None:
        """Hold a model against its recording, or record it.

        Args:
            model: a file, a graph, an interpreter, a live Keras model.
            inputs: what it is recorded with; seeded ones if not given.
            name: of the golden file, for tests that have several.

        Raises:
            AssertionError: a node moved; says which and by how much.
        """
        from layergraph.tools.golden import Golden, check, record

        path = self.folder / f"{name or self.name}.safetensors"
        if self.recording:
            path.parent.mkdir(parents=True, exist_ok=True)
            record(model, path, inputs)
            return
        assert path.exists(), f"{path} does not exist; run pytest with --layergraph-record once"
        _hold(check(model, Golden.read(path)))


def _hold(report: Report) -> None:
    __tracebackhide__ = True
    if not report.agrees:
        moved = "".join(
            f"\n  {row.key} moved by {row.total.absolute:.3g}, {row.total.relative:.3g} of its "
            f"largest value ({'by itself' if row.status == 'fault' else 'follows'})"
            for row in report.parted[:10]
        )
        raise AssertionError(report.conclusion() + moved)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> GoldenCheck:
    """Holds a model against its recording: ``golden(model)``."""
    folder = request.config.getoption("--layergraph-golden")
    kept = Path(folder) if folder else request.path.parent / "golden"
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in request.node.name)
    return GoldenCheck(kept, safe, bool(request.config.getoption("--layergraph-record")))
