"""The gamma function's kin and Bessel functions, in float64."""

from __future__ import annotations

import numpy as np

from layergraph.ir.types import Array

LANCZOS = (
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
    -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
    1.5056327351493116e-7,
)  # fmt: skip
"""Coefficients for g = 7. Source: C. Lanczos, SIAM J. Numer. Anal. B 1 (1964)."""

PSI = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132)
"""Of the inverse squares in digamma's asymptotic series: Abramowitz and Stegun 6.3.18."""


def lgamma(x: Array) -> Array:
    """Logarithm of the absolute gamma function; infinite at 0 and below at whole numbers."""
    wide = x.astype("float64")
    below = wide < 0.5
    z = np.where(below, 1 - wide, wide) - 1
    series = LANCZOS[0] + sum(c / (z + i) for i, c in enumerate(LANCZOS[1:], 1))
    t = z + 7.5
    y = 0.5 * np.log(2 * np.pi) + (z + 0.5) * np.log(t) - t + np.log(series)
    mirrored = np.log(np.pi) - np.log(np.abs(np.sin(np.pi * wide))) - y
    pole = (wide <= 0) & (wide == np.floor(wide))
    y = np.where(pole | np.isinf(wide), np.inf, np.where(below, mirrored, y))
    return y.astype(x.dtype)


def digamma(x: Array) -> Array:
    """Derivative of ``lgamma``: moved up to where the asymptotic series holds."""
    wide = x.astype("float64")
    below = wide < 0
    z = np.where(below, 1 - wide, wide)
    y = np.zeros_like(z)
    for _ in range(10):
        small = z < 10
        y -= np.where(small, 1 / np.where(small, z, 1), 0)
        z = np.where(small, z + 1, z)
    inverse = 1 / (z * z)
    y += np.log(z) - 0.5 / z - sum(c * inverse ** (i + 1) for i, c in enumerate(PSI))
    y = np.where(below, y - np.pi / np.tan(np.pi * wide), y)
    return np.where(below & (wide == np.floor(wide)), np.nan, y).astype(x.dtype)


def i0e(x: Array) -> Array:
    """Bessel's I0 times ``exp(-|x|)``; by its asymptotic series where I0 overflows."""
    wide = np.abs(x.astype("float64"))
    near = np.minimum(wide, 600.0)
    far = np.maximum(wide, 600.0)
    tail = (1 + (1 + 9 / (16 * far)) / (8 * far)) / np.sqrt(2 * np.pi * far)
    y = np.where(wide <= 600, np.i0(near) * np.exp(-near), tail)
    return np.asarray(y.astype(x.dtype))
