"""What the documents say is so: examples run, commands exist, the page on operators works."""

from __future__ import annotations

import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from files import GOLDEN
from layergraph.tools.cli import _parser

ROOT = GOLDEN.parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {p.name: p.read_text("utf-8") for p in sorted((ROOT / "docs").glob("*.md"))}
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MODULES = [
    ".".join(("layergraph", *path.relative_to(ROOT).with_suffix("").parts))
    for room in ("ir", "frontends", "backends", "tools")
    for path in sorted((ROOT / room).rglob("*.py"))
]  # fmt: skip


@pytest.mark.parametrize("name", ["layergraph", "layergraph.api", *MODULES])
def test_examples_in_docstrings(name: str) -> None:
    assert doctest.testmod(import_module(name.removesuffix(".__init__"))).failed == 0


def blocks(text: str, language: str) -> list[str]:
    """Fenced code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def test_python_in_the_readme_runs(tmp_path: Path, monkeypatch: Any) -> None:
    from layergraph.tools.demo import model_path

    shutil.copy(model_path(), tmp_path / "cnn.h5")
    monkeypatch.chdir(tmp_path)
    found = blocks(README, "python")
    assert found
    for block in found:
        exec(compile(block, "README.md", "exec"), {})


@pytest.mark.parametrize("page", PAGES)
def test_python_in_the_pages_runs(page: str, monkeypatch: Any) -> None:
    from layergraph.ir import foreign

    monkeypatch.setattr(foreign, "REGISTERED", {})
    for block in blocks(PAGES[page], "python"):
        exec(compile(block, page, "exec"), {})


def test_commands_in_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    for text in (README, CONTRIBUTING, *PAGES.values()):
        named = set(re.findall(r"\bmake ([a-z-]+)", text))
        assert named <= targets, f"no such target: {named - targets}"
    lines = [line for block in blocks(README, "sh") for line in block.splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines]
    ours = [c[1:] for c in commands if c and c[0] == "layergraph"]
    assert ours
    for arguments in ours:
        _parser().parse_args(arguments)


def test_links_in_the_documents_lead_somewhere() -> None:
    pages = [(ROOT, README), (ROOT, CONTRIBUTING), *((ROOT / "docs", t) for t in PAGES.values())]
    for folder, text in pages:
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            if "://" not in target:
                assert (folder / target).exists(), target


SOFTSIGN2 = """
import importlib.util
import sys
import numpy as np
import layergraph as lg

graph = lg.load(sys.argv[1])
(node,) = [n for n in graph if type(n.op).__name__ == "Softsign2"]
x = np.linspace(-3, 3, 12, dtype=np.float32).reshape(3, 4)
before = x @ graph["first"].params["kernel"] + graph["first"].params["bias"]
want = before / (2 + np.abs(before))
for optimize in (True, False):
    interp = lg.Interpreter(graph, optimize=optimize)
    assert np.allclose(interp(x), want, atol=1e-6)
assert [n.name for n in lg.Interpreter(graph).graph.layers] == [node.name]
lg.save(graph, sys.argv[1] + ".lg")
assert str(lg.load(sys.argv[1] + ".lg")) == str(graph)
for target in ("m.keras", "m.h5"):
    lg.convert(sys.argv[1], sys.argv[1] + target)
    assert np.allclose(lg.Interpreter(sys.argv[1] + target)(x), want, atol=1e-6)
if importlib.util.find_spec("onnx") and importlib.util.find_spec("onnxruntime"):
    assert np.allclose(lg.Interpreter(graph, backend="onnxruntime")(x), want, atol=1e-6)
print("followed")
"""


def softsign2_model(path: Path) -> Path:
    """A Keras file with the layer the page adds."""
    layers: list[dict[str, Any]] = [
        {"class_name": "Dense", "config": {"name": "first", "units": 5}},
        {"class_name": "Softsign2", "config": {"name": "softsign2"}},
    ]
    layers[0]["config"]["batch_input_shape"] = [None, 4]
    with h5py.File(path, "w") as file:
        config = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.9.0"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = ["first", "softsign2"]
        group.create_group("softsign2").attrs["weight_names"] = np.array([], "S1")
        first = group.create_group("first")
        first.attrs["weight_names"] = ["kernel:0", "bias:0"]
        first["kernel:0"] = np.linspace(-1, 1, 20, dtype="f4").reshape(4, 5)
        first["bias:0"] = np.linspace(1, -1, 5, dtype="f4")
    return path


def test_the_page_on_adding_an_operator(tmp_path: Path) -> None:
    for name in ("ir", "frontends", "backends", "tools", "src"):
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True)
    steps = re.findall(r"^```python file=(\S+)\n(.*?)^```", CONTRIBUTING, re.M | re.S)
    assert len(steps) == 5
    for file, code in steps:
        with (tmp_path / file).open("a", encoding="utf-8") as stream:
            stream.write("\n\n" + code)
    registry = tmp_path / "frontends/keras/registry.py"
    text = registry.read_text(encoding="utf-8")
    line = '"activation": (\n        "'
    assert line in text
    registry.write_text(text.replace(line, line + "Softsign2 "), encoding="utf-8")
    model = softsign2_model(tmp_path / "model.h5")
    done = subprocess.run(
        [sys.executable, "-c", SOFTSIGN2, str(model)],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
    )  # fmt: skip
    assert done.stdout == "followed\n", done.stderr
