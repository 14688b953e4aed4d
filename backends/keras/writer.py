"""Spell a layer graph as a Functional model of Keras.

Every node becomes a layer or an operation; nodes of one layer that Keras computes in
one, such as a convolution and its activation, become one again. A layer whose arrays
several nodes share is one layer that is called several times.

Masks are ordinary values of the graph and are given to layers as such. As Keras hands
a mask on to what a layer returns, the writer keeps account of it (``Tensor.mask``) and
takes it off where a layer would heed it that does not in the graph (``bare``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from layergraph.backends.keras.dialects import Dialect, policy_name
from layergraph.backends.keras.grouping import Plan, plans
from layergraph.backends.keras.model import (
    Call,
    Layer,
    Model,
    Stored,
    Tensor,
    leaves_in,
    ordered,
    tensors_in,
)
from layergraph.backends.keras.names import legal, shared_name
from layergraph.backends.keras.operations import module_of
from layergraph.backends.keras.table import RefusedError, spelling_of
from layergraph.backends.numpy.table import run
from layergraph.ir.errors import Unsupported, UnsupportedError
from layergraph.ir.graph import Graph, Node, Value, pack
from layergraph.ir.op import Constant, Input, Op
from layergraph.ir.types import (
    FLOATS,
    Array,
    TensorType,
    dtype_name,
    numpy_dtype,
    promote,
)

Operand = Tensor | Array
"""An input of a spelling: a tensor of the model, or an array known when it is written."""

Masking = Literal["pass", "drop"]
Types = TensorType | Sequence[TensorType] | None


def dtype_of(value: Operand) -> str:
    """Dtype of an input of a spelling."""
    return value.dtype if isinstance(value, Tensor) else dtype_name(value.dtype)


class Writer:
    """Collects the layers of one model.

    Args:
        graph: the graph to spell.
        dialect: the Keras to spell it for.

    Attributes:
        node: the node being spelled.
        notes: what the user should know.
        respelled: layers that are written as several others.
    """

    def __init__(self, graph: Graph, dialect: Dialect) -> None:
        self.graph = graph
        self.dialect = dialect
        self.layers: list[Layer] = []
        self.values: dict[Value, Operand] = {}
        self.node: Node
        self.notes: list[str] = []
        self.respelled: dict[str, None] = {}
        self._last: Node
        self._done: set[str] = set()
        self._names: set[str] = set()
        self._made: dict[Any, Layer] = {}
        self._derived: dict[tuple[int, str], Array] = {}
        self._refused: list[Unsupported] = []
        self._outputs = set(graph.outputs)

    @property
    def keras3(self) -> bool:
        """Whether Keras 3 is written, rather than Keras 2."""
        return self.dialect.major >= 3

    # --- what spellings call -----------------------------------------------------------

    def layer(
        self,
        class_name: str,
        inputs: Tensor | Sequence[Operand],
        *,
        arrays: Iterable[Stored | None] = (),
        mask: Tensor | None = None,
        kwargs: Mapping[str, Any] | None = None,
        types: Types = None,
        masking: Masking = "pass",
        dtype: str | None = None,
        part: str = "",
        **config: Any,
    ) -> Any:
        """Call a layer, which is made unless it is the same as one before.

        Args:
            class_name: Keras class.
            inputs: first argument of the call.
            arrays: what the layer holds, in the order in which Keras stores it; ``None``
                entries are left out.
            mask: given to the layer.
            kwargs: further arguments, with tensor leaves.
            types: type of its output or types of several; those of the node by default.
            masking: whether the result bears the mask that the layer was given or its
                first input bears, or none.
            dtype: dtype policy; that of the node's floats by default.
            part: name below the node's; empty for the node's own result.
            **config: options.

        Returns:
            Its output, or a tuple of several.
        """
        held = tuple(stored for stored in arrays if stored is not None)
        options = {"dtype": dtype or self.policy(held), **config}
        given = {} if mask is None else {"mask": mask}
        layer = self._layer(class_name, options, held, part)
        first = list(inputs) if isinstance(inputs, (list, tuple)) else inputs
        borne = mask
        if borne is None and masking == "pass":
            borne = next((t.mask for t in tensors_in(first)), None)
        return self._call(
            layer,
            (first,),
            {**given, **(kwargs or {})},
            types,
            borne if masking == "pass" else None,
        )

    def op(
        self, class_name: str, *args: Any, part: str = "", types: Types = None,
        kwargs: Mapping[str, Any] | None = None, **config: Any,
    ) -> Any:  # fmt: skip
        """Add a node of ``keras.ops``, of Keras 3.

        Args:
            class_name: class of the operation, ``Add``.
            *args: tensors, arrays and numbers it is called on.
            types: type of its output or types of several; those of the node by default.
            part: name below the node's; empty for the node's own result.
            kwargs: arguments of the call by name.
            **config: static arguments, which the operation is made with.
        """
        layer = Layer(self.fresh(part), class_name, config, module=module_of(class_name))
        self.layers.append(layer)
        return self._call(layer, args, kwargs or {}, types, None)

    def tf(
        self, function: str, first: Any, *, part: str = "", types: Types = None, **kwargs: Any,
    ) -> Any:  # fmt: skip
        """Add a function of TensorFlow, of Keras 2.

        Args:
            function: its name below ``tf``, ``math.add``.
            first: first argument: a tensor, a list of such, an array or a number.
            types: type of its output or types of several; those of the node by default.
            part: name below the node's; empty for the node's own result.
            **kwargs: all other arguments by name.
        """
        kind = "SlicingOpLambda" if function.endswith("getitem") else "TFOpLambda"
        layer = Layer(self.fresh(part), kind, {"dtype": "float32", "function": function})
        self.layers.append(layer)
        return self._call(layer, (first,), kwargs, types, None)

    def tensor(self, x: Operand | None, what: str = "an input") -> Tensor:
        """An input that layers can be called on.

        Raises:
            RefusedError: it is a constant.
        """
        if isinstance(x, Tensor):
            return x
        raise RefusedError(f"{what} does not depend on what the model is fed")

    def bare(self, x: Tensor) -> Tensor:
        """The value without the mask that Keras makes it bear."""
        if x.mask is None:
            return x
        found: Tensor
        if self.keras3:
            found = self.op("GetItem", x, [...], types=x.type, part="unmasked")
        else:
            found = self.tf("identity", x, types=x.type, part="unmasked")
        return found

    def alike(self, values: Sequence[Operand], dtype: str | None = None) -> list[Operand]:
        """Values in one dtype, their common one by default.

        Functions of TensorFlow want that of their operands, where Keras 3 finds it itself.
        """
        common = dtype or promote(*(dtype_of(v) for v in values))
        found: list[Operand] = []
        for i, value in enumerate(values):
            if isinstance(value, Tensor) and value.dtype != common:
                name, types = f"cast_{i}", value.type.with_dtype(common)
                if self.keras3:
                    value = self.op("Cast", value, dtype=common, types=types, part=name)
                else:
                    value = self.tf("cast", value, dtype=common, types=types, part=name)
            elif not isinstance(value, Tensor):
                value = value.astype(numpy_dtype(common), copy=False)
            found.append(value)
        return found

    def following(self, *op_types: type[Op]) -> Node | None:
        """The step of the same layer that alone reads the node's only output.

        It is for a spelling that can express both; ``absorb`` says that it does.
        """
        node = self._last
        if len(node.types) != 1 or node.values[0] in self._outputs:
            return None
        readers = self.graph.consumers[node.values[0]]
        if len(readers) != 1 or not isinstance(readers[0].op, op_types):
            return None
        reader = readers[0]
        same = node.sources and node.sources == reader.sources
        within = node.name.rpartition("/")[0] in (reader.name, reader.name.rpartition("/")[0])
        return reader if same and within and len(reader.arguments) == 1 else None

    def absorb(self, node: Node) -> None:
        """What the spelling returns stands for this node's outputs too."""
        self._done.add(node.name)
        self._last = node

    def derived(self, array: Array, what: str, make: Callable[[Array], Array]) -> Array:
        """An array made of one of the graph's, the same for all nodes that hold that."""
        key = (id(array), what)
        if key not in self._derived:
            self._derived[key] = make(array)
        return self._derived[key]

    def policy(self, arrays: Sequence[Stored] = ()) -> str:
        """Name of the dtype policy under which a layer computes the node."""
        dtypes = [self.node.types[0].dtype, *(t.dtype for t in self._types(self.node))]
        found = next((d for d in dtypes if d in FLOATS), "float32")
        held = next((s.array.dtype.name for s in arrays if s.array.dtype.name in FLOATS), None)
        return policy_name(found, held)

    def spelled_out(self) -> None:
        """Note that the node's layer is written as other layers and operations."""
        name = self.node.sources[0].layer if self.node.sources else self.node.name
        self.respelled.setdefault(name)

    def note(self, text: str) -> None:
        """Tell the user something, once."""
        if text not in self.notes:
            self.notes.append(text)

    def fresh(self, part: str = "") -> str:
        """A legal and unique name for the node's result, or for a part of it."""
        name = f"{self._last.name}/{part}" if part else self._last.name
        return self._unique(legal(name))

    def inner(self, graph: Graph) -> Model:
        """A part of the graph as a model of its own, which a layer wraps.

        Raises:
            RefusedError: Keras cannot express one of its nodes.
        """
        writer = Writer(graph, self.dialect)
        try:
            model = writer.model()
        except UnsupportedError as error:
            item = error.items[0]
            raise RefusedError(f"it wraps {item.layer!r}: {item.reason}", item.remedy) from None
        self.respelled.update(writer.respelled)
        return model

    # --- the walk ----------------------------------------------------------------------

    def model(self) -> Model:
        """The whole model.

        Raises:
            UnsupportedError: lists every node that this Keras cannot express.
        """
        graph = self.graph
        needed = graph.ancestors(v.node for v in graph.outputs)
        for node in graph:
            if isinstance(node.op, Input):
                self._input(node)
        held = plans(self, graph, needed)
        for node in graph:
            if node.name in held:
                self._regroup(node, held[node.name])
            elif node.name in needed and node.name not in self._done:
                self._spell(node)
        found = [self._output(value) for value in graph.outputs]
        if self._refused:
            raise UnsupportedError(self._refused)
        inputs = pack([self.values[Value(n)] for n in graph.inputs], graph.input_structure)
        outputs = pack(found, graph.output_structure)
        layers = ordered(self.layers, outputs, inputs)
        return Model(legal(graph.origin.model or "model"), layers, inputs, outputs)

    def _input(self, node: Node) -> None:
        type_ = node.types[0]
        config = {"shape": list(type_.shape), "dtype": policy_name(type_.dtype), "sparse": False}
        self._last = self.node = node
        layer = Layer(self._unique(legal(node.name)), "InputLayer", config)
        if layer.name != node.name:
            self.note(f"input {node.name!r} is called {layer.name!r}")
        self.layers.append(layer)
        self.values[Value(node.name)] = Tensor(layer, 0, 0, type_)
        self._done.add(node.name)

    def _spell(self, node: Node) -> None:
        self.node = self._last = node
        before = len(self.layers)
        inputs = [None if v is None else self.values[v] for v in node.inputs]
        known = self._known(node, inputs)
        if known is not None:
            self.values.update(zip(node.values, known, strict=True))
            return
        try:
            results = spelling_of(node.op)(self, node.op, *inputs, **node.params)
        except RefusedError as refusal:
            self._refuse(node, refusal)
            results = self._stand_ins(node)
        if len(self.layers) > before + 1:
            self.spelled_out()
        results = results if isinstance(results, tuple) else (results,)
        for value, type_, result in zip(self._last.values, self._last.types, results, strict=False):
            self._bind(value, type_, result)

    def _regroup(self, node: Node, plan: Plan) -> None:
        """Write several nodes as one layer, at the place of the last of them."""
        if node.name != plan.last:
            return
        self.node = self._last = node
        try:
            found = plan.emit()
        except RefusedError as refusal:
            self._refuse(node, refusal)
            nodes = [self.graph[name] for name in plan.held]
            found = {v: t for n in nodes for v, t in zip(n.values, self._stand_ins(n), strict=True)}
        for value, result in found.items():
            self._bind(value, self.graph.type_of(value), result)

    def _bind(self, value: Value, type_: TensorType, result: Operand) -> None:
        if isinstance(result, Tensor):
            result = Tensor(result.layer, result.call, result.index, type_, result.mask)
        self.values[value] = result

    def _known(self, node: Node, inputs: Sequence[Operand | None]) -> tuple[Array, ...] | None:
        """What a node gives that reads nothing but constants."""
        if isinstance(node.op, Constant):
            return (node.params["value"],)
        if not inputs or any(isinstance(x, Tensor) for x in inputs) or node.op.kept:
            return None
        arrays: list[Any] = list(inputs)
        found = run(node.op, node.params, arrays)
        results = found if type(found) is tuple else (found,)
        return tuple(np.asarray(a) for a in results)

    def _output(self, value: Value) -> Tensor:
        found = self.values[value]
        if isinstance(found, Tensor):
            return found
        self._refuse(
            self.graph[value.node],
            RefusedError("it is an output and does not depend on what the model is fed"),
        )
        return self._stand_ins(self.graph[value.node])[value.index]

    def _refuse(self, node: Node, refusal: RefusedError) -> None:
        source = node.sources[0] if node.sources else None
        layer = source.layer if source else node.name
        class_name = source.class_name if source else type(node.op).__name__
        reason = f"{type(node.op).__name__} in Keras {self.dialect.major}: {refusal.reason}"
        item = Unsupported(layer, class_name, reason, refusal.remedy)
        if item not in self._refused:
            self._refused.append(item)

    def _stand_ins(self, node: Node) -> tuple[Tensor, ...]:
        """Values in place of those of a node that was refused."""
        layer = Layer(node.name, "", {})
        return tuple(Tensor(layer, 0, i, t) for i, t in enumerate(node.types))

    # --- layers ------------------------------------------------------------------------

    def _layer(
        self, class_name: str, config: dict[str, Any], arrays: tuple[Stored, ...], part: str
    ) -> Layer:
        """A layer of these options and arrays; one for all calls of a shared one."""
        base = shared_name(f"{self._last.name}/{part}" if part else self._last.name)
        owner: Any = tuple(id(stored.array) for stored in arrays) or base
        key = (class_name, json.dumps(config, sort_keys=True), owner)
        if key not in self._made:
            layer = Layer(self._unique(legal(base)), class_name, config, arrays=arrays)
            self._made[key] = layer
            self.layers.append(layer)
        return self._made[key]

    def _call(
        self,
        layer: Layer,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        types: Types,
        mask: Tensor | None,
    ) -> Any:
        for array in leaves_in((args, kwargs)):
            if isinstance(array, np.ndarray) and array.dtype.kind == "c":
                raise RefusedError("files of Keras hold no complex numbers")
        number = len(layer.calls)
        call = Call(args, kwargs)
        strange = next((a for a in call.arrays() if a.dtype.kind in "cOSU"), None)
        if strange is not None:
            raise RefusedError(f"a constant of {dtype_of(strange)} is nothing a config can hold")
        if next(call.tensors(), None) is None:
            raise RefusedError(f"{layer.class_name} of constants is no layer of a model")
        layer.calls.append(call)
        given = self._last.types if types is None else types
        given = (given,) if isinstance(given, TensorType) else given
        found = tuple(
            Tensor(layer, number, i, t, mask if i == 0 else None) for i, t in enumerate(given)
        )
        return found if len(found) > 1 else found[0]

    def _unique(self, name: str) -> str:
        taken, number = name in self._names, 0
        while taken:
            number += 1
            taken = f"{name}_{number}" in self._names
        found = f"{name}_{number}" if number else name
        self._names.add(found)
        return found

    def _types(self, node: Node) -> list[TensorType]:
        return [self.graph.type_of(v) for v in node.arguments]
