"""How far a long prediction is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

EVERY = 5.0
"""Seconds between two lines."""


@contextmanager
def progress(rows: int, what: str = "predicting") -> Iterator[Callable[[int], None]]:
    """Show on standard error how many rows are done; yields the function to tell.

    Args:
        rows: how many there are.
        what: what is done with them.
    """
    if not sys.stderr.isatty():
        yield lines(rows, what)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(show_speed=True),
        MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=rows)
        yield lambda count: bar.advance(task, count)


def lines(
    rows: int, what: str, *, every: float = EVERY, clock: Callable[[], float] = monotonic
) -> Callable[[int], None]:
    """A function that is told of rows done, and prints a line when some seconds have passed."""
    started = said = clock()
    done = 0

    def advance(count: int) -> None:
        nonlocal done, said
        done += count
        now = clock()
        if now - said < every or not done:
            return
        said = now
        left = (now - started) * (rows - done) / done
        print(
            f"{what}: {done} of {rows} rows, {done / (now - started):.1f} a second, "
            f"{left:.0f} s left",
            file=sys.stderr, flush=True,
        )  # fmt: skip

    return advance
