"""Cold start: whole programs that start, load a model, predict once and end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from layergraph.tools.bench.channel import quiet_environment
from layergraph.tools.bench.engines import ENGINES
from layergraph.tools.bench.results import Cold

PROGRAMS = {
    "layergraph": (
        "import sys, numpy as np, layergraph as lg\n"
        "lg.Interpreter(sys.argv[1])(np.load(sys.argv[2]))\n"
    ),
    "tf-function": (
        "import sys, numpy as np, keras\n"
        "keras.models.load_model(sys.argv[1], compile=False)(np.load(sys.argv[2]))\n"
    ),
    "onnxruntime": (
        "import sys, numpy as np, onnxruntime as ort\n"
        "s = ort.InferenceSession(sys.argv[1].replace('.keras', '.onnx'))\n"
        "s.run(None, {s.get_inputs()[0].name: np.load(sys.argv[2])})\n"
    ),
}
"""A whole program, by engine. TensorFlow runs layer by layer: compiling for one run is slower."""

PEAK = (
    "try:\n"
    "    print(*(s for s in open('/proc/self/status') if s[:6] == 'VmHWM:'))\n"
    "except OSError:\n"
    "    import resource\n"
    "    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
    "    print('VmHWM:', most // 1024 if sys.platform == 'darwin' else most)\n"
)
"""Prints the most memory the program has held, KiB. ``ru_maxrss`` of a child would count
its parent's memory too where that is more."""


def cold(
    folder: Path, model: str, engines: Sequence[str], runs: int, say: Callable[[str], None]
) -> list[Cold]:
    """Whole processes of some engines, in turn.

    Args:
        folder: where the model, its input and, for onnxruntime, ``model.onnx`` lie.
        model: its name.
        engines: names; those without a program are passed over.
        runs: processes an engine, besides one that warms the disk.
        say: told what goes on.
    """
    chosen = [engine for engine in engines if engine in PROGRAMS]
    seconds: dict[str, list[float]] = {engine: [] for engine in chosen}
    peaks: dict[str, list[float]] = {engine: [] for engine in chosen}
    failed: set[str] = set()
    for turn in range(runs + 1):
        for engine in chosen:
            if engine in failed:
                continue
            found = _once(engine, folder)
            if found is None:
                failed.add(engine)
            elif turn:
                seconds[engine].append(found[0])
                peaks[engine].append(found[1])
    rows = [
        Cold(model=model, engine=engine, reason="failed")
        if engine in failed
        else Cold(
            model=model, engine=engine, seconds=median(seconds[engine]),
            peak=median(peaks[engine]), runs=runs,
        )
        for engine in chosen
    ]  # fmt: skip
    for row in rows:
        shown = row.reason or f"{row.seconds:.2f} s, {row.peak:.0f} MiB"
        say(f"{model}, whole process: {ENGINES[row.engine].title} {shown}")
    return rows


def _once(engine: str, folder: Path) -> tuple[float, float] | None:
    """Wall seconds and peak MiB of one process, ``None`` if it failed."""
    program = PROGRAMS[engine] + PEAK
    arguments = [str(folder / "model.keras"), str(folder / "x1.npy")]
    started = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=quiet_environment(ENGINES[engine].env), capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = perf_counter() - started
    if done.returncode:
        return None
    return seconds, int(done.stdout.split("VmHWM:")[1].split()[0]) / 1024
