"""How the spellings of operators as Keras layers and operations are declared and found.

An operator of ``ir/ops/F.py`` is spelled in ``backends/keras/F.py`` in that module's
table ``spellings``. As with kernels, the file name is the registry.

A spelling has the signature of the operator's ``infer`` with a ``Writer`` and the
operator before it, ``Tensor`` for types of inputs and arrays for parameters. An input
that does not depend on what the model is fed comes as an array. It returns the
``Tensor`` that holds the result, or a tuple of such for several outputs.

A spelling makes layers (``w.layer``), which both Kerases have, or operations, which
they spell apart: ``w.op`` adds a node of ``keras.ops``, for Keras 3 alone, ``w.tf`` a
function of TensorFlow, for Keras 2 alone; ``w.keras3`` says which is written.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias, TypeVar

from layergraph.ir.op import FAMILIES, Op, family_of

Spelling: TypeAlias = Callable[..., Any]
SpellingT = TypeVar("SpellingT", bound=Spelling)
Regrouping: TypeAlias = Callable[..., Any]
RegroupingT = TypeVar("RegroupingT", bound=Regrouping)

REMEDY = "write another kind of file (.onnx, .lg), or run the model with layergraph itself"


REGROUPED = {
    **dict.fromkeys(
        ("AdditiveAttention", "Attention", "GroupedQueryAttention", "MultiHeadAttention"),
        "attention",
    ),
    "TimeDistributed": "recurrent",
}
"""Keras classes that readers take apart and a family's ``regroups`` puts together, by family."""


class RefusedError(Exception):
    """The operator, as it stands, has no spelling in the Keras written.

    Args:
        reason: what exactly that Keras lacks.
        remedy: what the user can do about it.
    """

    def __init__(self, reason: str, remedy: str = REMEDY) -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


class Spellings:
    """The spellings of one family."""

    def __init__(self) -> None:
        self.entries: dict[type[Op], Spelling] = {}
        self.refused: dict[type[Op], str] = {}
        self.groups: dict[str, Regrouping] = {}

    def spells(self, *op_types: type[Op]) -> Callable[[SpellingT], SpellingT]:
        """Declare ``f(writer, op, *inputs, **params)``; see the module's docstring."""

        def register(function: SpellingT) -> SpellingT:
            for op_type in op_types:
                if op_type in self.entries:
                    raise TypeError(f"{op_type.__name__} has two spellings")
                self.entries[op_type] = function
            return function

        return register

    def regroups(self, *class_names: str) -> Callable[[RegroupingT], RegroupingT]:
        """Declare ``f(writer, group)``, which gives a ``Plan`` for what was such a layer.

        The classes also stand in ``REGROUPED``.
        """

        def register(function: RegroupingT) -> RegroupingT:
            self.groups.update(dict.fromkeys(class_names, function))
            return function

        return register

    def refuses(self, op_type: type[Op], reason: str) -> None:
        """Declare that an operator has no spelling, and why."""
        self.refused[op_type] = reason


def spelling_of(op: Op) -> Spelling:
    """The spelling of an operator.

    Raises:
        RefusedError: it has none.
    """
    family = family_of(type(op))
    if family not in FAMILIES:
        raise RefusedError("Keras knows no such operator")
    spellings: Spellings = import_module(f"{__package__}.{family}").spellings
    if type(op) in spellings.entries:
        return spellings.entries[type(op)]
    raise RefusedError(spellings.refused.get(type(op), "it has no spelling in Keras yet"))


def regrouping_of(class_name: str) -> Regrouping | None:
    """What puts nodes of a Keras class together again; ``None`` where nothing does."""
    family = REGROUPED.get(class_name)
    if family is None:
        return None
    spellings: Spellings = import_module(f"{__package__}.{family}").spellings
    return spellings.groups[class_name]
