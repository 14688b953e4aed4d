"""Layers that the caller computes in Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from layergraph.ir.op import Op
from layergraph.ir.types import Shape, TensorType


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Op):
    """A Python function that stands in for a layer.

    Inputs: the layer's tensors, flat, then the mask where ``masked``.
    Parameters: the layer's arrays, by the names they have in the file.
    Source: the caller; see ``LayerFunction`` in ``ir/foreign.py``.

    Attributes:
        key: name the function was found under, and is found under again when
            an IR file is read.
        arguments: how the layer is called, as JSON; ``{"tensor": i}`` stands
            for input ``i``.
        config: the layer's options as JSON.
        masked: whether the last input is the mask.
        shapes, dtypes: types of the outputs.
        function: the function; ``None`` in a graph that came from an IR file
            and was not bound.
    """

    key: str
    arguments: str = "{}"
    config: str = "{}"
    masked: bool = False
    shapes: tuple[Shape, ...]
    dtypes: tuple[str, ...]
    function: Callable[..., Any] | None = field(
        default=None, compare=False, repr=False, metadata={"stored": False}
    )

    def infer(self, *inputs: TensorType, **weights: TensorType) -> tuple[TensorType, ...]:
        """The stated types."""
        return tuple(TensorType(s, d) for s, d in zip(self.shapes, self.dtypes, strict=True))
