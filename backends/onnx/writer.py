"""Spell a layer graph in ONNX.

Each value is known under the orders of axes in which it exists. ONNX's
convolutions want channels first and its recurrent layers time first; a
``Transpose`` is written where an order is needed that is not there yet, and
element-wise operators go along with whatever order their input has. So a
channels-last model is transposed once at its border.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from layergraph.backends.numpy.table import run
from layergraph.backends.onnx.batches import keeps_rows
from layergraph.backends.onnx.limits import refuse_bfloat16
from layergraph.backends.onnx.protobuf import element_type, onnx_package
from layergraph.backends.onnx.table import Entry, RefusedError, entry_of
from layergraph.backends.onnx.values import (
    Axes,
    Operand,
    Tensor,
    View,
    channels_first,
    permuted,
    plain,
)
from layergraph.ir.errors import Unsupported, UnsupportedError
from layergraph.ir.graph import Graph, Node, Value
from layergraph.ir.op import Activation, Constant, Input, Op
from layergraph.ir.types import Array, TensorType, is_float, numpy_dtype

if TYPE_CHECKING:
    import onnx

PRINCIPAL = frozenset(
    "Conv ConvTranspose LSTM GRU RNN BatchNormalization LayerNormalization MatMul Gemm Einsum "
    "Resize MaxPool AveragePool Softmax Scan Gather".split()
)
"""Nodes that bear their layer's name when it takes several."""


class Writer:
    """Collects the nodes and arrays of one ONNX graph.

    Args:
        graph: the graph to spell.
        opset: version of ONNX' operator set.
    """

    def __init__(self, graph: Graph, opset: int) -> None:
        self.graph = graph
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: dict[str, Array] = {}
        self.values: dict[Value, Tensor] = {}
        self.node: Node
        self._names: set[str] = {str(v) for node in graph for v in node.values}
        self._made: dict[Any, str] = {}
        self._refused: list[Unsupported] = []
        self._outputs: list[str] = []
        self._domains: set[str] = {""}
        self._recast: dict[Any, Array] = {}
        self._helper = onnx_package().helper

    @property
    def type(self) -> TensorType:
        """Type of the node's first output."""
        return self.node.types[0]

    def op(self, kind: str, *inputs: Operand, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node; returns the name of its output, or a list of them for several.

        Args:
            kind: ONNX operator.
            *inputs: names, values of the graph (in their plain order of axes),
                arrays, or ``None`` for an absent one.
            outputs: how many.
            **attributes: of the operator; ``None`` leaves one out.
        """
        names = [self.name_of(i) for i in inputs]
        while names and not names[-1]:
            names.pop()
        label = f"{self.node.name}/{kind}"
        made = [self.fresh(label) for _ in range(outputs)]
        given = {k: v for k, v in attributes.items() if v is not None}
        self._domains.add(given.get("domain", ""))
        self.nodes.append(self._helper.make_node(kind, names, made, name=made[0], **given))
        return made[0] if outputs == 1 else made

    def name_of(self, operand: Operand) -> str:
        """The ONNX value of an operand; empty for ``None``."""
        if operand is None:
            return ""
        if isinstance(operand, str):
            return operand
        if isinstance(operand, Tensor):
            return self.view(operand, plain(operand.rank))
        return self.array(np.asarray(operand))

    def view(self, x: Tensor, axes: Axes) -> str:
        """A value with its axes in an order, transposed if it is not there yet."""
        if axes not in x.views:
            source = x.native
            order = [source.index(a) for a in axes]
            x.views[axes] = self.op("Transpose", x.views[source], perm=order)
        return x.views[axes]

    def first(self, x: Tensor) -> str:
        """A value with channels first."""
        return self.view(x, channels_first(x.rank))

    def array(self, array: Array, label: str = "constant") -> str:
        """An initializer; small equal ones are one."""
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= 64 else id(array)
        if array.dtype == object:
            key = (array.shape, *array.ravel().tolist())
        if key not in self._made:
            self._made[key] = self.fresh(label)
            self.arrays[self._made[key]] = array
        return self._made[key]

    def param(
        self, role: str, array: Array, how: str = "", change: Callable[[Array], Array] | None = None
    ) -> str:
        """A parameter, changed; nodes that share it share the changed one.

        Args:
            role: its role.
            array: the node's array.
            how: names the change.
            change: makes the array to write.
        """
        key = (id(array), how)
        if key not in self._made:
            self._made[key] = self.fresh(f"{self.node.name}/{role}")
            self.arrays[self._made[key]] = array if change is None else change(array)
        return self._made[key]

    def ints(self, *numbers: int) -> str:
        """int64, as a vector."""
        return self.array(np.array(numbers, np.int64))

    def number(self, value: float, dtype: str) -> str:
        """A number of a dtype."""
        return self.array(np.asarray(value).astype(numpy_dtype(dtype)))

    def cast(self, x: Operand, before: str, after: str) -> str:
        """Another dtype, where it differs."""
        return self.name_of(x) if before == after else self.op("Cast", x, to=element_type(after))

    def as_dtype(self, x: Tensor, dtype: str) -> Tensor:
        """A value in another dtype, where it differs, in the order of axes it has."""
        if x.dtype == dtype:
            return x
        axes = x.native
        name = self.op("Cast", x.views[axes], to=element_type(dtype))
        return replace(x, type=x.type.with_dtype(dtype), views={axes: name})

    def reduce(self, kind: str, x: Operand, axes: Sequence[int], keepdims: bool = True) -> str:
        """``ReduceMean`` and its kin; axes became an input with opset 18, of sums with 13."""
        name: str
        if self.opset >= 18 or kind == "ReduceSum":
            name = self.op(kind, x, self.ints(*axes), keepdims=int(keepdims))
        else:
            name = self.op(kind, x, axes=list(axes), keepdims=int(keepdims))
        return name

    def size(self, x: Operand, axis: int) -> str:
        """Size of an axis, as a vector of one int64."""
        name: str = self.op("Slice", self.op("Shape", x), self.ints(axis), self.ints(axis + 1))
        return name

    def sizes(self, *dims: int | str) -> str:
        """A shape of known sizes and of vectors with sizes; a -1 is what the rest leaves."""
        if all(isinstance(d, int) for d in dims):
            return self.ints(*(int(d) for d in dims))
        parts = [self.ints(d) if isinstance(d, int) else d for d in dims]
        name: str = self.op("Concat", *parts, axis=0)
        return name

    def reshape(self, x: Operand, *dims: int | str) -> str:
        """A new shape; 0 keeps the size that stands there."""
        name: str = self.op("Reshape", x, self.sizes(*dims))
        return name

    def part(self, x: Operand, axis: int, start: int, stop: int) -> str:
        """Elements ``start`` to ``stop`` of an axis."""
        name: str = self.op("Slice", x, self.ints(start), self.ints(stop), self.ints(axis))
        return name

    def activated(self, x: View | str, op: Activation | None, rank: int, dtype: str) -> View | str:
        """What an activation fused into the node makes of its result."""
        if op is None:
            return x
        axes = x.axes if isinstance(x, View) else plain(rank)
        name = x.name if isinstance(x, View) else x
        entry = entry_of(op)
        shape = tuple(self.type.shape)
        whole = Tensor(TensorType(shape, dtype), {axes: name})
        if entry.follows:
            turned = Tensor(permuted(whole.type, axes), {plain(rank): name})
            return View(entry.spell(self, op, turned), axes)
        result: str = entry.spell(self, op, whole)
        return result

    def fresh(self, wanted: str) -> str:
        """A name nothing has yet."""
        name, number = wanted, 1
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name

    def body(
        self,
        label: str,
        inputs: Sequence[TensorType],
        spell: Callable[..., Sequence[str]],
        outputs: Sequence[TensorType],
    ) -> Any:
        """A graph of its own, for ``Scan``; it sees the values around it.

        Args:
            label: its name.
            inputs: types of its inputs.
            spell: called with their names; adds nodes and returns the outputs.
            outputs: their types.
        """
        outer, self.nodes = self.nodes, []
        names = [self.fresh(f"{self.node.name}/{label}") for _ in inputs]
        results = [self.op("Identity", name) for name in spell(*names)]
        nodes, self.nodes = self.nodes, outer
        return self._helper.make_graph(
            nodes,
            label,
            [self._info(n, t) for n, t in zip(names, inputs, strict=True)],
            [self._info(n, t) for n, t in zip(results, outputs, strict=True)],
        )

    def write(self, outputs: Iterable[Value]) -> onnx.ModelProto:
        """The model without its arrays, which are in ``arrays``.

        Args:
            outputs: values to output.

        Raises:
            UnsupportedError: lists every node that ONNX cannot express.
        """
        wanted = list(outputs)
        needed = self.graph.ancestors(v.node for v in wanted)
        refuse_bfloat16(node for node in self.graph if node.name in needed)
        for node in self.graph:
            if node.name in needed:
                self._spell(node)
        if self._refused:
            raise UnsupportedError(self._refused)
        infos = [self._output(v) for v in wanted]
        self._prune()
        inputs = [
            self._info(name, self.graph[name].types[0], True)
            for name in self.graph.inputs
            if name in needed
        ]
        helper, name = self._helper, self.graph.origin.model or "model"
        versions = {"": self.opset, "ai.onnx.ml": 2}
        opsets = [helper.make_opsetid(d, versions[d]) for d in sorted(self._domains)]
        return helper.make_model(  # type: ignore[no-any-return]
            helper.make_graph(self.nodes, name, inputs, infos),
            opset_imports=opsets,
            producer_name="layergraph",
            ir_version=helper.find_min_ir_version_for(opsets),
        )

    def _spell(self, node: Node) -> None:
        self.node, start = node, len(self.nodes)
        inputs = [None if v is None else self.values[v] for v in node.inputs]
        if isinstance(node.op, Input):
            results: Any = node.name
        elif (known := self._known(node, inputs)) is not None:
            for value, type_, array in zip(node.values, node.types, known, strict=True):
                self.arrays[str(value)] = array
                self.values[value] = Tensor(type_, {plain(type_.rank): str(value)}, known=array)
            return
        else:
            params = self._params(node)
            try:
                entry = entry_of(node.op)
                types = (*(x.type for x in inputs if x is not None), *node.types)
                if any(t.is_complex for t in types):
                    raise RefusedError("it has no complex numbers")
                if node.op.kept:
                    raise RefusedError(
                        "stateful=True keeps states between runs, which an ONNX model cannot",
                        "set stateful to false in the model before saving it",
                    )
                if entry.follows:
                    results = self._following(entry, node.op, inputs, params)
                else:
                    results = entry.spell(self, node.op, *inputs, **params)
            except RefusedError as refusal:
                self._refuse(node, refusal)
                results = tuple(str(v) for v in node.values)
        results = results if type(results) is tuple else (results,)
        self._bind(node, results, start)

    def _following(
        self, entry: Entry, op: Op, inputs: list[Tensor | None], params: Any
    ) -> View | str:
        """Spell an element-wise operator in the order of axes its inputs have."""
        given = [x for x in inputs if x is not None]
        rank = max((x.rank for x in given), default=0)
        axes = plain(rank)
        if all(x.rank in (0, rank) for x in given):
            full = [x for x in given if x.rank == rank]
            axes = next((x.native for x in full if x.native != axes), axes)
        arrays = dict(params)
        if axes != plain(rank):
            arrays = {
                role: a.reshape((1,) * (rank - a.ndim) + a.shape).transpose(axes) if a.ndim else a
                for role, a in params.items()
            }
        turned = [
            None
            if x is None
            else x
            if x.rank != rank
            else Tensor(permuted(x.type, axes), {plain(rank): self.view(x, axes)})
            for x in inputs
        ]
        name = entry.spell(self, op, *turned, **arrays)
        return View(name, axes) if axes != plain(rank) else name

    def _params(self, node: Node) -> dict[str, Array]:
        """A node's parameters, floats in the dtype of its result: ONNX does not mix them."""
        type_ = node.types[0]
        found = dict(node.params)
        for role, array in node.params.items():
            if type_.is_float and is_float(array) and array.dtype.name != type_.dtype:
                key = (id(array), type_.dtype)
                if key not in self._recast:
                    self._recast[key] = array.astype(numpy_dtype(type_.dtype))
                found[role] = self._recast[key]
        return found

    def _known(self, node: Node, inputs: Sequence[Tensor | None]) -> tuple[Array, ...] | None:
        """What a node gives that reads nothing but constants."""
        if isinstance(node.op, Constant):
            return (node.params["value"],)
        arrays = [None if x is None else x.known for x in inputs]
        if not inputs or any(
            a is None and x is not None for a, x in zip(arrays, inputs, strict=True)
        ):
            return None
        found = run(node.op, node.params, arrays)
        results = found if type(found) is tuple else (found,)
        return tuple(np.asarray(a) for a in results)

    def _bind(self, node: Node, results: Sequence[View | str], start: int) -> None:
        """Make the results known, and name them and their node after the layer."""
        fresh = self.nodes[start:]
        made = {name for proto in fresh for name in proto.output}
        renamed: dict[str, str] = {}
        batched = isinstance(node.op, Input) or (
            keeps_rows(node.op) and any(self.values[v].batched for v in node.arguments)
        )
        for value, type_, result in zip(node.values, node.types, results, strict=False):
            axes = result.axes if isinstance(result, View) else plain(type_.rank)
            name = result.name if isinstance(result, View) else result
            if name in made and name not in renamed:
                renamed[name] = (
                    str(value) if axes == plain(type_.rank) else self._labelled(value, axes)
                )
            first = bool(type_.shape) and type_.shape[0] is None
            self.values[value] = Tensor(type_, {axes: renamed.get(name, name)}, batched and first)
        for proto in fresh:
            for names in (proto.input, proto.output):
                names[:] = [renamed.get(n, n) for n in names]
        if fresh:
            heads = [proto for proto in fresh if proto.op_type in PRINCIPAL]
            (heads[0] if heads else fresh[-1]).name = node.name

    def _labelled(self, value: Value, axes: Axes) -> str:
        rank = len(axes)
        order = "time_first" if axes == (1, 0, 2) else "transposed"
        order = "channels_first" if axes == channels_first(rank) else order
        return self.fresh(f"{value}/{order}")

    def _output(self, value: Value) -> Any:
        """Type of an output, which is made under the value's own name."""
        x, name, axes = self.values[value], str(value), plain(self.values[value].rank)
        if name in (*self._outputs, *self.graph.inputs, *self.arrays):
            # ONNX wants every output made by a node, under a name of its own.
            name = self.fresh(f"{value}/output")
        if axes not in x.views:
            order = [x.native.index(a) for a in axes]
            label = self.fresh(f"{value}/Transpose")
            given = [x.views[x.native]]
            self.nodes.append(self._helper.make_node("Transpose", given, [name], label, perm=order))
            x.views[axes] = name
        elif x.views[axes] != name:
            label = self.fresh(f"{value}/Identity")
            self.nodes.append(self._helper.make_node("Identity", [x.views[axes]], [name], label))
        self._outputs.append(name)
        return self._info(name, x.type, x.batched)

    def _prune(self) -> None:
        """Drop nodes and arrays that no output needs."""
        used, kept = set(self._outputs), []
        for proto in reversed(self.nodes):
            if used.intersection(proto.output):
                kept.append(proto)
                used.update(_read(proto))
        self.nodes = kept[::-1]
        self.arrays = {name: array for name, array in self.arrays.items() if name in used}

    def _info(self, name: str, type_: TensorType, batched: bool = False) -> Any:
        """A value's type; unknown dimensions of inputs have names."""
        dims: list[int | str | None] = list(type_.shape)
        if batched and dims and dims[0] is None:
            dims[0] = "batch"
        if name in self.graph.inputs:
            dims = [f"{name}_{i}" if d is None else d for i, d in enumerate(dims)]
        return self._helper.make_tensor_value_info(name, element_type(type_.dtype), dims)

    def _refuse(self, node: Node, refusal: RefusedError) -> None:
        source = node.sources[0] if node.sources else None
        layer = source.layer if source else node.name
        class_name = source.class_name if source else type(node.op).__name__
        reason = f"{type(node.op).__name__} in ONNX: {refusal.reason}"
        self._refused.append(Unsupported(layer, class_name, reason, refusal.remedy))


def _read(proto: Any) -> Iterable[str]:
    """Values that a node reads, those within its body included."""
    yield from proto.input
    for attribute in proto.attribute:
        for inner in attribute.g.node:
            yield from _read(inner)
