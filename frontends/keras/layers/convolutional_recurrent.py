"""ConvLSTM1D, ConvLSTM2D, ConvLSTM3D."""

from __future__ import annotations

from typing import Any

from layergraph.frontends.keras.layer import LayerCall, Tensor
from layergraph.frontends.keras.layers.activation import pointwise
from layergraph.frontends.keras.layers.cells import SAME_IN_TRAINING_ONLY, frame_of, mask_of
from layergraph.frontends.keras.layers.data_format import channels_first
from layergraph.frontends.keras.layers.recurrent import ARGUMENTS, sequence_of
from layergraph.frontends.keras.registry import reads
from layergraph.ir.ops.convolutional_recurrent import ConvLSTM
from layergraph.ir.ops.shape import Transpose


@reads("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", masking="own", arguments=ARGUMENTS)
def conv_lstm(call: LayerCall) -> Any:
    """keras/src/layers/rnn/conv_lstm.py."""
    config, rank = call.config, int(call.spec.class_name[-2])
    x, initial = sequence_of(call)
    mask = mask_of(call, x)
    # tf-keras has the option and does not heed it.
    ignored = config.take("zero_output_for_mask", False) == "ignored"
    frame = frame_of(call, zero_output_for_mask=False if ignored else None)
    if None in (spatial := x.shape[2:-1]) and frame.stateful:
        raise call.refusal(f"it is stateful and its images have unknown sizes {spatial}")
    first = channels_first(call)
    if first:
        x = _last(call, x, 2, "channels_last")
        initial = [_last(call, s, 1, f"state_{i}_last") for i, s in enumerate(initial)]
    filters, sizes = config.int("filters"), config.ints("kernel_size", rank)
    params = call.weights(
        "cell",
        kernel=(*sizes, x.shape[-1], 4 * filters),
        recurrent_kernel=(*sizes, filters, 4 * filters),
        bias=(4 * filters,) if config.bool("use_bias", True) else None,
    )
    config.ignore(*SAME_IN_TRAINING_ONLY)
    op = ConvLSTM(
        strides=config.ints("strides", rank, 1),
        padding=config.choice("padding", ("valid", "same"), "valid"),
        dilation_rate=config.ints("dilation_rate", rank, 1),
        activation=pointwise(call, "activation", "tanh"),
        recurrent_activation=pointwise(call, "recurrent_activation", "sigmoid"),
        **frame.options(call.layer.state_name),
    )
    part = "channels_last_output" if first else ""
    y, *states = call.emit_all(op, x, mask, *initial, params=params, part=part)
    if first:
        states = [_first(call, s, 1, f"state_{i}") for i, s in enumerate(states)]
        y = _first(call, y, 2 if frame.return_sequences else 1, "")
    y = y.masked(x.mask if frame.return_sequences else None)
    return [y, *states] if states else y


def _last(call: LayerCall, x: Tensor, axis: int, part: str) -> Tensor:
    """Channels from an axis to the end."""
    kept = [a for a in range(len(x.shape)) if a != axis]
    return call.emit(Transpose(axes=(*kept, axis)), x, part=part).masked(x.mask)


def _first(call: LayerCall, x: Tensor, axis: int, part: str) -> Tensor:
    """Channels from the end to an axis."""
    order = list(range(len(x.shape) - 1))
    order.insert(axis, len(x.shape) - 1)
    return call.emit(Transpose(axes=tuple(order)), x, part=part)
