"""One step of a recurrent layer as a ``Scan`` body, for what recurrent nodes cannot express."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from layergraph.backends.onnx.table import entry_of
from layergraph.backends.onnx.values import Tensor, plain
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.op import Activation
from layergraph.ir.ops.recurrent import GRU, LSTM, Recurrent
from layergraph.ir.types import Array, TensorType

Step = Callable[[str, list[str]], list[str]]
"""``step(input, states)`` gives the new states, the output first."""


def applied(w: Writer, op: Activation | None, x: str, type_: TensorType) -> str:
    """An activation of an ONNX value."""
    if op is None:
        return x
    name: str = entry_of(op).spell(w, op, Tensor(type_, {plain(type_.rank): x}))
    return name


def scanned(
    w: Writer,
    op: Any,
    x: Tensor,
    mask: Tensor | None,
    kernel: Array,
    recurrent: Array,
    bias: Array | None,
    initial: Sequence[str],
) -> tuple[str, str, tuple[str, ...]]:
    """Outputs ``(time, batch, units)`` by step, the last one, and the final states."""
    units = recurrent.shape[0]
    state = TensorType((None, units), x.dtype)
    late = None
    if bias is not None and bias.ndim == 2:
        late, bias = bias[1], bias[0]
    projected = w.op("MatMul", x, w.param("kernel", kernel))
    if bias is not None:
        projected = w.op("Add", projected, w.array(bias, "bias"))
    rows = w.op("Transpose", projected, perm=[1, 0, 2])
    step = _step(w, op, state, w.param("recurrent_kernel", recurrent), late)
    begin = list(initial)
    if not begin:
        shape = w.sizes(w.size(x, 0), units)
        begin = [w.op("Expand", w.number(0, x.dtype), shape)] * op.states
    return loop(w, op, step, rows, mask, begin, TensorType((None, kernel.shape[1]), x.dtype), state)


def loop(
    w: Writer,
    op: Recurrent,
    step: Step,
    rows: str,
    mask: Tensor | None,
    begin: list[str],
    row: TensorType,
    state: TensorType,
) -> tuple[str, str, tuple[str, ...]]:
    """Run a step over time; masked steps keep the states and repeat the output before."""
    held = [w.op("Mul", begin[0], w.number(0, state.dtype)), *begin]
    inputs = [rows]
    types = [state] * len(held) + [row]
    if mask is not None:
        wide = w.op("Transpose", mask, perm=[1, 0])
        inputs.append(w.op("Unsqueeze", wide, w.ints(*range(2, 1 + state.rank))))
        types.append(TensorType((None, *(1,) * (state.rank - 1)), "bool"))

    def body(*names: str) -> list[str]:
        before, states = names[0], list(names[1 : len(held)])
        new = step(names[len(held)], states)
        output = new[0]
        if mask is not None:
            kept = names[-1]
            old = w.number(0, state.dtype) if op.zero_output_for_mask else before
            output = w.op("Where", kept, output, old)
            new = [w.op("Where", kept, n, s) for n, s in zip(new, states, strict=True)]
        return [output, *new, output]

    results = w.op(
        "Scan",
        *held,
        *inputs,
        outputs=len(held) + 1,
        body=w.body("step", types, body, [state] * (len(held) + 1)),
        num_scan_inputs=len(inputs),
        scan_input_directions=[int(op.go_backwards)] * len(inputs),
        # What is computed last stands first, so that outputs are in the input's order.
        scan_output_directions=[int(op.go_backwards)],
    )
    return results[-1], results[0], tuple(results[1:-1])


def _step(w: Writer, op: Any, state: TensorType, recurrent: str, late: Array | None) -> Step:
    units = state.shape[1] or 0

    def gate(x: str, number: int, count: int = 1) -> str:
        return w.part(x, 1, number * units, (number + count) * units)

    def simple(x: str, states: list[str]) -> list[str]:
        total = w.op("Add", x, w.op("MatMul", states[0], recurrent))
        return [applied(w, op.activation, total, state)]

    def lstm(x: str, states: list[str]) -> list[str]:
        h, c = states
        total = w.op("Add", x, w.op("MatMul", h, recurrent))
        i, f, o = (applied(w, op.recurrent_activation, gate(total, n), state) for n in (0, 1, 3))
        candidate = applied(w, op.activation, gate(total, 2), state)
        c = w.op("Add", w.op("Mul", f, c), w.op("Mul", i, candidate))
        return [w.op("Mul", o, applied(w, op.activation, c, state)), c]

    def gru(x: str, states: list[str]) -> list[str]:
        (h,) = states
        inner = w.op("MatMul", h, recurrent) if op.reset_after else ""
        if op.reset_after and late is not None:
            inner = w.op("Add", inner, w.array(late, "bias"))
        first = inner or w.op("MatMul", h, w.part(recurrent, 1, 0, 2 * units))
        z, r = (
            applied(w, op.recurrent_activation, w.op("Add", gate(x, n), gate(first, n)), state)
            for n in (0, 1)
        )
        if op.reset_after:
            product = w.op("Mul", r, gate(inner, 2))
        else:
            product = w.op("MatMul", w.op("Mul", r, h), gate(recurrent, 2))
        candidate = applied(w, op.activation, w.op("Add", gate(x, 2), product), state)
        rest = w.op("Mul", w.op("Sub", w.number(1, state.dtype), z), candidate)
        return [w.op("Add", w.op("Mul", z, h), rest)]

    return lstm if isinstance(op, LSTM) else gru if isinstance(op, GRU) else simple


def zeros(w: Writer, like: str, *dims: int | str) -> str:
    """Zeros of the dtype of another value."""
    zero = w.op("CastLike", np.float32(0), like)
    name: str = w.op("Expand", zero, w.sizes(*dims))
    return name
