"""How far a run is: a bar on a terminal, a line a configuration in a pipe."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from study.configurations import Configuration
from study.results import Result


class Progress(AbstractContextManager["Progress"]):
    """Counts configurations and their epochs.

    Args:
        total: configurations.
    """

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._bars: Any = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bars

            columns = (
                TextColumn("{task.description:28}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            self._bars = Bars(*columns, console=Console(stderr=True))
            self._all = self._bars.add_task("configurations", total=total)
            self._one = self._bars.add_task("", total=1, visible=False)

    def __enter__(self) -> Progress:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars:
            self._bars.stop()

    def began(self, configuration: Configuration, epochs: int) -> None:
        """A configuration is trained now."""
        if self._bars:
            self._bars.reset(self._one, description=configuration.name, total=epochs, visible=True)

    def tick(self) -> None:
        """An epoch is over."""
        if self._bars:
            self._bars.advance(self._one)

    def ended(self, configuration: Configuration, result: Result, *, trained: bool) -> None:
        """A configuration is finished."""
        self._done += 1
        line = (
            f"[{self._done}/{self._total}] {configuration.name}: "
            f"{f'trained in {result.seconds:.0f} s' if trained else 'already there'}, "
            f"macro F1 {result.f1:.4f}, largest difference {result.difference:.1e}"
        )
        if self._bars:
            self._bars.advance(self._all)
            self._bars.console.print(line, highlight=False, markup=False)
        else:
            print(line, flush=True)
