"""The parity harness: one row of a table, everything checked at once.

A row builds layers with whichever Keras it is given, so the same row is held
against Keras 3 and tf-keras (Keras 2), saved as ``.h5`` and ``.keras``::

    CASES = [
        case("stride 2 odd", lambda k: k.layers.Conv2D(4, 3, strides=2), (7, 5, 3)),
        case("two inputs", lambda k, a, b: k.layers.Add()([a, b]), [(3, 4), (3, 4)]),
    ]

    @parity(CASES)
    def test_convolution(run): run()

``assert_parity`` checks, for each writer and container: equal to live Keras,
inferred types equal to the run's, optimised equal to plain, inputs untouched,
outputs own their memory, batch 1 and 0, non-contiguous and read-only inputs,
and the IR file gives the same graph back. With ``LAYERGRAPH_ONNX=1`` in the
environment a row's first writer and container also goes through ONNX; with
``LAYERGRAPH_WRITERS=1`` it is written as a file for the other Keras, and run there.
"""

from __future__ import annotations

import inspect
import os
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layergraph as lg
from layergraph.ir.graph import Value, flatten
from layergraph.ir.types import dtype_name, numpy_dtype

WRITERS = ("keras", "tf_keras")
CONTAINERS = (".keras", ".h5")
RTOL = 1e-5

TOLERANCE = {"float16": 4 * 2**-10, "bfloat16": 4 * 2**-7}
"""Four units in the last place of the largest value: Keras rounds to halves between the
functions a layer is made of, we once a node, and TensorFlow's own products of bfloat16
are off by more than half a unit where it adds up partial sums."""


@dataclass(frozen=True)
class Case:
    """One row.

    Attributes:
        id: what is special about it, in words.
        build: ``f(keras)`` giving a layer or list of layers for a Sequential,
            or ``f(keras, *inputs)`` giving output tensors of a Functional.
        inputs: one shape without batch, or a list of them.
        dtype: dtype of the inputs, one for all or one each; ``"string"`` draws
            from ``WORDS``.
        make: how the input values are drawn; ``"wide"`` spans look-alike
            activations (|x| > 2.5), ``"ids"`` are integers below 10 with
            zeros in the middle, ``"masked"`` has all-zero steps in the middle
            and at the end, ``"texts"`` are several words each.
        writers: Kerases that have the layer and option.
        containers: containers that can hold it.
        square_ok: allow equal dimensions, which hide swapped axes.
        unknown: positions of dimensions the model is built not to know.
        rtol: allowed difference relative to the largest value.
        batch0: whether Keras itself runs an empty batch of this row.
        layers: the caller's own layers, for rows with layers of foreign classes.
        weights: whether weights are drawn; not where they are what a layer adapted to.
        policy: dtype policy the layers are built under; results may then differ
            by ``TOLERANCE`` of its dtype, unless ``rtol`` says more.
        onnx: whether ONNX gives the same to the last digit that the row looks at.
        noted: what a note says of a file for the other Keras, whose answers then are others.
        after: ``f(keras, model)``, what is done to the model once it has weights.
    """

    id: str
    build: Callable[..., Any]
    inputs: Any
    dtype: Any = "float32"
    make: str = "wide"
    writers: tuple[str, ...] = WRITERS
    containers: tuple[str, ...] = CONTAINERS
    square_ok: bool = False
    unknown: tuple[int, ...] = ()
    rtol: float = RTOL
    batch0: bool = True
    layers: dict[str, Any] | None = None
    weights: bool = True
    policy: str | None = None
    after: Callable[[Any, Any], None] | None = None
    onnx: bool = True
    noted: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def tolerance(self) -> float:
        """Allowed difference relative to the largest value."""
        if self.policy is None:
            return self.rtol
        return max(self.rtol, TOLERANCE.get(self.policy.removeprefix("mixed_"), 0))

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Input shapes without batch."""
        return list(self.inputs) if isinstance(self.inputs, list) else [self.inputs]

    @property
    def dtypes(self) -> list[str]:
        """Dtype of each input."""
        given = self.dtype if isinstance(self.dtype, (list, tuple)) else [self.dtype]
        return list(given) * (len(self.shapes) if len(given) == 1 else 1)


def case(name: str, build: Callable[..., Any], inputs: Any, **options: Any) -> Case:
    """A row; refuses equal dimensions unless ``square_ok``."""
    row = Case(name, build, inputs, **options)
    for shape in row.shapes:
        if len(set(shape)) != len(shape) and not row.square_ok:
            raise ValueError(f"case {name!r}: equal dimensions in {shape} hide swapped axes")
    return row


def parity(cases: Sequence[Case]) -> Callable[[Any], Any]:
    """Parametrise a test ``f(run)`` over rows, writers and containers."""
    ids = [c.id for c in cases]
    assert len(set(ids)) == len(ids), "two rows have the same id"
    params = [
        pytest.param((c, writer, container), id=f"{c.id}-{writer}{container}")
        for c in cases
        for writer in c.writers
        for container in c.containers
    ]

    def decorate(test: Any) -> Any:
        @pytest.mark.live
        @pytest.mark.parametrize("row", params)
        def wrapped(row: tuple[Case, str, str], tmp_path: Path) -> None:
            test(lambda: assert_parity(*row, tmp_path))

        wrapped.__name__, wrapped.__doc__ = test.__name__, test.__doc__
        return wrapped

    return decorate


def keras_of(writer: str) -> Any:
    """A Keras, or skip where it is not installed."""
    if find_spec(writer) is None or find_spec("tensorflow") is None:
        pytest.skip(f"live parity needs {writer} with tensorflow: pip install .[dev]")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(writer)


def build_model(row: Case, keras: Any) -> Any:
    """The live model of a row, weights drawn by name so that zeros hide nothing."""
    keras.backend.clear_session()
    with policy_of(keras, row.policy):
        model = _built(row, keras)
    rng = np.random.default_rng(zlib.crc32(row.id.encode()))
    if row.weights:
        model.set_weights([_weight(rng, w.shape, w.dtype) for w in model.get_weights()])
    for layer in model.layers:
        # What Normalization computes with is derived from its weights.
        if type(layer).__name__ == "Normalization":
            layer.finalize_state()
    if row.after is not None:
        row.after(keras, model)
    return model


@contextmanager
def policy_of(keras: Any, policy: str | None) -> Iterator[None]:
    """Layers made meanwhile have a dtype policy."""
    place = keras.config if hasattr(keras, "config") else keras.mixed_precision
    choose = getattr(place, "set_dtype_policy", None) or place.set_global_policy
    choose(policy or "float32")
    try:
        yield
    finally:
        choose("float32")


def _built(row: Case, keras: Any) -> Any:
    inputs = []
    for i, (shape, dtype) in enumerate(zip(row.shapes, row.dtypes, strict=True)):
        known = tuple(None if j in row.unknown else d for j, d in enumerate(shape))
        inputs.append(keras.layers.Input(known, name=f"in{i}", dtype=dtype))
    required = [p for p in inspect.signature(row.build).parameters.values() if p.default is p.empty]
    if len(required) == 1:
        layers = row.build(keras)
        layers = layers if isinstance(layers, list) else [layers]
        return keras.Sequential([*inputs, *layers])
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], row.build(keras, *inputs))


def _weight(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    if "float" not in np.dtype(dtype).name:
        return rng.integers(1, 9, shape).astype(dtype)
    # Strictly positive so that variances are; off-centre so that signs matter.
    return (rng.uniform(0.1, 1.0, shape) - (0.45 if len(shape) > 1 else 0.0)).astype(dtype)


def draw(row: Case, batch: int, seed: int = 0) -> list[np.ndarray[Any, Any]]:
    """Input arrays of a row."""
    rng = np.random.default_rng(seed + zlib.crc32(row.id.encode()))
    return [
        _values(rng, row.make, (batch, *shape), dtype)
        for shape, dtype in zip(row.shapes, row.dtypes, strict=True)
    ]


WORDS = (
    "the", "cat", "The", "CAT!", "don't", "", "sat", "on", "m.a.t", "caf\u00e9", "CAF\u00c9",
    "\u732b", "a-b", "'", "  ", "x" * 70, "zebra", "\u2028", "na\u0308ive", "\U0001f408", "Mat",
    "mat",
)  # fmt: skip
"""Known and unknown words, look-alikes, no word, characters of one to four bytes."""

GAPS = (" ", "  ", "\t", "\n", " \r\n", "\u00a0", "\v", "\f", ", ", "...")
"""What may stand between words; some of it is no white space."""


def _texts(rng: np.random.Generator, make: str, shape: tuple[int, ...]) -> Any:
    count = int(np.prod(shape))
    words = [WORDS[i] for i in rng.integers(0, len(WORDS), count * 7)]
    gaps = [GAPS[i] for i in rng.integers(0, len(GAPS), count * 7)]
    lengths = rng.integers(0, 8, count) if make == "texts" else [1] * count
    drawn = np.empty(count, object)
    for i, length in enumerate(lengths):
        parts = [w + g for w, g in zip(words[i * 7 :][:length], gaps[i * 7 :], strict=False)]
        text = "".join(parts) if make == "texts" else words[i * 7]
        # Bytes that are no UTF-8 stay as they are.
        drawn[i] = text.encode() + (b"\xff\xe2\x82 \xc0" if make == "texts" and i == 1 else b"")
    return drawn.reshape(shape)


def _values(rng: np.random.Generator, make: str, shape: tuple[int, ...], dtype: str) -> Any:
    if dtype == "string":
        return _texts(rng, make, shape)
    if make == "ids" or np.dtype(dtype).kind in "iu":
        ids = rng.integers(1, 10, shape)
        if len(shape) > 1 and shape[1] > 3:
            ids[:, shape[1] // 2] = 0
            ids[: shape[0] // 2 + 1, -1] = 0
        return ids.astype(dtype)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if np.dtype(dtype).kind == "c":
        return (rng.normal(0, 2.5, shape) + 1j * rng.normal(0, 2.5, shape)).astype(dtype)
    x = rng.normal(0, 2.5, shape).astype(dtype)
    if make == "masked":
        x[:, shape[1] // 2] = 0
        x[: shape[0] // 2 + 1, -1] = 0
    return x


def assert_parity(row: Case, writer: str, container: str, folder: Path) -> None:
    """Check one row against one Keras through one container."""
    keras = keras_of(writer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = build_model(row, keras)
        path = folder / f"model{container}"
        model.save(path)
        graph = lg.load(path, layers=row.layers)
        plain = lg.Interpreter(graph, optimize=False)
        fast = lg.Interpreter(graph)
        for batch in (3, 1):
            arrays = draw(row, batch)
            fed = arrays if len(arrays) > 1 else arrays[0]
            wanted = _leaves(model(fed, training=False))
            _assert_run(row, plain, arrays, wanted)
            _assert_run(row, fast, arrays, wanted)
        _assert_strange_layouts(row, fast, draw(row, 3))
        if row.batch0:
            _assert_empty_batch(row, plain, fast)
    _assert_inferred(graph, plain, draw(row, 3))
    _assert_ir_file(row, graph, folder, draw(row, 3))
    if os.environ.get("LAYERGRAPH_ONNX") and row.onnx and (writer, container) == _first(row):
        _assert_onnx(row, graph, model)
    if os.environ.get("LAYERGRAPH_WRITERS") and container == row.containers[0]:
        from rewriting import in_the_other

        in_the_other(row, writer, graph, model, folder)


def _first(row: Case) -> tuple[str, str]:
    return row.writers[0], row.containers[0]


def _assert_onnx(row: Case, graph: lg.Graph, model: Any) -> None:
    """The row in onnxruntime, against live Keras; not what ONNX or onnxruntime lacks."""
    import onnx
    from layergraph.backends.onnx.model import to_bytes

    try:
        written = to_bytes(graph, graph.outputs)
    except lg.UnsupportedError:
        return
    onnx.checker.check_model(onnx.load_from_string(written), full_check=True)
    try:
        interp = lg.Interpreter(graph, backend="onnxruntime")
    except lg.LayerGraphError as error:
        if "NOT_IMPLEMENTED" not in str(error):
            raise
        return
    for batch in (3, 1):
        arrays = draw(row, batch)
        wanted = _leaves(model(arrays if len(arrays) > 1 else arrays[0], training=False))
        try:
            got = flatten(interp(*arrays), graph.output_structure)
        except lg.LayerGraphError as error:
            if not any(known in str(error) for known in ("does not support double", "UTF-8")):
                raise
            return
        for ours, keras in zip(got, wanted, strict=True):
            assert_close(ours, keras, max(row.tolerance, 1e-4))


def _leaves(data: Any) -> list[Any]:
    if isinstance(data, dict):
        return [leaf for key in sorted(data) for leaf in _leaves(data[key])]
    if isinstance(data, (list, tuple)):
        return [leaf for value in data for leaf in _leaves(value)]
    return [np.asarray(data)]


def _assert_run(row: Case, interp: lg.Interpreter, arrays: list[Any], wanted: list[Any]) -> None:
    kept = [a.copy() for a in arrays]
    got = flatten(interp(*arrays), interp.graph.output_structure)
    assert len(got) == len(wanted)
    for ours, keras in zip(got, wanted, strict=True):
        assert_close(ours, keras, row.tolerance)
        assert ours.base is None, "an output does not own its memory"
        assert ours.flags.writeable, "an output is not writeable"
        assert not any(np.may_share_memory(ours, a) for a in arrays)
    for before, after in zip(kept, arrays, strict=True):
        assert np.array_equal(before, after), "a kernel wrote to an input"
    again = flatten(interp(*arrays), interp.graph.output_structure)
    for first, second in zip(got, again, strict=True):
        assert _equal(first, second), "a second run differs"
        assert not np.may_share_memory(first, second), "two runs share memory"


def assert_close(ours: Any, keras: Any, rtol: float = RTOL) -> None:
    """Same shape and dtype; largest difference at most ``rtol`` of the largest value."""
    assert ours.shape == keras.shape, f"shape {ours.shape}, Keras has {keras.shape}"
    assert ours.dtype == keras.dtype, f"dtype {ours.dtype}, Keras has {keras.dtype}"
    if keras.dtype == object:
        assert ours.tolist() == keras.tolist(), "the texts differ"
        return
    if not keras.size:
        return
    wide = "complex128" if keras.dtype.kind == "c" else "float64"
    a, b = ours.astype(wide), keras.astype(wide)
    finite = np.isfinite(b)
    assert np.array_equal(a[~finite], b[~finite], equal_nan=True), "NaN or infinity differs"
    scale = max(np.abs(b[finite]).max(initial=0), 1e-6)
    worst = np.abs(a[finite] - b[finite]).max(initial=0) / scale
    assert worst <= rtol, f"largest difference is {worst:.2e} of the largest value"


def _assert_strange_layouts(row: Case, interp: lg.Interpreter, arrays: list[Any]) -> None:
    """Read-only, and strided as a slice of something larger is."""
    want = flatten(interp(*arrays), interp.graph.output_structure)
    strided = []
    for a in arrays:
        wide = np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim > 1 else a
        wide.flags.writeable = False
        strided.append(wide)
    got = flatten(interp(*strided), interp.graph.output_structure)
    for first, second in zip(want, got, strict=True):
        assert_close(second, first, 1e-6 if row.policy is None else row.tolerance)


def _assert_empty_batch(row: Case, *interps: lg.Interpreter) -> None:
    for interp in interps:
        outputs = flatten(interp(*draw(row, 0)), interp.graph.output_structure)
        for value, array in zip(interp.graph.outputs, outputs, strict=True):
            type_ = interp.graph.type_of(value)
            assert array.shape[0] == 0
            assert type_.accepts(array.shape), f"an empty batch gave {array.shape}"


def _assert_inferred(graph: lg.Graph, plain: lg.Interpreter, arrays: list[Any]) -> None:
    for step in plain.trace(*arrays):
        for type_, array in zip(step.node.types, step.outputs, strict=True):
            where = f"node {step.name!r} ({step.op}): inferred {type_}"
            assert type_.accepts(array.shape), f"{where}, ran {array.shape}"
            assert type_.dtype == dtype_name(array.dtype), f"{where}, ran {array.dtype}"
            assert numpy_dtype(type_.dtype) == array.dtype


def _assert_ir_file(row: Case, graph: lg.Graph, folder: Path, arrays: list[Any]) -> None:
    path = folder / "model.lg"
    lg.save(graph, path)
    back = lg.load(path, layers=row.layers)
    assert str(back) == str(graph)
    for first, second in zip(graph, back, strict=True):
        assert (first.name, first.op, first.inputs, first.types, first.sources) == (
            second.name, second.op, second.inputs, second.types, second.sources,
        )  # fmt: skip
        assert first.params.keys() == second.params.keys()
        assert all(np.array_equal(first.params[r], second.params[r]) for r in first.params)
    assert graph.origin == back.origin
    one = flatten(lg.Interpreter(graph)(*arrays), graph.output_structure)
    two = flatten(lg.Interpreter(back)(*arrays), back.output_structure)
    assert all(_equal(a, b) for a, b in zip(one, two, strict=True))


def _equal(a: Any, b: Any) -> bool:
    return bool(np.array_equal(a, b, equal_nan=a.dtype != object))


__all__ = ["Case", "Value", "assert_close", "assert_parity", "case", "keras_of", "parity"]
