"""Times the ways of computing a convolution: ``python -m layergraph.tools.bench.variants``.

Prints a table for docs/performance.md: milliseconds of each way for some shapes, on one
thread and on as many as BLAS has; the way that would be chosen is marked.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter

import numpy as np

from layergraph.backends.numpy import convolution
from layergraph.backends.numpy.scratch import Arena, current
from layergraph.backends.numpy.threads import available_threads, blas_on_one_thread
from layergraph.backends.numpy.tiles import Geometry
from layergraph.ir.ops.convolution import Conv
from layergraph.ir.ops.elementwise import Unary
from layergraph.ir.types import Array

SHAPES = (
    (1, 32, 3, 16), (1, 56, 64, 64), (1, 28, 128, 128), (1, 14, 256, 256), (1, 128, 32, 32),
    (32, 32, 3, 16), (32, 32, 32, 32), (32, 16, 64, 64), (32, 8, 128, 128),
)  # fmt: skip
"""Images, height and width, channels, filters; all 3x3, same padding, relu."""

WAYS = ("gathered", "planar", "shifted", "winograd")


def main() -> None:
    """Print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.3, help="for each figure (0.3)")
    seconds = parser.parse_args().seconds
    threads = available_threads()
    print(f"| input, filters | {' | '.join(WAYS)} |")
    print("|---" * (len(WAYS) + 1) + "|")
    for images, side, channels, filters in SHAPES:
        rng = np.random.default_rng(0)
        x = rng.standard_normal((images, side, side, channels)).astype("float32")
        kernel = rng.standard_normal((3, 3, channels, filters)).astype("float32")
        cells = cells_of(x, kernel, threads, seconds)
        print(f"| {images}x{side}x{side}x{channels}, {filters} | {' | '.join(cells)} |", flush=True)


def cells_of(x: Array, kernel: Array, threads: int, seconds: float) -> list[str]:
    """Milliseconds on one thread and on several, of each way."""
    same = Geometry.of(x.shape, (3, 3), (1, 1), "same", (1, 1), x.dtype)
    times = convolution.times_of(same, 1, kernel.shape[-1])
    chosen = min(times, key=lambda name: times[name])
    found = []
    for way in WAYS:
        if way not in times:
            found.append("")
            continue
        run = forced(way, x, kernel)
        figures = " / ".join(f"{shortest(run, n, len(x) == 1, seconds):.3g}" for n in (1, threads))
        found.append(f"**{figures}**" if way == chosen else figures)
    return found


def forced(way: str, x: Array, kernel: Array) -> Callable[[], object]:
    """The convolution computed in one way."""
    op = Conv(strides=(1, 1), dilation_rate=(1, 1), padding="same", activation=Unary(kind="relu"))
    bias = np.zeros(kernel.shape[-1], x.dtype)
    kernels = convolution.makers(op, kernel, bias)
    same = Geometry.of(x.shape, (3, 3), (1, 1), "same", (1, 1), x.dtype)
    run = kernels[way](same)  # type: ignore[index]
    return lambda: run(x)


def shortest(run: Callable[[], object], threads: int, single: bool, seconds: float) -> float:
    """Least milliseconds of many runs, as within a run of a graph."""
    current.arena, current.threads, current.single = Arena(), threads, single
    with blas_on_one_thread():
        run()
        best, end = float("inf"), perf_counter() + seconds
        while (started := perf_counter()) < end:
            run()
            best = min(best, perf_counter() - started)
    current.arena, current.threads, current.single = None, 1, False
    return best * 1e3


if __name__ == "__main__":
    main()
