"""Read the top model: its inputs, its layers, its outputs, its origin."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from layergraph.frontends.keras.context import Context
from layergraph.frontends.keras.files import SavedModel
from layergraph.frontends.keras.layer import Tensor, tensors_in
from layergraph.frontends.keras.spec import LayerSpec, ModelSpec, TensorRef
from layergraph.frontends.keras.weights import model_weights, unread_weights
from layergraph.frontends.keras.wiring import Model, Unreadable, input_tensor
from layergraph.ir.build import Builder
from layergraph.ir.errors import FileFormatError, UnsupportedError
from layergraph.ir.foreign import ForeignLayers
from layergraph.ir.graph import Graph, Origin, Structure


def read_model(
    spec: LayerSpec, saved: SavedModel, foreign: ForeignLayers, dtype: str | None = None
) -> Graph:
    """The graph of a model in the current dialect.

    Args:
        spec: the model.
        saved: the file, for its weights.
        foreign: the caller's own layers.
        dtype: float dtype to compute in instead of what the layers' policies say.

    Raises:
        FileFormatError: config and weights do not belong together.
        UnsupportedError: lists everything we do not have.
    """
    assert spec.model is not None
    major = int(saved.keras_version.split(".")[0])
    context = Context(
        saved.path, Builder(), major, dtype, fixed_batch=spec.keeps_states, foreign=foreign
    )
    model = Model(spec, "", model_weights(saved), context)
    outputs: Any = None
    try:
        inputs = _inputs(spec.model, context)
        outputs = model.run(inputs, "")
    except Unreadable:
        pass
    except UnsupportedError as error:
        context.unsupported.extend(error.items)
    if context.unsupported:
        raise UnsupportedError(context.unsupported, file=saved.path)
    if left := unread_weights(model.weights, model.parts):
        raise FileFormatError(
            f"{saved.path}: {len(left)} stored arrays belong to no layer of the config "
            f"({left[0]} ...); config and weights are of different models"
        )
    flat = tensors_in(_by_key(outputs))
    return context.build.graph(
        outputs=[t.value for t in flat],
        input_structure=_structure(inputs, [t.value.node for t in tensors_in(inputs)]),
        output_structure=_numbered(outputs, itertools.count()),
        inputs=[t.value.node for t in tensors_in(inputs)],
        origin=Origin(
            container=saved.container,
            keras_version=saved.keras_version,
            backend=saved.backend,
            model=spec.name,
        ),
    )


def _inputs(model: ModelSpec, context: Context) -> Any:
    """Graph inputs, nested as the model's are."""
    if model.kind == "functional":
        layers = {spec.name: spec for spec in model.layers}
        return _input_tensors(model.inputs, layers, context)
    first = model.layers[0] if model.layers else None
    if first is not None and first.class_name == "InputLayer":
        return input_tensor(first, context)
    name = f"{first.name}_input" if first else "input"
    spec = LayerSpec(
        name, "InputLayer", {"batch_shape": model.batch_shape, "dtype": model.input_dtype}
    )
    return input_tensor(spec, context)


def _input_tensors(data: Any, layers: dict[str, LayerSpec], context: Context) -> Any:
    if isinstance(data, TensorRef):
        if data.layer not in layers:
            raise FileFormatError(
                f"{context.file}: the model's input {data.layer!r} is not one of its layers; "
                "the model config is damaged"
            )
        return input_tensor(layers[data.layer], context)
    if isinstance(data, dict):
        return {k: _input_tensors(data[k], layers, context) for k in sorted(data)}
    return [_input_tensors(item, layers, context) for item in data]


def _by_key(data: Any) -> Any:
    """Nested data with dicts in the order of their keys, in which Keras counts tensors.

    Source: keras/src/tree/optree_impl.py, Keras 3.15; TensorFlow's nest does the same.
    """
    if isinstance(data, dict):
        return {k: _by_key(data[k]) for k in sorted(data)}
    return [_by_key(item) for item in data] if isinstance(data, list) else data


def _structure(data: Any, order: list[str]) -> Structure:
    if isinstance(data, Tensor):
        return order.index(data.value.node)
    if isinstance(data, dict):
        return {k: _structure(v, order) for k, v in data.items()}
    return [_structure(item, order) for item in data]


def _numbered(data: Any, count: Iterator[int]) -> Structure:
    """Indices in the order of ``_by_key``, dicts in their own order."""
    if isinstance(data, Tensor):
        return next(count)
    if isinstance(data, dict):
        found = {k: _numbered(data[k], count) for k in sorted(data)}
        return {k: found[k] for k in data}
    return [_numbered(item, count) for item in data]
