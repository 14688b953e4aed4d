"""Tables and progress: rich on a terminal, plain text in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
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
