"""Layers that the caller computes: a Python function, or a reader of the caller's own."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np

from layergraph.frontends.keras.layer import LayerCall, Tensor, map_tensors, tensors_in
from layergraph.frontends.keras.registry import Reader
from layergraph.frontends.keras.spec import LayerSpec
from layergraph.ir.errors import LayerGraphError
from layergraph.ir.foreign import Foreign, LayerFunction, LayerReader, called, leaves
from layergraph.ir.ops.foreign import Function
from layergraph.ir.ops.shape import Identity
from layergraph.ir.types import Array, Shape, TensorType


def reader_for(key: str, layer: Foreign) -> Reader:
    """The reader of a layer that the caller supplies under a name."""
    if isinstance(layer, LayerReader):
        return Reader(partial(operators, key, layer), layer.masking, layer.arguments)
    return Reader(partial(function, key, layer), layer.masking, ("**",))


def operators(key: str, layer: LayerReader, call: LayerCall) -> Any:
    """What the caller's reader emits; its last node is made to bear the layer's name."""
    try:
        result = layer.function(call)
    except LayerGraphError:
        raise
    except Exception as error:
        raise call.refusal(
            f"the reader given for {key!r} failed: {type(error).__name__}: {error}", "correct it"
        ) from error
    if isinstance(result, Tensor) and result.value.node != call.name:
        return call.emit(Identity(), result).masked(result.mask)
    return result


def function(key: str, layer: LayerFunction, call: LayerCall) -> Any:
    """One node that runs the caller's function on what the layer is called with."""
    arguments = {name: call.argument(name) for name in call.arguments}
    tensors = tensors_in(list(arguments.values()))
    index = {id(t): i for i, t in enumerate(tensors)}
    spelled = map_tensors(arguments, lambda t: {"tensor": index[id(t)]})
    config = _plain(dict(call.spec.config))
    call.config.ignore(*call.spec.config)
    weights = call.all_weights()
    mask = next((t.mask for t in tensors if t.mask is not None), None)

    def run(extent: int) -> Any:
        arrays = [_ones(t.type, extent) for t in tensors]
        seen = None if mask is None else _ones(call.build.type_of(mask), extent)
        return called(layer.function, spelled, config, weights)(arrays, seen)

    try:
        result, second = run(2), run(3)
    except Exception as error:
        raise call.refusal(
            f"the function given for {key!r} failed on arrays of ones: "
            f"{type(error).__name__}: {error}",
            "correct it",
        ) from error
    outputs = list(
        zip(map(np.asarray, leaves(result)), map(np.asarray, leaves(second)), strict=True)
    )
    op = Function(
        key=key,
        arguments=json.dumps(spelled),
        config=json.dumps(config),
        masked=mask is not None,
        shapes=tuple(_shape(one, two) for one, two in outputs),
        dtypes=tuple(one.dtype.name for one, _ in outputs),
        function=layer.function,
    )
    masks = [] if mask is None else [mask]
    found = iter(call.emit_all(op, *tensors, *masks, params=weights))
    return _nested(result, found)


def _shape(one: Array, two: Array) -> Shape:
    """The shape for unknown extents: dimensions that two extents left equal are known."""
    return tuple(a if a == b else None for a, b in zip(one.shape, two.shape, strict=True))


def _ones(type_: TensorType, extent: int) -> Array:
    return np.ones([extent if d is None else d for d in type_.shape], type_.dtype)


def _nested(data: Any, found: Any) -> Any:
    """The tensors in place of the arrays the function returned."""
    if isinstance(data, dict):
        filled = {key: _nested(data[key], found) for key in sorted(data)}
        return {key: filled[key] for key in data}
    if isinstance(data, (list, tuple)):
        return [_nested(item, found) for item in data]
    tensor: Tensor = next(found)
    return tensor


def _plain(data: Any) -> Any:
    """A config as JSON holds it, wrapped layers as their class and config."""
    if isinstance(data, LayerSpec):
        return {"class_name": data.class_name, "config": _plain(data.config)}
    if isinstance(data, dict):
        return {k: _plain(v) for k, v in data.items()}
    if isinstance(data, (list, tuple)):
        return [_plain(item) for item in data]
    return data.tolist() if isinstance(data, np.ndarray) else data
