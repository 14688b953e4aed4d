"""Tables and progress: rich on a terminal, plain text in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TypeVar

T = TypeVar("T")


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Iterable[str] = ()
) -> None:
    """Print a table to standard output.

    Args:
        columns: headings.
        rows: cells.
        right: columns of numbers, aligned to the right.
    """
    numbers = set(right)
    if not sys.stdout.isatty():
        print("\n".join(plain_table(columns, rows, right=numbers)))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        # Text, because a name in square brackets would be taken for markup.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def plain_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Iterable[str] = ()
) -> Iterable[str]:
    """The lines of a table as plain text; arguments as for ``print_table``."""
    right = set(right)
    lines = [columns, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    for line in lines:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, cell, width in zip(columns, line, widths, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def tracked(items: Sequence[T], what: str, *, stream: IO[str] | None = None) -> Iterable[T]:
    """The items, with a progress bar on standard error where that is a terminal."""
    if len(items) < 2 or not (stream or sys.stderr).isatty():
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, what, console=Console(stderr=True), transient=True)


LARGE = 1 << 26
"""Bytes from which on writing a file shows progress."""


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar of bytes written, on standard error where that is a terminal.

    Yields a function of the bytes done and to be done, or ``None`` where nobody looks on.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(what, visible=False)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=total >= LARGE)

        yield show
