"""Numbers in regular order: operation nodes only."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.operands import listed, operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.creation import Linspace, Meshgrid, Vander

SPACING: dict[str, Any] = {"Linspace": "linear", "Logspace": "log", "Geomspace": "geometric"}


@reads(*(f"ops.{name}" for name in SPACING), arguments=("start", "stop"))
def linspace(call: LayerCall) -> Any:
    """keras/src/ops/numpy.py ``Linspace`` and its kin."""
    op = Linspace(
        num=call.config.int("num", 50),
        axis=call.config.int("axis", 0),
        endpoint=call.config.bool("endpoint", True),
        dtype=call.config.take("dtype", None),
        step=call.config.bool("retstep", False),
        spacing=SPACING[call.spec.class_name],
        base=call.config.float("base", 10),
    )
    found = call.emit_all(op, *operands(call, "start", "stop"))
    return list(found) if op.step else found[0]


@reads("ops.Meshgrid", arguments=("x", "*"))
def meshgrid(call: LayerCall) -> list[Tensor]:
    """keras/src/ops/numpy.py ``Meshgrid``."""
    given = call.argument("x")
    values = [given] if isinstance(given, Tensor) else listed(call, "x")
    indexing: Any = call.config.choice("indexing", ("xy", "ij"), "xy")
    return list(call.emit_all(Meshgrid(indexing=indexing), *values))


@reads("ops.Vander", arguments=("x",))
def vander(call: LayerCall) -> Tensor:
    """keras/src/ops/numpy.py ``Vander``."""
    count = call.config.take("N", None)
    op = Vander(
        count=None if count is None else call.config.int("N"),
        increasing=call.config.bool("increasing", False),
    )
    return call.emit(op, *operands(call, "x"))
