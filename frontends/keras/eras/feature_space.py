"""A saved FeatureSpace as the model it is: an input and a preprocessor a feature, joined.

Its file holds features and crosses; which layers turn them into vectors follows.

Source: keras/src/layers/preprocessing/feature_space.py ``FeatureSpace._merge_features``,
Keras 3.15; tf_keras/src/utils/feature_space.py, tf-keras 2.21.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from layergraph.frontends.keras.spec import CallSpec, LayerSpec, ModelSpec, TensorRef

Config = dict[str, Any]

SIZES = {
    "CategoryEncoding": "num_tokens",
    "Discretization": "num_bins",
    "HashedCrossing": "num_bins",
    "Hashing": "num_bins",
    "IntegerLookup": "vocabulary_size",
    "StringLookup": "vocabulary_size",
}
"""The option that says how many categories come out of a preprocessor."""


def is_feature_space(class_name: str, config: Config) -> bool:
    """Whether a layer is a FeatureSpace."""
    return class_name == "FeatureSpace" and isinstance(config.get("features"), dict)


def feature_space(name: str, config: Config, read: Callable[[Config], LayerSpec]) -> ModelSpec:
    """The Functional model a FeatureSpace builds.

    Args:
        name: name of the FeatureSpace.
        config: its options.
        read: reads the entry of a layer.
    """
    features = {key: entry["config"] for key, entry in config["features"].items()}
    crosses = {
        "_X_".join(entry["config"]["feature_names"]): entry["config"]
        for entry in config.get("crosses") or ()
    }
    layers = [_input(key, feature["dtype"]) for key, feature in features.items()]
    made: dict[str, LayerSpec] = {}
    for key, feature in features.items():
        made[key] = _called(read(feature["preprocessor"]), f"{key}/preprocessor", _ref(key))
    for key, cross in crosses.items():
        options = {"num_bins": cross["crossing_dim"], "output_mode": "int", "dtype": "int64"}
        crossed = [_ref(made[part].name) for part in cross["feature_names"]]
        made[key] = _called(_layer("HashedCrossing", options), f"{key}/cross", crossed)
    layers += made.values()
    outputs = {}
    for key in (*sorted(features), *sorted(crosses)):
        spec, last = {**features, **crosses}[key], made[key]
        size = last.config.get(SIZES.get(last.class_name, ""))
        if spec["output_mode"] == "one_hot" and size is not None:
            options = {"num_tokens": size, "output_mode": "multi_hot"}
            last = _called(_layer("CategoryEncoding", options), f"{key}/one_hot", _ref(last.name))
            layers.append(last)
        outputs[key] = _ref(last.name)
    concat = config.get("output_mode", "concat") == "concat"
    joined = name if name not in features else f"{name}/concat"
    if concat:
        layers.append(_called(_layer("Concatenate", {"axis": -1}), joined, list(outputs.values())))
    return ModelSpec(
        name=name,
        class_name="FeatureSpace",
        kind="functional",
        layers=tuple(layers),
        inputs={key: _ref(key) for key in features},
        outputs=_ref(joined) if concat else outputs,
        folder="preprocessors",
    )


def _ref(layer: str) -> TensorRef:
    return TensorRef(layer, 0, 0)


def _input(name: str, dtype: str) -> LayerSpec:
    options = {"batch_shape": [None, 1], "dtype": dtype}
    return LayerSpec(name, "InputLayer", options, calls=(CallSpec((), {}),))


def _layer(class_name: str, options: Config) -> LayerSpec:
    return LayerSpec(class_name, class_name, options)


def _called(spec: LayerSpec, name: str, inputs: Any) -> LayerSpec:
    return replace(spec, name=name, calls=(CallSpec((inputs,), {}),))
