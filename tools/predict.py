"""`layergraph run`: arrays from a file, predictions to a file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from layergraph.api import load
from layergraph.backends.numpy.interpreter import Interpreter
from layergraph.ir.errors import InputError
from layergraph.ir.types import Array, TensorType, product, type_of
from layergraph.ir.writing import replacing
from layergraph.tools.screen import tracked

READ = (".npy", ".npz", ".csv")


def run(
    model: str, source: str, target: str | None, batch_size: int, weights: str | None = None
) -> int:
    """Predict all rows of a file and write what the model returns.

    Args:
        model: any file ``layergraph.load`` reads.
        source: ``.npy`` or ``.csv`` for a model with one input, ``.npz`` with
            one array for each input, by name.
        target: ``.npy`` or ``.csv`` for a model with one output, ``.npz`` by
            output name; ``None`` prints CSV.
        batch_size: rows at a time.
        weights: file of the model's weights, where they stand apart.

    Raises:
        InputError: the arrays do not fit the model, or the file kinds do not.
    """
    interpreter = Interpreter(load(model, weights=weights))
    names = list(interpreter.outputs)
    _check_target(target, names)
    feeds = read_arrays(source, interpreter.inputs)
    outputs = predictions(interpreter, feeds, batch_size)
    if target is None:
        _write_csv(sys.stdout, outputs[0])
        return 0
    with replacing(target) as temporary:
        _write(temporary, dict(zip(names, outputs, strict=True)))
    written = (f"{n} {type_of(a)}" for n, a in zip(names, outputs, strict=True))
    print(f"{target}: {', '.join(written)}")
    return 0


def predictions(
    interpreter: Interpreter, feeds: Mapping[str, Array], batch_size: int
) -> list[Array]:
    """The model's outputs for all rows, computed in batches."""
    rows = {len(a) if a.ndim else 0 for a in feeds.values()}
    if len(rows) > 1:
        raise InputError(f"the inputs have different numbers of rows ({sorted(rows)})")
    starts = range(0, max(rows.pop() if rows else 0, 1), batch_size)
    parts = [
        interpreter.run(None, {n: a[start : start + batch_size] for n, a in feeds.items()})
        for start in tracked(starts, "predicting")
    ]
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


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
            return {name: _read_csv(path, type_)}
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


def _read_csv(path: str, type_: TensorType) -> Array:
    """Rows of numbers, with or without a heading, in the shape of the input."""
    with open(path, encoding="utf-8-sig") as file:
        heading = not _is_numeric(file.readline())
    data: Array = np.loadtxt(
        path, delimiter=",", skiprows=int(heading), ndmin=2, encoding="utf-8-sig"
    )
    width = product(type_.shape[1:])
    if type_.rank == 2 or width is None or data.shape[1] != width:
        return data
    return data.reshape(-1, *(d or 0 for d in type_.shape[1:]))


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


def _write(path: Path, arrays: Mapping[str, Array]) -> None:
    if path.suffix.lower() == ".npz":
        with path.open("wb") as file:
            # Names as zip members: NumPy's savez would take some for its own arguments.
            np.savez(file, **{name.replace("/", "."): array for name, array in arrays.items()})  # type: ignore[arg-type]
        return
    (array,) = arrays.values()
    if path.suffix.lower() == ".npy":
        np.save(path, array)
        return
    with path.open("w", encoding="utf-8", newline="") as stream:
        _write_csv(stream, array)


def _write_csv(stream: IO[str], array: Array) -> None:
    """One line a row, values in row-major order, as many digits as the dtype needs."""
    for row in array.reshape(len(array), -1):
        stream.write(",".join(map(str, row)) + "\n")
