"""What an operator is: a frozen dataclass of attributes that can infer its output types.

The signature of ``infer`` is the operator's contract, and nothing repeats it:

* positional parameters are the node's inputs, in order (``mask=None`` marks an
  optional one, ``*values`` any number of them),
* keyword-only parameters are the node's parameter roles (``bias=None`` marks
  an optional one),
* the result is one ``TensorType``, or a tuple of them for several outputs.

A NumPy kernel has the same signature with arrays in place of types.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from layergraph.ir.errors import GraphError
from layergraph.ir.types import TensorType

FAMILIES = (
    "activation", "attention", "augmentation", "convolution", "convolutional_recurrent",
    "creation", "dynamic", "elementwise", "embedding", "foreign", "image", "indexing", "linalg",
    "linear", "loss", "merge", "normalization", "parameters", "patches", "pooling",
    "preprocessing", "quantization", "recurrent", "reduction", "scatter", "shape", "signal",
    "statistics", "text",
)  # fmt: skip
"""Operator families; each is a file of that name in every room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """Base of all operators.

    Attributes:
        aliases: whether output 0 may share memory with input 0.
        pointwise: whether each output element depends on the input element at
            the same place alone, so that a producer can apply it to any tile.
        fuses_activation: whether the pass ``fuse_activation`` may set the
            attribute ``activation``.
    """

    aliases: ClassVar[bool] = False
    pointwise: ClassVar[bool] = False
    fuses_activation: ClassVar[bool] = False

    def __post_init__(self) -> None:
        kind: Any = type(self)
        for name, choices in literal_fields(kind).items():
            value = getattr(self, name)
            if value not in choices:
                raise GraphError(
                    f"{type(self).__name__}.{name} is {value!r}, expected one of "
                    f"{', '.join(map(repr, choices))}"
                )

    def infer(self, *inputs: Any, **params: Any) -> TensorType | tuple[TensorType, ...]:
        """Output types for the given input and parameter types."""
        raise NotImplementedError(type(self).__name__)

    @property
    def kept(self) -> tuple[str, ...]:
        """Names of the states that outlive a run; a run begins with those of the run before.

        The kernel of such an operator is also given ``kept=``, what each name
        holds (``None`` at first), and returns its outputs and what each name
        holds from now on.
        """
        return ()

    def kept_types(self, *inputs: Any, **params: Any) -> tuple[tuple[TensorType, ...], ...]:
        """Types of the states each name in ``kept`` holds."""
        return ()

    def __str__(self) -> str:
        return f"{type(self).__name__}({attributes_text(self)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation(Op):
    """Base of operators usable as an activation: one input, output of the same type."""

    def infer(self, x: TensorType) -> TensorType:
        """The type of ``x``."""
        return x

    @property
    def by_row(self) -> bool:
        """Whether each row along the last axis is computed by itself."""
        return self.pointwise or getattr(self, "axis", None) in (-1, (-1,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Input(Op):
    """A value fed by the caller.

    Attributes:
        shape: dimensions, batch first.
        dtype: dtype the fed array is cast to.
    """

    shape: tuple[int | None, ...]
    dtype: str = "float32"

    def infer(self) -> TensorType:
        """The declared type."""
        return TensorType(self.shape, self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Op):
    """A value known when the graph is made, held in the parameter ``value``."""

    def infer(self, *, value: TensorType) -> TensorType:
        """The type of the held array."""
        return value


@cache
def literal_fields(op_type: Any) -> dict[str, tuple[Any, ...]]:
    """Attributes with a fixed set of choices, by name."""
    hints = get_type_hints(op_type)
    names = [f.name for f in fields(op_type)]
    return {n: get_args(hints[n]) for n in names if get_origin(hints[n]) is Literal}


@dataclass(frozen=True, slots=True)
class Signature:
    """Inputs and parameter roles of an operator, read from its ``infer``."""

    inputs: tuple[str, ...]
    required_inputs: int
    variadic: bool
    params: Mapping[str, bool]
    """Parameter roles in order; the value says whether the role is required."""
    any_params: bool = False
    """Whether roles are free (``**params``)."""


def signature(op_type: type[Op]) -> Signature:
    """The contract that ``op_type.infer`` spells."""
    found: Any = op_type
    return _signature(found)


@cache
def _signature(op_type: Any) -> Signature:
    spec = list(inspect.signature(op_type.infer).parameters.values())[1:]
    positional = [p for p in spec if p.kind is p.POSITIONAL_OR_KEYWORD]
    return Signature(
        inputs=tuple(p.name for p in positional),
        required_inputs=sum(p.default is p.empty for p in positional),
        variadic=any(p.kind is p.VAR_POSITIONAL for p in spec),
        params={p.name: p.default is p.empty for p in spec if p.kind is p.KEYWORD_ONLY},
        any_params=any(p.kind is p.VAR_KEYWORD for p in spec),
    )


def family_of(op_type: type[Op]) -> str:
    """File name of the operator's family, ``convolution``; the key to its kernel."""
    return op_type.__module__.rpartition(".")[2]


def attributes_text(op: Op) -> str:
    """Attributes that differ from their defaults, as ``name=value``."""
    shown = [(n, getattr(op, n)) for n, f in stored(op).items() if getattr(op, n) != f.default]
    return ", ".join(f"{n}={v if isinstance(v, Op) else repr(v)}" for n, v in shown)


def op_to_json(op: Op) -> dict[str, Any]:
    """The operator as plain JSON data; ``op_from_json`` is the inverse."""
    return {
        "op": f"{family_of(type(op))}.{type(op).__name__}",
        **{name: _encode(getattr(op, name)) for name in stored(op)},
    }


def stored(op: Op | type[Op]) -> dict[str, Field[Any]]:
    """Attributes that a file keeps, by name: all but Python objects."""
    found: Any = op
    return {f.name: f for f in fields(found) if f.metadata.get("stored", True)}


def op_from_json(data: Mapping[str, Any]) -> Op:
    """Rebuild an operator from ``op_to_json``'s data.

    Raises:
        GraphError: the operator or one of its attributes is not known.
    """
    op_type = _op_type(str(data.get("op")))
    attributes = {k: _decode(v) for k, v in data.items() if k != "op"}
    known = stored(op_type).keys()
    if unknown := sorted(set(attributes) - known):
        raise GraphError(f"operator {data['op']} has no attribute {unknown[0]!r}")
    try:
        return op_type(**attributes)
    except TypeError as error:
        raise GraphError(f"operator {data['op']}: {error}") from None


def _op_type(name: str) -> type[Op]:
    family, _, class_name = name.partition(".")
    if family == "op" and class_name in ("Input", "Constant"):
        return {"Input": Input, "Constant": Constant}[class_name]
    if family not in FAMILIES:
        raise GraphError(f"unknown operator {name!r}: written by a newer layergraph?")
    found = getattr(import_module(f"layergraph.ir.ops.{family}"), class_name, None)
    if not (isinstance(found, type) and issubclass(found, Op)) or family_of(found) != family:
        raise GraphError(f"unknown operator {name!r}: written by a newer layergraph?")
    return found


def _encode(value: Any) -> Any:
    if isinstance(value, Op):
        return op_to_json(value)
    if isinstance(value, tuple):
        return [_encode(v) for v in value]
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        return op_from_json(value)
    if isinstance(value, list):
        return tuple(_decode(v) for v in value)
    return value
