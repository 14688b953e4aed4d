"""Operations and bytes, against counts by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from layergraph.ir.cost import MOVING, UNKNOWN, Call, flops, moved
from layergraph.ir.op import FAMILIES, Op
from layergraph.ir.ops.activation import ReLU, Softmax
from layergraph.ir.ops.attention import MaskedSoftmax
from layergraph.ir.ops.convolution import Conv, ConvTranspose, DepthwiseConv, LocallyConnected
from layergraph.ir.ops.elementwise import Unary
from layergraph.ir.ops.embedding import Embedding
from layergraph.ir.ops.linear import Dense, Einsum, EinsumDense, Tensordot
from layergraph.ir.ops.merge import Concatenate, Dot, Matmul, Merge
from layergraph.ir.ops.normalization import BatchNorm, LayerNorm
from layergraph.ir.ops.pooling import GlobalPool, Pool
from layergraph.ir.ops.recurrent import GRU, LSTM, Bidirectional, SimpleRNN
from layergraph.ir.ops.shape import Flatten
from layergraph.ir.types import TensorType

Shape = tuple[int, ...]
TANH, SIGMOID = Unary(kind="tanh"), Unary(kind="sigmoid")


def call(op: Op, inputs: Sequence[Shape], params: Mapping[str, Shape]) -> Call:
    given: list[Any] = [TensorType(shape) for shape in inputs]
    roles = {role: TensorType(shape) for role, shape in params.items()}
    found = op.infer(*given, **roles)
    return Call(given, found if isinstance(found, tuple) else (found,), roles)


def conv(**more: Any) -> Conv:
    return Conv(**({"strides": (1, 1), "dilation_rate": (1, 1), "padding": "same"} | more))


LSTM_64 = LSTM(activation=TANH, recurrent_activation=SIGMOID, return_sequences=True)
LSTM_ROLES = {"kernel": (128, 256), "recurrent_kernel": (64, 256), "bias": (256,)}
# Per step: 2 (128 + 64) 256 of products; per gate a sum, a bias, a function; f c + i g, o tanh(c).
LSTM_STEP = 2 * (128 + 64) * 256 + 3 * 256 + 5 * 64

COUNTS: dict[str, tuple[Op, Sequence[Shape], Mapping[str, Shape], int]] = {
    "3x3 convolution": (
        conv(), [(2, 8, 6, 16)], {"kernel": (3, 3, 16, 32)}, 2 * 3 * 3 * 16 * 32 * 8 * 6 * 2,
    ),
    "strided, valid, bias and relu": (
        conv(strides=(2, 2), padding="valid", activation=ReLU()), [(1, 9, 9, 4)],
        {"kernel": (3, 3, 4, 8), "bias": (8,)}, 4 * 4 * 8 * (2 * 3 * 3 * 4 + 1 + 1),
    ),
    "four groups": (
        conv(groups=4), [(1, 5, 7, 16)], {"kernel": (1, 3, 4, 8)}, 2 * 1 * 3 * 4 * 8 * 5 * 7,
    ),
    "depthwise": (
        DepthwiseConv(strides=(1, 1), dilation_rate=(1, 1), padding="same"), [(1, 5, 7, 16)],
        {"kernel": (3, 3, 16, 2)}, 2 * 3 * 3 * 16 * 2 * 5 * 7,
    ),
    "transposed": (
        ConvTranspose(strides=(2, 2), dilation_rate=(1, 1)), [(1, 4, 4, 6)],
        {"kernel": (2, 2, 5, 6), "bias": (5,)}, 4 * 4 * 6 * 2 * 2 * 2 * 5 + 8 * 8 * 5,
    ),
    "a kernel a place": (
        LocallyConnected(kernel_size=(3,), strides=(1,)), [(2, 10, 4)],
        {"kernel": (8, 12, 5)}, 2 * 2 * 8 * 12 * 5,
    ),
    "dense, softmax": (
        Dense(activation=Softmax()), [(3, 20)], {"kernel": (20, 10), "bias": (10,)},
        3 * 10 * (2 * 20 + 1 + 5),
    ),
    "einsum": (
        Einsum(equation="bqhd,bkhd->bhqk"), [(2, 3, 4, 5), (2, 7, 4, 5)], {},
        2 * 2 * 3 * 7 * 4 * 5,
    ),
    "projection to heads": (
        EinsumDense(equation="bsd,dhk->bshk"), [(2, 3, 8)], {"kernel": (8, 4, 5)},
        2 * 2 * 3 * 8 * 4 * 5,
    ),
    "matrix product": (Matmul(), [(6, 3, 4), (6, 4, 5)], {}, 2 * 6 * 3 * 4 * 5),
    "tensordot": (Tensordot(axes=((1,), (0,))), [(3, 4), (4, 5)], {}, 2 * 3 * 4 * 5),
    "dot of rows": (Dot(axes=(1, 1)), [(3, 8), (3, 8)], {}, 2 * 3 * 8),
    "simple recurrence": (
        SimpleRNN(activation=TANH), [(2, 10, 4)],
        {"kernel": (4, 8), "recurrent_kernel": (8, 8)}, 2 * 10 * (2 * (4 + 8) * 8 + 2 * 8),
    ),
    "LSTM": (LSTM_64, [(3, 100, 128)], LSTM_ROLES, 3 * 100 * LSTM_STEP),
    "GRU": (
        GRU(activation=TANH, recurrent_activation=SIGMOID), [(1, 10, 4)],
        {"kernel": (4, 24), "recurrent_kernel": (8, 24), "bias": (2, 24)},
        10 * (2 * (4 + 8) * 24 + 3 * 24 + 5 * 8),
    ),
    "both ways": (
        Bidirectional(
            forward=LSTM_64,
            backward=LSTM(
                activation=TANH, recurrent_activation=SIGMOID, return_sequences=True,
                go_backwards=True,
            ),
        ),
        [(1, 100, 128)],
        {f"{way}_{role}": s for way in ("forward", "backward") for role, s in LSTM_ROLES.items()},
        2 * 100 * LSTM_STEP,
    ),
    "max pooling": (
        Pool(kind="max", pool_size=(3, 2), strides=(2, 2)), [(1, 9, 8, 4)], {}, 4 * 4 * 4 * 3 * 2,
    ),
    "global pooling": (GlobalPool(kind="average"), [(2, 7, 7, 8)], {}, 2 * 7 * 7 * 8),
    "batch norm": (
        BatchNorm(axis=3, epsilon=1e-3), [(2, 3, 3, 4)],
        {"moving_mean": (4,), "moving_variance": (4,)}, 2 * 2 * 3 * 3 * 4,
    ),
    "layer norm": (
        LayerNorm(axis=(2,), epsilon=1e-3), [(2, 5, 8)], {"gamma": (8,), "beta": (8,)},
        7 * 2 * 5 * 8,
    ),
    "masked softmax": (
        MaskedSoftmax(masking="fill"), [(2, 4, 5), (2, 1, 5)], {}, 6 * 2 * 4 * 5,
    ),
    "sum of three": (Merge(kind="add"), [(2, 5)] * 3, {}, 2 * 2 * 5),
    "tanh": (TANH, [(3, 7)], {}, 3 * 7),
    "flatten": (Flatten(), [(2, 3, 4)], {}, 0),
    "concatenate": (Concatenate(axis=-1), [(2, 3), (2, 4)], {}, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_operations_are_counted_as_by_hand(name: str) -> None:
    op, inputs, params, want = COUNTS[name]
    assert flops(op, call(op, inputs, params)) == want


def test_bytes_are_those_touched_once() -> None:
    dense = Dense()
    given = call(dense, [(3, 20)], {"kernel": (20, 10), "bias": (10,)})
    assert moved(dense, given) == 4 * (3 * 20 + 20 * 10 + 10 + 3 * 10)
    flatten = Flatten()
    assert moved(flatten, call(flatten, [(2, 3, 4)], {})) == 0
    # Of the table only the rows looked up.
    embedding, ids = Embedding(), TensorType((2, 6), "int32")
    table = TensorType((5000, 16))
    found = Call([ids], [embedding.infer(ids, embeddings=table)], {"embeddings": table})
    assert moved(embedding, found) == 4 * (2 * 6 + 2 * (2 * 6 * 16))
    assert flops(embedding, found) == 0


def test_what_has_no_simple_count_is_not_known() -> None:
    from layergraph.ir.ops.signal import FFT

    one = TensorType((2, 16))
    assert flops(FFT(), Call([one, one], [one, one], {})) is None
    assert set(MOVING) | set(UNKNOWN) <= set(FAMILIES)
    assert not set(MOVING) & set(UNKNOWN)
