"""What ONNX cannot hold, whatever the operator."""

from __future__ import annotations

from collections.abc import Iterable

from layergraph.ir.errors import Unsupported, UnsupportedError
from layergraph.ir.graph import Node


def refuse_bfloat16(nodes: Iterable[Node]) -> None:
    """Refuse a graph that computes in bfloat16.

    Raises:
        UnsupportedError: names the first node that does.
    """
    found = next((n for n in nodes if any(t.dtype == "bfloat16" for t in n.types)), None)
    if found is not None:
        source = found.sources[0] if found.sources else None
        item = Unsupported(
            found.name,
            source.class_name if source else type(found.op).__name__,
            "it computes in bfloat16, which many of ONNX' operators and runtimes lack",
            'convert it in another dtype: --dtype float32, dtype="float32"',
        )
        raise UnsupportedError([item])
