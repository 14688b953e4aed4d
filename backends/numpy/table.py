"""How kernels are declared and found.

A kernel for an operator of ``ir/ops/F.py`` stands in ``backends/numpy/F.py`` in
that module's table ``kernels``. The file name is the registry: nothing is
listed, and a family is imported when a graph first needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, TypeAlias, TypeVar

import numpy as np

from layergraph.backends.numpy.scratch import empty
from layergraph.backends.numpy.threads import over_rows
from layergraph.ir.errors import Unsupported, UnsupportedError
from layergraph.ir.op import Activation, Op, family_of
from layergraph.ir.types import HALVES, Array, TensorType, numpy_dtype, type_of

Kernel: TypeAlias = Callable[..., Any]
"""Called with the node's input arrays (``None`` for an absent optional one); returns
one array, or a tuple of arrays for several outputs. It never writes to its inputs and
never returns memory it will use again."""

Prepare: TypeAlias = Callable[[Any, Mapping[str, Array]], Kernel]
InPlace: TypeAlias = Callable[[Array], None]
"""Applies an activation to an array where it lies."""

TILE = 1 << 16
"""Elements an activation works on at a time: with its work arrays, what a core's cache holds."""

OpT = TypeVar("OpT", bound=Op)
ActT = TypeVar("ActT", bound=Activation)


class Kernels:
    """The kernels of one family, filled by its three decorators."""

    def __init__(self) -> None:
        self.prepare: dict[type[Op], Prepare] = {}
        self.apply: dict[type[Op], Callable[[Any, Array, Array], None]] = {}
        self.halves: set[type[Op]] = set()

    def computes(
        self, op_type: type[OpT], *, halves: bool = False
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare ``f(op, *inputs, **params)``, called afresh every time.

        Args:
            op_type: the operator.
            halves: it takes float16 and bfloat16 as they are, see ``prepare``.
        """

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            self._add(op_type, lambda op, params: partial(function, op, **params), halves)
            return function

        return register

    def prepares(
        self, op_type: type[OpT], *, halves: bool = False
    ) -> Callable[[Callable[..., Kernel]], Callable[..., Kernel]]:
        """Declare ``f(op, **params) -> kernel``, called once a node.

        It does everything that depends on attributes and parameters only, and
        returns the function that runs on input arrays.
        """

        def register(function: Callable[..., Kernel]) -> Callable[..., Kernel]:
            self._add(op_type, lambda op, params: function(op, **params), halves)
            return function

        return register

    def applies(
        self, op_type: type[ActT]
    ) -> Callable[[Callable[[ActT, Array, Array], None]], Callable[[ActT, Array, Array], None]]:
        """Declare ``f(op, x, out)`` for an activation; ``out`` may be ``x``."""

        def register(
            function: Callable[[ActT, Array, Array], None],
        ) -> Callable[[ActT, Array, Array], None]:
            def run(op: ActT, x: Array) -> Array:
                out = empty(x.shape, x.dtype)
                _in_tiles(function, op, x, out)
                return out

            self._add(op_type, lambda op, params: partial(run, op))
            self.apply[op_type] = function
            return function

        return register

    def _add(self, op_type: type[Op], prepare: Prepare, halves: bool = False) -> None:
        if op_type in self.prepare:
            raise TypeError(f"{op_type.__name__} has two kernels")
        self.prepare[op_type] = prepare
        if halves:
            self.halves.add(op_type)


def prepare(
    op: Op,
    params: Mapping[str, Array],
    inputs: Sequence[TensorType | None],
    outputs: Sequence[TensorType],
    *,
    node: str = "",
) -> Kernel:
    """The kernel of an operator, ready to run.

    Halves (float16, bfloat16) are computed with in float32 and rounded once a
    node, which is what TensorFlow does on a CPU within a function; kernels
    declared with ``halves=True`` take them as they are.

    Args:
        op: operator.
        params: arrays by role.
        inputs: types of the input values, ``None`` for an absent one.
        outputs: types of the results.
        node: name of the node, for errors.

    Raises:
        UnsupportedError: the NumPy backend has no kernel for the operator.
    """
    family = _family(type(op))
    found = family.prepare.get(type(op))
    if found is None:
        raise UnsupportedError(
            [
                Unsupported(
                    node,
                    type(op).__name__,
                    "the NumPy backend has no kernel for it",
                    "it was made for another backend: use that, or update layergraph",
                )
            ]
        )
    given = [t.dtype for t in inputs if t is not None] + [a.dtype.name for a in params.values()]
    if type(op) in family.halves or not any(dtype in HALVES for dtype in given):
        return found(op, params)
    return _rounding(found(op, {r: _widened(a) for r, a in params.items()}), outputs)


def _rounding(kernel: Kernel, outputs: Sequence[TensorType]) -> Kernel:
    """A kernel called with floats of at least float32, its results rounded to their types."""
    dtypes = [numpy_dtype(t.dtype) for t in outputs]

    def run(*arrays: Array | None) -> Any:
        found = kernel(*[None if a is None else _widened(a) for a in arrays])
        results = found if type(found) is tuple else (found,)
        # What is too large for a half becomes infinite, as in TensorFlow.
        with np.errstate(over="ignore"):
            rounded = tuple(r.astype(d, copy=False) for r, d in zip(results, dtypes, strict=True))
        return rounded if type(found) is tuple else rounded[0]

    return run


def _widened(array: Array) -> Array:
    return array.astype(np.float32) if array.dtype.name in HALVES else array


def run(op: Op, params: Mapping[str, Array], inputs: Sequence[Array | None]) -> Any:
    """What an operator's kernel gives, prepared for this once."""
    types = [None if a is None else type_of(a) for a in inputs]
    found = op.infer(*types, **{role: type_of(a) for role, a in params.items()})
    outputs = found if isinstance(found, tuple) else (found,)
    return prepare(op, params, types, outputs)(*inputs)


def evaluate(op: Op, params: Mapping[str, Array], inputs: Sequence[Array | None]) -> Array:
    """The only output of an operator, computed once."""
    return np.array(run(op, params, inputs))


def in_place(op: Activation | None) -> InPlace | None:
    """An activation as a function that overwrites its argument, ``None`` for none."""
    if op is None:
        return None
    function = _family(type(op)).apply[type(op)]

    def run(x: Array) -> None:
        _in_tiles(function, op, x, x)

    return run


def out_of_place(op: Activation) -> Callable[[Array, Array], None]:
    """An activation as a function of its argument and of where the result goes."""
    function = _family(type(op)).apply[type(op)]
    return lambda x, out: function(op, x, out)


def _in_tiles(function: Callable[[Any, Array, Array], None], op: Any, x: Array, out: Array) -> None:
    """Apply an activation to parts that stay in cache through all its passes."""
    if not (op.by_row and x.size > TILE and x.flags.c_contiguous and out.flags.c_contiguous):
        function(op, x, out)
        return
    # What works element by element takes parts of any size, softmax whole rows.
    shape = (-1,) if op.pointwise else (-1, x.shape[-1])
    rows, results = x.reshape(shape), out.reshape(shape)
    width = x.size // len(rows)
    over_rows(lambda t: function(op, rows[t], results[t]), len(rows), width, 2.0, TILE)


def _family(op_type: type[Op]) -> Kernels:
    module = import_module(f"{__package__}.{family_of(op_type)}")
    kernels: Kernels = module.kernels
    return kernels
