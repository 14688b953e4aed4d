"""Walk a model config call by call and build the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from layergraph.frontends.keras.context import Context
from layergraph.frontends.keras.layer import (
    Layer,
    Tensor,
    map_tensors,
    tensors_in,
)
from layergraph.frontends.keras.spec import LayerSpec, TensorRef, refs_in
from layergraph.frontends.keras.weights import LayerWeights
from layergraph.ir.errors import FileFormatError, UnsupportedError
from layergraph.ir.graph import Source
from layergraph.ir.ops.shape import Identity
from layergraph.ir.order import Cycle, Key, keras_order
from layergraph.ir.types import DTYPES, FLOATS, TensorType, numpy_dtype


class Unreadable(Exception):  # noqa: N818 - a signal, not an error
    """A value depends on a layer that was refused; the refusal is already on record."""


class Model:
    """A Sequential or Functional model, the top one or one used as a layer.

    Args:
        spec: the layer that is the model; ``spec.model`` holds its layers.
        name: scoped name, empty for the top model.
        weights: where its arrays are.
    """

    def __init__(self, spec: LayerSpec, name: str, weights: LayerWeights, context: Context) -> None:
        assert spec.model is not None
        self.spec = spec
        self.model = spec.model
        self.name = name
        self.weights = weights
        self.context = context
        self.parts = weights.layers(self.model)
        self.layers: dict[str, Layer | Model] = {}

    def __call__(
        self, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None, nth: int = 0
    ) -> Any:
        """Read one call of the model used as a layer; returns its outputs, nested."""
        given = dict(kwargs or {})
        inputs = args[0] if args else given.pop("inputs", None)
        mask = given.pop("mask", None)
        training = given.pop("training", None)
        if mask is not None:
            masks = tensors_in(mask)
            if len(masks) == len(tensors_in(inputs)) == 1:
                inputs = map_tensors(inputs, lambda t: t.masked(masks[0].value))
        prefix = self.context.numbered(self.name, nth)
        with self.context.called(training):
            outputs = self.run(inputs, prefix)
        found = tensors_in(outputs)
        if self.name and len(found) == 1:
            source = Source(self.name, self.spec.class_name)
            (value,) = self.context.build.add(prefix, Identity(), [found[0].value], None, [source])
            self.context.same_tensor(value, found[0].value)
            return map_tensors(outputs, lambda t: Tensor(value, t.type, t.mask))
        return outputs

    def run(self, inputs: Any, prefix: str) -> Any:
        """Build the model's nodes for one call.

        Args:
            inputs: tensors nested as the model's inputs are.
            prefix: scope of the nodes made.
        """
        scope = f"{prefix}/" if prefix else ""
        if self.model.kind == "sequential":
            return self._sequential(inputs, scope)
        return _Functional(self, scope).run(inputs)

    def layer(self, spec: LayerSpec, scope: str) -> Layer | Model:
        """The layer of a name; made once, so that all calls share its weights."""
        if spec.name not in self.layers:
            self.layers[spec.name] = self._layer(spec)
        found = self.layers[spec.name]
        found.name = scope + spec.name
        return found

    def _layer(self, spec: LayerSpec) -> Any:
        kind = Layer if spec.model is None else Model
        weights = self.parts.get(spec.name, self.weights)
        return kind(spec, spec.name, weights, self.context)

    def _sequential(self, inputs: Any, scope: str) -> Any:
        data, broken = inputs, False
        for spec in self.model.layers:
            if spec.class_name == "InputLayer":
                continue
            layer = self.layer(spec, scope)
            if broken:
                _note_if_unknown(layer)
                continue
            try:
                data = guarded(layer, (data,), {})
            except Unreadable:
                broken = True
        if broken:
            raise Unreadable
        return data


class _Functional:
    """One call of a Functional model."""

    def __init__(self, owner: Model, scope: str) -> None:
        self._owner = owner
        self._scope = scope
        self._specs = {spec.name: spec for spec in owner.model.layers}
        self._values: dict[Key, list[Any]] = {}
        self._broken: set[Key] = set()

    def run(self, inputs: Any) -> Any:
        model = self._owner.model
        refs, given = list(refs_in(model.inputs)), _ordered(inputs, model.inputs)
        if len(refs) != len(given):
            raise FileFormatError(
                f"{self._owner.context.file}: model {model.name!r} has {len(refs)} inputs, "
                f"it is called on {len(given)} tensors"
            )
        for ref, tensor in zip(refs, given, strict=True):
            self._values[ref.layer, ref.call] = [tensor]
        order = self._in_keras_order()
        for key in order:
            nth = sum(name == key[0] and number < key[1] for name, number in order)
            self._evaluate(key, nth)
        return self._resolve(model.outputs)

    def _in_keras_order(self) -> list[Key]:
        """Calls the outputs need, in the order in which Keras runs them."""
        outputs = [(r.layer, r.call) for r in refs_in(self._owner.model.outputs)]
        try:
            order = keras_order(outputs, self._parents)
        except Cycle as error:
            raise FileFormatError(
                f"{self._owner.context.file}: the layers {', '.join(error.args[0])} wait for "
                "each other; the model config is damaged"
            ) from None
        return [key for key in order if key not in self._values]

    def _parents(self, key: Key) -> list[Key]:
        if key in self._values:
            return []
        return [(r.layer, r.call) for r in self._call(key).refs()]

    def _call(self, key: Key) -> Any:
        spec = self._specs.get(key[0])
        if spec is None or not 0 <= key[1] < len(spec.calls):
            raise FileFormatError(
                f"{self._owner.context.file}: model {self._owner.model.name!r} refers to call "
                f"{key[1]} of layer {key[0]!r}, which its config does not have"
            )
        return spec.calls[key[1]]

    def _evaluate(self, key: Key, nth: int) -> None:
        """Read one call, the layer's ``nth`` by number whatever order they run in."""
        layer = self._owner.layer(self._specs[key[0]], self._scope)
        call = self._call(key)
        if any((r.layer, r.call) in self._broken for r in call.refs()):
            _note_if_unknown(layer)
            self._broken.add(key)
            return
        try:
            outputs = guarded(layer, self._resolve(call.args), self._resolve(call.kwargs), nth)
        except Unreadable:
            self._broken.add(key)
            return
        self._values[key] = tensors_in(outputs)

    def _resolve(self, data: Any) -> Any:
        if isinstance(data, TensorRef):
            if (data.layer, data.call) in self._broken:
                raise Unreadable
            outputs = self._values.get((data.layer, data.call), [])
            if not 0 <= data.tensor < len(outputs):
                raise FileFormatError(
                    f"{self._owner.context.file}: layer {data.layer!r} has no output {data.tensor}"
                )
            return self._owner.context.as_left(outputs[data.tensor])
        if isinstance(data, (list, tuple)):
            return type(data)(self._resolve(item) for item in data)
        if isinstance(data, dict):
            return {k: self._resolve(v) for k, v in data.items()}
        return data


def guarded(
    layer: Layer | Model, args: Sequence[Any], kwargs: Mapping[str, Any], nth: int = 0
) -> Any:
    """Call a layer; put a refusal on record instead of stopping at the first.

    Args:
        nth: number of the call among the layer's, which is in the names of its nodes.

    Raises:
        Unreadable: the layer was refused.
    """
    try:
        return layer(args, kwargs, nth)
    except UnsupportedError as error:
        layer.context.unsupported.extend(
            i for i in error.items if i not in layer.context.unsupported
        )
        raise Unreadable from None


def input_tensor(spec: LayerSpec, context: Context) -> Tensor:
    """The graph input of an ``InputLayer``."""
    config = spec.config
    shape = config.get("batch_shape")
    layer = Layer(spec, spec.name, None, context)  # type: ignore[arg-type]
    if shape is None:
        raise layer.refusal("it states no shape", "build the model before saving it")
    for flag in ("sparse", "ragged"):
        if config.get(flag):
            raise layer.refusal(
                f"{flag} inputs are not supported", "feed a dense array to the model"
            )
    dtype = layer.policy().compute or "float32"
    if dtype in FLOATS and context.dtype is not None:
        dtype = context.dtype
    if dtype not in DTYPES:
        raise layer.refusal(f"inputs of dtype {dtype!r} are not supported yet")
    numpy_dtype(dtype)
    if shape and not context.fixed_batch:
        shape = (None, *shape[1:])
    type_ = TensorType(tuple(shape), dtype)
    value = context.build.input(spec.name, type_, Source(spec.name, spec.class_name))
    return Tensor(value, type_)


def _note_if_unknown(layer: Layer | Model) -> None:
    """Beyond a refused layer shapes are unknown; unknown classes still are reported."""
    if isinstance(layer, Model):
        for spec in layer.model.layers:
            _note_if_unknown(layer.layer(spec, f"{layer.name}/"))
    elif (
        layer.spec.class_name != "InputLayer"
        and layer.context.reader(layer.spec, layer.name) is None
    ):
        items = layer.unknown().items
        layer.context.unsupported.extend(i for i in items if i not in layer.context.unsupported)


def _ordered(inputs: Any, structure: Any) -> list[Tensor]:
    """Flat input tensors in the order of the model's inputs, dicts by key."""
    if isinstance(inputs, dict) and isinstance(structure, dict):
        return [t for key in sorted(structure) for t in _ordered(inputs[key], structure[key])]
    return tensors_in(inputs)
