"""Find each layer's arrays in a file: by layer name in ``.h5``, by path in ``.keras``.

Both kinds answer the same three questions: the arrays of this layer (``take``),
where those of a wrapped layer are (``child``), and where those of a nested
model's layers are (``layers``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Protocol, TypeAlias

from layergraph.frontends.keras.files import OWN_WEIGHTS, LegacyWeights, SavedModel, VariableTree
from layergraph.frontends.keras.registry import FAMILIES
from layergraph.frontends.keras.spec import LayerSpec, ModelSpec, Rearrange
from layergraph.ir.errors import FileFormatError
from layergraph.ir.types import Array, Shape

Shapes: TypeAlias = Mapping[str, "Shape | EllipsisType"]
"""Expected shapes by role, in storing order."""


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


OLD_LAYERS = "_layer_checkpoint_dependencies"
"""What ``layers`` is called in archives of TensorFlow 2.12 to 2.14."""

WITHOUT_ARRAYS = frozenset(
    name
    for family in ("elementwise", "image", "merge", "pooling", "shape")
    for name in FAMILIES[family].split()
) | {"Activation", "ELU", "InputLayer", "LeakyReLU", "ReLU", "Softmax", "ThresholdedReLU"}
"""Classes whose layers have no arrays."""


def model_weights(saved: SavedModel) -> LayerWeights:
    """The weights of the model a file holds."""
    if saved.variables is not None:
        return TreeWeights(_Tree(saved.weights_path, saved.variables), "", saved.path)
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
        return _matched(self._file, "the model", [], shapes)

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
        return _matched(self._file, f"layer {self._layer!r}", head, shapes)

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
        split: dict[str, list[tuple[str, Array]]] = {spec.name: [] for spec in model.layers}
        seen: dict[str, int] = {}
        for stored, array in self._left:
            candidates = self._owners(stored, owners)
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
        """Layers the name of an array may speak of: its first part that is a layer name."""
        parts = stored.split("/")
        for start in range(len(parts) - 1):
            for end in range(len(parts) - 1, start, -1):
                if found := owners.get("/".join(parts[start:end])):
                    return found
        # Keras 1: layer_role.
        whole = stored.split(":")[0]
        if names := [name for name in owners if whole.startswith(f"{name}_")]:
            return owners[max(names, key=len)]
        raise FileFormatError(
            f"{self._file}: array {stored!r} of nested model {self._layer!r} belongs to "
            "none of its layers; save the model as .keras, which stores paths"
        )

    def rest(self) -> list[str]:
        """Names of the arrays nobody took."""
        return [name for name, _ in self._left]


# --- .keras: a tree of paths ----------------------------------------------------


class _Tree:
    """The variable tree, what has been read of it, and arrays of shared layers."""

    def __init__(self, file: str, tree: VariableTree) -> None:
        self.file = file
        self.tree = tree
        self.groups = tree.groups()
        self.taken: set[str] = set()
        self.by_layer: dict[tuple[object, ...], dict[str, Array]] = {}
        self.assets: dict[tuple[str, str], str] = {}

    def exists(self, path: str) -> bool:
        return any(group == path or group.startswith(path + "/") for group in self.groups)


class TreeWeights:
    """A path in the tree of ``model.weights.h5``.

    Source: keras/src/saving/saving_lib.py ``_save_state`` and
    ``_save_container_state``, Keras 3.15; tf_keras/src/saving/saving_lib.py 2.21.

    Args:
        path: path without leading slash, empty for the model itself.
        layer: layer name, by which a shared layer is found that the file
            stores under the path of its first use only.
    """

    def __init__(self, tree: _Tree, path: str, layer: str) -> None:
        self._tree = tree
        self._path = path
        self._layer = layer
        self._found: list[Array] | None = None

    def peek(self) -> list[tuple[str, Array]]:
        """The arrays in this path's ``vars``; they have no names."""
        if self._found is None:
            self._found = self._tree.tree.variables(self._path)
        return [("", array) for array in self._found]

    def part(self, name: str) -> LayerWeights:
        """Paths keep inner layers apart."""
        return self

    def take(self, shapes: Shapes, rearrange: Rearrange | None = None) -> dict[str, Array]:
        """The arrays in this path's ``vars``."""
        key = (self._layer, tuple(shapes.items()))
        found: Sequence[Array] = [array for _, array in self.peek()]
        self._found = None
        if rearrange is not None and found:
            found = rearrange(found, shapes)[1]
        if not found and shapes and key in self._tree.by_layer:
            return self._tree.by_layer[key]
        where = f"layer {self._layer!r} (path {self._path!r})"
        taken = _matched(self._tree.file, where, [("", a) for a in found], shapes)
        self._tree.taken.add(self._path)
        return self._tree.by_layer.setdefault(key, taken) if shapes else taken

    def discard(self) -> None:
        """What stands at this path is not needed."""
        self._tree.taken.add(self._path)

    def named(self) -> dict[str, Array]:
        """Arrays by path below this one: ``0``, ``1``, ``attention/query_dense/0``."""
        found: dict[str, Array] = {}
        for group in self._tree.groups:
            if group == self._path or group.startswith(f"{self._path}/"):
                below = group[len(self._path) :].strip("/")
                for i, array in enumerate(self._tree.tree.variables(group)):
                    found[f"{below}/{i}" if below else str(i)] = array
                self._tree.taken.add(group)
        return found

    def asset(self, name: str) -> str | None:
        """The file at this path, or at that of the layer's first use."""
        found = self._tree.tree.asset(self._path, name)
        if found is None:
            return self._tree.assets.get((self._layer, name))
        return self._tree.assets.setdefault((self._layer, name), found)

    def child(self, *attributes: str) -> LayerWeights:
        """The path of an attribute."""
        paths = [f"{self._path}/{attribute}" for attribute in attributes]
        path = next((p for p in paths if self._tree.exists(p)), paths[0])
        return TreeWeights(self._tree, path, f"{self._layer}/{attributes[0]}")

    def layers(self, model: ModelSpec) -> dict[str, LayerWeights]:
        """Paths of a model's layers: snake-cased class names, numbered a class."""
        members: dict[str, list[LayerSpec]] = {}
        for spec in model.layers:
            if not spec.is_operation and not (
                model.kind == "sequential" and spec.class_name == "InputLayer"
            ):
                members.setdefault(snake_case(spec.class_name), []).append(spec)
        names = {spec.name for spec in model.layers}
        old = f"{self._path}/{OLD_LAYERS}".lstrip("/")
        found: dict[str, LayerWeights] = {}
        for snake, specs in members.items():
            base = f"{self._path}/{model.folder}/{snake}".lstrip("/")
            if self._tree.exists(old):
                paths = self._by_order(f"{old}/{snake}", specs)
            else:
                paths = [self._labelled(base, i, spec, names) for i, spec in enumerate(specs)]
            for spec, path in zip(specs, paths, strict=True):
                found[spec.name] = TreeWeights(self._tree, path, spec.name)
        return found

    def _by_order(self, base: str, specs: Sequence[LayerSpec]) -> list[str]:
        """Paths in an archive of TensorFlow 2.12 to 2.14, where a layer may count twice.

        Until 2.13 a layer with arrays takes two numbers, one without takes one: what is
        sure is the order. Source: keras/saving/saving_lib.py and ``Layer`` ``_layer_checkpoint_
        dependencies`` of keras/engine/functional.py, Keras 2.13.
        """
        pattern = re.compile(re.escape(base) + r"(?:_\d+)?(?=/|$)")
        stored = dict.fromkeys(m[0] for group in self._tree.groups if (m := pattern.match(group)))
        holding = [spec for spec in specs if not _is_empty(spec)]
        if len(stored) != len(holding):
            return [f"{base}_{i}" if i else base for i in range(len(specs))]
        paths = iter(stored)
        return [base if _is_empty(spec) else next(paths) for spec in specs]

    def _labelled(self, base: str, number: int, spec: LayerSpec, names: set[str]) -> str:
        """The numbered path, or the one that carries the layer's name as its label.

        Labels of other layers than the config's say nothing: Keras itself goes by number.
        """
        path = f"{base}_{number}" if number else base
        label = self._tree.tree.label(path)
        if label is None or label == spec.name:
            return path
        pattern = re.compile(re.escape(base) + r"(_\d+)?$")
        labels = {
            label: group
            for group in self._tree.groups
            if pattern.match(group) and (label := self._tree.tree.label(group)) is not None
        }
        return labels.get(spec.name, path) if labels.keys() <= names else path

    def rest(self) -> list[str]:
        """Paths of layers' arrays nobody took."""
        return [
            g
            for g in self._tree.groups
            if g.startswith(("layers/", f"{OLD_LAYERS}/")) and g not in self._tree.taken
        ]


def _is_empty(spec: LayerSpec) -> bool:
    """Whether a layer has no arrays for sure."""
    if spec.model is not None:
        return all(_is_empty(inner) for inner in spec.model.layers)
    held = spec.config.get("layer")
    if isinstance(held, LayerSpec):
        return _is_empty(held)
    return spec.class_name in WITHOUT_ARRAYS


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


def snake_case(name: str) -> str:
    """``Conv2DTranspose`` to ``conv2d_transpose``, as Keras names paths.

    Source: keras/src/utils/naming.py ``to_snake_case``, Keras 3.15.
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _matched(
    file: str, where: str, stored: Sequence[tuple[str, Array]], shapes: Shapes
) -> dict[str, Array]:
    """Stored arrays by role.

    Raises:
        FileFormatError: the count, a name or a shape differs.
    """
    if len(stored) != len(shapes):
        raise FileFormatError(
            f"{file}: {where} needs {len(shapes)} arrays ({', '.join(shapes)}), the file "
            f"stores {len(stored)}; config and weights do not belong together"
        )
    stored = _in_order(stored, tuple(shapes))
    for (name, array), (role, shape) in zip(stored, shapes.items(), strict=True):
        fits = shape is ... or (
            len(shape) == array.ndim
            and all(
                want is None or want == got for want, got in zip(shape, array.shape, strict=True)
            )
        )
        if not fits:
            spelled = f" ({name})" if name else ""
            raise FileFormatError(
                f"{file}: {where} expects {role} of shape {shape}, the file stores "
                f"{array.shape}{spelled}; config and weights do not belong together"
            )
    return {role: array for role, (_, array) in zip(shapes, stored, strict=True)}


def _in_order(
    stored: Sequence[tuple[str, Array]], roles: tuple[str, ...]
) -> Sequence[tuple[str, Array]]:
    """Stored arrays in the order of the roles when their names are exactly the roles.

    Names settle the order where they can; a wrapper's or an old version's
    spelling that differs leaves the stored order, which Keras itself goes by.
    """
    names = [name.rsplit("/", 1)[-1].split(":")[0] for name, _ in stored]
    if sorted(names) != sorted(roles) or len(set(names)) != len(names):
        return stored
    return [stored[names.index(role)] for role in roles]
