"""Embedding, and the layer that also turns vectors back into scores of every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.quantization import (
    adapter,
    dequantized,
    quantizer,
    unpacked,
)
from layergraph.frontends.keras.registry import reads
from layergraph.ir.op import Op
from layergraph.ir.ops.elementwise import Cast, NotEqual, Scale, Unary
from layergraph.ir.ops.embedding import Embedding
from layergraph.ir.ops.linear import Dense
from layergraph.ir.ops.quantization import QuantizedEinsumDense
from layergraph.ir.types import FLOATS, Array, numpy_dtype

STORED = ("embeddings", "embeddings_scale", "embeddings_zero", "g_idx")
REVERSE = ("reverse_embeddings", "reverse_embeddings_scale", "reverse_embeddings_zero")
LORA = ("lora_embeddings_a", "lora_embeddings_b")


@dataclass(frozen=True)
class Table:
    """Rows of numbers, however they are stored.

    Attributes:
        values: ``(rows, size)``, floats or whole numbers.
        scale: what whole numbers are divided by or, with a zero, multiplied by:
            ``(rows,)`` or ``(rows, groups)``.
        zero: whole number that stands for 0, ``(rows, groups)``.
        groups: group of each column.
    """

    values: Array
    scale: Array | None = None
    zero: Array | None = None
    groups: Array | None = None

    def floats(self) -> Array:
        """The rows as floats, in the dtype of the scale."""
        if self.scale is None:
            return self.values
        values = self.values.astype(self.scale.dtype)
        if self.zero is None or self.groups is None:
            return values / self.scale[:, None]
        return dequantized(values, self.scale, self.zero, self.groups, axis=1)


@reads("Embedding", masking="own")
def embedding(call: LayerCall) -> Tensor:
    """keras/src/layers/core/embedding.py."""
    call.config.ignore("input_length", "sparse")
    return _looked_up(call)


@reads("ReversibleEmbedding", masking="own", arguments=("inputs", "reverse"))
def reversible_embedding(call: LayerCall) -> Tensor:
    """keras/src/layers/core/reversible_embedding.py."""
    tied = call.config.bool("tie_weights", True)
    dtype = call.config.take("reverse_dtype", None)
    cap = call.config.optional_float("logit_soft_cap")
    if not call.argument("reverse", False):
        return _looked_up(call, tied)
    call.config.ignore("mask_zero")
    x, then = call.input(), _soft_cap(cap)
    table = _tables(call, tied)["embeddings" if tied else "reverse_embeddings"]
    rounded = quantizer(call, None, always=True) if table.scale is not None else None
    if rounded is not None:
        op = QuantizedEinsumDense(equation="...x,xy->...y", **rounded)
        return call.emit(op, x, params=_reversed(table), then=then)
    kernel = np.ascontiguousarray(table.floats().T)
    if dtype is not None:
        if dtype not in FLOATS:
            raise call.refusal(f"reverse_dtype={dtype!r} is not supported", "leave it out")
        x = call.emit(Cast(dtype=dtype), x, part="cast")
        kernel = kernel.astype(numpy_dtype(dtype))
    return call.emit(Dense(), x, params={"kernel": kernel}, then=then)


def _reversed(table: Table) -> dict[str, Array]:
    """Kernel and scale of the product with every row."""
    if table.scale is None or table.scale.ndim == 2:
        return {"kernel": np.ascontiguousarray(table.floats().T)}
    return {"kernel": np.ascontiguousarray(table.values.T), "kernel_scale": table.scale}


def _soft_cap(cap: Any) -> list[Op | None]:
    if cap is None:
        return []
    return [Scale(factor=1 / cap), Unary(kind="tanh"), Scale(factor=float(cap))]


def _looked_up(call: LayerCall, tied: bool = True) -> Tensor:
    x, table = call.input(), _tables(call, tied)["embeddings"]
    y = call.emit(Embedding(), x, params={"embeddings": table.floats()})
    if not call.config.bool("mask_zero", False):
        return y
    return y.masked(call.emit(NotEqual(value=0), x, part="mask").value)


def _tables(call: LayerCall, tied: bool) -> dict[str, Table]:
    """The table, and the one that turns vectors back where that is another."""
    rows, size = call.config.int("input_dim"), call.config.int("output_dim")
    mode = call.layer.policy().mode
    if mode not in (None, "int8", "int4"):
        raise call.refusal(f"its weights are quantised by {mode!r}")
    call.config.ignore("quantization_config")
    arrays = _arrays(call, mode, tied, rows, size)
    packed = mode == "int4"
    values, delta = arrays["embeddings"], adapter(call, arrays, LORA)
    if packed:
        values = unpacked(values, size, axis=1)
    table = Table(values, *(arrays.get(role) for role in STORED[1:]))
    if delta is not None:
        floats = table.floats()
        table = Table(floats + delta.astype(floats.dtype))
    found = {"embeddings": table}
    if not tied:
        values = arrays[REVERSE[0]]
        scale, zero = (arrays.get(role) for role in REVERSE[1:])
        values = unpacked(values, size, axis=0) if packed else values
        found["reverse_embeddings"] = Table(
            values.T,
            None if scale is None else scale.T,
            None if zero is None else zero.T,
            None if zero is None else arrays["g_idx"],
        )
    return found


def _arrays(
    call: LayerCall, mode: str | None, tied: bool, rows: int, size: int
) -> dict[str, Array]:
    """The stored arrays by role; read once a layer."""
    names = [name.rsplit("/", 1)[-1] for name, _ in call.layer.weights.peek()]
    adapted = LORA[0] in names
    if mode is None and not adapted and "tables" not in call.layer.arrays:
        return call.weights(
            embeddings=(rows, size), reverse_embeddings=None if tied else (size, rows)
        )
    if "tables" not in call.layer.arrays:
        stored = len(names) - 2 * adapted
        count = 1 if mode is None else 2 if mode == "int8" or stored in (2, 4 - tied) else 4
        reverse = 0 if tied else min(count, 3)
        shapes: dict[str, Any] = dict.fromkeys((*STORED[:count], *REVERSE[:reverse]), ...)
        shapes["embeddings"] = (rows, size if mode != "int4" else (size + 1) // 2)
        if adapted:
            rank = call.config.int("lora_rank")
            shapes.update(zip(LORA, ((rows, rank), (rank, size)), strict=True))
        call.layer.arrays["tables"] = call.cast_weights(call.layer.weights.take(shapes))
    return call.layer.arrays["tables"]
