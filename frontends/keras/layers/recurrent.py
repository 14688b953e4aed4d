"""Recurrent layers, Bidirectional, TimeDistributed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from layergraph.frontends.keras.layer import Layer, LayerCall, Tensor, map_tensors, tensors_in
from layergraph.frontends.keras.layers.activation import pointwise
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.spec import LayerSpec
from layergraph.frontends.keras.weights import snake_case
from layergraph.ir.ops.recurrent import (
    GRU,
    LSTM,
    Bidirectional,
    FoldTime,
    Recurrent,
    SimpleRNN,
    UnfoldTime,
)
from layergraph.ir.types import Shape

KINDS: dict[str, type[Recurrent]] = {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}

ARGUMENTS = ("sequence", "initial_state", "mask")


def _operator(call: LayerCall) -> tuple[Recurrent, int, bool]:
    """The operator of a recurrent layer's config, its units, and whether it has a bias."""
    config, kind = call.config, KINDS[call.spec.class_name]
    config.ignore("dropout", "recurrent_dropout", "unroll", "unit_forget_bias", "units")
    config.ignore("implementation", "input_length", "input_dim")
    if config.bool("stateful", False):
        raise call.refusal(
            "stateful=True keeps its state between calls, which is not supported yet",
            "save the model with stateful=False and feed whole sequences",
        )
    options: dict[str, Any] = {
        "activation": pointwise(call, "activation", "tanh"),
        "return_sequences": config.bool("return_sequences", False),
        "return_state": config.bool("return_state", False),
        "go_backwards": config.bool("go_backwards", False),
        "zero_output_for_mask": config.bool("zero_output_for_mask", False),
    }
    if kind is not SimpleRNN:
        options["recurrent_activation"] = pointwise(call, "recurrent_activation", "sigmoid")
    if kind is GRU:
        options["reset_after"] = config.bool("reset_after", False)
    return kind(**options), config.int("units"), config.bool("use_bias", True)


def _shapes(
    op: Recurrent, features: int | None, units: int, use_bias: bool
) -> dict[str, Shape | None]:
    """Parameter shapes by role."""
    width = units * op.gates
    bias: Shape = (2, width) if isinstance(op, GRU) and op.reset_after else (width,)
    return {
        "kernel": (features, width),
        "recurrent_kernel": (units, width),
        "bias": bias if use_bias else None,
    }


def _sequence(call: LayerCall) -> tuple[Tensor, list[Tensor]]:
    """The sequence, and initial states from the argument or from further inputs."""
    first, *more = call.inputs()
    return first, [*more, *tensors_in(call.argument("initial_state"))]


@reads("SimpleRNN", "LSTM", "GRU", masking="own", arguments=ARGUMENTS)
def recurrent(call: LayerCall) -> Any:
    """keras/src/layers/rnn/{simple_rnn,lstm,gru}.py."""
    op, units, use_bias = _operator(call)
    x, initial = _sequence(call)
    params = call.weights("cell", **_shapes(op, x.shape[-1], units, use_bias))
    y, *states = call.emit_all(op, x, x.mask, *initial, params=params)
    y = y.masked(x.mask if op.return_sequences else None)
    return [y, *states] if states else y


@reads("Bidirectional", masking="own", arguments=ARGUMENTS)
def bidirectional(call: LayerCall) -> Any:
    """keras/src/layers/rnn/bidirectional.py.

    Keras makes both layers put zeros where the mask is off, whatever their own
    config says, when sequences are returned.
    """
    config = call.config
    x, initial = _sequence(call)
    mode = config.take("merge_mode", "concat")
    if mode not in ("concat", "sum", "mul", "ave", None):
        raise call.refusal(f"merge_mode={mode!r} is not one of Keras")
    config.ignore("num_constants", "stateful")
    zeros = config.bool("zero_output_for_mask", True)
    forward = config.take("layer", None) or config.take("forward_layer")
    backward = config.take("backward_layer", None)
    sides = {"forward": forward, "backward": backward or forward}
    ops: dict[str, Recurrent] = {}
    params: dict[str, Any] = {}
    for side, spec in sides.items():
        ops[side], arrays = _side(call, side, spec, x, zeros)
        params.update({f"{side}_{role}": array for role, array in arrays.items()})
    if backward is None:
        ops["backward"] = replace(ops["backward"], go_backwards=not ops["forward"].go_backwards)
    op = Bidirectional(merge_mode=mode, **ops)
    found = call.emit_all(op, x, x.mask, *initial, params=params)
    return _outputs(op, found, x)


def _side(
    call: LayerCall, side: str, spec: Any, x: Tensor, zeros: bool
) -> tuple[Recurrent, dict[str, Any]]:
    """Operator and parameters of one direction."""
    if not isinstance(spec, LayerSpec) or spec.class_name not in KINDS:
        shown = spec.class_name if isinstance(spec, LayerSpec) else spec
        raise call.refusal(f"it wraps {shown}, only {', '.join(KINDS)} are supported")
    child = call.layer.child(spec, f"{side}_layer")
    inner = LayerCall(child, {})
    op, units, use_bias = _operator(inner)
    inner.done()
    # Within an LSTM's list of arrays forward comes first, so the order of calls matters.
    params = inner.weights("cell", **_shapes(op, x.shape[-1], units, use_bias))
    return replace(op, zero_output_for_mask=zeros and op.return_sequences), params


def _outputs(op: Bidirectional, found: tuple[Tensor, ...], x: Tensor) -> Any:
    """Outputs nested as Keras nests them, with masks on sequences."""
    mask = x.mask if op.forward.return_sequences else None
    count = 2 if op.merge_mode is None else 1
    outputs = [t.masked(mask) for t in found[:count]] + list(found[count:])
    return outputs if len(outputs) > 1 else outputs[0]


@reads("TimeDistributed", masking="own", arguments=("inputs",))
def time_distributed(call: LayerCall) -> Any:
    """keras/src/layers/rnn/time_distributed.py: every step is a row of the wrapped layer.

    The mask of a step has one element a row, which none of the layers that
    honour masks can use, so it passes by.
    """
    x = call.input()
    spec = call.config.take("layer")
    if not isinstance(spec, LayerSpec):
        raise call.refusal(f"it wraps {spec!r}, a layer was expected")
    child = call.layer.child(spec, "layer")
    folded = call.emit(FoldTime(), x, part="fold")
    inner = child([folded])
    if len(tensors_in(inner)) == 1:
        y = call.emit(UnfoldTime(), tensors_in(inner)[0], x)
        return map_tensors(inner, lambda t: y.masked(x.mask))
    parts = iter(range(len(tensors_in(inner))))
    return map_tensors(inner, lambda t: call.emit(UnfoldTime(), t, x, part=f"output_{next(parts)}"))


# --- RNN over cells ---------------------------------------------------------------------

CELLS = {"SimpleRNNCell": "SimpleRNN", "LSTMCell": "LSTM", "GRUCell": "GRU"}


@reads("RNN", masking="own", arguments=ARGUMENTS)
def rnn(call: LayerCall) -> Any:
    """keras/src/layers/rnn/rnn.py over Keras' own cells: the layer each cell belongs to.

    Several cells run step by step; as no cell sees another's state, that is the
    same as one layer after the other.
    """
    config = call.config
    cell = config.take("cell")
    config.ignore("unroll", "input_length", "input_dim")
    if config.bool("stateful", False):
        raise call.refusal("stateful=True is not supported yet", "save it with stateful=False")
    if not isinstance(cell, LayerSpec):
        raise call.refusal(f"its cell is {str(cell)[:40]!r}", "use Keras' own cells")
    stacked = cell.class_name == "StackedRNNCells"
    specs = cell.config["cells"] if stacked else [cell]
    options = {
        "return_sequences": config.bool("return_sequences", False),
        "go_backwards": config.bool("go_backwards", False),
        "zero_output_for_mask": config.bool("zero_output_for_mask", False),
    }
    return_state = config.bool("return_state", False)
    holder = call.layer.child(cell, "cell")
    x, initial = _sequence(call)
    mask, states = x.mask, []
    for i, spec in enumerate(specs):
        inner = _cell(call, holder, spec, i if stacked else None)
        op, units, use_bias = _operator(inner)
        inner.config.ignore("reset_after")
        inner.done()
        last = i == len(specs) - 1
        given = {**options, "return_sequences": True, "go_backwards": False}
        if i == 0:
            given["go_backwards"] = options["go_backwards"]
        if last:
            given["return_sequences"] = options["return_sequences"]
        op = replace(op, return_state=return_state, **given)
        params = inner.weights(**_shapes(op, x.shape[-1], units, use_bias))
        begin, initial = initial[: op.states], initial[op.states :]
        if mask is not None and options["go_backwards"] and i > 0:
            raise call.refusal("several cells going backwards over a mask are not supported yet")
        part = "" if last else f"cell_{i}"
        x, *final = call.emit_all(op, x, mask, *begin, params=params, part=part)
        states += final
    y = x.masked(mask if options["return_sequences"] else None)
    return [y, *states] if return_state else y


def _cell(call: LayerCall, holder: Any, spec: LayerSpec, index: int | None) -> LayerCall:
    """A cell as a call of the layer it belongs to."""
    if spec.class_name not in CELLS:
        raise call.refusal(
            f"its cell is a {spec.class_name}", f"only {', '.join(CELLS)} are supported"
        )
    layer = holder
    if index is not None:
        # Keras names the members of a list by their class, numbered a class.
        kinds = [s.class_name for s in holder.spec.config["cells"][:index]]
        name = snake_case(spec.class_name)
        number = kinds.count(spec.class_name)
        layer = holder.child(spec, f"cells/{name}_{number}" if number else f"cells/{name}")
    return LayerCall(Layer(replace_class(spec), layer.name, layer.weights, call.layer.context), {})


def replace_class(spec: LayerSpec) -> LayerSpec:
    """A cell's config as that of its layer."""
    return replace(spec, class_name=CELLS[spec.class_name])
