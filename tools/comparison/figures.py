"""How far two arrays are apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, nan, sqrt
from typing import Any, Literal

import numpy as np

from layergraph.backends.numpy.scratch import temporaries
from layergraph.backends.numpy.threads import blas_on_one_thread
from layergraph.ir.types import STRING, Array, TensorType, is_float, type_of

Kind = Literal["float", "whole", "bool", "text"]

CHUNK = 1 << 15
"""Elements looked at in one go: they stay in the cache, and it takes next to no memory."""

ROOM = np.empty(CHUNK)
"""As large as what a chunk is computed in."""

RTOL = 1e-5
ATOL = 1e-9
EPSILON = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
ROUNDINGS = 8
"""Unless told otherwise, halves may differ by so many units in the last place."""


@dataclass(frozen=True)
class Figures:
    """What tells an array ``a`` from its reference ``b``.

    Attributes:
        types: of ``a`` and of ``b``.
        absolute: largest ``|a - b|``; infinite where shapes differ, or one side
            is NaN or infinite and the other is something else.
        largest: largest finite ``|b|``.
        relative: ``absolute / largest``.
        cosine: cosine distance of the flattened arrays, finite elements only.
        nans, infs: counts in ``a`` and in ``b``.
        place: index of the largest difference.
        values: ``a`` and ``b`` there, as text.
    """

    types: tuple[TensorType, TensorType]
    absolute: float
    largest: float
    cosine: float
    nans: tuple[int, int] = (0, 0)
    infs: tuple[int, int] = (0, 0)
    place: tuple[int, ...] = ()
    values: tuple[str, str] = ("", "")

    @property
    def relative(self) -> float:
        """``absolute / largest``; 0 where nothing differs."""
        if not self.absolute:
            return 0.0
        return self.absolute / self.largest if self.largest else inf

    @property
    def comparable(self) -> bool:
        """Whether shapes are equal and both sides hold floats, or both whole numbers, ..."""
        a, b = self.types
        return a.shape == b.shape and kind_of(a.dtype) == kind_of(b.dtype)

    def parts(self, rtol: float | None = None, atol: float | None = None) -> bool:
        """Whether the arrays differ by more than a tolerance.

        Whole numbers, truth values and texts must be equal.

        Args:
            rtol: relative to the largest value of ``b``; ``None`` for 1e-5, or 8
                roundings where one side is float16 or bfloat16.
            atol: added to that; ``None`` for 1e-9.
        """
        if not self.comparable:
            return True
        if kind_of(self.types[1].dtype) != "float":
            return self.absolute > 0
        return self.absolute > self.allowed(rtol, atol)

    def allowed(self, rtol: float | None = None, atol: float | None = None) -> float:
        """Largest difference that is no difference."""
        if rtol is None:
            halves = (EPSILON.get(t.dtype, 0.0) for t in self.types)
            rtol = max(RTOL, *(ROUNDINGS * e for e in halves))
        return (ATOL if atol is None else atol) + rtol * self.largest


def kind_of(dtype: str) -> Kind:
    """What a dtype holds."""
    if dtype == STRING:
        return "text"
    if dtype == "bool":
        return "bool"
    return "whole" if dtype.startswith(("int", "uint")) else "float"


def measured(a: Array, b: Array) -> Figures:
    """Compare an array with its reference; takes little memory beside them."""
    a, b = np.asarray(a), np.asarray(b)
    types = type_of(a), type_of(b)
    if a.shape != b.shape or (types[0].dtype == STRING) != (types[1].dtype == STRING):
        return Figures(types, inf, 0.0, nan)
    sums = _Sums()
    flat_a, flat_b = a.reshape(-1), b.reshape(-1)
    # Products of NaN, infinity or huge numbers are no numbers, which is how they are seen.
    with np.errstate(over="ignore", invalid="ignore"), blas_on_one_thread():
        for start in range(0, a.size, CHUNK):
            sums.add(flat_a[start : start + CHUNK], flat_b[start : start + CHUNK], start)
    place = tuple(int(i) for i in np.unravel_index(sums.worst, a.shape)) if a.size else ()
    spelled = (_text(a[place]), _text(b[place])) if a.size else ("", "")
    return Figures(
        types, sums.absolute, sums.largest, sums.cosine,
        (sums.nans[0], sums.nans[1]), (sums.infs[0], sums.infs[1]), place, spelled,
    )  # fmt: skip


class _Sums:
    """What is added up, chunk by chunk."""

    def __init__(self) -> None:
        self.absolute = self.largest = 0.0
        self.worst = 0
        self.nans, self.infs = [0, 0], [0, 0]
        self._products = [0.0, 0.0, 0.0]
        self._rooms = temporaries(ROOM, 2)

    def add(self, a: Array, b: Array, start: int) -> None:
        """Look at one chunk, which begins at element ``start``."""
        if not (is_float(a) and is_float(b) and self._finite(a, b, start)):
            self._any(a, b, start)

    def _finite(self, a: Array, b: Array, start: int) -> bool:
        """Floats without NaN and infinity, which is nearly all there is; whether they were so."""
        x, y = (room[: len(a)] for room in self._rooms)
        np.copyto(x, a)
        np.copyto(y, b)
        products = [float(np.dot(one, other)) for one, other in ((x, y), (x, x), (y, y))]
        if not all(map(isfinite, products)):
            return False
        self._products = [sum(pair) for pair in zip(self._products, products, strict=True)]
        self.largest = max(self.largest, float(y.max()), -float(y.min()))
        np.abs(np.subtract(x, y, out=x), out=x)
        self._differ(x, start)
        return True

    def _any(self, a: Array, b: Array, start: int) -> None:
        same = np.asarray(a == b, bool)
        if a.dtype == object or b.dtype == object:
            self._differ((~same).astype(np.float64), start)
            self.largest = 1.0
            return
        x, y = _wide(a), _wide(b)
        for side, values in enumerate((x, y)):
            self.nans[side] += int(np.isnan(values).sum())
            self.infs[side] += int(np.isinf(values).sum())
        same |= np.isnan(x) & np.isnan(y)
        finite = np.isfinite(x) & np.isfinite(y)
        difference = np.full(x.shape, inf)
        np.abs(np.subtract(x, y, where=finite, out=np.zeros_like(x)), where=finite, out=difference)
        if not is_float(a) and not is_float(b) and a.dtype.kind != "c" != b.dtype.kind:
            # Neighbouring whole numbers beyond 2**53 are one float64.
            difference[~same & (difference == 0)] = 1.0
        difference[same] = 0.0
        self._differ(difference, start)
        known = np.abs(y[np.isfinite(y)])
        self.largest = max(self.largest, float(known.max(initial=0.0)))
        x, y = x[finite], y[finite]
        for number, (one, other) in enumerate(((x, y), (x, x), (y, y))):
            self._products[number] += float(np.vdot(one, other).real)

    def _differ(self, difference: Array, start: int) -> None:
        worst = int(difference.argmax())
        if difference[worst] > self.absolute:
            self.absolute, self.worst = float(difference[worst]), start + worst

    @property
    def cosine(self) -> float:
        """1 - cos of the angle between both."""
        dot, of_a, of_b = self._products
        if not of_a and not of_b:
            return 0.0
        if not of_a or not of_b:
            return 1.0
        cosine = dot / (sqrt(of_a) * sqrt(of_b))
        # Below this the sums' own rounding would be all that is seen.
        distance = 1.0 - cosine
        return nan if not isfinite(cosine) else 0.0 if distance < 1e-15 else distance


def _wide(array: Array) -> Array:
    wide: Array = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    return wide


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return repr(value)
    kind = np.asarray(value).dtype
    return f"{complex(value):.6g}" if kind.kind == "c" else (
        f"{float(value):.6g}" if kind.kind not in "biu" else str(value)
    )  # fmt: skip
