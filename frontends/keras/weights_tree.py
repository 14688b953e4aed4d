"""Arrays by path, as ``.keras`` archives and ``.weights.h5`` files keep them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from layergraph.frontends.keras.files import VariableTree
from layergraph.frontends.keras.matching import Shapes, matched
from layergraph.frontends.keras.registry import FAMILIES
from layergraph.frontends.keras.spec import LayerSpec, ModelSpec, Rearrange
from layergraph.ir.types import Array

if TYPE_CHECKING:
    from layergraph.frontends.keras.weights import LayerWeights

OLD_LAYERS = "_layer_checkpoint_dependencies"
"""What ``layers`` is called in archives of TensorFlow 2.12 to 2.14."""

WITHOUT_ARRAYS = frozenset(
    name
    for family in ("elementwise", "image", "merge", "pooling", "shape")
    for name in FAMILIES[family].split()
) | {"Activation", "ELU", "InputLayer", "LeakyReLU", "ReLU", "Softmax", "ThresholdedReLU"}
"""Classes whose layers have no arrays."""


class Tree:
    """The variable tree, what has been read of it, and arrays of shared layers."""

    def __init__(self, file: str, tree: VariableTree) -> None:
        self.file = file
        self.tree = tree
        self.groups = tree.groups()
        self.taken: set[str] = set()
        self.by_layer: dict[tuple[object, ...], dict[str, Array]] = {}
        self.places: dict[str, dict[str, None]] = {}
        """Paths under which layers of a name may be stored, of all models in the file."""

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

    def __init__(
        self, tree: Tree, path: str, layer: str, owner: tuple[str, str] | None = None
    ) -> None:
        self._tree = tree
        self._path = path
        self._layer = layer
        self._owner = owner or (layer, path)
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
        if not found and shapes:
            if key in self._tree.by_layer:
                return self._tree.by_layer[key]
            for path in self._elsewhere():
                if found := self._tree.tree.variables(path):
                    self._tree.taken.add(path)
                    break
        if rearrange is not None and found:
            found = rearrange(list(found), shapes)[1]
        where = f"layer {self._layer!r} (path {self._path!r})"
        taken = matched(self._tree.file, where, [("", a) for a in found], shapes)
        self._tree.taken.add(self._path)
        if shapes:
            self._tree.by_layer.setdefault(key, taken)
        return taken

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
        paths = (self._path, *self._elsewhere())
        found = (self._tree.tree.asset(path, name) for path in paths)
        return next((text for text in found if text is not None), None)

    def _elsewhere(self) -> list[str]:
        """This place below the other paths of layers of the name: a shared layer has but one."""
        name, path = self._owner
        below = self._path[len(path) :]
        return [f"{p}{below}" for p in self._tree.places.get(name, ()) if p != path]

    def child(self, *attributes: str) -> LayerWeights:
        """The path of an attribute."""
        paths = [f"{self._path}/{attribute}" for attribute in attributes]
        path = next((p for p in paths if self._tree.exists(p)), paths[0])
        return TreeWeights(self._tree, path, f"{self._layer}/{attributes[0]}", self._owner)

    def layers(self, model: ModelSpec) -> dict[str, LayerWeights]:
        """Paths of a model's layers: snake-cased class names, numbered a class."""
        members: dict[str, list[LayerSpec]] = {}
        for spec in model.layers:
            if not spec.is_operation and not (
                model.kind == "sequential" and spec.class_name == "InputLayer"
            ):
                members.setdefault(self._stored_class(model, spec), []).append(spec)
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
                place = found[spec.name] = TreeWeights(self._tree, path, spec.name)
                self._tree.places.setdefault(spec.name, {}).setdefault(path)
                if spec.model is not None:
                    # Whichever of its models Keras visits first holds a shared layer's arrays.
                    place.layers(spec.model)
        return found

    def _stored_class(self, model: ModelSpec, spec: LayerSpec) -> str:
        """The class in a layer's path: as the file's config spells it, or by its one name.

        Keras 3 may spell a class by an alias, whose paths bear its Python name all the same.
        """
        written = snake_case(spec.written)
        base = f"{self._path}/{model.folder}/{written}".lstrip("/")
        return written if written and self._tree.exists(base) else snake_case(spec.class_name)

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


def snake_case(name: str) -> str:
    """``Conv2DTranspose`` to ``conv2d_transpose``, as Keras names paths.

    Source: keras/src/utils/naming.py ``to_snake_case``, Keras 3.15.
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
