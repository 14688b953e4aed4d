"""Keras 1's Sequential that begins with a Merge of other models, as the Functional it is.

Source: keras/models.py ``Sequential.add``, ``flattened_layers`` and ``from_config``, Keras 1.2.2.
"""

from __future__ import annotations

from typing import Any

Entry = dict[str, Any]
Ref = list[Any]


def normalized(entry: Entry) -> Entry:
    """An entry as Keras 1.0 and later write it: ``class_name`` beside ``config``."""
    if "class_name" in entry or not isinstance(entry, dict):
        return entry
    config = {k: v for k, v in entry.items() if k != "custom_name"}
    config["name"] = entry.get("custom_name") or str(entry.get("name", "")).lower()
    return {"class_name": entry.get("name"), "config": config}


def flattened(layers: list[Entry]) -> Entry:
    """A Functional's config that computes what these layers of a Sequential compute.

    Inputs, in Keras' order, are those of the merged models. Layers of the same
    name are one layer called again.
    """
    graph = _Graph()
    output = graph.sequential(layers)
    return {
        "layers": list(graph.layers.values()),
        "input_layers": graph.inputs,
        "output_layers": [output],
    }


class _Graph:
    """A Functional config being put together."""

    def __init__(self) -> None:
        self.layers: dict[str, Entry] = {}
        self.inputs: list[Ref] = []

    def sequential(self, entries: list[Entry]) -> Ref:
        """The last output of layers in a row, the first of which knows its input."""
        first, *rest = (normalized(entry) for entry in entries)
        output = self.source(first)
        for entry in rest:
            output = self.call(entry, [output])
        return output

    def source(self, entry: Entry) -> Ref:
        """The output of a layer or model that nothing feeds but the user."""
        config = entry.get("config")
        if isinstance(config, list):
            return self.sequential(config)
        if not isinstance(config, dict):
            raise ValueError(f"no layer: {entry!r:.80}")
        if entry["class_name"] == "Merge" and isinstance(config.get("layers"), list):
            merged = [self.source(normalized(item)) for item in config["layers"]]
            options = {k: v for k, v in config.items() if k != "layers"} | {"implicit": True}
            return self.call({**entry, "config": options}, merged)
        if isinstance(config.get("layers"), list):
            for item in config["layers"]:
                self.layers.setdefault(item["name"], item)
            self.inputs += [ref for ref in config["input_layers"] if ref not in self.inputs]
            output: Ref = config["output_layers"][0]
            return output
        name = config["name"]
        if name in self.layers:
            return [name, 0, 0]
        return self.call(entry, [self.input(name, config)])

    def input(self, name: str, config: Entry) -> Ref:
        """An input for a layer that states the shape it takes."""
        made = f"{name}_input"
        options = {"batch_input_shape": config.get("batch_input_shape"), "implicit": True}
        options["input_dtype"] = config.get("input_dtype")
        self.layers[made] = {
            "class_name": "InputLayer", "name": made, "config": options, "inbound_nodes": [],
        }  # fmt: skip
        ref: Ref = [made, 0, 0]
        self.inputs.append(ref)
        return ref

    def call(self, entry: Entry, sources: list[Ref]) -> Ref:
        """The output of one more call of a layer."""
        name = entry.get("name") or entry["config"]["name"]
        known = self.layers.setdefault(name, {**entry, "name": name, "inbound_nodes": []})
        known["inbound_nodes"] = [*known["inbound_nodes"], sources]
        return [name, len(known["inbound_nodes"]) - 1, 0]
