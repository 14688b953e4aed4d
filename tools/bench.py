"""Time layergraph against the same Keras model compiled with ``tf.function``.

Each engine runs in a process of its own, and the two take turns block by block,
so that a machine whose speed drifts does so for both. Results are compared
before their time counts. ``make bench`` runs it; ratios above 1 mean that
layergraph is faster.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import IO, Any

import numpy as np

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"
MODELS = ("cnn", "simple_rnn", "bidirectional_rnn", "lstm", "bidirectional_lstm")
BLOCKS, RUNS = 15, 40

COLD = {
    "layergraph": (
        "import sys, numpy as np, layergraph as lg\n"
        "i = lg.Interpreter(sys.argv[1]); i(np.load(sys.argv[2]))"
    ),
    "tensorflow": (
        "import sys, numpy as np, keras\n"
        "m = keras.models.load_model(sys.argv[1], compile=False); m(np.load(sys.argv[2]))"
    ),
}
"""A whole program: start, load, predict once."""


class Engine:
    """A worker process that runs one model.

    Args:
        name: ``layergraph`` or ``tensorflow``.
        model: model file.
        inputs: ``.npy`` file of one input array.
    """

    def __init__(self, name: str, model: Path, inputs: Path) -> None:
        command = [
            sys.executable,
            "-m",
            "layergraph.tools.bench",
            "--worker",
            name,
            str(model),
            str(inputs),
        ]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=quiet_environment(),
        )  # fmt: skip
        self.outputs = np.asarray(self._answer())

    def times(self, runs: int) -> list[float]:
        """Seconds of each of some runs."""
        stdin: IO[str] | None = self._process.stdin
        assert stdin is not None
        stdin.write(f"{runs}\n")
        stdin.flush()
        found: list[float] = self._answer()
        return found

    def close(self) -> None:
        """End the process."""
        self._process.communicate("0\n")

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a benchmark worker died; run it by hand with --worker")
        return json.loads(line)


@dataclass(frozen=True)
class Row:
    """Latency of one model at one batch size, seconds."""

    model: str
    batch: int
    layergraph: float
    tensorflow: float

    @property
    def ratio(self) -> float:
        """How many times faster layergraph is."""
        return self.tensorflow / self.layergraph


def worker(engine: str, model: str, inputs: str) -> None:
    """Answer on stdout: first the outputs, then the times of each block asked for."""
    x = np.load(inputs)
    run = (_layergraph if engine == "layergraph" else _tensorflow)(model, x)
    for _ in range(10):
        result = run()
    print(json.dumps(np.asarray(result).tolist()), flush=True)
    while runs := int(sys.stdin.readline() or 0):
        times = []
        for _ in range(runs):
            started = perf_counter()
            run()
            times.append(perf_counter() - started)
        print(json.dumps(times), flush=True)


def _layergraph(model: str, x: Any) -> Any:
    from layergraph import Interpreter

    interp = Interpreter(model)
    return lambda: interp(x)


def _tensorflow(model: str, x: Any) -> Any:
    import keras
    import tensorflow as tf

    loaded = keras.models.load_model(model, compile=False)
    call = tf.function(lambda t: loaded(t, training=False))
    tensor = tf.constant(x)
    return lambda: call(tensor).numpy()


def latency(name: str, batch: int) -> Row:
    """Median latencies of one model, blocks of both engines in turn."""
    model = GOLDEN / f"{name}-keras3" / "model.keras"
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "x.npy"
        np.save(inputs, example(model, batch))
        engines = [Engine(e, model, inputs) for e in ("layergraph", "tensorflow")]
        np.testing.assert_allclose(engines[0].outputs, engines[1].outputs, rtol=0, atol=1e-5)
        times: list[list[float]] = [[], []]
        for _ in range(BLOCKS):
            for engine, found in zip(engines, times, strict=True):
                found.extend(engine.times(RUNS))
        for engine in engines:
            engine.close()
    return Row(name, batch, median(times[0]), median(times[1]))


def example(model: Path, batch: int) -> Any:
    """Seeded input for a model: pixels, or token ids that end in padding."""
    from layergraph import load
    from layergraph.ir.graph import Value

    graph = load(model)
    type_ = graph.type_of(Value(graph.inputs[0]))
    shape = (batch, *(d or 1 for d in type_.shape[1:]))
    rng = np.random.default_rng(0)
    if len(shape) == 2:
        ids = rng.integers(1, 100, shape)
        ids[:, shape[1] * 3 // 4 :] = 0
        return ids.astype(type_.dtype)
    return rng.random(shape).astype(type_.dtype)


def cold(engine: str, model: Path, inputs: Path, runs: int) -> tuple[float, float]:
    """Median wall seconds and peak MiB of whole processes; the first run warms the disk."""
    seconds, peaks = [], []
    for _ in range(runs + 1):
        started = perf_counter()
        command = [sys.executable, "-c", COLD[engine], str(model), str(inputs)]
        process = subprocess.Popen(command, env=quiet_environment(), stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"the cold start of {engine} failed")
        seconds.append(perf_counter() - started)
        peaks.append(usage.ru_maxrss / 1024)
    return median(seconds[1:]), median(peaks[1:])


def quiet_environment() -> dict[str, str]:
    """The environment with TensorFlow's log off and no GPU."""
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}


def main(argv: Sequence[str] | None = None) -> int:
    """Print latencies, start-up and memory side by side."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--cold-runs", type=int, default=5)
    args = parser.parse_args(argv)
    if args.worker:
        worker(*args.worker)
        return 0
    print(f"{'model':20} {'batch':>5} {'layergraph':>12} {'tf.function':>12} {'ratio':>6}")
    for batch in args.batches:
        for name in args.models:
            row = latency(name, batch)
            ours, theirs = f"{row.layergraph * 1e3:.3f} ms", f"{row.tensorflow * 1e3:.3f} ms"
            print(f"{name:20} {batch:5} {ours:>12} {theirs:>12} {row.ratio:6.2f}", flush=True)
    model = GOLDEN / "cnn-keras3" / "model.keras"
    with tempfile.TemporaryDirectory() as folder:
        inputs = Path(folder) / "x.npy"
        np.save(inputs, example(model, 1))
        print(f"\n{'whole process, cnn':20} {'seconds':>12} {'peak MiB':>12}")
        for engine in COLD:
            seconds, peak = cold(engine, model, inputs, args.cold_runs)
            print(f"{engine:20} {seconds:12.2f} {peak:12.0f}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
