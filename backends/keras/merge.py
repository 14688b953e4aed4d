"""Combining several values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import first
from layergraph.backends.keras.writer import Operand, Writer, dtype_of
from layergraph.ir.ops.merge import Concatenate, Dot, Fill, Logical, Matmul, Merge, Replace, Stack
from layergraph.ir.types import numpy_dtype, real_of

spellings = Spellings()


@spellings.spells(Merge)
def merge(w: Writer, op: Merge, *values: Operand) -> Any:
    """A layer where it computes the same, else operations of two values each."""
    if _is_layer(values) and (op.kind != "subtract" or len(values) == 2):
        return w.layer(op.kind.capitalize(), list(values), masking="drop")
    if op.kind == "average":
        return _average(w, values)
    return _chain(w, op.kind, values)


def _is_layer(values: Sequence[Operand]) -> bool:
    """Whether Keras' layer broadcasts as NumPy does, and finds no masks to heed."""
    if len(values) < 2 or not all(isinstance(v, Tensor) and v.mask is None for v in values):
        return False
    types = [v.type for v in values if isinstance(v, Tensor)]
    first = types[0]
    alike = all(t.rank == first.rank and t.dtype == first.dtype for t in types)
    return alike and first.is_float and first.rank > 1 and len({t.shape[0] for t in types}) == 1


def _chain(w: Writer, kind: str, values: Sequence[Operand], last: str = "") -> Any:
    """Two values after the other."""
    found, *more = values if w.keras3 else w.alike(values)
    found = first(w, found, *more)
    for i, value in enumerate(more, 1):
        part = last if i == len(more) else f"step_{i}"
        if w.keras3:
            found = w.op(kind.capitalize(), found, value, part=part)
        else:
            found = w.tf(f"math.{kind}", found, y=value, part=part)
    return found


def _average(w: Writer, values: Sequence[Operand]) -> Any:
    dtype = w.node.types[0].dtype
    total = _chain(w, "add", w.alike(values, dtype), "sum")
    count = np.asarray(len(values), numpy_dtype(real_of(dtype)))
    if w.keras3:
        return w.op("Divide", total, count)
    return w.tf("math.divide", total, y=len(values))


@spellings.spells(Concatenate)
def concatenate(w: Writer, op: Concatenate, *values: Operand) -> Any:
    """A layer where it computes the same, else an operation."""
    if _is_joined_by_layer(op, values):
        return w.layer("Concatenate", list(values), axis=op.axis, masking="drop")
    if w.keras3:
        return w.op("Concatenate", list(values), axis=op.axis)
    return w.tf("concat", w.alike(values, w.node.types[0].dtype), axis=op.axis)


def _is_joined_by_layer(op: Concatenate, values: Sequence[Operand]) -> bool:
    if len(values) < 2 or not all(isinstance(v, Tensor) and v.mask is None for v in values):
        return False
    types = [v.type for v in values if isinstance(v, Tensor)]
    along = op.axis % types[0].rank
    return along > 0 and all(t.is_float and t.dtype == types[0].dtype for t in types)


@spellings.spells(Stack)
def stack(w: Writer, op: Stack, *values: Operand) -> Any:
    """An operation."""
    if w.keras3:
        return w.op("Stack", list(values), axis=op.axis)
    return w.tf("stack", w.alike(values, w.node.types[0].dtype), axis=op.axis)


@spellings.spells(Logical)
def logical(w: Writer, op: Logical, *values: Operand) -> Any:
    """Operations of two values each."""
    found, *more = values if w.keras3 else w.alike(values, "bool")
    for i, value in enumerate(more, 1):
        part = "" if i == len(more) else f"step_{i}"
        if w.keras3:
            found = w.op(f"Logical{op.kind.capitalize()}", found, value, part=part)
        else:
            found = w.tf(f"math.logical_{op.kind}", found, y=value, part=part)
    return found


@spellings.spells(Fill)
def fill(w: Writer, op: Fill, x: Tensor) -> Any:
    """``ones_like`` and its kin."""
    x = w.tensor(x)
    names = {0.0: "zeros_like", 1.0: "ones_like"}
    name = names.get(float(op.value))
    if w.keras3 and name is not None:
        return w.op(name.title().replace("_", ""), x, dtype=op.dtype)
    if w.keras3:
        return w.op("FullLike", x, op.value, dtype=op.dtype)
    if name is not None:
        return w.tf(name, x, dtype=op.dtype)
    types = x.type.with_dtype(op.dtype)
    ones = w.tf("ones_like", x, dtype=op.dtype, types=types, part="ones")
    return w.tf("math.multiply", ones, y=op.value)


@spellings.spells(Replace)
def replace(w: Writer, op: Replace, x: Operand, mask: Operand) -> Any:
    """``where`` with a number in place of the second value."""
    dtype = dtype_of(x)
    value = np.asarray(op.value, numpy_dtype(dtype))
    if w.keras3:
        return w.op("Where", mask, x, value)
    mask = w.tensor(mask, "its mask")
    if dtype in ("float32", "int32", "bool"):
        return w.tf("where", mask, x=x, y=value)
    other = w.tf("cast", mask, dtype=dtype, types=mask.type.with_dtype(dtype), part="factor")
    zero = w.tf("math.multiply", other, y=0, types=other.type, part="zeros")
    return w.tf("where", mask, x=x, y=w.tf("math.add", zero, y=value, part="value"))


@spellings.spells(Dot)
def dot(w: Writer, op: Dot, x1: Operand, x2: Operand) -> Any:
    """Dot."""
    both = [w.tensor(x1), w.tensor(x2)]
    return w.layer("Dot", both, axes=list(op.axes), normalize=op.normalize, masking="drop")


@spellings.spells(Matmul)
def matmul(w: Writer, op: Matmul, x1: Operand, x2: Operand) -> Any:
    """An operation."""
    if w.keras3:
        return w.op("Matmul", x1, x2)
    a, b = w.alike([x1, x2], w.node.types[0].dtype)
    ranks = [v.rank if isinstance(v, Tensor) else v.ndim for v in (a, b)]
    if min(ranks) < 1 or (ranks[0] == 1 and ranks[1] > 2):
        raise RefusedError("TensorFlow has no such product of a vector")
    if min(ranks) == 1:
        w.spelled_out()
        return w.tf("tensordot", a, b=b, axes=1)
    return w.tf("linalg.matmul", a, b=b)
