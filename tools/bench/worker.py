"""The process of one engine: loads a model, runs it, measures it.

``python -m layergraph.tools.bench.worker ENGINE`` speaks the protocol of ``channel``.
An engine's own package is imported when it loads a model.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np

from layergraph.ir.types import Array
from layergraph.tools.bench.channel import missing_packages, serve, versions
from layergraph.tools.bench.engines import ENGINES

Run: TypeAlias = Callable[[], Any]
Bind: TypeAlias = Callable[[Array], Run]
"""Gives, for one input, the function to time; its result is an array that NumPy can read."""


def ours(folder: Path) -> Bind:
    """Our own interpreter."""
    from layergraph import Interpreter

    interp = Interpreter(folder / "model.keras")
    return lambda x: lambda: interp(x)


def ours_on_onnxruntime(folder: Path) -> Bind:
    """Our interpreter with onnxruntime behind it."""
    from layergraph import Interpreter

    interp = Interpreter(folder / "model.keras", backend="onnxruntime")
    return lambda x: lambda: interp(x)


def keras_model(folder: Path) -> Any:
    """The live model, on the backend of the environment."""
    import keras

    keras.backend.clear_session()
    return keras.models.load_model(folder / "model.keras", compile=False)


def tf_function(folder: Path) -> Bind:
    """The model as one compiled TensorFlow function; its input is a tensor already."""
    import tensorflow as tf

    model = keras_model(folder)
    call = tf.function(lambda t: model(t, training=False))

    def bind(x: Array) -> Run:
        tensor = tf.constant(x)
        return lambda: call(tensor).numpy()

    return bind


def keras_predict(folder: Path) -> Bind:
    """What most users call."""
    model = keras_model(folder)
    return lambda x: lambda: model.predict(x, batch_size=len(x), verbose=0)


def keras_numpy(folder: Path) -> Bind:
    """Keras' own NumPy backend."""
    model = keras_model(folder)
    return lambda x: lambda: np.asarray(model(x, training=False))


def keras_jax(folder: Path) -> Bind:
    """The model compiled by JAX; its input lies on JAX' device already."""
    import jax

    model = keras_model(folder)
    trainable = [v.value for v in model.trainable_variables]
    fixed = [v.value for v in model.non_trainable_variables]

    call = jax.jit(lambda t: model.stateless_call(trainable, fixed, t, training=False)[0])

    def bind(x: Array) -> Run:
        tensor = jax.device_put(x)
        return lambda: np.asarray(call(tensor))

    return bind


def onnx_reference(folder: Path) -> Bind:
    """ONNX' evaluator in Python."""
    from onnx.reference import ReferenceEvaluator

    evaluator: Any = ReferenceEvaluator(str(folder / "model.onnx"))
    (name,) = evaluator.input_names
    return lambda x: lambda: evaluator.run(None, {name: x})[0]


def onnx_session(folder: Path) -> Bind:
    """onnxruntime's own session, with its default options."""
    import onnxruntime as ort

    session = ort.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    (first,) = session.get_inputs()
    return lambda x: lambda: session.run(None, {first.name: x})[0]


LOADERS: dict[str, Callable[[Path], Bind]] = {
    "layergraph": ours,
    "tf-function": tf_function,
    "keras-predict": keras_predict,
    "keras-numpy": keras_numpy,
    "keras-jax": keras_jax,
    "onnx-reference": onnx_reference,
    "onnxruntime": onnx_session,
    "layergraph-onnxruntime": ours_on_onnxruntime,
}
"""By the engine's name."""


class Bench:
    """The requests of a process; it holds one model at a time.

    Args:
        loader: of the engine.
    """

    def __init__(self, loader: Callable[[Path], Bind]) -> None:
        self._loader = loader
        self._bind: Bind | None = None
        self._run: Run | None = None

    def load(self, *, folder: str) -> dict[str, Any]:
        """Load a model in place of the one before."""
        self._bind = self._run = None
        gc.collect()
        started = perf_counter()
        self._bind = self._loader(Path(folder))
        return {"seconds": perf_counter() - started}

    def first(self, *, inputs: str, outputs: str) -> dict[str, Any]:
        """Run once, compiling included, and write what came out."""
        assert self._bind is not None
        self._run = self._bind(np.load(inputs))
        started = perf_counter()
        result = self._run()
        seconds = perf_counter() - started
        np.save(outputs, np.asarray(result))
        return {"seconds": seconds}

    def time(self, *, seconds: float, runs: int, warm: bool) -> dict[str, Any]:
        """Time runs until the seconds or the runs are over, one at least.

        Args:
            seconds, runs: see above.
            warm: make one run first that does not count, as others have had the caches.
        """
        run = self._run
        assert run is not None
        if warm:
            run()
        times: list[float] = []
        spent = 0.0
        gc.disable()
        while len(times) < runs and (spent < seconds or not times):
            started = perf_counter()
            run()
            times.append(perf_counter() - started)
            spent += times[-1]
        gc.enable()
        return {"times": times}


def main(engine: str) -> int:
    """Serve requests for one engine."""
    packages = ENGINES[engine].packages
    if missing := missing_packages(packages):
        return serve({}, {"missing": missing})
    bench = Bench(LOADERS[engine])
    handlers: dict[str, Callable[..., dict[str, Any]]]
    handlers = {"load": bench.load, "first": bench.first, "time": bench.time}
    return serve(handlers, {"versions": versions(("numpy", "jaxlib", *packages))})


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
