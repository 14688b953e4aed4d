"""How Keras 3 and Keras 2 write a model's config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from layergraph.backends.keras.model import Call, Layer, Model, Tensor
from layergraph.ir.types import STRING

Options = dict[str, Any]


class Dialect:
    """What the two have in common.

    Attributes:
        major: of Keras.
        version: version that files claim to be written by.
    """

    major: ClassVar[int]
    version: ClassVar[str]

    def config(self, model: Model) -> Options:
        """The whole model."""
        raise NotImplementedError

    def inner(self, class_name: str, config: Options) -> Options:
        """A layer within another's options, as the one that ``TimeDistributed`` wraps."""
        return {
            "module": "keras.layers",
            "class_name": class_name,
            "config": config,
            "registered_name": None,
        }


class Keras3(Dialect):
    """Source: keras/src/models/functional.py and saving/serialization_lib.py, Keras 3.15."""

    major = 3
    version = "3.15.1"

    def config(self, model: Model) -> Options:
        """The whole model, ``config.json``."""
        return {
            "module": "keras.src.models.functional",
            "class_name": "Functional",
            "config": {
                "name": model.name,
                "trainable": True,
                "layers": [self._entry(layer) for layer in model.layers],
                "input_layers": nested(model.inputs, _triple),
                "output_layers": nested(model.outputs, _triple),
            },
            "registered_name": "Functional",
        }

    def _entry(self, layer: Layer) -> Options:
        config = {"name": layer.name, **layer.config}
        if layer.class_name == "InputLayer":
            config["batch_shape"] = config.pop("shape")
        return {
            "module": layer.module or "keras.layers",
            "class_name": layer.class_name,
            "config": config,
            "registered_name": layer.class_name if layer.module else None,
            "name": layer.name,
            "inbound_nodes": [self._call(call) for call in layer.calls],
        }

    def _call(self, call: Call) -> Options:
        return {
            "args": [self._data(argument) for argument in call.args],
            "kwargs": {key: self._data(value) for key, value in call.kwargs.items()},
        }

    def _data(self, data: Any) -> Any:
        """An argument of a call."""
        if isinstance(data, Tensor):
            config = {
                "shape": list(data.shape),
                "dtype": data.dtype,
                "keras_history": _triple(data),
            }
            return {"class_name": "__keras_tensor__", "config": config}
        if isinstance(data, np.ndarray):
            config = {"value": data.tolist(), "dtype": data.dtype.name}
            return {"class_name": "__numpy__", "config": config}
        if isinstance(data, slice):
            config = {"start": data.start, "stop": data.stop, "step": data.step}
            return {"class_name": "__slice__", "config": config}
        if data is ...:
            return {"class_name": "__ellipsis__", "config": {}}
        return _within(data, self._data)


class Keras2(Dialect):
    """Source: tf_keras/src/engine/functional.py ``get_network_config``, tf-keras 2.21."""

    major = 2
    version = "2.15.0"

    def config(self, model: Model) -> Options:
        """The whole model, attribute ``model_config``."""
        return {
            "class_name": "Functional",
            "config": {
                "name": model.name,
                "trainable": True,
                "layers": [self._entry(layer) for layer in model.layers],
                "input_layers": _listed(nested(model.inputs, _triple)),
                "output_layers": _listed(nested(model.outputs, _triple)),
            },
        }

    def _entry(self, layer: Layer) -> Options:
        config = {"name": layer.name, **layer.config}
        if layer.class_name == "InputLayer":
            config["batch_input_shape"] = config.pop("shape")
        nodes = [self._call(call, whole="Lambda" in layer.class_name) for call in layer.calls]
        return {
            "class_name": layer.class_name,
            "config": config,
            "name": layer.name,
            "inbound_nodes": nodes,
        }

    def _call(self, call: Call, *, whole: bool) -> Any:
        """One inbound node: all arguments but the first are repeated with every tensor.

        Args:
            whole: of a function of TensorFlow, to which one tensor is no list of one.
        """
        (first,), kwargs = call.args, {k: self._data(v) for k, v in call.kwargs.items()}

        def tensor(data: Any) -> Any:
            if isinstance(data, Tensor):
                return [*_triple(data), kwargs]
            return ["_CONSTANT_VALUE", -1, self._data(data), kwargs]

        if isinstance(first, (list, tuple)):
            return [tensor(item) for item in first]
        return tensor(first) if whole else [tensor(first)]

    def _data(self, data: Any) -> Any:
        """An argument of a call but the first."""
        if isinstance(data, Tensor):
            return _triple(data)
        if isinstance(data, np.ndarray):
            return data.tolist()
        if isinstance(data, slice):
            return {key: self._data(getattr(data, key)) for key in ("start", "stop", "step")}
        if data is ...:
            return {"class_name": "__ellipsis__"}
        return _within(data, self._data)


def _triple(tensor: Tensor) -> list[Any]:
    return [tensor.layer.name, tensor.call, tensor.index]


def _within(data: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(data, (list, tuple)):
        return [change(item) for item in data]
    if isinstance(data, Mapping):
        return {key: change(value) for key, value in data.items()}
    if isinstance(data, np.generic):
        return data.item()
    return data


def nested(data: Any, change: Callable[[Tensor], Any]) -> Any:
    """Nested tensors, each changed."""
    if isinstance(data, Tensor):
        return change(data)
    if isinstance(data, dict):
        return {key: nested(value, change) for key, value in data.items()}
    return [nested(item, change) for item in data]


def _listed(data: Any) -> Any:
    """Keras 2 writes a single tensor as a list of one."""
    return [data] if isinstance(data, list) and data and isinstance(data[0], str) else data


def policy_name(dtype: str, variables: str | None = None) -> str:
    """The dtype policy of a layer that computes in one dtype and holds arrays of another."""
    if dtype in ("float16", "bfloat16") and variables == "float32":
        return f"mixed_{dtype}"
    return "string" if dtype == STRING else dtype
