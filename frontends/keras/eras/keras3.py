"""Configs written by Keras 3: the current dialect, parsed into ``spec.py``.

Source: keras/src/models/functional.py ``Functional.get_config`` and
``serialize_node``, keras/src/saving/serialization_lib.py, Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from layergraph.frontends.keras.eras.feature_space import feature_space, is_feature_space
from layergraph.frontends.keras.policy import policy_of
from layergraph.frontends.keras.registry import LAYERS, REFUSED
from layergraph.frontends.keras.spec import CallSpec, LayerSpec, ModelSpec, TensorRef, refs_in
from layergraph.ir.errors import FileFormatError, Unsupported, UnsupportedError
from layergraph.ir.types import FLOATS

WRAPPED = ("layer", "forward_layer", "backward_layer", "cell", "cells")
"""Options that hold a layer or a list of layers."""

ACTIVATIONS = ("activation", "recurrent_activation")
"""Options that hold an activation: a name, or a layer."""

RENAMED = {
    "AvgPool1D": "AveragePooling1D",
    "AvgPool2D": "AveragePooling2D",
    "AvgPool3D": "AveragePooling3D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "Convolution1D": "Conv1D",
    "Convolution1DTranspose": "Conv1DTranspose",
    "Convolution2D": "Conv2D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Convolution3D": "Conv3D",
    "Convolution3DTranspose": "Conv3DTranspose",
    # Keras registered this layer of its own as users register theirs.
    "Custom>CustomScaleLayer": "CustomScaleLayer",
    "Deconvolution2D": "Conv2DTranspose",
    "Deconvolution3D": "Conv3DTranspose",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalAvgPool3D": "GlobalAveragePooling3D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "GlobalMaxPool3D": "GlobalMaxPooling3D",
    "GroupQueryAttention": "GroupedQueryAttention",
    "MaxPool1D": "MaxPooling1D",
    "MaxPool2D": "MaxPooling2D",
    "MaxPool3D": "MaxPooling3D",
    "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D",
    "SyncBatchNormalization": "BatchNormalization",
    "TFDConcat": "Concatenate",
    "TFDIdentity": "Identity",
}
"""Other names of a class, from ``keras_export`` of Keras 3.15 and older Kerases."""

Entry = dict[str, Any]


class Keras3:
    """Parser of one file's config.

    Args:
        file: path, for errors.
    """

    def __init__(self, file: str) -> None:
        self.file = file

    def model_layer(self, entry: Entry) -> LayerSpec:
        """The top model.

        Raises:
            UnsupportedError: it is subclassed: its file holds weights, no graph.
        """
        spec = self.layer(entry)
        if spec.model is None:
            raise UnsupportedError(
                [
                    Unsupported(
                        spec.name,
                        spec.class_name,
                        "a subclassed model stores its Python class name and no layer graph",
                        "wrap it before saving: keras.Model(inputs, model(inputs))",
                    )
                ],
                file=self.file,
            )
        return spec

    def layer(self, entry: Entry) -> LayerSpec:
        """One layer, with those it wraps or holds."""
        if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str):
            raise self.damaged(f"expected a layer, found {str(entry)[:80]!r}")
        config = entry.get("config")
        if isinstance(config, list):
            config = {"name": entry.get("name") or "sequential", "layers": config}
        if not isinstance(config, dict):
            config = {}
        name = str(entry.get("name") or config.get("name") or entry["class_name"].lower())
        written: str = entry["class_name"]
        registered = str(entry.get("registered_name") or "")
        class_name = RENAMED.get(written, written)
        model = None
        if isinstance(config.get("layers"), list):
            model = self.model(name, entry, config)
        elif is_feature_space(class_name, config):
            model = feature_space(name, config, self.layer)
        return LayerSpec(
            name=name,
            class_name=class_name,
            config={} if model else self.options(class_name, config),
            module=str(entry.get("module") or self.module(class_name, config)),
            registered_name="" if registered in RENAMED else registered,
            calls=tuple(self.call(node) for node in entry.get("inbound_nodes") or ()),
            model=model,
            written=written.rpartition(">")[2],
        )

    def module(self, class_name: str, config: dict[str, Any]) -> str:
        """The module of a class in a file that names none, as Keras 3's ``.h5``.

        An operation's config has its arguments only, a layer's always says
        whether it is trainable.
        """
        known = f"ops.{class_name}" in {*LAYERS, *REFUSED} and "trainable" not in config
        return "keras.src.ops.numpy" if known else ""

    def options(self, class_name: str, config: dict[str, Any]) -> dict[str, Any]:
        """A layer's options, wrapped layers and activations made ``LayerSpec``."""
        found: dict[str, Any] = {}
        for key, value in config.items():
            if key in WRAPPED and isinstance(value, dict):
                value = self.layer(value)
            elif key in WRAPPED and isinstance(value, list):
                value = [self.layer(item) for item in value]
            elif key in ACTIVATIONS:
                value = self.activation(value)
            found[key] = value
        return found

    def activation(self, value: Any) -> Any:
        """An activation: its name, ``None``, or the layer that computes it."""
        if not isinstance(value, dict):
            return value
        if value.get("class_name") in ("function", "builtin_function_or_method"):
            return value.get("registered_name") or value.get("config")
        return self.layer(value)

    def model(self, name: str, entry: Entry, config: dict[str, Any]) -> ModelSpec:
        """A Sequential or Functional model."""
        layers = tuple(self.layer(item) for item in config["layers"])
        if "input_layers" not in config:
            return self.sequential(name, entry, config, layers)
        nested = {spec.name for spec in layers if spec.model and spec.model.kind == "functional"}

        def border(ref: TensorRef) -> TensorRef:
            # The border counts a nested Functional's own creation as call 0.
            return ref._replace(call=ref.call - 1) if ref.layer in nested else ref

        model = ModelSpec(
            name=name,
            class_name=entry["class_name"],
            kind="functional",
            layers=layers,
            inputs=self.border(config["input_layers"], border),
            outputs=self.border(config["output_layers"], border),
        )
        return renumbered(model)

    def sequential(
        self, name: str, entry: Entry, config: dict[str, Any], layers: tuple[LayerSpec, ...]
    ) -> ModelSpec:
        """A Sequential; its input shape may stand in three places."""
        built = entry.get("build_config") or {}
        shape = config.get("build_input_shape") or built.get("input_shape")
        first = layers[0].config if layers else {}
        shape = first.get("batch_shape") or shape
        return ModelSpec(
            name=name,
            class_name=entry["class_name"],
            kind="sequential",
            layers=layers,
            batch_shape=tuple(shape) if isinstance(shape, (list, tuple)) else None,
            input_dtype=self.input_dtype(first.get("dtype")),
        )

    def input_dtype(self, policy: Any) -> str:
        """What a Sequential without a stated input is fed: what its first layer computes in."""
        try:
            found = policy_of(policy).compute
        except ValueError:
            return "float32"
        return found if found in FLOATS else "float32"

    def border(self, data: Any, change: Callable[[TensorRef], TensorRef]) -> Any:
        """Nested ``[name, call, tensor]`` triples of ``input_layers`` or ``output_layers``."""
        if isinstance(data, dict):
            return {k: self.border(v, change) for k, v in data.items()}
        if not isinstance(data, list):
            raise self.damaged(f"expected tensors at the model's border, found {str(data)[:80]!r}")
        if is_triple(data):
            return change(TensorRef(*data))
        return [self.border(item, change) for item in data]

    def call(self, node: Any) -> CallSpec:
        """One entry of ``inbound_nodes``."""
        if not isinstance(node, dict):
            raise self.damaged(f"expected a call, found {str(node)[:80]!r}")
        args = self.value(node.get("args", []))
        return CallSpec(tuple(args), self.value(node.get("kwargs", {})))

    def value(self, data: Any) -> Any:
        """A call argument with tensor references in place of their encoding."""
        if isinstance(data, list):
            return [self.value(item) for item in data]
        if not isinstance(data, dict):
            return data
        kind, config = data.get("class_name"), data.get("config")
        if kind == "__keras_tensor__" and isinstance(config, dict):
            history = config.get("keras_history")
            if not (isinstance(history, list) and is_triple(history)):
                raise self.damaged(f"a tensor without history: {str(config)[:80]!r}")
            return TensorRef(*history)
        if kind in ("__numpy__", "__tensor__") and isinstance(config, dict):
            return np.asarray(config["value"], config["dtype"])
        if kind == "__slice__" and isinstance(config, dict):
            return slice(*(self.value(config.get(k)) for k in ("start", "stop", "step")))
        if kind == "__ellipsis__":
            return ...
        return {k: self.value(v) for k, v in data.items()}

    def damaged(self, what: str) -> FileFormatError:
        """An error about the config."""
        return FileFormatError(f"{self.file}: the model config is damaged: {what}")


def is_triple(data: Any) -> bool:
    """Whether this is a bare ``[layer, call, tensor]``."""
    return (
        len(data) >= 3
        and isinstance(data[0], str)
        and all(isinstance(v, int) and not isinstance(v, bool) for v in data[1:3])
        and len(data) == 3
    )


def renumbered(model: ModelSpec) -> ModelSpec:
    """Calls counted within the model.

    The first Keras 3 and Keras Core count calls of a shared layer that belong to
    other models too, whose nodes they leave out; the order is right.
    """
    refs = [r for spec in model.layers for call in spec.calls for r in call.refs()]
    refs += [*refs_in(model.inputs), *refs_in(model.outputs)]
    counts = {spec.name: len(spec.calls) for spec in model.layers}
    seen: dict[str, set[int]] = {}
    for ref in refs:
        seen.setdefault(ref.layer, set()).add(ref.call)
    order = {
        name: sorted(calls)
        for name, calls in seen.items()
        if max(calls) >= max(counts.get(name, 0), 1) and len(calls) == counts.get(name)
    }
    if not order:
        return model

    def change(ref: TensorRef) -> TensorRef:
        return ref._replace(call=order[ref.layer].index(ref.call)) if ref.layer in order else ref

    layers = tuple(
        replace(spec, calls=tuple(
            CallSpec(map_refs(c.args, change), map_refs(c.kwargs, change)) for c in spec.calls
        ))
        for spec in model.layers
    )  # fmt: skip
    return replace(
        model,
        layers=layers,
        inputs=map_refs(model.inputs, change),
        outputs=map_refs(model.outputs, change),
    )


def map_refs(data: Any, change: Callable[[TensorRef], TensorRef]) -> Any:
    """Nested data with every tensor reference changed."""
    if isinstance(data, TensorRef):
        return change(data)
    if isinstance(data, (list, tuple)):
        return type(data)(map_refs(item, change) for item in data)
    if isinstance(data, dict):
        return {k: map_refs(v, change) for k, v in data.items()}
    return data
