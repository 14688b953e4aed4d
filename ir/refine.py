"""More exact input shapes, and what they make known of every value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from layergraph.ir.build import Builder
from layergraph.ir.errors import GraphError
from layergraph.ir.graph import Graph, Node
from layergraph.ir.op import Input
from layergraph.ir.types import Shape, TensorType


def refined(
    graph: Graph,
    shapes: Mapping[str, Sequence[int | None]] | None = None,
    *,
    batch: int | None = None,
) -> Graph:
    """The same graph for inputs of which more is known.

    Given: any graph.
    Result: its ``Input`` nodes state the sizes given where they knew none; the types of all
    nodes are inferred anew from them. Operators, parameters and names stay.

    Args:
        graph: any graph.
        shapes: dimensions by input name, batch included; ``None`` leaves one as it is.
        batch: size of the first dimension of every input.

    Raises:
        GraphError: no such input, a size that contradicts what is known, or one that a
            layer cannot work on.

    Example:

        >>> import layergraph as lg
        >>> from layergraph.tools.demo import model_path
        >>> graph = refined(lg.load(model_path()), batch=4)
        >>> print(*(graph.type_of(value) for value in graph.outputs))
        float32[4, 10]
    """
    wanted = dict(shapes or {})
    for name in wanted:
        if name not in graph.inputs:
            near = get_close_matches(name, graph.inputs, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(graph.inputs)}"
            raise GraphError(f"the model has no input {name!r}; {hint}")
    build = Builder()
    for node in graph:
        op = node.op
        if isinstance(op, Input):
            found = _met(node.name, op.shape, wanted.get(node.name))
            if batch is not None and found:
                found = _met(node.name, found, (batch, *(None for _ in found[1:])))
            op = replace(op, shape=found)
        try:
            values = build.add(node.name, op, node.inputs, node.params, node.sources)
        except GraphError as error:
            raise GraphError(
                f"the model does not work on inputs of these sizes: {error}"
            ) from error
        _holds(node, build.node(values[0].node).types)
    return build.graph(
        inputs=graph.inputs,
        outputs=graph.outputs,
        input_structure=graph.input_structure,
        output_structure=graph.output_structure,
        origin=graph.origin,
    )


def _met(name: str, known: Shape, wanted: Sequence[int | None] | None) -> Shape:
    """Two shapes as one that both agree to.

    Raises:
        GraphError: they do not agree, or are of different rank.
    """
    if wanted is None:
        return known
    if len(wanted) != len(known) or any(
        a is not None and b is not None and a != b for a, b in zip(known, wanted, strict=True)
    ):
        raise GraphError(
            f"input {name!r} is {_spelled(known)}, which {_spelled(wanted)} contradicts; "
            "only unknown sizes (?) can be given"
        )
    if any(size is not None and size < 1 for size in wanted):
        raise GraphError(f"input {name!r}: sizes must be at least 1, got {_spelled(wanted)}")
    return tuple(b if a is None else a for a, b in zip(known, wanted, strict=True))


def _holds(node: Node, types: Sequence[TensorType]) -> None:
    """Refuse what was known to be otherwise.

    Raises:
        GraphError: a type contradicts what was inferred before.
    """
    for before, after in zip(node.types, types, strict=True):
        agrees = before.dtype == after.dtype and before.rank == after.rank
        pairs = zip(before.shape, after.shape, strict=False)
        if not agrees or any(a is not None and b is not None and a != b for a, b in pairs):
            raise GraphError(
                f"the model does not work on inputs of these sizes: {node.name!r} would give "
                f"{after}, it has to give {before}"
            )


def _spelled(shape: Sequence[int | None]) -> str:
    return f"({', '.join('?' if d is None else str(d) for d in shape)})"
