"""Diagonals of matrices, as ``tf.linalg`` spells them: one, or a band of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.sizes import wholes
from layergraph.frontends.keras.tensorflow import tensors
from layergraph.ir.ops.elementwise import Cast, Where
from layergraph.ir.ops.indexing import Diagonal, Take
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import NewShape
from layergraph.ir.types import product


def _band(call: LayerCall) -> tuple[int, int, str]:
    """The lowest and the highest diagonal, and how shorter ones are aligned."""
    found = wholes(call, call.argument("k", 0), "k")
    return found[0], found[-1], str(call.argument("align", "RIGHT_LEFT"))


def _cells(
    rows: int, columns: int, low: int, high: int, align: str
) -> tuple[int, list[tuple[int, int, int, int]]]:
    """Length of the longest diagonal; for each element its row, column, diagonal and place."""
    lengths = {d: min(rows + min(d, 0), columns - max(d, 0)) for d in range(low, high + 1)}
    longest = max(*lengths.values(), 0) if lengths else 0
    above, below = (part == "LEFT" for part in align.split("_"))
    cells = []
    for number, d in enumerate(range(high, low - 1, -1)):
        left = (d >= 0 and above) or (d <= 0 and below)
        shift = 0 if left else longest - lengths[d]
        cells += [(n + max(-d, 0), n + max(d, 0), number, n + shift) for n in range(lengths[d])]
    return longest, cells


def _chosen(call: LayerCall, x: Tensor, places: Any, otherwise: Tensor, inner: int) -> Tensor:
    """Elements of the last ``inner`` axes by number; where it is -1, the other value."""
    rank = len(x.shape) - inner
    sizes = tuple(-1 if d is None else d for d in x.shape[:rank])
    if sum(d == -1 for d in sizes) > 1:
        raise call.refusal("several axes of its input are of unknown size")
    if inner != 1:
        x = call.emit(NewShape(shape=(*sizes, product(x.shape[rank:]) or 0)), x, part="flat")
    missing = (places < 0).any()
    indices = call.constant("places", np.maximum(places, 0).astype("int32"))
    found = call.emit(Take(axis=rank), x, indices, part="taken" if missing else "")
    if not missing:
        return found
    mask = call.constant("mask", places >= 0)
    return call.emit(Where(), mask, found, otherwise)


def _padding(call: LayerCall, x: Tensor) -> Tensor:
    value = call.argument("padding_value", 0)
    if isinstance(value, Tensor):
        return value
    return call.constant("padding", np.array(value, x.type.dtype))


@reads("tf.DiagPart", arguments=("input",))
def diag_part(call: LayerCall) -> Tensor:
    """tf.linalg.diag_part: one diagonal, or a band of them from the highest down."""
    (x,) = tensors(call, "input")
    low, high, align = _band(call)
    if low == high:
        call.argument("padding_value")  # One diagonal needs none.
        rank = len(x.shape)
        return call.emit(Diagonal(offset=low, axes=(rank - 2, rank - 1)), x)
    rows, columns = x.shape[-2:]
    if rows is None or columns is None:
        raise call.refusal("several diagonals of matrices of unknown size are not supported here")
    longest, cells = _cells(rows, columns, low, high, align)
    places = np.full((high - low + 1, longest), -1)
    for row, column, number, place in cells:
        places[number, place] = row * columns + column
    return _chosen(call, x, places, _padding(call, x), 2)


@reads("tf.Diag", arguments=("diagonal",))
def diag(call: LayerCall) -> Tensor:
    """tf.linalg.diag: matrices with given diagonals."""
    (x,) = tensors(call, "diagonal")
    low, high, align = _band(call)
    length = x.shape[-1]
    if length is None:
        raise call.refusal("a diagonal of unknown length is not supported here")
    rows, columns = (wholes(call, call.argument(n, -1), n)[0] for n in ("num_rows", "num_cols"))
    if rows == -1 and columns == -1:
        rows = columns = length + max(low, -high, 0)
    elif rows == -1:
        rows = length - min(high, 0)
    elif columns == -1:
        columns = length + max(low, 0)
    return _placed(call, x, rows, columns, (low, high, align), _padding(call, x))


@reads("tf.SetDiag", arguments=("input",))
def set_diag(call: LayerCall) -> Tensor:
    """tf.linalg.set_diag: other values on some diagonals."""
    x, values = tensors(call, "input", "diagonal")
    rows, columns = x.shape[-2:]
    if rows is None or columns is None:
        raise call.refusal("matrices of unknown size are not supported here")
    return _placed(call, values, rows, columns, _band(call), x)


def _placed(
    call: LayerCall,
    x: Tensor,
    rows: int,
    columns: int,
    band: tuple[int, int, str],
    otherwise: Tensor,
) -> Tensor:
    """Matrices with diagonals written over another value."""
    longest, cells = _cells(rows, columns, *band)
    places = np.full((rows, columns), -1)
    for row, column, number, place in cells:
        places[row, column] = number * longest + place
    return _chosen(call, x, places, otherwise, 1 if band[0] == band[1] else 2)


@reads("tf.Trace", arguments=("x",))
def trace(call: LayerCall) -> Tensor:
    """tf.linalg.trace."""
    (x,) = tensors(call, "x")
    rows, columns = x.shape[-2:]
    if rows is None or columns is None:
        raise call.refusal("matrices of unknown size are not supported here")
    places = np.arange(min(rows, columns)) * (columns + 1)
    flat = NewShape(shape=(*(-1 if d is None else d for d in x.shape[:-2]), rows * columns))
    rank = len(x.shape) - 2
    y = call.emit(flat, x, part="flat")
    y = call.emit(Take(axis=rank), y, call.constant("places", places.astype("int32")), part="main")
    return call.emit(Reduce(kind="sum", axis=(rank,)), y, then=[Cast(dtype=x.type.dtype)])


@reads("tf.TensorDiag", "tf.TensorDiagPart", arguments=("input",))
def tensor_diag(call: LayerCall) -> Tensor:
    """tf.linalg.tensor_diag of a vector, tensor_diag_part of a matrix."""
    (x,) = tensors(call, "input")
    wanted = 1 if call.spec.class_name == "TensorDiag" else 2
    size = x.shape[-1]
    if len(x.shape) != wanted or size is None or (wanted == 2 and x.shape[0] != size):
        raise call.refusal(f"a tensor of shape {x.shape} is not supported here")
    if wanted == 1:
        zero = call.constant("zero", np.array(0, x.type.dtype))
        return _placed(call, x, size, size, (0, 0, "RIGHT_LEFT"), zero)
    return _chosen(call, x, np.arange(size) * (size + 1), x, 2)
