"""Combining several values into one."""

from __future__ import annotations

import string
from typing import Any

from layergraph.backends.onnx.elementwise import choice, truth
from layergraph.backends.onnx.normalization import unit_length
from layergraph.backends.onnx.table import Spellings
from layergraph.backends.onnx.values import Tensor, View, plain
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.ops.merge import Concatenate, Dot, Fill, Logical, Matmul, Merge, Replace, Stack
from layergraph.ir.types import promote

spellings = Spellings()

KINDS = {"add": "Add", "subtract": "Sub", "multiply": "Mul", "average": "Add", "maximum": "Max",
         "minimum": "Min"}  # fmt: skip
OF_TRUTHS = {"add": "Or", "multiply": "And", "maximum": "Or", "minimum": "And"}


@spellings.spells(Merge, follows=True)
def merge(w: Writer, op: Merge, *values: Tensor) -> str:
    """Two at a time."""
    dtype = promote(*(v.dtype for v in values))
    kind = OF_TRUTHS[op.kind] if dtype == "bool" else KINDS[op.kind]
    name, *rest = (w.name_of(w.as_dtype(v, dtype)) for v in values)
    for other in rest:
        name = w.op(kind, name, other)
    if op.kind == "average":
        # Whole numbers are summed as such, and divided as floats.
        result = w.type.dtype
        name = w.op("Div", w.cast(name, dtype, result), w.number(len(values), result))
    return name


@spellings.spells(Concatenate)
def concatenate(w: Writer, op: Concatenate, *values: Tensor) -> Any:
    """In the order of axes that the values have."""
    rank = values[0].rank
    axes = next((v.native for v in values if v.native != plain(rank)), plain(rank))
    names = [w.view(w.as_dtype(v, w.type.dtype), axes) for v in values]
    return View(w.op("Concat", *names, axis=axes.index(op.axis % rank)), axes)


@spellings.spells(Logical, follows=True)
def logical(w: Writer, op: Logical, *values: Tensor) -> str:
    """Two at a time."""
    name, *rest = (truth(w, v) for v in values)
    for other in rest:
        name = w.op("And" if op.kind == "and" else "Or", name, other)
    return name


@spellings.spells(Fill, follows=True)
def fill(w: Writer, op: Fill, x: Tensor) -> str:
    """One number, expanded."""
    name: str = w.op("Expand", w.number(op.value, op.dtype), w.op("Shape", x))
    return name


@spellings.spells(Replace, follows=True)
def replace(w: Writer, op: Replace, x: Tensor, mask: Tensor) -> str:
    """A choice element by element."""
    return choice(w, truth(w, mask), w.name_of(x), w.number(op.value, x.dtype), x.dtype)


@spellings.spells(Dot)
def dot(w: Writer, op: Dot, x1: Tensor, x2: Tensor) -> str:
    """An ``Einsum`` over the two axes."""
    values = [w.name_of(w.as_dtype(x, w.type.dtype)) for x in (x1, x2)]
    if op.normalize:
        values = [
            unit_length(w, v, (axis,), w.type.dtype)
            for v, axis in zip(values, op.axes, strict=True)
        ]
    letters = iter(string.ascii_lowercase[2:])
    terms, result = [], "a"
    for x, summed in zip((x1, x2), op.axes, strict=True):
        own = ["a" if i == 0 else "b" if i == summed else next(letters) for i in range(x.rank)]
        terms.append("".join(own))
        result += "".join(c for c in own if c not in "ab")
    name: str = w.op("Einsum", *values, equation=f"{','.join(terms)}->{result}")
    return name if len(result) > 1 else w.op("Unsqueeze", name, w.ints(1))


@spellings.spells(Stack)
def stack(w: Writer, op: Stack, *values: Tensor) -> str:
    """Each with a new axis, concatenated."""
    axis = op.axis % w.type.rank
    parts = [w.op("Unsqueeze", w.as_dtype(v, w.type.dtype), w.ints(axis)) for v in values]
    name: str = w.op("Concat", *parts, axis=axis)
    return name


@spellings.spells(Matmul)
def matmul(w: Writer, op: Matmul, x1: Tensor, x2: Tensor) -> str:
    """A node; whole numbers as float32, as Keras does."""
    dtype = promote(x1.dtype, x2.dtype, "float")
    name: str = w.op("MatMul", w.as_dtype(x1, dtype), w.as_dtype(x2, dtype))
    return w.cast(name, dtype, w.type.dtype)
