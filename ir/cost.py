"""How much work an operator is: arithmetic, and bytes that move at the least.

One rule an operator, counted as one does by hand: a multiplication and an addition are two
operations, any function of an element one; comparisons, as in a maximum, count as additions.
What only moves values does no arithmetic. Where no rule is simple enough to be true (Fourier
transforms, decompositions, text), the count is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

from layergraph.ir.op import Constant, Input, Op, family_of
from layergraph.ir.ops.activation import LogSoftmax, Softmax
from layergraph.ir.ops.attention import AdditiveScores, MaskedSoftmax
from layergraph.ir.ops.convolution import Conv, ConvTranspose, DepthwiseConv, LocallyConnected
from layergraph.ir.ops.convolutional_recurrent import ConvLSTM
from layergraph.ir.ops.embedding import Embedding
from layergraph.ir.ops.linear import Dense, Einsum, EinsumDense, Tensordot, einsum_labels
from layergraph.ir.ops.merge import Concatenate, Dot, Matmul, Merge, Stack
from layergraph.ir.ops.normalization import BatchNorm, GroupNorm, LayerNorm
from layergraph.ir.ops.pooling import AdaptivePool, GlobalPool, Pool
from layergraph.ir.ops.recurrent import GRU, LSTM, Bidirectional, Recurrent, SimpleRNN
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.types import STRING, TensorType, numpy_dtype


@dataclass(frozen=True)
class Call:
    """Types of one run of an operator, all dimensions known.

    Attributes:
        inputs: of the input values, ``None`` for an absent one.
        outputs: of the results.
        params: by role.
    """

    inputs: Sequence[TensorType | None]
    outputs: Sequence[TensorType]
    params: Mapping[str, TensorType]

    def size(self, number: int) -> int:
        """Elements of an input."""
        type_ = self.inputs[number]
        return 0 if type_ is None else elements(type_)

    def shape(self, number: int) -> tuple[int, ...]:
        """Dimensions of an input, which must be there."""
        type_ = self.inputs[number]
        assert type_ is not None
        return dims(type_)

    @property
    def out(self) -> int:
        """Elements of the first result."""
        return elements(self.outputs[0])

    def param(self, role: str) -> tuple[int, ...]:
        """Dimensions of a parameter."""
        return dims(self.params[role])


def dims(type_: TensorType) -> tuple[int, ...]:
    """Dimensions, those not known counted as 1."""
    return tuple(1 if d is None else d for d in type_.shape)


def elements(type_: TensorType) -> int:
    """Elements of a value of this type."""
    return prod(dims(type_))


def flops(op: Op, call: Call) -> int | None:
    """Operations of one run, ``None`` where they are not known; bias and activation included."""
    rule = RULES.get(type(op))
    if rule is None:
        if op.aliases or family_of(type(op)) in MOVING or isinstance(op, (Input, Constant)):
            return 0
        return None if family_of(type(op)) in UNKNOWN else call.out
    count = rule(op, call)
    if not isinstance(op, (Recurrent, Bidirectional)):
        count += call.out if "bias" in call.params else 0
        count += per_element(getattr(op, "activation", None)) * call.out
    return count


def moved(op: Op, call: Call) -> int:
    """Bytes read and written when each value and parameter is touched once; none for a view."""
    if op.aliases:
        return 0
    written = sum(map(nbytes, call.outputs))
    if isinstance(op, Embedding):
        # Only the rows looked up are read.
        return nbytes(call.inputs[0]) + 2 * written
    return sum(map(nbytes, call.inputs)) + sum(map(nbytes, call.params.values())) + written


def nbytes(type_: TensorType | None) -> int:
    """Bytes of a value; of a text those of the pointer to it."""
    if type_ is None:
        return 0
    return elements(type_) * (8 if type_.dtype == STRING else numpy_dtype(type_.dtype).itemsize)


def per_element(activation: Op | None) -> int:
    """Operations of an activation for each element."""
    if activation is None:
        return 0
    return 5 if isinstance(activation, (Softmax, LogSoftmax)) else 1


def _einsum(equation: str, shapes: Sequence[tuple[int, ...]]) -> int:
    """A product and a sum for every setting of all labels."""
    inputs, _ = einsum_labels(equation, [len(s) for s in shapes])
    sizes: dict[str, int] = {}
    for term, shape in zip(inputs, shapes, strict=True):
        for label, size in zip(term, shape, strict=True):
            sizes[label] = max(size, sizes.get(label, 1))
    return max(len(shapes), 1) * prod(sizes.values())


def _recurrent(op: Recurrent, call: Call, prefix: str = "") -> int:
    """Both products of every step, and the gates."""
    batch, time, features = call.shape(0)
    units = call.param(f"{prefix}recurrent_kernel")[0]
    width = call.param(f"{prefix}kernel")[1]
    products = 2 * (features + units) * width
    # Each gate adds product and bias and has its function; then the states are mixed.
    biased = f"{prefix}bias" in call.params
    gates = (2 + biased) * width + MIXING.get(type(op), 0) * units
    return batch * time * (products + gates)


MIXING: dict[type[Op], int] = {SimpleRNN: 0, LSTM: 5, GRU: 5}
"""Operations that mix a unit's gates into its states: ``f c + i g`` and ``o tanh(c)`` for an
LSTM, ``z h + (1 - z) g`` and the reset for a GRU."""


def _bidirectional(op: Bidirectional, call: Call) -> int:
    merged = call.out if op.merge_mode in ("sum", "mul", "ave") else 0
    ways = ((op.forward, "forward_"), (op.backward, "backward_"))
    return sum(_recurrent(way, call, prefix) for way, prefix in ways) + merged


def _conv_lstm(op: ConvLSTM, call: Call) -> int:
    """Two convolutions a step, and the gates."""
    last = call.outputs[0]
    *sizes, channels, width = call.param("kernel")
    units = width // 4
    batch, time = call.shape(0)[:2]
    steps = batch * time
    places = prod(dims(last)[2:-1] if op.return_sequences else dims(last)[1:-1])
    biased = "bias" in call.params
    products = 2 * prod(sizes) * (channels + units) * width
    return steps * places * (products + (2 + biased) * width + MIXING[LSTM] * units)


def _window(op: Any, call: Call) -> int:
    return 2 * call.out * prod(call.param("kernel")[:-1])


def _matmul(op: Op, call: Call) -> int:
    return 2 * call.out * call.shape(0)[-1]


def _tensordot(op: Tensordot, call: Call) -> int:
    return 2 * call.out * prod(call.shape(0)[axis] for axis in op.axes[0])


def _dot(op: Dot, call: Call) -> int:
    lengths = 3 * (call.size(0) + call.size(1)) if op.normalize else 0
    return 2 * call.out * call.shape(0)[op.axes[0]] + lengths


def _scores(op: AdditiveScores, call: Call) -> int:
    weights = len(call.params)
    return call.out * call.shape(0)[-1] * (3 + weights)


Rule: TypeAlias = Callable[[Any, Call], int]

RULES: dict[type[Op], Rule] = {
    Conv: _window,
    DepthwiseConv: lambda op, c: 2 * c.out * prod(c.param("kernel")[:-2]),
    ConvTranspose: lambda op, c: 2 * c.size(0) * prod(c.param("kernel")[:-1]),
    LocallyConnected: lambda op, c: 2 * c.shape(0)[0] * prod(c.param("kernel")),
    Dense: _window,
    EinsumDense: lambda op, c: _einsum(op.equation, [c.shape(0), c.param("kernel")]),
    Einsum: lambda op, c: _einsum(op.equation, [dims(t) for t in c.inputs if t is not None]),
    Matmul: _matmul,
    Tensordot: _tensordot,
    Dot: _dot,
    SimpleRNN: _recurrent,
    LSTM: _recurrent,
    GRU: _recurrent,
    Bidirectional: _bidirectional,
    ConvLSTM: _conv_lstm,
    AdditiveScores: _scores,
    Pool: lambda op, c: c.out * prod(op.pool_size),
    GlobalPool: lambda op, c: c.size(0),
    AdaptivePool: lambda op, c: c.size(0),
    Reduce: lambda op, c: c.size(0),
    BatchNorm: lambda op, c: 2 * c.out,
    # Mean; difference; its square, summed; times the scale; weight and offset.
    LayerNorm: lambda op, c: (5 + len(c.params)) * c.out,
    GroupNorm: lambda op, c: (5 + len(c.params)) * c.out,
    # Largest, difference, exponential, sum, quotient.
    Softmax: lambda op, c: 5 * c.out,
    LogSoftmax: lambda op, c: 5 * c.out,
    MaskedSoftmax: lambda op, c: 6 * c.out,
    Merge: lambda op, c: (len(c.inputs) - 1) * c.out,
    Concatenate: lambda op, c: 0,
    Stack: lambda op, c: 0,
}
"""Operations besides bias and activation; for an operator without a rule, one an element of
its result."""

MOVING = ("embedding", "indexing", "shape", "creation", "dynamic", "scatter", "patches")
"""Families that move values and do no arithmetic."""

UNKNOWN = (
    "augmentation", "foreign", "image", "linalg", "loss", "quantization", "signal", "statistics",
    "text", "preprocessing",
)  # fmt: skip
"""Families whose counts are not known, but for the operators with a rule."""
