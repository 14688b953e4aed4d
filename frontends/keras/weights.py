"""Find each layer's arrays in a file: by layer name in ``.h5``, by path in ``.keras``.

Both kinds answer the same three questions: the arrays of this layer (``take``),
where those of a wrapped layer are (``child``), and where those of a nested
model's layers are (``layers``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from layergraph.frontends.keras.files import OWN_WEIGHTS, LegacyWeights, SavedModel
from layergraph.frontends.keras.matching import Shapes, matched
from layergraph.frontends.keras.spec import LayerSpec, ModelSpec, Rearrange
from layergraph.frontends.keras.weights_tree import Tree, TreeWeights
from layergraph.ir.errors import FileFormatError
from layergraph.ir.types import Array


class LayerWeights(Protocol):
    """Where the arrays of one layer are."""

    def take(self, shapes: Shapes, rearrange: Rearrange | None = None) -> dict[str, Array]:
        """The layer's own arrays by role, checked; ``shapes`` in storing order.

        A dimension ``None`` fits any size, a shape ``...`` any shape.
        """

    def peek(self) -> list[tuple[str, Array]]:
        """The arrays that ``take`` reads next, with their names where they have any."""

    def part(self, name: str) -> LayerWeights:
        """Those whose name says that they are of an inner layer, out of a list of several's."""

    def child(self, *attributes: str) -> LayerWeights:
        """Those of an object the layer holds, under the first attribute that exists."""

    def named(self) -> dict[str, Array]:
        """All arrays of the layer and what it holds, by name, for a layer of the caller's."""

    def layers(self, model: ModelSpec) -> dict[str, LayerWeights]:
        """Those of each layer, when this is a nested model."""

    def discard(self) -> None:
        """The layer's own arrays that are left are not needed."""

    def asset(self, name: str) -> str | None:
        """A text file of the layer; ``None`` when there is none, as always in an ``.h5``."""


def model_weights(saved: SavedModel) -> LayerWeights:
    """The weights of the model a file holds."""
    if saved.variables is not None:
        return TreeWeights(Tree(saved.weights_path, saved.variables), "", saved.path)
    assert saved.legacy is not None
    return RootWeights(saved.weights_path, saved.legacy)


# --- .h5: a flat list a layer ---------------------------------------------------


class RootWeights:
    """The ``model_weights`` group of an ``.h5``: one flat list for every top layer."""

    def __init__(self, file: str, stored: LegacyWeights) -> None:
        self._file = file
        self._stored = stored

    def take(self, shapes: Shapes, rearrange: Rearrange | None = None) -> dict[str, Array]:
        """A model holds no arrays of its own in this layout."""
        return matched(self._file, "the model", [], shapes)

    def discard(self) -> None:
        """A model holds no arrays of its own in this layout."""

    def named(self) -> dict[str, Array]:
        """A model holds no arrays of its own in this layout."""
        return {}

    def asset(self, name: str) -> str | None:
        """This layout holds none."""
        return None

    def peek(self) -> list[tuple[str, Array]]:
        """A model holds no arrays of its own in this layout."""
        return []

    def part(self, name: str) -> LayerWeights:
        """A model holds no arrays of its own in this layout."""
        return self

    def child(self, *attributes: str) -> LayerWeights:
        """Not part of this layout."""
        raise FileFormatError(f"{self._file}: weights are stored by layer, not by attribute")

    def layers(self, model: ModelSpec) -> dict[str, LayerWeights]:
        """The list of each top layer.

        Raises:
            FileFormatError: the file stores arrays for a layer its config lacks.
        """
        groups = self._groups(model)
        return {
            spec.name: FlatWeights(
                self._file,
                spec.name,
                self._stored.weights(groups[spec.name]) if spec.name in groups else [],
            )
            for spec in model.layers
        }

    def _groups(self, model: ModelSpec) -> dict[str, str]:
        """Name in the file of each layer: its own, or that at its place.

        Keras itself goes by place, so that weights saved apart from the config may
        be of layers under other names.
        """
        stored, config = self._stored.layer_names(), {spec.name for spec in model.layers}
        strange = [n for n in stored if n not in config and self._stored.weights(n)]
        if not strange:
            return {name: name for name in stored if name in config}
        places = [
            spec.name
            for spec in model.layers
            if not spec.config.get("implicit")
            and (spec.class_name != "InputLayer" or model.kind == "functional")
        ]
        stored = tuple(name for name in stored if name != OWN_WEIGHTS)
        if len(places) == len(stored):
            return dict(zip(places, stored, strict=True))
        raise FileFormatError(
            f"{self._file}: weights are stored for layer {strange[0]!r}, which the model "
            "config does not have; config and weights are of different models"
        )


class FlatWeights:
    """The list of a layer, read front to back by the layer and what it wraps."""

    def __init__(self, file: str, layer: str, arrays: Sequence[tuple[str, Array]]) -> None:
        self._file = file
        self._layer = layer
        self._left = list(arrays)

    def take(self, shapes: Shapes, rearrange: Rearrange | None = None) -> dict[str, Array]:
        """The next arrays of the list."""
        count, head = len(shapes), self._left[: len(shapes)]
        if rearrange is not None:
            count, arrays = rearrange([array for _, array in self._left], shapes)
            head = [("", array) for array in arrays]
        self._left = self._left[count:]
        return matched(self._file, f"layer {self._layer!r}", head, shapes)

    def discard(self) -> None:
        """The rest of the list is not needed."""
        self._left = []

    def named(self) -> dict[str, Array]:
        """The rest of the list by the names in it, without the layer's own: ``kernel``.

        A name that occurs again is numbered: ``kernel_1``.
        """
        found: dict[str, Array] = {}
        for stored, array in self._left:
            name = stored.split(":")[0].removeprefix(f"{self._layer.rpartition('/')[2]}/")
            again = sum(n == name or n.rpartition("_")[0] == name for n in found)
            found[f"{name}_{again}" if again else name] = array
        self._left = []
        return found

    def asset(self, name: str) -> str | None:
        """This layout holds none."""
        return None

    def peek(self) -> list[tuple[str, Array]]:
        """What is left of the list."""
        return list(self._left)

    def part(self, name: str) -> LayerWeights:
        """A list of its own; what it holds leaves this one."""
        mine = [(stored, a) for stored, a in self._left if name in stored.split("/")[:-1]]
        self._left = [(stored, a) for stored, a in self._left if name not in stored.split("/")[:-1]]
        return FlatWeights(self._file, f"{self._layer}/{name}", mine)

    def child(self, *attributes: str) -> LayerWeights:
        """The same list: a wrapper's arrays are those of what it wraps, in turn."""
        return self

    def layers(self, model: ModelSpec) -> dict[str, LayerWeights]:
        """Split a nested model's list by the layer names within the array names.

        All trainable arrays of a nested model stand before all others, so its
        layers' arrays are scattered; their names tell whose they are.

        Names of inner nested models are not part of them, so a layer answers
        for all names below it.

        Raises:
            FileFormatError: a name does not tell.
        """
        owners: dict[str, list[str]] = {}
        for spec in model.layers:
            for name in _names_below(spec):
                owners.setdefault(name, []).append(spec.name)
        # Keras 0 numbers its arrays, `param_0`: that says nothing of whose they are.
        roles = self._left and not any(stored.startswith("param_") for stored, _ in self._left)
        if roles and not any(self._owners(stored, owners) for stored, _ in self._left):
            return {s.name: PooledWeights(self._file, s.name, self._left) for s in model.layers}
        split: dict[str, list[tuple[str, Array]]] = {spec.name: [] for spec in model.layers}
        seen: dict[str, int] = {}
        for stored, array in self._left:
            candidates = self._owners(stored, owners)
            if not candidates:
                raise FileFormatError(
                    f"{self._file}: array {stored!r} of nested model {self._layer!r} belongs to "
                    "none of its layers; save the model as .keras, which stores paths"
                )
            # Equal names in several nested models come in the order of the models.
            nth = seen.get(stored, 0)
            seen[stored] = nth + 1
            split[candidates[min(nth, len(candidates) - 1)]].append((stored, array))
        self._left = []
        return {
            name: FlatWeights(self._file, f"{self._layer}/{name}", arrays)
            for name, arrays in split.items()
        }

    def _owners(self, stored: str, owners: Mapping[str, list[str]]) -> list[str]:
        """Layers the name of an array may speak of: its first part that is a layer name.

        None where it names no layer of the model.
        """
        parts = stored.split("/")
        for start in range(len(parts) - 1):
            for end in range(len(parts) - 1, start, -1):
                if found := owners.get("/".join(parts[start:end])):
                    return found
        # Keras 1: layer_role.
        whole = stored.split(":")[0]
        names = [name for name in owners if whole.startswith(f"{name}_")]
        return owners[max(names, key=len)] if names else []

    def rest(self) -> list[str]:
        """Names of the arrays nobody took."""
        return [name for name, _ in self._left]


class PooledWeights(FlatWeights):
    """The list of a nested model whose names name no layers: each takes its roles from it.

    Keras 3.0 to 3.3 name arrays by role alone, and cannot save a model in which
    two are named alike.
    """

    def __init__(self, file: str, layer: str, pool: list[tuple[str, Array]]) -> None:
        super().__init__(file, layer, ())
        self._left = pool

    def take(self, shapes: Shapes, rearrange: Rearrange | None = None) -> dict[str, Array]:
        """The arrays of these roles, which leave the list for all its readers."""
        held = {stored.split(":")[0]: (stored, array) for stored, array in self._left}
        found = [held[role] for role in shapes if role in held]
        taken = {stored for stored, _ in found}
        self._left[:] = [entry for entry in self._left if entry[0] not in taken]
        return matched(self._file, f"layer {self._layer!r}", found, shapes)

    def layers(self, model: ModelSpec) -> dict[str, LayerWeights]:
        """The same list for a model within the model."""
        return {s.name: PooledWeights(self._file, s.name, self._left) for s in model.layers}


def _names_below(spec: LayerSpec) -> set[str]:
    """The layer's name and those of all layers it holds or wraps."""
    names = {spec.name}
    pending: list[object] = [*spec.config.values(), *(spec.model.layers if spec.model else ())]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, LayerSpec):
            names |= _names_below(item)
    return names


def unread_weights(weights: LayerWeights, parts: Mapping[str, LayerWeights]) -> list[str]:
    """Arrays in the file that no layer read: config and weights do not belong together."""
    sources = [weights, *parts.values()]
    return [name for s in sources if isinstance(s, (FlatWeights, TreeWeights)) for name in s.rest()]
