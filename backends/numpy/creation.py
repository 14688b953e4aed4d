"""Numbers in regular order: sequences, grids, powers."""

from __future__ import annotations

import numpy as np

from layergraph.backends.numpy.table import Kernels
from layergraph.ir.ops.creation import Linspace, Meshgrid, Vander
from layergraph.ir.types import Array, promote, type_of

kernels = Kernels()


@kernels.computes(Linspace)
def linspace(op: Linspace, start: Array, stop: Array) -> Array | tuple[Array, ...]:
    """Steps from start, then powers."""
    found = op.infer(type_of(start), type_of(stop))
    numbers = found[0] if isinstance(found, tuple) else found
    dtype = np.dtype(numbers.dtype)
    if op.spacing == "geometric":
        sign = np.sign(start.astype(dtype))
        first, last = (_log10(np.abs(v).astype(dtype)) for v in (start, stop))
        y, _ = _steps(op, first, last)
        return np.asarray(np.power(dtype.type(10), y) * sign).astype(dtype)
    y, step = _steps(op, start.astype(dtype), stop.astype(dtype))
    if dtype.kind in "iu":
        y = np.floor(y)
    y = y.astype(dtype)
    if op.spacing == "log":
        y = np.asarray(np.power(dtype.type(op.base), y))
    return (y, step.astype(dtype)) if op.step else y


def _log10(x: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.log(x) / np.log(x.dtype.type(10)))


def _steps(op: Linspace, start: Array, stop: Array) -> tuple[Array, Array]:
    """The numbers along the axis, and the step."""
    real = start.dtype if start.dtype.kind in "fc" else np.dtype("float64")
    start, stop = np.broadcast_arrays(start.astype(real), stop.astype(real))
    parts = op.num - 1 if op.endpoint else op.num
    step = (stop - start) / real.type(parts) if parts > 0 else np.full(start.shape, np.nan, real)
    factor = np.nan_to_num(step) if op.num <= 1 else step
    y = start[..., None] + factor[..., None] * np.arange(op.num, dtype=real)
    if op.endpoint and op.num > 1:
        y[..., -1] = stop
    return np.moveaxis(y, -1, op.axis), np.asarray(step)


@kernels.computes(Meshgrid)
def meshgrid(op: Meshgrid, *values: Array) -> tuple[Array, ...]:
    """NumPy's own."""
    flat = [v.reshape(-1) for v in values]
    return tuple(np.array(v) for v in np.meshgrid(*flat, indexing=op.indexing))


@kernels.computes(Vander)
def vander(op: Vander, x: Array) -> Array:
    """Powers in a floating dtype, as Keras computes them."""
    count = len(x) if op.count is None else op.count
    powers = np.arange(count) if op.increasing else np.arange(count - 1, -1, -1)
    dtype = promote(x.dtype.name, "float32")
    y = np.power(x.astype(dtype)[:, None], powers.astype(dtype))
    return np.asarray(y).astype(promote(x.dtype.name))
