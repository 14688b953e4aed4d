"""`layergraph run`: arrays from a file, predictions to a file."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from layergraph.backends.numpy.interpreter import Interpreter
from layergraph.ir.errors import InputError
from layergraph.ir.graph import Graph, flatten
from layergraph.ir.types import STRING, Array, TensorType, product, strings, type_of
from layergraph.ir.writing import replacing

READ = (".npy", ".npz", ".csv")
TEXT_HEADINGS = ("text", "texts")


def run(
    model: Graph, source: str, target: str | None, batch_size: int, backend: str = "numpy"
) -> int:
    """Predict all rows of a file and write what the model returns.

    Args:
        model: the graph.
        source: ``.npy`` or ``.csv`` for a model with one input, ``.npz`` with
            one array for each input, by name.
        target: ``.npy`` or ``.csv`` for a model with one output, ``.npz`` by
            output name; ``None`` prints CSV.
        batch_size: rows at a time.
        backend: what runs it, as for ``Interpreter``.

    Raises:
        InputError: the arrays do not fit the model, or the file kinds do not.
    """
    interpreter = Interpreter(model, backend=backend)
    _check_target(target, list(interpreter.outputs))
    feeds = read_arrays(source, interpreter.inputs)
    if target is None:
        _stream_csv(sys.stdout, interpreter, feeds, batch_size)
        return 0
    kind = Path(target).suffix.lower()
    if kind == ".csv":
        with replacing(target) as temporary, temporary.open("w", newline="", encoding="utf-8") as f:
            written = [_stream_csv(f, interpreter, feeds, batch_size)]
    else:
        written = _write(target, interpreter, feeds, batch_size)
    outputs = zip(interpreter.outputs, written, strict=True)
    print(f"{target}: {', '.join(f'{name} {type_}' for name, type_ in outputs)}")
    return 0


def _write(
    target: str, interpreter: Interpreter, feeds: Mapping[str, Array], batch_size: int
) -> list[TensorType]:
    """Predictions as a ``.npy`` or ``.npz`` file; a ``.npy`` file is written as they come."""
    types = interpreter.outputs
    streamed = target.lower().endswith(".npy") and STRING not in {t.dtype for t in types.values()}
    out = [target] if streamed else None
    found = interpreter.predict(feeds, batch_size=batch_size, progress=True, out=out)
    arrays = dict(zip(types, flatten(found, interpreter.graph.output_structure), strict=True))
    if not streamed:
        with replacing(target) as temporary:
            _save(temporary, arrays)
    return [type_of(array) for array in arrays.values()]


def read_arrays(path: str, inputs: Mapping[str, TensorType]) -> dict[str, Array]:
    """The model's inputs from a file; ``.npy`` is mapped, not read.

    Raises:
        InputError: the file cannot be read, or does not name the inputs.
    """
    kind = Path(path).suffix.lower()
    if kind not in READ:
        raise InputError(
            f"{path}: cannot read {kind or 'files without extension'}; use {', '.join(READ)}"
        )
    if kind != ".npz" and len(inputs) != 1:
        raise InputError(
            f"{path}: the model has {len(inputs)} inputs ({', '.join(inputs)}); "
            "save them by name with numpy.savez and pass the .npz file"
        )
    try:
        if kind == ".csv":
            name, type_ = next(iter(inputs.items()))
            return {name: _read_csv(path, name, type_)}
        # Pickled objects could run code, so NumPy must refuse them.
        loaded: Any = np.load(path, mmap_mode="r" if kind == ".npy" else None, allow_pickle=False)
        if kind == ".npy":
            return {next(iter(inputs)): loaded}
        with loaded:
            arrays = {name: loaded[name] for name in loaded.files}
    except InputError:
        raise
    except Exception as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:150]
        raise InputError(f"{path}: not a readable {kind} file ({reason})") from error
    if len(inputs) == len(arrays) == 1:
        return {next(iter(inputs)): next(iter(arrays.values()))}
    return arrays


def _read_csv(path: str, name: str, type_: TensorType) -> Array:
    """Rows of numbers or of text, with or without a heading, in the shape of the input."""
    if type_.dtype == STRING:
        return _in_rows(_read_texts(path, name, product(type_.shape[1:])), type_)
    with open(path, encoding="utf-8-sig") as file:
        heading = not _is_numeric(file.readline())
    data: Array = np.loadtxt(
        path, delimiter=",", skiprows=int(heading), ndmin=2, encoding="utf-8-sig"
    )
    return _in_rows(data, type_)


def _in_rows(data: Array, type_: TensorType) -> Array:
    """Columns of a table in the shape of the input, where that is known."""
    width = product(type_.shape[1:])
    if type_.rank == 2 or width is None or data.shape[1] != width:
        return data
    return data.reshape(-1, *(d or 0 for d in type_.shape[1:]))


def _read_texts(path: str, name: str, width: int | None) -> Array:
    """The cells of a table; quoted ones may hold commas and line breaks.

    The first line is a heading when it is the input's name or says ``text``: any
    other may be text to predict from. A blank line is an empty text.
    """
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = [row or [""] for row in csv.reader(file)]
    if rows and {cell.strip().lower() for cell in rows[0]} <= {name.lower(), *TEXT_HEADINGS}:
        del rows[0]
    if width is None:
        width = len(rows[0]) if rows else 1
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise InputError(
                f"{path}: row {number} has {len(row)} cells, {width} expected; put texts that "
                'hold commas into double quotes ("a, b")'
            )
    return strings(np.array(rows, object).reshape(len(rows), width))


def _is_numeric(line: str) -> bool:
    try:
        [float(cell) for cell in line.split(",")]
    except ValueError:
        return False
    return True


def _check_target(target: str | None, names: list[str]) -> None:
    kind = Path(target).suffix.lower() if target else ".csv"
    if kind not in READ:
        raise InputError(
            f"{target}: cannot write {kind or 'files without extension'}; use {', '.join(READ)}"
        )
    if kind != ".npz" and len(names) != 1:
        raise InputError(
            f"the model has {len(names)} outputs ({', '.join(names)}); pass --output with a "
            ".npz file, which holds them by name"
        )


def _readable(array: Array) -> Array:
    """Bytes as text: an array of objects could be written as a pickle only."""
    if array.dtype != object:
        return array
    texts = [item.decode("utf-8", "replace") for item in array.ravel().tolist()]
    return np.array(texts, np.str_).reshape(array.shape)


def _save(path: Path, arrays: Mapping[str, Array]) -> None:
    arrays = {name: _readable(array) for name, array in arrays.items()}
    if path.suffix.lower() == ".npy":
        np.save(path, next(iter(arrays.values())))
        return
    with path.open("wb") as file:
        # Names as zip members: NumPy's savez would take some for its own arguments.
        np.savez(file, **{name.replace("/", "."): array for name, array in arrays.items()})  # type: ignore[arg-type]


def _stream_csv(
    file: IO[str], interpreter: Interpreter, feeds: Mapping[str, Array], batch_size: int
) -> TensorType:
    """One line a row, values in row-major order, as many digits as the dtype needs."""
    writer = csv.writer(file, lineterminator="\n")
    rows = 0
    for (part,) in interpreter.stream(feeds, batch_size=batch_size, progress=True):
        writer.writerows(map(str, row) for row in _readable(part).reshape(len(part), -1))
        rows += len(part)
        type_ = type_of(part)
    return type_.with_shape((rows, *type_.shape[1:]))
