"""Operators that Keras computes in several steps: terms of functions, written inside out.

A term is a function of other terms, tensors of the model and numbers::

    size = f("math.abs", x)
    write(w, f("math.multiply", size, y=f("math.sign", x)))

The outermost function bears the node's name, those inside are its parts. A term that
stands in several places is written once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError
from layergraph.backends.keras.writer import Operand, Writer, dtype_of
from layergraph.ir.types import FLOATS, TensorType, numpy_dtype, type_of


@dataclass(frozen=True, eq=False)
class Term:
    """A function of TensorFlow, or an operation of ``keras.ops``, and what it is called on.

    Attributes:
        name: ``math.add``, ``Add``.
        args: terms, tensors, arrays, numbers.
        config: arguments by name; of an operation its static ones.
        types: what is known of its result, where it is asked for.
        count: how many results it has.
    """

    name: str
    args: tuple[Any, ...]
    config: Mapping[str, Any]
    types: TensorType | None = None
    count: int = 1


@dataclass(frozen=True, eq=False)
class Item:
    """One of several results of a term."""

    term: Term
    index: int


def f(
    name: str, *args: Any, types: TensorType | None = None, count: int = 1, **config: Any
) -> Term:
    """A term; the second argument of a function of TensorFlow is called ``y``."""
    return Term(name, args, config, types, count)


def write(w: Writer, term: Any, types: Any = None) -> Any:
    """Write a term as the node's result.

    Returns:
        The tensor it gives, or a tuple of several.
    """
    return _Writing(w).result(term, "", types)


def part(w: Writer, term: Any, name: str, types: Any = None) -> Any:
    """Write a term as a step of the node."""
    return _Writing(w).result(term, name, types)


class _Writing:
    """Terms of one result, and what each was written as."""

    def __init__(self, w: Writer) -> None:
        self.w = w
        self.done: dict[int, Any] = {}

    def result(self, term: Any, name: str, types: Any) -> Any:
        if not isinstance(term, Term):
            return term
        args = [self.inner(a) for a in term.args]
        config = {k: self.inner(v) for k, v in term.config.items()}
        given = types if types is not None else term.types
        if term.count > 1 and given is None:
            given = [self.w.node.types[0]] * term.count
        if "." not in term.name and self.w.keras3:
            return self.w.op(term.name, *args, part=name, types=given, **config)
        if len(args) > 1:
            config = {"y": args[1], **config}
        return self.w.tf(term.name, args[0], part=name, types=given, **config)

    def inner(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.inner(v) for v in value]
        if isinstance(value, Item):
            return self.inner(value.term)[value.index]
        if not isinstance(value, Term):
            return value
        if id(value) not in self.done:
            name = value.name.rpartition(".")[2].lower()
            types = value.types or (self.w.node.types[0] if value.count == 1 else None)
            self.done[id(value)] = self.result(value, name, types)
        return self.done[id(value)]


# --- dtypes and constants --------------------------------------------------------------


def as_dtype(w: Writer, x: Operand, dtype: str) -> Operand:
    """A value in a dtype."""
    if dtype_of(x) == dtype:
        return x
    if not isinstance(x, Tensor):
        return x.astype(numpy_dtype(dtype))
    name = "Cast" if w.keras3 else "cast"
    found: Tensor = part(w, f(name, x, dtype=dtype), "cast", x.type.with_dtype(dtype))
    return found


def type_in(x: Operand) -> TensorType:
    """Type of an input of a spelling."""
    return x.type if isinstance(x, Tensor) else type_of(x)


PYTHON = {"float32": float, "int32": int, "bool": bool}
"""Dtypes that TensorFlow gives Python's numbers by themselves."""


def first(w: Writer, x: Operand, *others: Operand) -> Operand:
    """A value as the first argument of a function of TensorFlow.

    A constant there is a list of numbers whose dtype TensorFlow guesses; where it would
    guess wrong, it is added to a zero of the right one, made of another input.
    """
    if isinstance(x, Tensor) or w.keras3 or dtype_of(x) in PYTHON:
        return x
    source = next((v for v in others if isinstance(v, Tensor)), None)
    if source is None:
        raise RefusedError(f"a constant of {dtype_of(x)} stands where Keras 2 writes no dtype")
    return as_tensor(w, x, source)


def as_tensor(w: Writer, x: Operand, source: Tensor) -> Tensor:
    """A value as a tensor of the model, a constant as a sum with zeros made of an input."""
    if isinstance(x, Tensor):
        return x
    dtype = dtype_of(x)
    number = TensorType((), "int32")
    if dtype not in (*FLOATS, "bool", "int8", "int16", "int32", "int64", "uint8", "uint16"):
        raise RefusedError(f"a constant of {dtype} cannot be written to its config")
    wide = "int32" if dtype == "bool" else dtype
    if w.keras3:
        size = f("Size", source, types=number)
        zero = f("Multiply", size, np.int32(0), types=number)
    else:
        size = f("size", source, types=number)
        zero = f("math.multiply", size, 0, types=number)
    start = part(w, zero, "zero", number)
    start = as_dtype(w, start, wide)
    whole = type_of(x).with_dtype(wide)
    values = x.astype(numpy_dtype(wide), copy=False)
    total = f("Add", start, values) if w.keras3 else f("math.add", start, values)
    found = part(w, total, "constant", whole)
    result = as_dtype(w, found, dtype)
    assert isinstance(result, Tensor)
    return result


def known_size(size: int | None, what: str) -> int:
    """A size that the spelling has to know.

    Raises:
        RefusedError: it is not known before the model runs.
    """
    if size is None:
        raise RefusedError(f"{what} is not known before the model runs")
    return size


def moved(shape: Sequence[int | None], order: Sequence[int]) -> tuple[int | None, ...]:
    """A shape with its axes in another order."""
    return tuple(shape[i] for i in order)


# --- functions both Kerases have -------------------------------------------------------

PLAIN = {
    "add": ("Add", "math.add"), "subtract": ("Subtract", "math.subtract"),
    "multiply": ("Multiply", "math.multiply"), "divide": ("Divide", "math.divide"),
    "maximum": ("Maximum", "math.maximum"), "minimum": ("Minimum", "math.minimum"),
    "power": ("Power", "math.pow"), "equal": ("Equal", "math.equal"),
    "less": ("Less", "math.less"), "less_equal": ("LessEqual", "math.less_equal"),
    "greater": ("Greater", "math.greater"), "and": ("LogicalAnd", "math.logical_and"),
    "or": ("LogicalOr", "math.logical_or"), "abs": ("Absolute", "math.abs"),
    "square": ("Square", "math.square"), "sqrt": ("Sqrt", "math.sqrt"),
    "exp": ("Exp", "math.exp"), "log": ("Log", "math.log"), "log1p": ("Log1p", "math.log1p"),
    "negative": ("Negative", "math.negative"), "floor": ("Floor", "math.floor"),
    "sign": ("Sign", "math.sign"), "isfinite": ("Isfinite", "math.is_finite"),
    "isnan": ("Isnan", "math.is_nan"), "sum": ("Sum", "math.reduce_sum"),
    "mean": ("Mean", "math.reduce_mean"), "max": ("Max", "math.reduce_max"),
    "min": ("Min", "math.reduce_min"), "any": ("Any", "math.reduce_any"),
    "cast": ("Cast", "cast"), "expand_dims": ("ExpandDims", "expand_dims"),
    "stack": ("Stack", "stack"), "concat": ("Concatenate", "concat"),
    "zeros_like": ("ZerosLike", "zeros_like"), "ones_like": ("OnesLike", "ones_like"),
    "log_softmax": ("LogSoftmax", "nn.log_softmax"), "arctan2": ("Arctan2", "math.atan2"),
}  # fmt: skip
"""Functions by their plain name: of ``keras.ops`` and of TensorFlow, alike in arguments."""


def g(w: Writer, word: str, *args: Any, types: TensorType | None = None, **config: Any) -> Term:
    """A term of a function that both Kerases have."""
    return f(PLAIN[word][0 if w.keras3 else 1], *args, types=types, **config)


def reshaped(w: Writer, x: Any, shape: Sequence[Any], types: TensorType | None = None) -> Term:
    """A value in another shape, of which one size may be -1."""
    if w.keras3:
        return f("Reshape", x, newshape=list(shape), types=types)
    return f("reshape", x, shape=list(shape), types=types)


def transposed(w: Writer, x: Any, order: Sequence[int]) -> Term:
    """A value with its axes in another order."""
    if w.keras3:
        return f("Transpose", x, axes=list(order))
    return f("transpose", x, perm=list(order))


def chosen(w: Writer, condition: Any, x: Any, y: Any) -> Term:
    """One value where a condition is true, another elsewhere."""
    return f("Where", condition, x, y) if w.keras3 else f("where", condition, x=x, y=y)


def item(w: Writer, x: Any, key: Sequence[Any], types: TensorType | None = None) -> Term:
    """``x[key]``."""
    if w.keras3:
        return f("GetItem", x, list(key), types=types)
    return f("__operators__.getitem", x, slice_spec=list(key), types=types)


def on_axis(rank: int, axis: int, entry: Any) -> list[Any]:
    """The key that takes an entry of one axis, and all of the others."""
    key: list[Any] = [slice(None)] * rank
    key[axis] = entry
    return key
