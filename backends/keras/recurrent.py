"""Recurrent layers, one class each, and what wraps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layergraph.backends.keras.activation import option_of
from layergraph.backends.keras.gates import as_keras_2
from layergraph.backends.keras.model import Stored, Tensor
from layergraph.backends.keras.table import RefusedError, Spellings
from layergraph.backends.keras.wrapping import time_distributed
from layergraph.backends.keras.writer import Writer
from layergraph.ir.ops.recurrent import (
    GRU,
    LSTM,
    Bidirectional,
    FoldTime,
    HoldOutput,
    Recurrent,
    SimpleRNN,
    UnfoldTime,
)
from layergraph.ir.types import Array

spellings = Spellings()

CLASSES: dict[type[Recurrent], str] = {SimpleRNN: "SimpleRNN", LSTM: "LSTM", GRU: "GRU"}
SCOPES = {"SimpleRNN": "simple_rnn_cell", "LSTM": "lstm_cell", "GRU": "gru_cell"}


def frame(w: Writer, op: Recurrent, *, masked: bool, begun: bool) -> dict[str, Any]:
    """Options of a recurrent layer beside its cell.

    Args:
        masked: it is given a mask.
        begun: it is given initial states.
    """
    if op.outputs_states and masked:
        raise RefusedError(
            "a masked step outputs the state it keeps, as in Keras before 2.2.5; later Kerases "
            "repeat the output before it"
        )
    if op.stateful and begun and op.kept_first == w.keras3:
        raise RefusedError(
            "it is stateful and given initial states: Keras 2 begins with the states it kept, "
            "Keras 3 with those given"
        )
    config = {
        "return_sequences": op.return_sequences,
        "return_state": op.return_state,
        "go_backwards": op.go_backwards,
        "stateful": bool(op.stateful),
        "unroll": False,
    }
    if op.zero_output_for_mask:
        config["zero_output_for_mask"] = True
    return config


def cell(w: Writer, op: Recurrent, recurrent_kernel: Array, bias: Array | None) -> dict[str, Any]:
    """Options of a layer's cell."""
    config: dict[str, Any] = {
        "units": recurrent_kernel.shape[0],
        "activation": option_of(w, getattr(op, "activation", None), "its activation"),
        "use_bias": bias is not None,
    }
    if isinstance(op, (LSTM, GRU)):
        gates = option_of(w, op.recurrent_activation, "its recurrent activation")
        config["recurrent_activation"] = gates
    if isinstance(op, GRU):
        config["reset_after"] = op.reset_after
    return {**config, **initialised(w)}


def initialised(w: Writer) -> dict[str, str]:
    """Options so that Keras can make the layer before it loads its weights.

    Kerases begin with orthogonal recurrent kernels, and TensorFlow makes none of bfloat16.
    """
    halves = "bfloat16" in w.policy()
    return {"recurrent_initializer": "glorot_uniform"} if halves else {}


def arrays_of(name: str, held: Mapping[str, Array], side: str = "") -> list[Stored]:
    """A cell's arrays, in Keras' order."""
    place, scope = "cell", SCOPES[name]
    if side:
        place, scope = f"{side}_layer/cell", f"{side}_{name.lower()}/{scope}"
    roles = ("kernel", "recurrent_kernel", "bias")
    return [Stored(role, held[role], place, scope) for role in roles if role in held]


def called(
    w: Writer, x: Tensor | Array, mask: Any, initial: tuple[Any, ...]
) -> tuple[Any, Tensor | None, dict[str, Any]]:
    """First argument, mask and further arguments of a call."""
    sequence = w.tensor(x)
    states = [w.tensor(s, "its initial state") for s in initial]
    given = None if mask is None else w.tensor(mask, "its mask")
    if given is None:
        sequence = w.bare(sequence)
    if not states:
        return sequence, given, {}
    if w.keras3:
        return sequence, given, {"initial_state": states}
    return [sequence, *states], given, {}


@spellings.spells(SimpleRNN, LSTM, GRU)
def recurrent(
    w: Writer,
    op: Recurrent,
    x: Tensor,
    mask: Tensor | None = None,
    *initial_state: Tensor,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array | None = None,
) -> Any:
    """SimpleRNN, LSTM, GRU."""
    name = CLASSES[type(op)]
    held = {"kernel": kernel, "recurrent_kernel": recurrent_kernel}
    if bias is not None:
        held["bias"] = bias
    if not w.keras3:
        op, held = as_keras_2(w, op, held)
    config = frame(w, op, masked=mask is not None, begun=bool(initial_state))
    first, given, kwargs = called(w, x, mask, initial_state)
    return w.layer(
        name, first, mask=given, kwargs=kwargs,
        arrays=arrays_of(name, held),
        masking="pass" if op.return_sequences else "drop",
        **cell(w, op, recurrent_kernel, bias), **config,
    )  # fmt: skip


@spellings.spells(Bidirectional)
def bidirectional(
    w: Writer,
    op: Bidirectional,
    x: Tensor,
    mask: Tensor | None = None,
    *initial_state: Tensor,
    **params: Array,
) -> Any:
    """Two layers over one input."""
    first, given, kwargs = called(w, x, mask, initial_state)
    inner, arrays = {}, []
    for side, held in (("forward", op.forward), ("backward", op.backward)):
        own = {r.removeprefix(f"{side}_"): a for r, a in params.items() if r.startswith(side)}
        if not w.keras3:
            held, own = as_keras_2(w, held, own)
        name, bias = CLASSES[type(held)], own.get("bias")
        config = frame(w, held, masked=mask is not None, begun=bool(initial_state))
        forced = held.zero_output_for_mask == held.return_sequences
        if mask is not None and not forced:
            raise RefusedError("Bidirectional makes its layers output zeros for masked steps")
        config.pop("zero_output_for_mask", None)
        config.update(cell(w, held, own["recurrent_kernel"], bias))
        stored = arrays_of(name, own, side)
        config = {"name": f"{side}_{name.lower()}", "dtype": w.policy(stored), **config}
        inner[side] = w.dialect.inner(name, config)
        arrays += stored
    return w.layer(
        "Bidirectional", first, mask=given, kwargs=kwargs, arrays=arrays,
        masking="pass" if op.forward.return_sequences else "drop",
        merge_mode=op.merge_mode, layer=inner["forward"], backward_layer=inner["backward"],
    )  # fmt: skip


spellings.regroups("TimeDistributed")(time_distributed)
spellings.refuses(
    HoldOutput, "Keras holds the output of masked steps within a recurrent layer only"
)
spellings.refuses(FoldTime, "it is no TimeDistributed of one layer or model")
spellings.refuses(UnfoldTime, "it is no TimeDistributed of one layer or model")
