"""Recurrent layers as ONNX' own, both directions of an alike pair in one node.

ONNX' ``sequence_lens`` knows masks at the end only. Steps that a mask drops anywhere
are therefore moved behind the kept ones, which changes nothing for a layer that
skips them, and the outputs are put back: a dropped step repeats the output of the
kept step before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from layergraph.backends.onnx.cells import scanned
from layergraph.backends.onnx.table import Spellings
from layergraph.backends.onnx.values import Tensor, View
from layergraph.backends.onnx.writer import Writer
from layergraph.ir.op import Activation
from layergraph.ir.ops.activation import ELU, HardSigmoid, LeakyReLU, Threshold
from layergraph.ir.ops.elementwise import Unary
from layergraph.ir.ops.recurrent import (
    GRU,
    LSTM,
    Bidirectional,
    FoldTime,
    HoldOutput,
    Recurrent,
    SimpleRNN,
    UnfoldTime,
)
from layergraph.ir.types import Array

spellings = Spellings()

TIME_FIRST = (1, 0, 2)
LAST = np.iinfo(np.int64).max

NAMED = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "softsign": "Softsign",
         "softplus": "Softplus"}  # fmt: skip


class Direction(NamedTuple):
    """One direction with its parameters and the states it begins with."""

    op: Recurrent
    kernel: Array
    recurrent_kernel: Array
    bias: Array | None
    initial: Sequence[Tensor]


class Steps(NamedTuple):
    """A masked sequence with the kept steps in front.

    Attributes:
        x: ``(batch, time, features)``.
        lengths: kept steps of each row, ``(batch,)``, int64.
        kept: 1 for each kept step, ``(batch, time)``, int64.
        position: kept steps up to and with each.
        mask: the mask.
    """

    x: str
    lengths: str
    kept: str
    position: str
    mask: str


class Result(NamedTuple):
    """What one direction gives.

    Attributes:
        every: outputs ``(time, batch, units)`` or, masked, ``(batch, time, units)``, in
            the order of the input's steps.
        last: the last output ``(batch, units)``.
        states: the final states.
    """

    every: View | str
    last: str
    states: tuple[str, ...]


def compacted(w: Writer, x: Tensor, mask: Tensor) -> Steps:
    """Kept steps in front, each part in its order."""
    kept = w.cast(mask, "bool", "int64")
    count = w.op("CumSum", kept, np.int64(1))
    lengths = w.reduce("ReduceSum", kept, [1], False)
    size = w.size(mask, 1)
    time = w.op("Squeeze", size)
    numbers = w.op("Range", np.int64(0), time, np.int64(1))
    # A dropped step counts as one that comes after all others.
    places = w.op("Where", mask, numbers, w.op("Add", numbers, time))
    _, order = w.op("TopK", places, size, axis=1, largest=0, sorted=1, outputs=2)
    moved = w.op("GatherND", x, w.op("Unsqueeze", order, w.ints(2)), batch_dims=1)
    return Steps(moved, lengths, kept, count, w.name_of(mask))


def spread(w: Writer, steps: Steps, y: str, zero: bool, backwards: bool, rank: int) -> str:
    """Outputs of kept steps where they belong, and at the dropped ones the output before.

    Args:
        w: the writer.
        steps: how the steps were moved.
        y: ``(batch, time, ...)``, kept steps in front.
        zero: dropped steps are zeros instead.
        backwards: "before" means later.
        rank: axes of ``y``.
    """
    nought, one = np.int64(0), np.int64(1)
    lengths = w.op("Unsqueeze", steps.lengths, w.ints(1))
    if backwards:
        place = w.op("Sub", steps.position, steps.kept)
        found = w.op("Less", place, lengths)
        place = w.op("Max", w.op("Min", place, w.op("Sub", lengths, one)), nought)
    else:
        found = w.op("Greater", steps.position, nought)
        place = w.op("Max", w.op("Sub", steps.position, one), nought)
    found = steps.mask if zero else found
    every = w.op("GatherND", y, w.op("Unsqueeze", place, w.ints(2)), batch_dims=1)
    wide = w.op("Unsqueeze", found, w.ints(*range(2, rank)))
    name: str = w.op("Where", wide, every, w.op("CastLike", np.float32(0), every))
    return name


def function_of(op: Activation | None) -> tuple[str, list[float], list[float]] | None:
    """ONNX' name of an activation within recurrent nodes, its alphas and betas."""
    if op is None:
        return "Affine", [1.0], [0.0]
    if isinstance(op, Unary) and op.kind in NAMED:
        return NAMED[op.kind], [], []
    if isinstance(op, HardSigmoid):
        return "HardSigmoid", [op.slope], [op.offset]
    if isinstance(op, Unary) and op.kind == "sparse_sigmoid":
        return "HardSigmoid", [0.5], [0.5]
    if isinstance(op, LeakyReLU):
        return "LeakyRelu", [op.negative_slope], []
    if isinstance(op, ELU):
        return "Elu", [op.alpha], []
    if isinstance(op, Threshold) and not op.value:
        return "ThresholdedRelu", [op.threshold], []
    return None


def _functions(op: Any) -> list[Activation | None]:
    if isinstance(op, LSTM):
        return [op.recurrent_activation, op.activation, op.activation]
    if isinstance(op, GRU):
        return [op.recurrent_activation, op.activation]
    return [op.activation]


KINDS: dict[type[Recurrent], str] = {SimpleRNN: "RNN", LSTM: "LSTM", GRU: "GRU"}


def _weights(direction: Direction) -> tuple[Array, Array, Array | None]:
    """Kernels ``(gates * units, ...)`` and biases, gates in ONNX' order."""
    op, kernel, recurrent, bias = direction[:4]
    units = recurrent.shape[0]
    order = np.arange(kernel.shape[1])
    if isinstance(op, LSTM):
        # i f c o becomes i o f c.
        order = order.reshape(4, units)[[0, 3, 1, 2]].ravel()
    both = None
    if bias is not None:
        pair = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
        both = pair[:, order].ravel()
    return kernel.T[order], recurrent.T[order], both


def layer(w: Writer, directions: list[Direction], x: Tensor, mask: Tensor | None) -> list[Result]:
    """One ONNX node for directions that are alike."""
    op: Any = directions[0].op
    dtype = directions[0].kernel.dtype.name
    functions = [function_of(f) for f in _functions(op)]
    if any(f is None for f in functions):
        return [scanned_direction(w, d, x, mask, dtype) for d in directions]
    x = w.as_dtype(x, dtype)
    steps = None if mask is None else compacted(w, x, mask)
    named = [f for f in functions if f is not None] * len(directions)
    kernel, recurrent, bias = (
        w.param(role, d[0].kernel, f"{role} {[id(i.kernel) for i in d]}", partial(_same, parts))
        if parts is not None
        else None
        for d in (directions,)
        for role, parts in zip(
            ("kernel", "recurrent_kernel", "bias"), _stacked(directions), strict=True
        )
    )
    initial = _initial(w, directions, dtype)
    backwards = [d.op.go_backwards for d in directions]
    outputs = w.op(
        KINDS[type(op)],
        w.view(x, TIME_FIRST) if steps is None else w.op("Transpose", steps.x, perm=[1, 0, 2]),
        kernel,
        recurrent,
        bias,
        None if steps is None else w.cast(steps.lengths, "int64", "int32"),
        *initial,
        outputs=1 + op.states,
        hidden_size=directions[0].recurrent_kernel.shape[0],
        direction="bidirectional" if len(directions) == 2 else "reverse" if backwards[0] else None,
        activations=[f[0] for f in named],
        activation_alpha=[a for f in named for a in f[1]] or None,
        activation_beta=[b for f in named for b in f[2]] or None,
        linear_before_reset=int(op.reset_after) if isinstance(op, GRU) else None,
    )
    every, *states = outputs
    if steps is not None:
        states = [
            _begun(w, steps, s, i) for s, i in zip(states, [*initial, None, None], strict=False)
        ]
    return [
        _result(w, d, every, [w.op("Gather", s, np.int64(i), axis=0) for s in states], i, steps)
        for i, d in enumerate(directions)
    ]


def _same(array: Array, _: Array) -> Array:
    return array


def _stacked(directions: list[Direction]) -> tuple[Array, Array, Array | None]:
    found = [_weights(d) for d in directions]
    biases = [b for _, _, b in found if b is not None]
    return (
        np.stack([k for k, _, _ in found]),
        np.stack([r for _, r, _ in found]),
        np.stack(biases) if biases else None,
    )


def _initial(w: Writer, directions: list[Direction], dtype: str) -> list[str]:
    """States to begin with, ``(directions, batch, units)`` each; none for zeros."""
    columns = list(zip(*(d.initial for d in directions), strict=True))
    found = []
    for column in columns:
        parts = [w.op("Unsqueeze", w.as_dtype(s, dtype), w.ints(0)) for s in column]
        found.append(parts[0] if len(parts) == 1 else w.op("Concat", *parts, axis=0))
    return found


def _begun(w: Writer, steps: Steps, state: str, initial: str | None) -> str:
    """A final state; of a row without any kept step, the one it began with."""
    some = w.op("Unsqueeze", w.op("Greater", steps.lengths, np.int64(0)), w.ints(1))
    zero = w.op("CastLike", np.float32(0), state)
    name: str = w.op("Where", some, state, zero if initial is None else initial)
    return name


def _result(
    w: Writer, direction: Direction, every: str, states: list[str], index: int, steps: Steps | None
) -> Result:
    op, last = direction.op, states[0]
    outputs: View | str = ""
    if op.return_sequences:
        name = w.op("Gather", every, np.int64(index), axis=1)
        outputs = View(name, TIME_FIRST)
        if steps is not None:
            rows = w.op("Transpose", name, perm=[1, 0, 2])
            outputs = spread(w, steps, rows, op.zero_output_for_mask, op.go_backwards, 3)
    elif steps is not None:
        last = _last(w, op, steps, last)
    return Result(outputs, last, tuple(states))


def _last(w: Writer, op: Recurrent, steps: Steps, state: str) -> str:
    """The last output: zeros without any, or where the last step is dropped and asks for it."""
    if op.zero_output_for_mask:
        place = np.int64(0 if op.go_backwards else -1)
        some = w.op("Gather", steps.mask, place, axis=1)
    else:
        some = w.op("Greater", steps.lengths, np.int64(0))
    zero = w.op("CastLike", np.float32(0), state)
    name: str = w.op("Where", w.op("Unsqueeze", some, w.ints(1)), state, zero)
    return name


def scanned_direction(
    w: Writer, direction: Direction, x: Tensor, mask: Tensor | None, dtype: str
) -> Result:
    """The loop written out, for activations that recurrent nodes do not know."""
    op, kernel, recurrent, bias, initial = direction
    every, last, states = scanned(
        w, op, w.as_dtype(x, dtype), mask, kernel, recurrent, bias,
        [w.name_of(w.as_dtype(s, dtype)) for s in initial],
    )  # fmt: skip
    return Result(View(every, TIME_FIRST), last, states)


def turned(w: Writer, y: View | str) -> Any:
    """Steps in the opposite order."""
    name, axis = (y.name, 0) if isinstance(y, View) else (y, 1)
    found = w.op("Slice", name, w.ints(LAST), w.ints(-LAST), w.ints(axis), w.ints(-1))
    return View(found, y.axes) if isinstance(y, View) else found


@spellings.spells(SimpleRNN, LSTM, GRU)
def recurrent(
    w: Writer, op: Recurrent, x: Tensor, mask: Tensor | None = None, *initial: Tensor,
    kernel: Array, recurrent_kernel: Array, bias: Array | None = None,
) -> Any:  # fmt: skip
    """One direction; outputs stay in the order computed."""
    (found,) = layer(w, [Direction(op, kernel, recurrent_kernel, bias, initial)], x, mask)
    out: View | str = found.last
    if op.return_sequences:
        out = turned(w, found.every) if op.go_backwards else found.every
    return (out, *found.states) if op.return_state else (out,)


@spellings.spells(Bidirectional)
def bidirectional(
    w: Writer, op: Bidirectional, x: Tensor, mask: Tensor | None = None, *initial: Tensor,
    **params: Array,
) -> Any:  # fmt: skip
    """One node for an alike pair, else two."""
    split = op.forward.states
    sides = {"forward": (op.forward, initial[:split]), "backward": (op.backward, initial[split:])}
    pair = [
        Direction(
            side,
            params[f"{name}_kernel"],
            params[f"{name}_recurrent_kernel"],
            params.get(f"{name}_bias"),
            states,
        )
        for name, (side, states) in sides.items()
    ]
    if _alike(*pair):
        found = layer(w, pair, x, mask)
    else:
        found = [result for d in pair for result in layer(w, [d], x, mask)]
    outputs: list[View | str] = [r.last for r in found]
    if op.forward.return_sequences:
        # The second one's computed order is turned, whichever that is.
        outputs = [r.every for r in found]
        if op.forward.go_backwards:
            outputs[0] = turned(w, outputs[0])
        if not op.backward.go_backwards:
            outputs[1] = turned(w, outputs[1])
    states = [s for r in found for s in r.states] if op.forward.return_state else []
    return (*_merged(w, op, outputs), *states)


def _alike(one: Direction, two: Direction) -> bool:
    from dataclasses import replace

    return (
        not one.op.go_backwards
        and two.op.go_backwards
        and type(one.op) is type(two.op)
        and replace(one.op, go_backwards=True) == two.op
        and one.kernel.shape == two.kernel.shape
        and (one.bias is None) == (two.bias is None)
    )


def _merged(w: Writer, op: Bidirectional, outputs: list[View | str]) -> list[View | str]:
    if op.merge_mode is None:
        return outputs
    names = [o.name if isinstance(o, View) else o for o in outputs]
    if op.merge_mode == "concat":
        name = w.op("Concat", *names, axis=-1)
    elif op.merge_mode == "mul":
        name = w.op("Mul", *names)
    else:
        name = w.op("Add", *names)
        if op.merge_mode == "ave":
            name = w.op("Mul", name, w.number(0.5, w.type.dtype))
    return [View(name, outputs[0].axes) if isinstance(outputs[0], View) else name]


@spellings.spells(HoldOutput)
def hold_output(w: Writer, op: HoldOutput, x: Tensor, mask: Tensor) -> str:
    """Kept steps moved in front and back."""
    steps = compacted(w, x, mask)
    return spread(w, steps, steps.x, op.zero_output_for_mask, False, x.rank)


@spellings.spells(FoldTime)
def fold_time(w: Writer, op: FoldTime, x: Tensor) -> str:
    """A new shape."""
    rest = w.op("Slice", w.op("Shape", x), w.ints(2), w.ints(x.rank))
    return w.reshape(x, *_known(x.type.shape[2:], -1) or (-1, rest))


def _known(dims: Sequence[int | None], first: int) -> tuple[int, ...] | None:
    return None if None in dims else (first, *(d or 0 for d in dims))


@spellings.spells(UnfoldTime)
def unfold_time(w: Writer, op: UnfoldTime, x: Tensor, like: Tensor) -> str:
    """Batch and time as they were."""
    lead = w.op("Slice", w.op("Shape", like), w.ints(0), w.ints(2))
    rest = w.op("Slice", w.op("Shape", x), w.ints(1), w.ints(x.rank))
    dims = w.op("Concat", lead, rest, axis=0) if x.rank > 1 else lead
    name: str = w.op("Reshape", x, dims)
    return name
