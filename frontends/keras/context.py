"""What all layers of one file share while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from layergraph.frontends.keras.registry import LAYERS, Reader, reader_of
from layergraph.frontends.keras.spec import LayerSpec
from layergraph.ir.build import Builder
from layergraph.ir.errors import Unsupported
from layergraph.ir.foreign import ForeignLayers
from layergraph.ir.graph import Value

if TYPE_CHECKING:
    from layergraph.frontends.keras.layer import Tensor


DRAWING = ("rate", "stddev", "dropout", "recurrent_dropout", "factor", "height_factor")
"""Options by which layers draw random numbers in training, unless they are 0."""

TRAINING_BY_DEFAULT = ("CenterCrop", "Pipeline", "Resizing")
"""Layers outside their family whose ``call`` has ``training=True`` by default."""


@dataclass
class Context:
    """What all layers of one file share while it is read.

    Attributes:
        dtype: float dtype to compute in, whatever the layers' policies say.
        fixed_batch: whether inputs keep the batch size they state. Keras heeds none but
            that of stateful layers, whose states have it.
        training: whether the layer being read is called as in training.
    """

    file: str
    build: Builder
    keras_major: int
    dtype: str | None = None
    fixed_batch: bool = False
    training: bool = False
    unsupported: list[Unsupported] = field(default_factory=list)
    foreign: ForeignLayers = field(default_factory=ForeignLayers)
    _same: dict[Value, Value] = field(default_factory=dict)
    _bare: set[Value] = field(default_factory=set)

    @contextmanager
    def called(self, training: Any) -> Iterator[None]:
        """Layers called meanwhile are called as in training if a call in the file says so.

        What a layer does otherwise in training is refused: a model called in training on
        purpose draws random numbers, or normalises by its batch.
        """
        before = self.training
        if training is not None:
            self.training = bool(training)
        try:
            yield
        finally:
            self.training = before

    def stores_training(self, spec: LayerSpec) -> bool:
        """Whether Keras 3 stores ``training=True`` with every call, as the default of its ``call``.

        It says nothing then: whoever calls the model says otherwise.
        Source: keras/src/layers/layer.py ``_resolve_and_populate_arg``, Keras 3.15.
        """
        own = LAYERS.get(spec.key) == "augmentation" or spec.key in TRAINING_BY_DEFAULT
        return own and self.keras_major >= 3

    def same_tensor(self, value: Value, other: Value) -> None:
        """Note that Keras hands on the tensor object itself: it has one mask, wherever it is."""
        self._same[value] = self._same.get(other, other)

    def take_mask_off(self, tensor: Tensor) -> None:
        """Whoever reads the tensor from now on finds no mask on it."""
        self._bare.add(self._same.get(tensor.value, tensor.value))

    def as_left(self, tensor: Tensor) -> Tensor:
        """The tensor as the calls before left it: with its mask, or without."""
        bare = self._same.get(tensor.value, tensor.value) in self._bare
        return tensor.masked(None) if bare else tensor

    def numbered(self, name: str, nth: int) -> str:
        """Name of a layer's ``nth`` call: ``lstm``, ``lstm:1``."""
        return f"{name}:{nth}" if nth else name

    def reader(self, spec: LayerSpec, name: str) -> Reader | None:
        """How a layer is read: as the caller says, as Keras does, as a package offers.

        Args:
            name: the layer's scoped name.
        """
        names = (name, spec.name, spec.registered_name, spec.class_name)
        found = self.foreign.find(*names)
        if found is None:
            known = None if spec.is_foreign else reader_of(spec.key)
            if known is not None:
                return known
            found = self.foreign.find_installed(spec.registered_name, spec.class_name)
        if found is None:
            return None
        from layergraph.frontends.keras.layers.foreign import reader_for

        return reader_for(*found)
