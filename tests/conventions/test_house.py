"""The rules the house keeps: rooms, imports, names, registries, file sizes."""

from __future__ import annotations

import ast
import configparser
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import layergraph as lg
from files import GOLDEN
from layergraph.frontends.keras import registry
from layergraph.ir.op import FAMILIES, Constant, Input, Op, signature

ROOT = GOLDEN.parents[1]
ROOMS = ("ir", "frontends", "backends", "tools")
SOURCES = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))
OP_FAMILIES = {family: import_module(f"layergraph.ir.ops.{family}") for family in FAMILIES}


def operators() -> list[type[Op]]:
    """Every concrete operator."""
    found = [
        item
        for module in OP_FAMILIES.values()
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Op) and item.__module__ == module.__name__
    ]
    return [op for op in found if not any(op in other.__bases__ for other in found)]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "room",
    [
        "ir/ops/{}.py",
        "frontends/keras/layers/{}.py",
        "backends/numpy/{}.py",
        "backends/keras/{}.py",
        "backends/onnx/{}.py",
        "tests/parity/test_{}.py",
    ],
)
def test_a_family_has_its_file_in_every_room(family: str, room: str) -> None:
    assert (ROOT / room.format(family)).is_file()


def test_no_family_is_missing_from_the_list() -> None:
    assert sorted(FAMILIES) == sorted(p.stem for p in (ROOT / "ir/ops").glob("[a-z]*.py"))


@pytest.mark.parametrize("op", operators(), ids=lambda op: op.__name__)
def test_every_operator_has_a_kernel_and_a_source(op: type[Op]) -> None:
    family = op.__module__.rpartition(".")[2]
    kernels = import_module(f"layergraph.backends.numpy.{family}").kernels
    assert op in kernels.prepare
    assert op.__doc__ is not None
    inherited = any("Source:" in (base.__doc__ or "") for base in op.__mro__)
    assert inherited, f"{op.__name__} does not say where its formula comes from"
    assert signature(op).inputs or signature(op).variadic


def test_every_kernel_has_an_operator() -> None:
    for family in FAMILIES:
        kernels = import_module(f"layergraph.backends.numpy.{family}").kernels
        assert {op.__module__ for op in kernels.prepare} == {f"layergraph.ir.ops.{family}"}


@pytest.mark.parametrize(
    "family", sorted({*registry.FAMILIES, *registry.OPERATIONS, *registry.TENSORFLOW})
)
def test_registry_lists_what_the_files_read(family: str) -> None:
    import_module(f"layergraph.frontends.keras.layers.{family}")
    module = f"layergraph.frontends.keras.layers.{family}"
    read = {n for n, r in registry.READERS.items() if r.function.__module__ == module}
    operations = [f"ops.{n}" for n in registry.OPERATIONS.get(family, "").split()]
    functions = [f"tf.{n}" for n in registry.TENSORFLOW.get(family, "").split()]
    assert read == {*registry.FAMILIES.get(family, "").split(), *operations, *functions}


# --- imports ---------------------------------------------------------------------------

HEAVY = {"tensorflow", "tf_keras", "keras", "torch"}
MAY_IMPORT = {
    "ir": {"numpy", "networkx", "safetensors", "ml_dtypes"},
    "frontends": {"numpy", "h5py"},
    "backends": {"numpy", "h5py", "onnx", "onnxruntime"},
    "tools": {"numpy", "safetensors", "rich"},
}
"""Besides the standard library; what a room may use of layergraph follows."""

MAY_USE = {
    "ir": ("layergraph.ir",),
    "frontends": ("layergraph.ir", "layergraph.frontends"),
    "backends": ("layergraph.ir", "layergraph.backends"),
    "tools": ("layergraph",),
}

ASKED_FOR = {
    # The interpreter takes the path of a file; it asks the public face to load it.
    "backends/numpy/interpreter.py": {"layergraph"},
    # A bar, where there is a terminal.
    "backends/numpy/progress.py": {"rich.console", "rich.progress"},
    # Live Keras is what the benchmark compares with.
    "tools/bench/prepare.py": {"keras"},
    "tools/bench/worker.py": {"tensorflow", "keras", "jax", "onnx.reference", "onnxruntime"},
    "tools/bench/plot.py": {"matplotlib.figure"},
    # Others' converters, measured beside ours.
    "tools/conversion_table.py": {"keras", "tf2onnx", "onnx"},
    # A live Keras model is one of the things that can be compared.
    "tools/comparison/live.py": {"tensorflow", "tf_keras", "keras"},
    "tools/comparison/cost.py": {"keras"},
    # Extras, imported when asked for.
    "tools/comparison/plot.py": {"matplotlib.figure"},
    "tools/evaluate.py": {"sklearn.metrics", "pyarrow", "pyarrow.parquet"},
    "tools/estimator.py": {"sklearn.base", "sklearn.utils.multiclass", "sklearn.utils.validation"},
    # pytest itself loads it.
    "tools/pytest_plugin.py": {"pytest"},
}


def imported(path: Path) -> Iterator[str]:
    """Modules a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield str(node.module)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_point_one_way(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    room = name.split("/")[0]
    for module in set(imported(path)) - ASKED_FOR.get(name, set()):
        top = module.split(".")[0]
        if top == "layergraph":
            allowed = any(module == m or module.startswith(f"{m}.") for m in MAY_USE[room])
        else:
            allowed = top in sys.stdlib_module_names or top in MAY_IMPORT[room]
        assert allowed, f"{name} must not import {module}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_of_readable_size(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 450
    if path.name != "__init__.py" or lines:
        assert ast.get_docstring(ast.parse("\n".join(lines))), "a file says what it is for"


# --- packaging and names ---------------------------------------------------------------


def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def test_packages_are_the_folders() -> None:
    listed = setup()["options"]["packages"].split()
    folders = [
        "layergraph." + ".".join(p.parent.relative_to(ROOT).parts)
        for p in SOURCES
        if p.name == "__init__.py"
    ]
    assert sorted(listed) == sorted({"layergraph", *folders})


def test_links_lead_to_the_rooms() -> None:
    for room in ROOMS:
        link = ROOT / "src" / "layergraph" / room
        assert link.is_symlink()
        assert link.resolve() == ROOT / room


def test_version_stands_in_one_more_place_only() -> None:
    assert setup()["metadata"]["version"] == lg.__version__
    assert f"## {lg.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_public_names() -> None:
    assert sorted(lg.__all__) == lg.__all__
    for name in lg.__all__:
        assert getattr(lg, name).__doc__, f"{name} has no docstring"
    assert set(lg.__all__) <= set(dir(lg))
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        lg.nope  # noqa: B018


def test_runtime_dependencies_have_a_reason() -> None:
    listed = re.findall(r"^\s*([a-z0-9]+)[>=]", setup()["options"]["install_requires"], re.M)
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert listed
    for name in listed:
        assert re.search(rf"^\| {name} \| \S", text, re.M), f"{name} has no reason"


def test_input_and_constant_are_the_only_operators_without_a_family() -> None:
    families = {op.__module__ for op in operators()}
    assert Input.__module__ == Constant.__module__ == "layergraph.ir.op"
    assert "layergraph.ir.op" not in families


@pytest.mark.parametrize("op", operators(), ids=lambda op: op.__name__)
def test_every_operator_is_spelled_in_onnx_or_refused(op: type[Op]) -> None:
    family = op.__module__.rpartition(".")[2]
    spellings = import_module(f"layergraph.backends.onnx.{family}").spellings
    assert (op in spellings.entries) != (op in spellings.refused)


@pytest.mark.parametrize("op", operators(), ids=lambda op: op.__name__)
def test_every_operator_is_spelled_in_keras_or_refused(op: type[Op]) -> None:
    family = op.__module__.rpartition(".")[2]
    spellings = import_module(f"layergraph.backends.keras.{family}").spellings
    assert (op in spellings.entries) != (op in spellings.refused)
