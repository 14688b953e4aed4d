"""How the spellings of operators are declared and found.

An operator of ``ir/ops/F.py`` is spelled in ``backends/onnx/F.py`` in that module's
table ``spellings``. As with kernels, the file name is the registry.

A spelling has the signature of the operator's ``infer`` with a ``Writer`` and the
operator before it, ``Tensor`` for types of inputs and arrays for parameters. It
returns the name of the ONNX value that holds the result, a ``View`` where that
stands in another order of axes, or a tuple of such for several outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias, TypeVar

from layergraph.ir.op import FAMILIES, Op, family_of

Spelling: TypeAlias = Callable[..., Any]
SpellingT = TypeVar("SpellingT", bound=Spelling)


class RefusedError(Exception):
    """The operator, as it stands, has no ONNX spelling.

    Args:
        reason: what exactly ONNX lacks.
        remedy: what the user can do about it.
    """

    def __init__(self, reason: str, remedy: str = "run the model with layergraph itself") -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


@dataclass(frozen=True)
class Entry:
    """One row of a table.

    Attributes:
        spell: the spelling.
        follows: it works element by element, so that the writer may hand it all
            inputs and parameters in whatever order of axes they exist.
    """

    spell: Spelling
    follows: bool = False


class Spellings:
    """The spellings of one family."""

    def __init__(self) -> None:
        self.entries: dict[type[Op], Entry] = {}
        self.refused: dict[type[Op], str] = {}

    def spells(
        self, *op_types: type[Op], follows: bool = False
    ) -> Callable[[SpellingT], SpellingT]:
        """Declare ``f(writer, op, *inputs, **params)``; see the module's docstring."""

        def register(function: SpellingT) -> SpellingT:
            for op_type in op_types:
                if op_type in self.entries:
                    raise TypeError(f"{op_type.__name__} has two spellings")
                self.entries[op_type] = Entry(function, follows)
            return function

        return register

    def refuses(self, op_type: type[Op], reason: str) -> None:
        """Declare that an operator has no spelling, and why."""
        self.refused[op_type] = reason


def entry_of(op: Op) -> Entry:
    """The spelling of an operator.

    Raises:
        RefusedError: it has none.
    """
    family = family_of(type(op))
    if family not in FAMILIES:
        raise RefusedError("ONNX knows no such operator")
    spellings: Spellings = import_module(f"{__package__}.{family}").spellings
    if type(op) in spellings.entries:
        return spellings.entries[type(op)]
    raise RefusedError(spellings.refused.get(type(op), "it has no ONNX spelling yet"))
