"""What a benchmark measured, as data that a JSON file holds."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from layergraph.backends.numpy.roofline import cores
from layergraph.ir.errors import InputError
from layergraph.ir.writing import replacing
from layergraph.tools.bench.engines import OURS


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One model at one batch size on one engine.

    Attributes:
        model, batch, engine: which.
        minimum, median: seconds a run, ``None`` where there is no time to tell.
        runs: how many were timed.
        first: seconds of the first run, compiling included.
        load: seconds to load the model, packages' import included for the first.
        difference: from what Keras answers, relative to the largest value.
        reason: why there is no time, in few words.
        limit: seconds that one run took more than, where it was given up.
    """

    model: str
    batch: int
    engine: str
    minimum: float | None = None
    median: float | None = None
    runs: int = 0
    first: float | None = None
    load: float | None = None
    difference: float | None = None
    reason: str = ""
    limit: float | None = None


@dataclass(frozen=True, kw_only=True)
class Cold:
    """Whole processes that load a model and predict once.

    Attributes:
        model, engine: which.
        seconds: median wall time.
        peak: median of the most memory held, MiB.
        runs: how many, besides one that warmed the disk.
        reason: why there is none.
    """

    model: str
    engine: str
    seconds: float | None = None
    peak: float | None = None
    runs: int = 0
    reason: str = ""


@dataclass
class Results:
    """A whole benchmark.

    Attributes:
        made: when, on what, with which versions and options.
        cells: latencies.
        cold: whole processes.
    """

    made: dict[str, Any] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    cold: list[Cold] = field(default_factory=list)

    def cell(self, model: str, batch: int, engine: str) -> Cell | None:
        """One measurement, if it was asked for."""
        for cell in self.cells:
            if (cell.model, cell.batch, cell.engine) == (model, batch, engine):
                return cell
        return None

    def ratio(self, model: str, batch: int, engine: str) -> Ratio | None:
        """How many times faster than an engine layergraph is, by medians; ``None`` if unknown."""
        ours, theirs = self.cell(model, batch, OURS), self.cell(model, batch, engine)
        if ours is None or ours.median is None or theirs is None:
            return None
        if theirs.median is not None:
            return Ratio(theirs.median / ours.median)
        return Ratio(theirs.limit / ours.median, exact=False) if theirs.limit else None

    def process(self, model: str, engine: str) -> Cold | None:
        """One measurement of whole processes, if it was made."""
        for cold in self.cold:
            if (cold.model, cold.engine) == (model, engine) and cold.seconds is not None:
                return cold
        return None

    def rows(self) -> list[tuple[str, int]]:
        """Models with their batch sizes, in the order measured."""
        return list(dict.fromkeys((cell.model, cell.batch) for cell in self.cells))

    def engines(self) -> list[str]:
        """Engines, in the order measured."""
        return list(dict.fromkeys(cell.engine for cell in self.cells))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write JSON, a measurement a line."""
        parts = [f' "made": {json.dumps(self.made, indent=1)}']
        for name, items in (("cells", self.cells), ("cold", self.cold)):
            lines = ",\n".join(f"  {json.dumps(_brief(asdict(item)))}" for item in items)
            parts.append(f' "{name}": [\n{lines}\n ]')
        with replacing(path) as temporary:
            temporary.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Results:
        """Read what ``save`` wrote.

        Raises:
            InputError: it is no such file.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            cells = [Cell(**cell) for cell in data["cells"]]
            return cls(data["made"], cells, [Cold(**cold) for cold in data["cold"]])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{os.fspath(path)}: holds no benchmark ({type(error).__name__}: {error}); "
                "`layergraph bench --json FILE` writes one"
            ) from error


@dataclass(frozen=True)
class Ratio:
    """How many times faster; at least that where it is not exact."""

    value: float
    exact: bool = True

    def __str__(self) -> str:
        digits = 2 if self.value < 10 else 1 if self.value < 100 else 0
        return f"{'' if self.exact else '>'}{self.value:.{digits}f}"


def machine(versions: dict[str, str], options: dict[str, Any]) -> dict[str, Any]:
    """When and on what a benchmark was made."""
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": cores(),
        "memory_gib": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": dict(sorted(versions.items())),
        "options": options,
    }


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> int | None:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemTotal"):
            return round(int(line.split()[1]) / 2**20)
    return None


def _lines(path: str) -> Iterable[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ()


def _brief(data: dict[str, Any]) -> dict[str, Any]:
    """Without what is not known."""
    return {name: value for name, value in data.items() if value not in (None, "")}
