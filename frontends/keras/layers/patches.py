"""Blocks laid out side by side: operation nodes only."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.data_format import channels_last_input, per_axis
from layergraph.frontends.keras.operands import operands
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.patches import DepthToSpace, Fold, Frames, SpaceToDepth, Unfold


def _windows(call: LayerCall) -> dict[str, Any]:
    """Options both ways have."""
    return {
        "kernel_size": per_axis(call, "kernel_size", 2),
        "strides": per_axis(call, "stride", 2),
        "dilation_rate": per_axis(call, "dilation", 2),
        "padding": per_axis(call, "padding", 2, 0),
    }


@reads("ops.Unfold", arguments=("x",))
def unfold(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``Unfold``, channels first whatever the data format."""
    return call.emit(Unfold(**_windows(call)), *operands(call, "x"))


@reads("ops.Fold", arguments=("x",))
def fold(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``Fold``, channels first whatever the data format."""
    size: Any = per_axis(call, "output_size", 2)
    return call.emit(Fold(output_size=size, **_windows(call)), *operands(call, "x"))


@reads("ops.DepthToSpace", "ops.SpaceToDepth", arguments=("x",))
def depth_and_space(call: LayerCall) -> Tensor:
    """keras/src/ops/nn.py ``DepthToSpace`` and ``SpaceToDepth``."""
    x, back = channels_last_input(call, 2)
    kind = DepthToSpace if call.spec.class_name == "DepthToSpace" else SpaceToDepth
    return call.emit(kind(block_size=call.config.int("block_size")), x, then=[back])


@reads("ops.ExtractSequences", arguments=("x",))
def extract_sequences(call: LayerCall) -> Tensor:
    """keras/src/ops/math.py ``ExtractSequences``."""
    op = Frames(
        length=call.config.int("sequence_length"), stride=call.config.int("sequence_stride")
    )
    return call.emit(op, *operands(call, "x"))
