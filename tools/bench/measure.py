"""Measure latencies: every engine in its process, in turns, right answers only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shutil import rmtree
from statistics import median
from time import sleep
from typing import Any

import numpy as np

from layergraph.ir.errors import LayerGraphError
from layergraph.tools.bench.channel import OverdueError, Worker, WorkerError
from layergraph.tools.bench.cold import cold
from layergraph.tools.bench.engines import ENGINES, TENSORFLOW
from layergraph.tools.bench.results import Cell, Results, machine

TOLERANCE = 1e-4
"""Largest difference from Keras, relative to the largest value; beyond it no time counts."""

BUILD_SECONDS = 600.0
COMPILING = 4
"""A first run that also compiles may take so many times the limit."""

REST = 0.02
"""Seconds between two engines: their threads spin on for a moment."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to measure, and how long.

    Attributes:
        models, batches, engines: names and sizes.
        beyond: engines that also run batches above 1; ``None`` for all.
        rounds: turns each engine takes at a model and batch.
        seconds: time for an engine at a model and batch, its first run aside.
        limit: seconds after which a first run is given up.
        cold: models whose cold start is measured too.
        cold_runs: processes each takes.
        jax_python: interpreter for the engines that need JAX.
    """

    models: Sequence[str]
    batches: Sequence[int]
    engines: Sequence[str]
    beyond: Sequence[str] | None = None
    rounds: int = 5
    seconds: float = 1.0
    limit: float = 60.0
    cold: Sequence[str] = ()
    cold_runs: int = 5
    jax_python: str = sys.executable

    def engines_at(self, batch: int) -> list[str]:
        """Engines that run a batch size."""
        chosen = self.engines if self.beyond is None or batch == 1 else self.beyond
        return [name for name in self.engines if name in chosen]


class Bench:
    """The processes of a benchmark; a context that ends them.

    Args:
        options: what to measure.
        folder: an empty folder for models and answers.
        say: told what goes on.
    """

    def __init__(self, options: Options, folder: Path, say: Callable[[str], None]) -> None:
        self._options = options
        self._folder = folder
        self._say = say
        self._workers: dict[str, Worker] = {}
        self.skipped: dict[str, str] = {}
        """Why an engine is left out, by name."""
        self.versions: dict[str, str] = {}
        """Versions of the packages behind the engines."""
        self._builder: Worker | None = None

    def __enter__(self) -> Bench:
        for name in self._options.engines:
            try:
                self._start(name)
            except WorkerError as error:
                self.skipped[name] = str(error)
        return self

    def __exit__(self, *_: object) -> None:
        for worker in (*self._workers.values(), *([self._builder] if self._builder else ())):
            worker.close()

    def build(self, name: str) -> Path:
        """Build one model; returns its folder.

        Raises:
            LayerGraphError: Keras and TensorFlow are not installed, or cannot build it.
        """
        if self._builder is None or not self._builder.alive:
            self._builder = Worker("layergraph.tools.bench.prepare", env=TENSORFLOW)
            if missing := self._builder.hello.get("missing"):
                raise LayerGraphError(
                    "the models are built with Keras and TensorFlow, and "
                    f"{' and '.join(missing)} is not installed: pip install 'layergraph[dev]'"
                )
            self.versions |= self._builder.hello["versions"]
        folder = self._folder / name
        folder.mkdir()
        try:
            self._builder.ask(
                "build", BUILD_SECONDS, name=name, folder=str(folder),
                batches=list(self._options.batches),
                onnx=any(ENGINES[e].onnx for e in self._workers),
            )  # fmt: skip
        except WorkerError as error:
            raise LayerGraphError(f"the model {name} cannot be built ({error})") from error
        return folder

    def measure(self, name: str, folder: Path, results: Results) -> None:
        """Measure one model on all engines at all batch sizes; adds cells to the results."""
        size = (folder / "model.keras").stat().st_size
        loads = {engine: self._load(engine, folder, size) for engine in self._options.engines}
        for batch in self._options.batches:
            cells: dict[str, Cell] = {}
            for engine in self._options.engines_at(batch):
                loaded = loads[engine]
                cell = Cell(model=name, batch=batch, engine=engine)
                if isinstance(loaded, str):
                    cells[engine] = replace(cell, reason=loaded)
                    continue
                cells[engine] = self._first(replace(cell, load=loaded), folder)
                if not self._workers[engine].alive:
                    loads[engine] = cells[engine].reason
            results.cells += self._rounds(cells)
            self._say(f"{name}, batch {batch}: {_row(results, name, batch)}")

    def _start(self, name: str) -> None:
        engine = ENGINES[name]
        python = self._options.jax_python if engine.apart else sys.executable
        worker = Worker("layergraph.tools.bench.worker", [name], python=python, env=engine.env)
        if missing := worker.hello.get("missing"):
            worker.close()
            raise WorkerError(f"{' and '.join(missing)} not installed")
        self._workers[name] = worker
        self.versions = worker.hello["versions"] | self.versions

    def _load(self, name: str, folder: Path, size: int) -> float | str:
        """Seconds to load the model, or why it cannot be."""
        if name in self.skipped:
            return self.skipped[name]
        if (free := _available()) is not None and free < 4 * size + (1 << 30):
            return "not enough memory"
        try:
            if not self._workers[name].alive:
                self._start(name)
            found = self._workers[name].ask("load", BUILD_SECONDS, folder=str(folder))
        except WorkerError as error:
            return str(error)
        return float(found["seconds"])

    def _first(self, cell: Cell, folder: Path) -> Cell:
        """The first run, its answer checked."""
        outputs = folder / f"{cell.engine}.npy"
        compiles = ENGINES[cell.engine].compiles
        limit = self._options.limit * (COMPILING if compiles else 1)
        try:
            found = self._workers[cell.engine].ask(
                "first", limit, inputs=str(folder / f"x{cell.batch}.npy"),
                outputs=str(outputs),
            )  # fmt: skip
        except OverdueError as error:
            # How long compiling takes says nothing of the runs after it.
            return replace(cell, reason=str(error), limit=None if compiles else limit)
        except WorkerError as error:
            return replace(cell, reason=str(error))
        seconds = found["seconds"]
        wrong = difference(np.load(outputs), np.load(folder / f"y{cell.batch}.npy"))
        cell = replace(cell, first=seconds, difference=wrong)
        if not wrong <= TOLERANCE:
            return replace(cell, reason=f"wrong by {wrong:.0e}")
        if seconds > self._options.seconds and not compiles:
            return replace(cell, minimum=seconds, median=seconds, runs=1)
        return cell

    def _rounds(self, cells: Mapping[str, Cell]) -> list[Cell]:
        """The cells with times of the engines that may go on, in turn, block by block."""
        options = self._options
        block = options.seconds / options.rounds
        done = dict(cells)
        times: dict[str, list[float]] = {
            e: [] for e, cell in cells.items() if not cell.reason and cell.median is None
        }
        for _ in range(options.rounds):
            for engine, found in times.items():
                if done[engine].reason or sum(found) >= options.seconds:
                    continue
                sleep(REST)
                try:
                    answer = self._workers[engine].ask(
                        "time", options.limit + block, seconds=block, runs=1000,
                        warm=bool(found) and found[-1] < block / 4,
                    )  # fmt: skip
                except WorkerError as error:
                    done[engine] = replace(done[engine], reason=str(error))
                else:
                    found += answer["times"]
        for engine, found in times.items():
            if not done[engine].reason:
                done[engine] = replace(
                    done[engine], minimum=min(found), median=median(found), runs=len(found)
                )
        return list(done.values())


def difference(got: Any, want: Any) -> float:
    """Largest difference, relative to the largest value; infinite for another shape."""
    if got.shape != want.shape:
        return float("inf")
    largest = float(np.abs(want).max()) or 1.0
    return float(np.abs(got.astype(np.float64) - want).max()) / largest


def run(
    options: Options, folder: Path, say: Callable[[str], None], keep: Callable[[Results], None]
) -> Results:
    """Measure everything.

    Args:
        options, folder, say: as for ``Bench``.
        keep: called with what there is after every model.
    """
    results = Results()
    with Bench(options, folder, say) as bench:
        for name, reason in bench.skipped.items():
            say(f"{ENGINES[name].title} is left out: {reason}")
        asked = asdict(options)
        # Where an interpreter lies is nobody's business.
        del asked["jax_python"]
        results.made = machine({}, asked)
        for name in options.models:
            say(f"{name}: building it")
            built = bench.build(name)
            bench.measure(name, built, results)
            if name in options.cold:
                results.cold += cold(built, name, options.engines, options.cold_runs, say)
            # A model of half a gigabyte lies there twice.
            rmtree(built)
            results.made |= {"versions": bench.versions, "skipped": bench.skipped}
            keep(results)
    return results


def _row(results: Results, model: str, batch: int) -> str:
    shown = []
    for engine in results.engines():
        cell = results.cell(model, batch, engine)
        if cell is not None:
            time = cell.reason if cell.median is None else f"{cell.median * 1e3:.3g} ms"
            shown.append(f"{ENGINES[engine].title} {time}")
    return ", ".join(shown)


def _available() -> int | None:
    """Bytes of memory that a new process could have, where the system says so."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable"):
                    return int(line.split()[1]) << 10
    except OSError:
        pass
    return None
