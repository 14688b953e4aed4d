"""Run and convert saved Keras models without TensorFlow.

import layergraph as lg
interp = lg.Interpreter("model.keras")
y = interp(x)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from layergraph.api import convert, load, save
    from layergraph.backends.numpy.interpreter import Interpreter
    from layergraph.ir.errors import (
        FileFormatError,
        GraphError,
        InputError,
        KernelError,
        LayerGraphError,
        UnsupportedError,
    )
    from layergraph.ir.foreign import LayerFunction, LayerReader, register
    from layergraph.ir.graph import Graph
    from layergraph.ir.surgery import extract, split
    from layergraph.tools.comparison.compare import compare

__version__ = "0.1.0"

__all__ = [
    "FileFormatError",
    "Graph",
    "GraphError",
    "InputError",
    "Interpreter",
    "KernelError",
    "LayerFunction",
    "LayerGraphError",
    "LayerReader",
    "UnsupportedError",
    "compare",
    "convert",
    "extract",
    "load",
    "register",
    "save",
    "split",
]

_HOMES = {
    "Graph": "layergraph.ir.graph",
    "Interpreter": "layergraph.backends.numpy.interpreter",
    "LayerFunction": "layergraph.ir.foreign",
    "LayerReader": "layergraph.ir.foreign",
    "compare": "layergraph.tools.comparison.compare",
    "convert": "layergraph.api",
    "extract": "layergraph.ir.surgery",
    "load": "layergraph.api",
    "register": "layergraph.ir.foreign",
    "save": "layergraph.api",
    "split": "layergraph.ir.surgery",
}


def __getattr__(name: str) -> Any:
    # Imported on first use: `import layergraph` alone costs next to nothing.
    if name not in __all__:
        raise AttributeError(f"module 'layergraph' has no attribute {name!r}")
    found = getattr(import_module(_HOMES.get(name, "layergraph.ir.errors")), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
