"""Layers that the caller computes in Python."""

from __future__ import annotations

import json

import numpy as np

from layergraph.backends.numpy.table import Kernel, Kernels
from layergraph.ir.errors import Unsupported, UnsupportedError
from layergraph.ir.foreign import called, leaves
from layergraph.ir.ops.foreign import Function
from layergraph.ir.types import Array

kernels = Kernels()


@kernels.prepares(Function)
def function(op: Function, **weights: Array) -> Kernel:
    """The caller's function, called as the Keras layer was called."""
    if op.function is None:
        raise UnsupportedError(
            [
                Unsupported(
                    op.key,
                    "Function",
                    "the Python function that computes it is not part of the file",
                    f"pass it: load(path, layers={{{op.key!r}: function}})",
                )
            ]
        )
    run = called(op.function, json.loads(op.arguments), json.loads(op.config), weights)

    def kernel(*inputs: Array | None) -> tuple[Array, ...]:
        arrays, mask = (inputs[:-1], inputs[-1]) if op.masked else (inputs, None)
        found = [np.asarray(leaf) for leaf in leaves(run(arrays, mask))]
        for array, dtype in zip(found, op.dtypes, strict=True):
            if array.dtype.name != dtype:
                raise TypeError(f"the function for {op.key!r} returned {array.dtype}, not {dtype}")
        # What the caller's function returns may be its own or one of its inputs.
        return tuple(a.copy() if any(a is i for i in inputs) else a for a in found)

    return kernel
