"""A layer of a model being read, and one call of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from layergraph.frontends.keras.casting import (
    KEEPS_VARIABLES,
    as_computed,
    autocasts,
    compute_dtype,
    scope_dtype,
)
from layergraph.frontends.keras.config import Config
from layergraph.frontends.keras.context import DRAWING, Context
from layergraph.frontends.keras.policy import Policy, policy_of
from layergraph.frontends.keras.registry import why_unknown
from layergraph.frontends.keras.spec import LayerSpec
from layergraph.frontends.keras.weights import LayerWeights
from layergraph.ir.build import Builder
from layergraph.ir.errors import FileFormatError, GraphError, Unsupported, UnsupportedError
from layergraph.ir.graph import Source, Value
from layergraph.ir.op import Op
from layergraph.ir.ops.elementwise import Cast
from layergraph.ir.ops.shape import Identity
from layergraph.ir.types import FLOATS, Array, Shape, TensorType


@dataclass(frozen=True)
class Tensor:
    """A symbolic value and the mask that travels with it.

    Attributes:
        value: the graph value.
        type: its type.
        mask: boolean value ``(batch, time)``, ``None`` for none.
    """

    value: Value
    type: TensorType
    mask: Value | None = None

    @property
    def shape(self) -> Shape:
        """Dimensions, batch first."""
        return self.type.shape

    def masked(self, mask: Value | None) -> Tensor:
        """The same value with another mask."""
        return replace(self, mask=mask)


class Layer:
    """A layer object: read once, called any number of times with the same weights.

    Args:
        spec: the layer in the current dialect.
        name: scoped name, ``encoder/lstm_1``.
        weights: where its arrays are.
    """

    def __init__(self, spec: LayerSpec, name: str, weights: LayerWeights, context: Context) -> None:
        self.spec = spec
        self.name = name
        self.weights = weights
        self.context = context
        self.children: dict[str, Any] = {}
        self.arrays: dict[str, dict[str, Array]] = {}
        self.scope: str | None = None
        self._state_name = ""

    @property
    def state_name(self) -> str:
        """Name of the states it keeps between runs: all its calls share them."""
        self._state_name = self._state_name or self.name
        return self._state_name

    def __call__(
        self, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None, nth: int = 0
    ) -> Any:
        """Read one call; returns output tensors nested as Keras returns them.

        Args:
            args, kwargs: arguments of the call, with ``Tensor`` leaves.
            nth: number of the call among the layer's.

        Raises:
            UnsupportedError: class, option or argument we do not have.
        """
        reader = self.context.reader(self.spec, self.name)
        if reader is None:
            raise self.unknown()
        if reader.arguments == ("**",):
            reader = replace(reader, arguments=tuple(map(str, range(len(args)))) or ("0",))
        if reader.arguments[-1:] == ("*",):
            args = [list(args)] if len(args) != 1 else args
        named = dict(zip(reader.arguments, args, strict=False))
        if len(args) > len(reader.arguments):
            raise self.refusal(f"it is called with {len(args)} positional arguments")
        named.update({k: v for k, v in (kwargs or {}).items() if v is not None})
        training = None if self.context.stores_training(self.spec) else named.pop("training", None)
        named.pop("training", None)
        if not self.spec.is_operation:
            named = self._with_constants(named, nth)
        first = reader.arguments[0]
        told = "mask" in named or self.context.keras_major < 3
        if "mask" in named and not self.spec.is_operation:
            named[first] = _with_masks(named.get(first), named.pop("mask"))
        alone = sum(bool(tensors_in(value)) for value in named.values()) <= 1
        call = LayerCall(self, named, nth, heeds_mask=told or alone)
        call.cast_inputs(scope_dtype(self))
        try:
            with self.context.called(training):
                self._draws_nothing()
                result = reader.function(call)
        except GraphError as error:
            raise FileFormatError(
                f"{self.context.file}: layer {self.name!r} ({self.spec.class_name}) does not "
                f"fit what it is connected to: {error}; the file is damaged or was edited"
            ) from error
        call.done()
        if reader.masking == "pass":
            masks = [t.mask for t in tensors_in(named.get(first))]
            return map_tensors(result, lambda t: t.masked(masks[0] if masks else None))
        if reader.masking == "drop":
            return map_tensors(result, lambda t: t.masked(None))
        return result

    def _draws_nothing(self) -> None:
        """Refuse what draws random numbers in training where it is called in training."""
        if self.context.training and any(self.spec.config.get(key) for key in DRAWING):
            raise self.refusal(
                "it is called with training=True, and then draws random numbers",
                "save the model from a call without it",
            )

    def _with_constants(self, arguments: Mapping[str, Any], nth: int) -> dict[str, Any]:
        """Arrays that the layer is called on beside tensors, as constants.

        Operations read theirs themselves, as they may want the numbers.
        """
        build, name = self.context.build, self.context.numbered(self.name, nth)
        source = Source(self.name, self.spec.class_name)
        made: list[Tensor] = []

        def make(data: Any) -> Any:
            if isinstance(data, np.ndarray):
                value = build.constant(f"{name}/constant_{len(made)}", data, [source])
                made.append(Tensor(value, build.type_of(value)))
                return made[-1]
            if isinstance(data, (list, tuple)):
                return [make(item) for item in data]
            return {k: make(v) for k, v in data.items()} if isinstance(data, dict) else data

        return {key: make(value) for key, value in arguments.items()}

    def policy(self, path: str = "") -> Policy:
        """The layer's dtype policy, or that of an inner layer.

        Args:
            path: path of the inner layer below this one, ``query``.
        """
        try:
            where = f"{self.name}/{path}" if path else self.name
            return policy_of(self.spec.config.get("dtype"), where)
        except ValueError as error:
            raise self.refusal(str(error)) from None

    def refusal(self, reason: str, remedy: str = "please report the file") -> UnsupportedError:
        """An error about this layer, to be raised."""
        return UnsupportedError([Unsupported(self.name, self.spec.class_name, reason, remedy)])

    def unknown(self) -> UnsupportedError:
        """The error for a class nothing here reads."""
        return self.refusal(*why_unknown(self.spec))

    def child(self, spec: LayerSpec, *attributes: str) -> Any:
        """The layer this one wraps: a ``Layer``, or a ``Model`` when it is one.

        Args:
            spec: the wrapped layer in the current dialect.
            attributes: Python attribute it is held in, with older spellings.
        """
        from layergraph.frontends.keras.wiring import Model

        key = attributes[0]
        if key not in self.children:
            kind = Layer if spec.model is None else Model
            name = f"{self.name}/{spec.name}"
            self.children[key] = kind(spec, name, self.weights.child(*attributes), self.context)
        return self.children[key]


class LayerCall:
    """One call of a layer, as a reader function sees it.

    Attributes:
        name: name of the call's main node.
        config: the layer's options.
        arguments: call arguments by name, with ``Tensor`` leaves.
        heeds_mask: whether the layer works by the mask on its first argument.
            Keras 3 hands it over only where that is the sole argument with
            tensors; the output bears it all the same.
            Source: keras/src/layers/layer.py ``Layer.__call__``, Keras 3.15.
    """

    def __init__(
        self, layer: Layer, arguments: dict[str, Any], nth: int = 0, *, heeds_mask: bool = True
    ) -> None:
        self.layer = layer
        self.spec = layer.spec
        self.heeds_mask = heeds_mask
        self.name = layer.context.build.unique(layer.context.numbered(layer.name, nth))
        self.config = Config(layer.spec, layer.name)
        self.arguments = arguments
        self._read: set[str] = set()

    @property
    def build(self) -> Builder:
        """The graph being built."""
        return self.layer.context.build

    def argument(self, name: str, default: Any = None) -> Any:
        """One argument of the call, ``default`` when not given."""
        self._read.add(name)
        return self.arguments.get(name, default)

    def inputs(self) -> list[Tensor]:
        """All tensors of the first argument, flat."""
        first = next(iter(self.arguments), "inputs")
        return list(tensors_in(self.argument(first)))

    def input(self) -> Tensor:
        """The single input tensor."""
        found = self.inputs()
        if len(found) != 1:
            raise self.refusal(f"it is called on {len(found)} tensors, one is expected")
        return found[0]

    def cast_inputs(self, dtype: str | None) -> None:
        """Cast floating arguments of another dtype, as Keras does before it calls a layer.

        Source: keras/src/layers/layer.py ``Layer.__call__``, keras/src/dtype_policies/
        dtype_policy.py ``convert_input``, Keras 3.15. tf-keras 2.21 casts the first
        argument alone; what reads the others casts them there.
        """
        if dtype not in FLOATS or not autocasts(self.layer):
            return
        done: dict[tuple[Any, Any], Tensor] = {}

        def cast(tensor: Tensor) -> Tensor:
            if not tensor.type.is_float or tensor.type.dtype == dtype:
                return tensor
            # One tensor in two places stays one: attention asks whether key is value.
            key = (tensor.value, tensor.mask)
            if key not in done:
                done[key] = self.emit(Cast(dtype=dtype), tensor, part="cast").masked(tensor.mask)
            return done[key]

        self.arguments = {k: map_tensors(v, cast) for k, v in self.arguments.items()}

    def weights(self, *attributes: str, **shapes: Shape | None) -> dict[str, Array]:
        """The layer's arrays by role, in the order Keras stores them.

        Args:
            attributes: path of sub-object attributes that hold them
                (``"cell"``), nothing for the layer itself; ``"a|b"`` names an
                older spelling too.
            **shapes: expected shape by role; ``None`` for a role the config
                switches off. Unknown dimensions match anything.

        Raises:
            FileFormatError: count or shapes differ from the file's.
        """
        key = "/".join(attributes)
        if key not in self.layer.arrays:
            source = self.layer.weights
            for attribute in attributes:
                source = source.child(*attribute.split("|"))
            wanted = {role: shape for role, shape in shapes.items() if shape is not None}
            self.layer.arrays[key] = self.cast_weights(source.take(wanted, self.spec.rearrange))
        return self.layer.arrays[key]

    def all_weights(self) -> dict[str, Array]:
        """Every array of the layer and of what it holds, by its name in the file."""
        if "**" not in self.layer.arrays:
            self.layer.arrays["**"] = self.layer.weights.named()
        return self.layer.arrays["**"]

    def sublayer(self, attribute: str, class_name: str, **config: Any) -> Layer:
        """A Keras layer that this one is made of, to be called: ``layer([x])``.

        Its node is ``layer/attribute``, its weights those the file keeps under
        the attribute; in an ``.h5``, which keeps one list a layer, the next
        ones, so call sublayers in the order Keras built them.

        Args:
            attribute: Python attribute that holds it.
            class_name: its Keras class.
            **config: its options, in Keras 3 spelling.
        """
        spec = LayerSpec(attribute, class_name, config)
        layer: Layer = self.layer.child(spec, attribute)
        return layer

    def cast_weights(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Floating arrays in the dtype the layer computes in, as Keras casts variables.

        Statistics and scales of normalisation stay as they are: those layers
        compute in float32 at least.
        """
        return as_computed(self.layer, arrays)

    def discard_weights(self) -> None:
        """Leave the layer's own remaining arrays unread: predictions do not need them."""
        self.layer.weights.discard()

    def emit(
        self,
        op: Op,
        *inputs: Tensor | Value | None,
        params: Mapping[str, Array] | None = None,
        then: Iterable[Op | Layer | None] = (),
        part: str = "",
    ) -> Tensor:
        """Add a node of this layer and return its only output.

        The last node of a layer bears the layer's name, so that users find a
        layer's output under it; those before are ``layer/part``.

        Args:
            op: operator.
            inputs: tensors or values read, ``None`` for an absent one.
            params: arrays by role.
            then: operators or inner layers applied to the result in turn, such
                as the activation; ``None`` entries are skipped.
            part: name of an inner node; empty for the layer's result.
        """
        steps = [*(s for s in then if s is not None), *self._last_cast(inputs, part)]
        (tensor,) = self._add(op, inputs, params, _part(op) if steps else part)
        for i, step in enumerate(steps, 1):
            if not isinstance(step, Op):
                (tensor,) = tensors_in(step([tensor]))
                if i < len(steps):
                    continue
                step = Identity()
            (tensor,) = self._add(step, (tensor,), None, part if i == len(steps) else _part(step))
        return tensor

    def _last_cast(self, inputs: Sequence[Tensor | Value | None], part: str) -> list[Op]:
        """The cast to the compute dtype that ends a layer whose inputs are not cast."""
        first = inputs[0] if inputs and not part else None
        dtype = compute_dtype(self.layer) if isinstance(first, Tensor) else None
        if dtype is None or self.spec.class_name not in KEEPS_VARIABLES:
            return []
        same = isinstance(first, Tensor) and first.type.dtype == dtype
        return [] if same else [Cast(dtype=dtype)]

    def emit_all(
        self,
        op: Op,
        *inputs: Tensor | Value | None,
        params: Mapping[str, Array] | None = None,
        part: str = "",
    ) -> tuple[Tensor, ...]:
        """Add a node with several outputs."""
        return self._add(op, inputs, params, part)

    def constant(self, name: str, array: Array) -> Tensor:
        """A constant of this call; without a name it is the call's result."""
        source = Source(self.layer.name, self.spec.class_name)
        full = f"{self.name}/{name}" if name else self.name
        value = self.build.constant(full, array, [source])
        return Tensor(value, self.build.type_of(value))

    def _add(
        self,
        op: Op,
        inputs: Iterable[Tensor | Value | None],
        params: Mapping[str, Array] | None,
        part: str,
    ) -> tuple[Tensor, ...]:
        name = f"{self.name}/{part}" if part else self.name
        values = [i.value if isinstance(i, Tensor) else i for i in inputs]
        source = Source(self.layer.name, self.spec.class_name)
        added = self.build.add(name, op, values, params, (source,))
        if isinstance(op, Identity) and values[0] is not None:
            self.layer.context.same_tensor(added[0], values[0])
        return tuple(Tensor(v, self.build.type_of(v)) for v in added)

    def refusal(self, reason: str, remedy: str = "please report the file") -> UnsupportedError:
        """An error about this layer, to be raised."""
        return self.layer.refusal(reason, remedy)

    def done(self) -> None:
        """Refuse options and arguments nobody read."""
        self.config.done()
        first = next(iter(self.arguments), None)
        if left := sorted(set(self.arguments) - self._read - {first}):
            raise self.refusal(f"it is called with {left[0]!r}, which nothing here knows")


def tensors_in(data: Any) -> list[Tensor]:
    """Tensors anywhere in nested data in the order in which Keras counts them: dicts by key."""
    if isinstance(data, Tensor):
        return [data]
    if isinstance(data, (list, tuple)):
        return [t for item in data for t in tensors_in(item)]
    if isinstance(data, dict):
        return [t for key in sorted(data) for t in tensors_in(data[key])]
    return []


def map_tensors(data: Any, change: Any) -> Any:
    """Nested data with every tensor changed."""
    if isinstance(data, Tensor):
        return change(data)
    if isinstance(data, (list, tuple)):
        return [map_tensors(item, change) for item in data]
    if isinstance(data, dict):
        return {k: map_tensors(v, change) for k, v in data.items()}
    return data


def _with_masks(data: Any, masks: Any) -> Any:
    """Nested tensors with the explicitly given masks in place of their own."""
    if isinstance(data, Tensor):
        return data.masked(masks.value if isinstance(masks, Tensor) else None)
    if isinstance(data, (list, tuple)) and isinstance(masks, Tensor):
        # A sequence with further inputs, as a recurrent layer's initial states.
        return [_with_masks(item, None if i else masks) for i, item in enumerate(data)]
    if isinstance(data, (list, tuple)) and isinstance(masks, (list, tuple)):
        return [_with_masks(d, m) for d, m in zip(data, masks, strict=False)]
    return data


def _part(op: Op) -> str:
    """Name of an inner node: what it does."""
    kind = getattr(op, "kind", None)
    return str(kind or type(op).__name__).lower()
