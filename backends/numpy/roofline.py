"""What the machine can do at best: multiplications of matrices, and moving memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from layergraph.ir.types import Array

GEMM_SIZES = (256, 512, 1024)
BYTES = tuple(1 << power for power in (15, 17, 19, 21, 23, 25, 27))
"""Working sets, from the first level of cache to memory."""


@dataclass(frozen=True)
class Machine:
    """Measured limits of a machine.

    Attributes:
        peak: operations a second of the best matrix product.
        bandwidth: bytes read and written a second, for growing working sets.
        sizes: those working sets, bytes.
        dtype: dtype multiplied.
    """

    peak: float
    bandwidth: tuple[float, ...]
    sizes: tuple[int, ...] = BYTES
    dtype: str = "float32"

    def bandwidth_of(self, size: int) -> float:
        """Bytes a second for a working set, between those measured by its logarithm."""
        return float(np.interp(np.log(max(size, 1)), np.log(self.sizes), self.bandwidth))

    def seconds(self, flops: int | None, size: int) -> tuple[float, str]:
        """The least time for so many operations on so many bytes, and what limits it.

        Args:
            flops: operations, ``None`` where they are not known.
            size: bytes read and written.

        Returns:
            Seconds, and ``"compute"`` or ``"memory"``.
        """
        compute, memory = (flops or 0) / self.peak, size / self.bandwidth_of(size)
        return (compute, "compute") if compute > memory else (memory, "memory")


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def measure(dtype: str = "float32", *, threads: int = 1, seconds: float = 1.0) -> Machine:
    """Measure the machine, which takes about as long as asked.

    Args:
        dtype: float dtype to multiply.
        threads: how many move memory at once; the better of one and so many counts.
        seconds: for all of it.
    """
    turn = seconds / (len(GEMM_SIZES) + 2 * len(BYTES))
    peak = max(_gemm(size, dtype, turn) for size in GEMM_SIZES)
    with ThreadPoolExecutor(threads) as pool:
        bandwidth = [max(_moves(size, turn, pool, n) for n in {1, threads}) for size in BYTES]
    return Machine(peak, tuple(bandwidth), BYTES, dtype)


def _gemm(size: int, dtype: str, seconds: float) -> float:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((size, size)).astype(dtype) for _ in range(2))
    out = np.empty_like(a)
    return 2 * size**3 / best(lambda: np.matmul(a, b, out=out), seconds)


def _moves(size: int, seconds: float, pool: ThreadPoolExecutor, threads: int) -> float:
    """The better of a copy and a sum: bytes a second."""
    # Each thread has arrays of its own, all together of this size.
    copies = [np.ones((2, size // 8 // threads), np.float32) for _ in range(threads)]
    sums = [np.ones((3, size // 12 // threads), np.float32) for _ in range(threads)]

    def spread(work: Callable[[Array], object], parts: Sequence[Array]) -> Callable[[], object]:
        if threads == 1:
            return lambda: work(parts[0])
        return lambda: list(pool.map(work, parts))

    copy = spread(lambda a: np.copyto(a[1], a[0]), copies)
    add = spread(lambda a: np.add(a[0], a[1], out=a[2]), sums)
    return max(
        sum(a.nbytes for a in copies) / best(copy, seconds / 2),
        sum(a.nbytes for a in sums) / best(add, seconds / 2),
    )


def best(run: Callable[[], object], seconds: float) -> float:
    """Shortest time of a run, of as many as fit after one that warms up; one at least."""
    run()
    shortest, until = float("inf"), perf_counter() + seconds
    while True:
        started = perf_counter()
        run()
        ended = perf_counter()
        shortest = min(shortest, ended - started)
        if ended > until:
            return shortest
