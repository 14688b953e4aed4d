"""What is known of the processor without measuring, so that a graph is always computed alike."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any


def numpy_extension() -> Any:
    """NumPy's compiled module, or ``None``."""
    found = sys.modules.get("numpy._core._multiarray_umath")
    # NumPy 1 has it elsewhere.
    return found or sys.modules.get("numpy.core._multiarray_umath")


@cache
def wide_vectors() -> bool:
    """Whether NumPy and OpenBLAS compute with vectors of 512 bits (AVX-512)."""
    features = getattr(numpy_extension(), "__cpu_features__", {})
    return bool(features.get("AVX512F") and features.get("AVX512_SKX"))


FLOPS = 130.0 if wide_vectors() else 65.0
"""Of one core, a nanosecond, where a matrix product is large enough.

Measured: 120 to 155 on an Intel Xeon (Sapphire Rapids), 55 to 80 on an AMD EPYC (Zen 3).
"""

QUICK_TANH = wide_vectors()
"""Whether ``np.tanh`` of float32 is quicker than ``np.exp``: 0.3 and 0.5 ns with
AVX-512, 2.7 and 1.7 without."""
