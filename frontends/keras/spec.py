"""The current dialect: what every era's model config is upgraded to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from layergraph.ir.types import Array

Rearrange: TypeAlias = Callable[[Sequence[Array], Mapping[str, Any]], tuple[int, Sequence[Array]]]
"""How the arrays an old Keras stored for a layer become those of today.

Takes the arrays the file has left and the shapes wanted by role; returns how many
of them are the layer's, and what they amount to.
"""

KERAS_PACKAGES = frozenset({"", "builtins", "keras", "keras_core", "tensorflow", "tf_keras"})
"""Where Keras' own classes live; an ``.h5`` names no module."""


TENSORFLOW = "tensorflow"
"""The module of a TensorFlow function that is none of ``keras.ops``."""


class TensorRef(NamedTuple):
    """One output tensor of one call of a layer.

    Attributes:
        layer: layer name within its model.
        call: index of the call, 0 for the first, whatever the era counted from.
        tensor: index among the call's outputs.
    """

    layer: str
    call: int
    tensor: int


@dataclass(frozen=True)
class CallSpec:
    """One call of a layer: arguments with ``TensorRef`` leaves."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def refs(self) -> Iterator[TensorRef]:
        """All tensors the call reads."""
        yield from refs_in(self.args)
        yield from refs_in(self.kwargs)


@dataclass(frozen=True)
class LayerSpec:
    """One layer of the current dialect.

    Attributes:
        name: layer name within its model.
        class_name: Keras class.
        module: Python module the file names, empty when it names none.
        registered_name: name under which a custom class was registered.
        config: the layer's options, in Keras 3 spelling.
        calls: how a Functional model calls it; empty inside a Sequential.
        model: the nested model when the layer is one.
        written: the class as the file spells it, after which paths are named.
        rearrange: set where the era stored the layer's arrays otherwise.
    """

    name: str
    class_name: str
    config: dict[str, Any]
    module: str = ""
    registered_name: str = ""
    calls: tuple[CallSpec, ...] = ()
    model: ModelSpec | None = None
    rearrange: Rearrange | None = None
    written: str = ""

    @property
    def is_operation(self) -> bool:
        """Whether this is an operation node rather than a layer."""
        return ".ops." in self.module or self.module == TENSORFLOW

    @property
    def of_tensorflow(self) -> bool:
        """Whether this is a TensorFlow function of a Keras 2 model, spelled as an operation."""
        return self.module.startswith(TENSORFLOW)

    @property
    def is_foreign(self) -> bool:
        """Whether the class is none of Keras' own, whatever it is called.

        Keras writes the module of a class beside it, and before the name of a
        registered one its package: ``my_package>Dense``.
        """
        package = self.module.split(".")[0]
        registered = f"{self.registered_name}{self.class_name}"
        return ">" in registered or package not in KERAS_PACKAGES

    @property
    def keeps_states(self) -> bool:
        """Whether the layer, or one that it holds, is stateful."""
        held = [*self.config.values(), *(self.model.layers if self.model else ())]
        return bool(self.config.get("stateful")) or any(
            isinstance(item, LayerSpec) and item.keeps_states for item in held
        )

    @property
    def has_cells(self) -> bool:
        """Whether it is a recurrent layer, or two of them."""
        return self.class_name in ("Bidirectional", "GRU", "LSTM", "RNN", "SimpleRNN") or (
            self.class_name.startswith("ConvLSTM")
        )

    @property
    def key(self) -> str:
        """Name the registry knows the class by: ``Dense``, ``ops.Add``, ``tf.Reshape``."""
        if self.module == TENSORFLOW:
            return f"tf.{self.class_name}"
        return f"ops.{self.class_name}" if self.is_operation else self.class_name


@dataclass(frozen=True)
class ModelSpec:
    """A Sequential or Functional model of the current dialect.

    Attributes:
        kind: how the layers are wired.
        inputs, outputs: nested lists and dicts of ``TensorRef``; ``None`` in a
            Sequential.
        batch_shape: input shape of a Sequential that states it outside its
            layers.
        folder: path of the layers' arrays in a ``.keras`` file.
    """

    name: str
    class_name: str
    kind: Literal["sequential", "functional"]
    layers: tuple[LayerSpec, ...]
    inputs: Any = None
    outputs: Any = None
    batch_shape: tuple[int | None, ...] | None = None
    input_dtype: str = "float32"
    folder: str = "layers"


def refs_in(data: Any) -> Iterator[TensorRef]:
    """Tensor references anywhere in nested data, dicts in the order of their keys."""
    if isinstance(data, TensorRef):
        yield data
    elif isinstance(data, (list, tuple)):
        for item in data:
            yield from refs_in(item)
    elif isinstance(data, dict):
        for key in sorted(data):
            yield from refs_in(data[key])
