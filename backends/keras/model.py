"""A Keras model to be written: layers, their calls, and what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from layergraph.ir.order import Key, layer_order
from layergraph.ir.types import Array, TensorType


class Stored(NamedTuple):
    """One array of a layer, in the order in which Keras stores them.

    Attributes:
        role: what Keras calls the variable, ``kernel``.
        array: its value.
        place: attributes below the layer that hold it, as Keras 3 names paths: ``cell``,
            ``forward_layer/cell``.
        scope: what stands before the role in its name in Keras 2: ``lstm_cell``.
    """

    role: str
    array: Array
    place: str = ""
    scope: str = ""


@dataclass(eq=False)
class Layer:
    """A layer or an operation, and how it is called.

    Attributes:
        name: its name, legal in Keras and unique.
        class_name: Keras class.
        config: its options, without the name.
        module: of an operation of Keras 3; empty for a layer.
        arrays: what it holds.
        calls: in the order they are made.
    """

    name: str
    class_name: str
    config: dict[str, Any]
    module: str = ""
    arrays: tuple[Stored, ...] = ()
    calls: list[Call] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Tensor:
    """An output of a call of a layer.

    Attributes:
        layer, call, index: which.
        type: its type.
        mask: the mask that Keras makes it bear; layers that heed one find it there.
    """

    layer: Layer
    call: int
    index: int
    type: TensorType
    mask: Tensor | None = None

    @property
    def rank(self) -> int:
        """Number of axes."""
        return self.type.rank

    @property
    def dtype(self) -> str:
        """Dtype of the elements."""
        return self.type.dtype

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Dimensions, batch first."""
        return self.type.shape


@dataclass(frozen=True, eq=False)
class Call:
    """One call: arguments with ``Tensor`` leaves, arrays and plain data.

    Attributes:
        args: positional arguments.
        kwargs: the others.
    """

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def tensors(self) -> Iterator[Tensor]:
        """What it reads, in the order in which Keras counts tensors."""
        yield from tensors_in(self.args)
        yield from tensors_in(self.kwargs)

    def arrays(self) -> Iterator[Array]:
        """Constants it reads."""
        yield from arrays_in(self.args)
        yield from arrays_in(self.kwargs)


@dataclass(frozen=True)
class Model:
    """A Functional model.

    Attributes:
        name: its name.
        layers: all layers, inputs first.
        inputs, outputs: nested as the model's are.
        inputs_alone: layers of inputs that no output depends on.
    """

    name: str
    layers: tuple[Layer, ...]
    inputs: Any
    outputs: Any


def tensors_in(data: Any) -> Iterator[Tensor]:
    """Tensors anywhere in nested data, dicts in the order of their keys."""
    return (leaf for leaf in leaves_in(data) if isinstance(leaf, Tensor))


def leaves_in(data: Any) -> Iterator[Any]:
    """What nested data holds, dicts in the order of their keys."""
    if isinstance(data, (list, tuple)):
        for item in data:
            yield from leaves_in(item)
    elif isinstance(data, Mapping):
        for key in sorted(data):
            yield from leaves_in(data[key])
    elif isinstance(data, slice):
        yield from leaves_in((data.start, data.step, data.stop))
    else:
        yield data


def arrays_in(data: Any) -> Iterator[Array]:
    """Arrays anywhere in nested data."""
    if isinstance(data, np.ndarray):
        yield data
    elif isinstance(data, (list, tuple)):
        for item in data:
            yield from arrays_in(item)
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from arrays_in(value)


def ordered(layers: list[Layer], outputs: Any, inputs: Any) -> tuple[Layer, ...]:
    """Layers that the outputs need, in the order in which Keras lists them.

    It is the order in which weights are told apart when the file is loaded.
    """
    by_name = {layer.name: layer for layer in layers}

    def parents(key: Key) -> list[Key]:
        calls = by_name[key[0]].calls
        return [(t.layer.name, t.call) for t in calls[key[1]].tensors()] if calls else []

    order = layer_order([(t.layer.name, t.call) for t in tensors_in(outputs)], parents)
    unused = [t.layer.name for t in tensors_in(inputs) if t.layer.name not in order]
    # Inputs that lead nowhere have depth 0, and come before its other layers.
    return tuple(by_name[name] for name in _with_unused(order, unused))


def _with_unused(order: dict[str, int], unused: list[str]) -> list[str]:
    last = [name for name, depth in order.items() if depth == 0]
    return [*(n for n in order if n not in last), *unused, *last]
