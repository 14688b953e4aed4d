"""Check and convert what a caller feeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from layergraph.ir.errors import InputError
from layergraph.ir.graph import Graph, Value, flatten
from layergraph.ir.types import STRING, Array, TensorType, is_float, numpy_dtype, strings, type_of


def from_call(graph: Graph, args: tuple[Any, ...], *, batches: bool = False) -> dict[str, Array]:
    """Feeds from a call's arguments.

    Args:
        graph: the graph to feed.
        args: see below.
        batches: rows of several batches, to be fed one batch at a time, each
            with ``cast_batch`` first: numbers are left in their own dtype, as
            the rows may be a file larger than memory.

    Accepted: one array an input, in order; a dict by input name; or one
    argument nested as the Keras model's inputs are.

    Raises:
        InputError: count, names, shapes or dtypes do not fit.
    """
    names = graph.inputs
    if len(args) == 1 and isinstance(args[0], Mapping):
        feeds = dict(args[0])
        if set(feeds) != set(names) and isinstance(graph.input_structure, dict):
            return _nested(graph, feeds, batches)
        return from_names(graph, feeds, batches=batches)
    if len(args) == 1 and len(names) != 1 and isinstance(args[0], (list, tuple)):
        return _nested(graph, args[0], batches)
    if len(args) != len(names):
        raise InputError(
            f"the model has {len(names)} inputs ({', '.join(names)}), got {len(args)} arrays"
        )
    return from_names(graph, dict(zip(names, args, strict=True)), batches=batches)


def from_names(
    graph: Graph,
    feeds: Mapping[str, Any],
    needed: Mapping[str, object] | None = None,
    *,
    batches: bool = False,
) -> dict[str, Array]:
    """Feeds by input name, checked and cast to the graph's types.

    Raises:
        InputError: an input is missing, unknown, or does not fit its type.
    """
    for name in feeds:
        if name not in graph.inputs:
            near = get_close_matches(str(name), graph.inputs, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"inputs are {', '.join(graph.inputs)}"
            raise InputError(f"the model has no input {name!r}; {hint}")
    wanted = graph.inputs if needed is None else needed
    if missing := [name for name in wanted if name not in feeds]:
        raise InputError(
            f"input {missing[0]!r} is missing; the model has {', '.join(graph.inputs)}"
        )
    types = {name: _fed_type(graph, name, batches) for name in feeds}
    cast = not batches
    arrays = {name: checked(name, feeds[name], types[name], cast=cast) for name in feeds}
    _same_batch(types, arrays)
    return arrays


def cast_batch(graph: Graph, part: Mapping[str, Array]) -> dict[str, Array]:
    """Rows that were checked, in the graph's dtypes.

    Raises:
        InputError: a cast loses something.
    """
    wanted = {name: graph.type_of(Value(name)) for name in part}
    return {
        name: array if wanted[name].dtype == STRING else _cast(name, array, wanted[name])
        for name, array in part.items()
    }


def checked(name: str, data: Any, want: TensorType, *, cast: bool = True) -> Array:
    """One fed array in the wanted dtype; the caller's array is never written to.

    Args:
        name: of the input.
        data: what was fed.
        want: type of the input.
        cast: bring numbers to the wanted dtype.

    Raises:
        InputError: text for numbers or the reverse, a lossy cast, or another shape.
    """
    try:
        array = np.asarray(data)
    except ValueError:
        raise InputError(
            f"input {name!r}: rows of unequal length are not an array; pad them"
        ) from None
    if want.dtype == STRING:
        array = _text(name, array, want)
    elif array.dtype.kind not in "biufc" and not is_float(array):
        raise InputError(f"input {name!r} expects {want}, got dtype {array.dtype}")
    if not want.accepts(array.shape):
        raise InputError(
            f"input {name!r} expects {want}, got {_spelled(array)}; {_remedy(array, want)}"
        )
    return _cast(name, array, want) if cast and want.dtype != STRING else array


def _text(name: str, array: Array, want: TensorType) -> Array:
    """Text, bytes or objects of these, as bytes."""
    try:
        # An empty list is an array of floats to NumPy.
        return strings(array if array.size else array.astype(object))
    except (TypeError, UnicodeEncodeError) as error:
        reason = f"{error}" if array.dtype == object else f"got dtype {array.dtype}"
        raise InputError(
            f"input {name!r} expects {want}: text or bytes, as in np.array([['a text']]); {reason}"
        ) from None


def _cast(name: str, array: Array, want: TensorType) -> Array:
    target = numpy_dtype(want.dtype)
    if array.dtype == target:
        return array
    if is_float(array) and want.is_float:
        # What is too large for a half becomes infinite, as in Keras.
        with np.errstate(over="ignore"):
            return array.astype(target)
    if np.can_cast(array.dtype, target, "same_kind"):
        return array.astype(target)
    if array.dtype.kind == "c":
        raise InputError(f"input {name!r} expects {want}, got {_spelled(array)}; feed x.real")
    # Keras itself feeds token ids as floats to integer inputs and back, so a
    # cast that loses nothing is accepted.
    cast = array.astype(target)
    if not np.array_equal(cast, array):
        raise InputError(
            f"input {name!r} expects {want}, got {_spelled(array)} with values "
            f"{target} cannot hold; cast it yourself if that is meant"
        )
    return cast


def _fed_type(graph: Graph, name: str, batches: bool) -> TensorType:
    want = graph.type_of(Value(name))
    return want.with_shape((None, *want.shape[1:])) if batches and want.rank else want


def batches_joined(parts: Sequence[Array]) -> Array:
    """One output's batches as one array.

    Raises:
        InputError: they are of different width, as texts of unlike length may make them.
    """
    if len({a.shape[1:] for a in parts}) > 1:
        shapes = ", ".join(sorted({str(a.shape[1:]) for a in parts})[:3])
        raise InputError(
            f"batches came out as rows of different shapes ({shapes} ...), which do not fit "
            "into one array; predict all rows in one batch, or save the model with a fixed "
            "output_sequence_length"
        )
    return np.concatenate(parts)


def _nested(graph: Graph, data: Any, batches: bool) -> dict[str, Array]:
    try:
        leaves = flatten(data, graph.input_structure)
    except ValueError as error:
        raise InputError(f"the inputs are not nested as the model's are: {error}") from None
    return from_names(graph, dict(zip(graph.inputs, leaves, strict=True)), batches=batches)


def _same_batch(types: Mapping[str, TensorType], arrays: Mapping[str, Array]) -> None:
    sizes = {n: a.shape[0] for n, a in arrays.items() if a.ndim and types[n].shape[0] is None}
    if len(set(sizes.values())) > 1:
        spelled = ", ".join(f"{n}: {s}" for n, s in sizes.items())
        raise InputError(f"the inputs have different batch sizes ({spelled})")


def _spelled(array: Array) -> str:
    return str(type_of(array))


def _remedy(array: Array, want: TensorType) -> str:
    if want.accepts((1, *array.shape)):
        return "add the batch axis: x[None]"
    if want.accepts((*array.shape, 1)):
        return "add the channel axis: x[..., None]"
    if array.ndim == want.rank and want.accepts(
        (array.shape[0], array.shape[-1], *array.shape[1:-1])
    ):
        return "the channels come first: np.moveaxis(x, -1, 1)"
    if (
        array.ndim == want.rank
        and array.ndim > 2
        and want.accepts((array.shape[0], *array.shape[2:], array.shape[1]))
    ):
        return "the channels come last: np.moveaxis(x, 1, -1)"
    return "reshape, crop or pad it"
