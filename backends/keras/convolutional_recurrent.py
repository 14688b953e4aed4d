"""ConvLSTM1D, ConvLSTM2D, ConvLSTM3D."""

from __future__ import annotations

from typing import Any

from layergraph.backends.keras.activation import option_of
from layergraph.backends.keras.gates import as_keras_2
from layergraph.backends.keras.model import Stored, Tensor
from layergraph.backends.keras.recurrent import called, frame, initialised
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.writer import Writer
from layergraph.ir.ops.convolutional_recurrent import ConvLSTM
from layergraph.ir.types import Array

spellings = Spellings()


@spellings.spells(ConvLSTM)
def conv_lstm(
    w: Writer,
    op: ConvLSTM,
    x: Tensor,
    mask: Tensor | None = None,
    *initial_state: Tensor,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
) -> Any:
    """A class for each rank."""
    rank = len(op.strides)
    if not 1 <= rank <= 3:
        raise RefusedError(f"there is no ConvLSTM of {rank} spatial axes")
    if op.zero_output_for_mask and mask is not None and not w.keras3:
        raise RefusedError("it outputs zeros for masked steps, which Keras 2's does not heed")
    config = frame(w, op, masked=mask is not None, begun=bool(initial_state))
    config.pop("unroll")
    config |= initialised(w)
    first, given, kwargs = called(w, x, mask, initial_state)
    scope = f"conv_lstm_cell{rank}d" if w.keras3 else f"conv_lstm{rank}d_cell"
    held = {"kernel": kernel, "recurrent_kernel": recurrent_kernel}
    if bias is not None:
        held["bias"] = bias
    if not w.keras3:
        op, held = as_keras_2(w, op, held)
    return w.layer(
        f"ConvLSTM{rank}D", first, mask=given, kwargs=kwargs,
        arrays=[Stored(role, array, "cell", scope) for role, array in held.items()],
        masking="pass" if op.return_sequences else "drop",
        filters=recurrent_kernel.shape[-2], kernel_size=list(kernel.shape[:-2]),
        strides=list(op.strides), padding=op.padding, data_format="channels_last",
        dilation_rate=list(op.dilation_rate), use_bias=bias is not None,
        activation=option_of(w, op.activation, "its activation"),
        recurrent_activation=option_of(w, op.recurrent_activation, "its recurrent activation"),
        **config,
    )  # fmt: skip
