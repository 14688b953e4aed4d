"""Build a graph node by node, with names made unique and types inferred."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from layergraph.ir.errors import GraphError
from layergraph.ir.graph import Graph, Node, Origin, Source, Structure, Value
from layergraph.ir.op import Constant, Input, Op, signature
from layergraph.ir.types import Array, TensorType, type_of


class Builder:
    """Collects nodes in running order.

    Example:

        >>> from layergraph.ir.build import Builder
        >>> from layergraph.ir.ops.elementwise import Unary
        >>> build = Builder()
        >>> x = build.input("x", TensorType((None, 3)))
        >>> y, = build.add("y", Unary(kind="tanh"), [x])
        >>> print(build.graph(outputs=[y])["y"].types[0])
        float32[?, 3]
    """

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._inputs: list[str] = []

    def type_of(self, value: Value) -> TensorType:
        """Type of a value built so far."""
        return self._nodes[value.node].types[value.index]

    def node(self, name: str) -> Node:
        """A node built so far."""
        return self._nodes[name]

    def unique(self, name: str) -> str:
        """``name``, or ``name:1``, ``name:2`` ... when it is taken."""
        if name not in self._nodes:
            return name
        return next(
            n for i in range(1, len(self._nodes) + 1) if (n := f"{name}:{i}") not in self._nodes
        )

    def input(self, name: str, type_: TensorType, source: Source | None = None) -> Value:
        """Add a graph input."""
        op = Input(shape=type_.shape, dtype=type_.dtype)
        (value,) = self.add(name, op, sources=(source,) if source else ())
        self._inputs.append(value.node)
        return value

    def constant(self, name: str, array: Array, sources: Iterable[Source] = ()) -> Value:
        """Add a constant."""
        (value,) = self.add(name, Constant(), params={"value": array}, sources=sources)
        return value

    def add(
        self,
        name: str,
        op: Op,
        inputs: Iterable[Value | None] = (),
        params: Mapping[str, Array] | None = None,
        sources: Iterable[Source] = (),
    ) -> tuple[Value, ...]:
        """Add a node and return its outputs.

        Raises:
            GraphError: the inputs or parameters do not fit the operator.
        """
        name, slots, held = self.unique(name), tuple(inputs), dict(params or {})
        types = infer_types(
            name,
            op,
            tuple(None if v is None else self.type_of(v) for v in slots),
            {role: type_of(array) for role, array in held.items()},
        )
        node = Node(
            name=name, op=op, inputs=slots, params=held, types=types, sources=tuple(sources)
        )
        self._nodes[name] = node
        return node.values

    def graph(
        self,
        *,
        outputs: Iterable[Value],
        inputs: Iterable[str] | None = None,
        input_structure: Structure | None = None,
        output_structure: Structure | None = None,
        origin: Origin | None = None,
    ) -> Graph:
        """The graph of all nodes added."""
        return Graph(
            self._nodes.values(),
            inputs=self._inputs if inputs is None else inputs,
            outputs=outputs,
            input_structure=input_structure,
            output_structure=output_structure,
            origin=origin,
        )


def infer_types(
    name: str,
    op: Op,
    inputs: tuple[TensorType | None, ...],
    params: Mapping[str, TensorType],
) -> tuple[TensorType, ...]:
    """Output types of an operator, after checking arity and roles.

    Raises:
        GraphError: names the node, the operator and what does not fit.
    """
    contract = signature(type(op))
    given = len(inputs)
    if given < contract.required_inputs or (given > len(contract.inputs) and not contract.variadic):
        wanted = ", ".join(contract.inputs) + (", ..." if contract.variadic else "")
        raise GraphError(f"node {name!r}: {type(op).__name__} takes ({wanted}), got {given} inputs")
    if None in inputs[: contract.required_inputs]:
        raise GraphError(f"node {name!r}: {type(op).__name__} lacks a required input")
    unknown = set() if contract.any_params else set(params) - set(contract.params)
    missing = {r for r, required in contract.params.items() if required} - set(params)
    if unknown or missing:
        raise GraphError(
            f"node {name!r}: {type(op).__name__} takes parameters "
            f"({', '.join(contract.params)}), got ({', '.join(params)})"
        )
    try:
        found = op.infer(*inputs, **params)
    except GraphError as error:
        raise GraphError(f"node {name!r}: {error}") from None
    except (ValueError, TypeError, IndexError) as error:
        shapes = ", ".join(map(str, inputs))
        raise GraphError(f"node {name!r}: {op} does not fit inputs ({shapes}): {error}") from error
    return found if isinstance(found, tuple) else (found,)
