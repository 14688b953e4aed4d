"""Layers that round what they are given to few values while they run."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.backends.keras.model import Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.terms import f, g, reshaped, transposed, write
from layergraph.backends.keras.writer import Writer
from layergraph.ir.ops.linear import einsum_labels
from layergraph.ir.ops.quantization import QuantizedEinsumDense, RoundToFloat8
from layergraph.ir.types import HALVES, Array, numpy_dtype

spellings = Spellings()


@spellings.spells(QuantizedEinsumDense)
def quantized_einsum_dense(
    w: Writer,
    op: QuantizedEinsumDense,
    x: Tensor,
    *,
    kernel: Array,
    kernel_scale: Array | None = None,
    bias: Array | None = None,
) -> Any:
    """By definition: what is given rounded to whole numbers, multiplied, and scaled back."""
    x = w.tensor(x)
    if x.dtype in HALVES:
        raise RefusedError(f"{x.dtype} is rounded to whole numbers in float32 here")
    (labels, _), output = einsum_labels(op.equation, [x.rank, kernel.ndim])
    summed = [i for i, c in enumerate(labels) if c not in output]
    few = x.type.with_shape([1 if i in summed else d for i, d in enumerate(x.shape)])
    top = g(w, "max", g(w, "abs", x), axis=summed, keepdims=True, types=few)
    above = g(w, "add", top, op.epsilon, types=few)
    whole = np.asarray(op.high, numpy_dtype(x.dtype))
    scale = g(w, "divide", g(w, "multiply", g(w, "ones_like", above), whole), above, types=few)
    rounded = f("Round" if w.keras3 else "math.round", g(w, "multiply", x, scale))
    low, high = float(op.low), float(op.high)
    if w.keras3:
        q = f("Clip", rounded, x_min=low, x_max=high)
    else:
        q = f("clip_by_value", rounded, clip_value_min=low, clip_value_max=high)
    y = _product(w, op.equation, q, kernel.astype(numpy_dtype(x.dtype)))
    order = [labels.index(c) for c in output if c in labels]
    sizes = [few.shape[labels.index(c)] if c in labels else 1 for c in output]
    divisor: Any = scale
    if [*order, *summed] != list(range(x.rank)) or len(sizes) != x.rank:
        shape = [-1 if d is None else d for d in sizes]
        divisor = reshaped(w, transposed(w, scale, [*order, *summed]), shape)
    if kernel_scale is not None:
        divisor = g(w, "multiply", divisor, kernel_scale)
    found = g(w, "divide", y, divisor)
    return write(w, found if bias is None else g(w, "add", found, bias))


def _product(w: Writer, equation: str, x: Any, kernel: Array) -> Any:
    if equation == "...x,xy->...y":
        return f("Matmul", x, kernel) if w.keras3 else f("linalg.matmul", x, b=kernel)
    if not w.keras3:
        raise RefusedError("Keras 2 cannot save einsum of two tensors")
    # Keras 3 reads no capitals.
    letters = [c for c in dict.fromkeys(equation) if c.isalpha()]
    small = dict(zip(letters, "abcdefghijklmnopqrstuvwxyz", strict=False))
    return f("Einsum", x, kernel, subscripts="".join(small.get(c, c) for c in equation))


spellings.refuses(
    RoundToFloat8, "no operation rounds to float8; a layer that does holds more than its weights"
)
