"""Numbers in regular order: sequences, grids, powers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import Spellings
from layergraph.backends.keras.terms import as_dtype, as_tensor, f, first, known_size, part, write
from layergraph.backends.keras.writer import Operand, Writer
from layergraph.ir.ops.creation import Linspace, Meshgrid, Vander
from layergraph.ir.types import TensorType, broadcast_shapes, numpy_dtype

spellings = Spellings()

SPACING = {"linear": "Linspace", "log": "Logspace", "geometric": "Geomspace"}


@spellings.spells(Linspace)
def linspace(w: Writer, op: Linspace, start: Operand, stop: Operand) -> Any:
    """An operation; steps from the start in Keras 2."""
    if w.keras3:
        config: dict[str, Any] = {"num": op.num, "endpoint": op.endpoint, "dtype": op.dtype,
                                  "axis": op.axis}  # fmt: skip
        if op.spacing == "linear":
            config["retstep"] = op.step
        elif op.spacing == "log":
            config["base"] = op.base
        return w.op(SPACING[op.spacing], start, stop, **config)
    return _steps(w, op, start, stop)


def _steps(w: Writer, op: Linspace, start: Operand, stop: Operand) -> Any:
    """Steps from the start, then powers."""
    numbers, source = w.node.types[0], next(v for v in (start, stop) if isinstance(v, Tensor))
    real = numbers.dtype if numbers.is_float else "float64"
    a, b = (w.tensor(as_dtype(w, as_tensor(w, v, source), real)) for v in (start, stop))
    beginning = a
    if op.spacing == "geometric":
        a, b = (_exponent(w, v) for v in (a, b))
    shape = broadcast_shapes(a.shape, b.shape)
    axis = op.axis % (len(shape) + 1)
    parts = op.num - 1 if op.endpoint else op.num
    ends = TensorType(shape, real)
    spread = part(w, f("math.subtract", b, a), "spread", ends)
    if a.rank < len(shape):
        a = part(w, f("math.add", f("zeros_like", spread, types=ends), a), "start", ends)
    row = np.arange(op.num).reshape([-1 if i == axis else 1 for i in range(len(shape) + 1)])
    # In Keras 3's order of operations, which halves show.
    step = f("math.divide", spread, float(max(parts, 1)), types=ends)
    wide = f("math.multiply", f("expand_dims", step, axis=axis), row.astype(numpy_dtype(real)))
    found = f("math.add", f("expand_dims", a, axis=axis), wide)
    if op.endpoint and op.num > 1:
        last = f("math.add", f("zeros_like", spread, types=ends), b, types=ends)
        found = f("where", row == op.num - 1, x=f("expand_dims", last, axis=axis), y=found)
    if op.spacing != "linear":
        base = 10.0 if op.spacing == "geometric" else op.base
        number = first(w, np.array(base, numpy_dtype(real)), spread)
        found = f("math.pow", number, found)
    if op.spacing == "geometric":
        sign: Any = f("math.sign", beginning)
        if beginning.rank < len(shape):
            sign = f("math.add", f("zeros_like", spread), sign)
        found = f("math.multiply", found, f("expand_dims", sign, axis=axis))
    if not numbers.is_float:
        found = f("cast", f("math.floor", found), dtype=numbers.dtype)
    if not op.step:
        return write(w, found, numbers)
    width = f("math.multiply", spread, 1 / parts if parts else float("nan"))
    width = width if numbers.is_float else f("cast", width, dtype=numbers.dtype)
    return write(w, found, numbers), part(w, width, "width", w.node.types[1])


def _exponent(w: Writer, x: Tensor) -> Tensor:
    size = f("math.log", f("math.abs", x))
    found: Tensor = part(w, f("math.divide", size, math.log(10)), "exponent", x.type)
    return found


@spellings.spells(Meshgrid)
def meshgrid(w: Writer, op: Meshgrid, *values: Operand) -> Any:
    """An operation; in Keras 2, which cannot save it, vectors spread by zeros of the others."""
    if w.keras3:
        return w.op("Meshgrid", *values, indexing=op.indexing)
    source = next(v for v in values if isinstance(v, Tensor))
    order = list(range(len(values)))
    if op.indexing == "xy":
        order[:2] = order[1::-1]
    lines = []
    for i, value in enumerate(values):
        shape = [-1 if place == order[i] else 1 for place in range(len(values))]
        type_ = as_tensor(w, value, source)
        sizes = [None if n == -1 else 1 for n in shape]
        line = f("reshape", type_, shape=shape)
        lines.append(part(w, line, f"line_{i}", type_.type.with_shape(sizes)))
    found = []
    for i, line in enumerate(lines):
        term: Any = line
        for j, other in enumerate(lines):
            if i != j:
                term = f("math.add", term, f("zeros_like", other, dtype=line.dtype))
        last = i == len(lines) - 1
        found.append(part(w, term, "" if last else f"grid_{i}", w.node.types[i]))
    return tuple(found)


@spellings.spells(Vander)
def vander(w: Writer, op: Vander, x: Tensor) -> Any:
    """An operation; powers in Keras 2."""
    x = w.tensor(x)
    if w.keras3:
        return w.op("Vander", x, N=op.count, increasing=op.increasing)
    dtype = w.node.types[0].dtype
    count = op.count
    if count is None:
        count = known_size(x.shape[0], "the number of powers")
    powers = np.arange(count)[:: 1 if op.increasing else -1].astype(numpy_dtype(dtype))
    column = f("expand_dims", as_dtype(w, x, dtype), axis=-1)
    return write(w, f("math.pow", column, powers))
