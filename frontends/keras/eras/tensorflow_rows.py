"""Rows of the tables of TensorFlow functions: what one says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Options = dict[str, Any]


@dataclass(frozen=True)
class Function:
    """One row of a table.

    Attributes:
        operation: ``ops.Name`` of Keras, ``tf.Name`` of our own, or a layer.
        arguments: names of its call arguments, ``tensorflow:ours`` where they
            differ; the first is the positional one.
        options: names of its options, likewise; empty for ``tf.Name``, whose
            reader takes everything as an argument.
        stated: what TensorFlow's defaults make explicit.
        change: last word on the options.
        refusal: why the function will not be read, instead of all else.
        nulls: arguments whose null is a value, spelled ``False`` here.
    """

    operation: str
    arguments: str = "x"
    options: str = ""
    stated: tuple[tuple[str, Any], ...] = ()
    change: Callable[[Options], Options] = lambda options: options
    refusal: str = ""
    nulls: str = ""


def names_of(text: str) -> dict[str, str]:
    pairs = [part.partition(":") for part in text.split()]
    return {name: ours or name for name, _, ours in pairs}


def rows(prefix: str, operations: str, arguments: str = "x") -> dict[str, Function]:
    """Rows that differ in their names only: ``tensorflow:ours``."""
    return {
        f"{prefix}{name}": Function(f"ops.{ours}", arguments)
        for name, ours in names_of(operations).items()
    }


def own(prefix: str, operations: str, first: str = "x") -> dict[str, Function]:
    """Rows of operations of TensorFlow's own: ``tensorflow:ours``."""
    return {
        f"{prefix}{name}": Function(f"tf.{ours}", first)
        for name, ours in names_of(operations).items()
    }
