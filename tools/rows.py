"""Rows of a table as the inputs of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layergraph.ir.errors import InputError
from layergraph.ir.graph import Graph
from layergraph.ir.types import Array, product


def as_inputs(graph: Graph, names: Sequence[str], data: Any) -> dict[str, Array]:
    """One array a named input; columns are shared out over several inputs in order.

    Args:
        graph: the model.
        names: the inputs to fill.
        data: rows in the shape of a lone input, or flat ``(rows, columns)``.

    Raises:
        InputError: the columns do not fill the inputs.
    """
    array = np.asarray(data)
    types = {name: graph[name].types[0] for name in names}
    if len(names) == 1:
        (name,) = names
        width = product(types[name].shape[1:])
        if array.ndim == types[name].rank or array.ndim > 2 or width is None:
            return {name: array}
        if array.size == len(array) * width:
            return {name: array.reshape(-1, *(d or 0 for d in types[name].shape[1:]))}
        return {name: array}
    widths = [product(t.shape[1:]) for t in types.values()]
    known = [w for w in widths if w is not None]
    if array.ndim != 2 or len(known) < len(widths) or array.shape[1] != sum(known):
        raise InputError(
            f"{array.shape} does not share out over the inputs "
            f"{', '.join(f'{n} {t}' for n, t in types.items())}"
        )
    parts = np.split(array, np.cumsum(known)[:-1], axis=1)
    return {
        name: part.reshape(-1, *(d or 0 for d in types[name].shape[1:]))
        for name, part in zip(names, parts, strict=True)
    }
