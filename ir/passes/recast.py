"""A graph that computes in another float dtype."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from layergraph.ir.build import Builder
from layergraph.ir.errors import GraphError
from layergraph.ir.graph import Graph
from layergraph.ir.op import Op
from layergraph.ir.types import FLOATS, Array, is_float, numpy_dtype


def recast(graph: Graph, dtype: str) -> Graph:
    """The same graph with every float of one dtype.

    Given: any graph.
    Result: its inputs, parameters, casts and results that were floats of any
    dtype have this one; types are inferred anew. Whole numbers stay.

    Args:
        graph: any graph.
        dtype: one of ``FLOATS``.

    Raises:
        GraphError: no such dtype.
        UnsupportedError: bfloat16 without the package that brings it.
    """
    if dtype not in FLOATS:
        raise GraphError(f"there is no float dtype {dtype!r}; there are {', '.join(FLOATS)}")
    target = numpy_dtype(dtype)
    done: dict[int, Array] = {}

    def cast(array: Array) -> Array:
        # Arrays that nodes share stay shared.
        if is_float(array) and array.dtype != target:
            return done.setdefault(id(array), array.astype(target))
        return array

    build = Builder()
    for node in graph:
        params = {role: cast(array) for role, array in node.params.items()}
        build.add(node.name, _retyped(node.op, dtype), node.inputs, params, node.sources)
    return build.graph(
        inputs=graph.inputs,
        outputs=graph.outputs,
        input_structure=graph.input_structure,
        output_structure=graph.output_structure,
        origin=graph.origin,
    )


def _retyped(op: Any, dtype: str) -> Op:
    """The operator with its attribute ``dtype``, where that names a float, replaced."""
    named = any(f.name == "dtype" for f in fields(op)) and op.dtype in FLOATS
    found: Op = replace(op, dtype=dtype) if named else op
    return found
