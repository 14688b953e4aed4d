"""Recurrent layers, cells called as layers, Bidirectional, TimeDistributed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from layergraph.frontends.keras.casting import compute_dtype, scope_dtype
from layergraph.frontends.keras.layer import Layer, LayerCall, Tensor, map_tensors, tensors_in
from layergraph.frontends.keras.layers.cells import (
    CELLS,
    AnyCell,
    Cell,
    Emitter,
    Frame,
    cell_of,
    cells_of,
    frame_of,
    mask_of,
)
from layergraph.frontends.keras.registry import reads
from layergraph.frontends.keras.spec import LayerSpec
from layergraph.ir.graph import Value
from layergraph.ir.op import Op
from layergraph.ir.ops.elementwise import Cast
from layergraph.ir.ops.indexing import Flip
from layergraph.ir.ops.merge import Concatenate, Merge
from layergraph.ir.ops.recurrent import (
    GRU,
    LSTM,
    Bidirectional,
    FoldTime,
    Recurrent,
    SimpleRNN,
    UnfoldTime,
)
from layergraph.ir.ops.reduction import Reduce
from layergraph.ir.ops.shape import ExpandDims, Transpose

KINDS: dict[str, type[Recurrent]] = {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}

ARGUMENTS = ("sequence", "initial_state", "mask")


def sequence_of(call: LayerCall) -> tuple[Tensor, list[Tensor]]:
    """The sequence, and initial states from the argument or from further inputs."""
    first, *more = call.inputs()
    return first, [*more, *tensors_in(call.argument("initial_state"))]


@reads("SimpleRNN", "LSTM", "GRU", "RNN", masking="own", arguments=ARGUMENTS)
def recurrent(call: LayerCall) -> Any:
    """keras/src/layers/rnn/{simple_rnn,lstm,gru,rnn}.py."""
    x, initial = sequence_of(call)
    frame, cell = _read(call, x.shape[-1])
    mask = x.mask
    if frame.time_major:
        x = _swapped(call, x, "batch_major")
        if mask is not None:
            mask_major = call.emit(Transpose(axes=(1, 0)), mask, part="batch_major_mask")
            x = x.masked(mask_major.value)
    turned = frame.time_major and frame.return_sequences
    part = "batch_major_output" if turned else ""
    y, states = Emitter(call, frame, cell, initial, part=part).run(x)
    if turned:
        y = _swapped(call, y, "")
    y = y.masked(mask if frame.return_sequences else None)
    return [y, *states] if frame.return_state else y


def _read(call: LayerCall, features: int | None) -> tuple[Frame, AnyCell]:
    """What a recurrent layer holds: its frame and its cells."""
    frame = frame_of(call)
    if call.spec.class_name in KINDS:
        return frame, cell_of(call, KINDS[call.spec.class_name], features, "cell")
    spec = call.config.take("cell")
    if not isinstance(spec, LayerSpec):
        raise call.refusal(f"its cell is {str(spec)[:40]!r}", "use Keras' own cells")
    return frame, cells_of(call.layer.child(spec, "cell"), features)


def _swapped(call: LayerCall, x: Tensor, part: str) -> Tensor:
    axes = (1, 0, *range(2, len(x.shape)))
    return call.emit(Transpose(axes=axes), x, part=part)


@reads(
    "SimpleRNNCell", "LSTMCell", "GRUCell", "StackedRNNCells", "DeviceWrapper",
    "DropoutWrapper", "ResidualWrapper",
    arguments=("inputs", "states"),
)  # fmt: skip
def cell(call: LayerCall) -> Any:
    """A cell called as a layer: one step, then all states."""
    x, *more = call.inputs()
    states = [*more, *tensors_in(call.argument("states"))]
    call.config.ignore(*call.spec.config)  # `cells_of` reads them all
    found = cells_of(call.layer, x.shape[-1])
    sequence = call.emit(ExpandDims(axis=1), x, part="sequence")
    y, final = Emitter(call, Frame(return_state=True), found, states).run(sequence)
    return [y, final]


# --- Bidirectional ----------------------------------------------------------------------


@reads("Bidirectional", masking="own", arguments=ARGUMENTS)
def bidirectional(call: LayerCall) -> Any:
    """keras/src/layers/rnn/bidirectional.py.

    Keras 2 and 3 make both layers put zeros where the mask is off, whatever
    their own config says, when sequences are returned.
    """
    config = call.config
    mode = config.take("merge_mode", "concat")
    if mode not in (*MERGES, None):
        raise call.refusal(f"merge_mode={mode!r} is not one of Keras")
    if config.take("num_constants", None) or call.argument("constants"):
        raise call.refusal("it is called with constants", "concatenate them to the sequence")
    config.ignore("stateful")
    forward = config.take("layer", None) or config.take("forward_layer")
    backward = config.take("backward_layer", None)
    for spec in (forward, backward or forward):
        if not isinstance(spec, LayerSpec):
            raise call.refusal(f"it wraps {str(spec)[:40]!r}, a recurrent layer was expected")
    if backward is None:
        turned = not forward.config.get("go_backwards", False)
        backward = replace(forward, config={**forward.config, "go_backwards": turned})
    zeros = config.bool("zero_output_for_mask", True)
    specs = {"forward": forward, "backward": backward}
    sides = {side: _side(call, side, spec, zeros) for side, spec in specs.items()}
    dtypes = {compute_dtype(layer) for layer in (call.layer, *sides.values())}
    if all(_is_plain(child.spec) for child in sides.values()) and len(dtypes) == 1:
        return _together(call, mode, sides)
    return _apart(call, mode, sides)


MERGES: dict[str, Op] = {
    "concat": Concatenate(axis=-1),
    "sum": Merge(kind="add"),
    "mul": Merge(kind="multiply"),
    "ave": Merge(kind="average"),
}


def _side(call: LayerCall, side: str, spec: LayerSpec, zeros: bool) -> Layer:
    """The layer of one direction, as Bidirectional changes it."""
    zero = spec.config.get("zero_output_for_mask", False)
    if zero != "ignored":
        zero = zeros and spec.config.get("return_sequences", False)
    config = {**spec.config, "zero_output_for_mask": zero}
    changed = replace(spec, name=f"{side}_{spec.name.removeprefix(f'{side}_')}", config=config)
    found = call.layer.child(changed, f"{side}_layer")
    if not isinstance(found, Layer):
        raise call.refusal(f"it wraps {spec.class_name}, a recurrent layer was expected")
    return found


def _is_plain(spec: LayerSpec) -> bool:
    """Whether the layer is one of Keras' own cells from first to last."""
    held = spec.config.get("cell")
    own = spec.class_name == "RNN" and isinstance(held, LayerSpec) and held.class_name in CELLS
    return (own or spec.class_name in KINDS) and not spec.config.get("time_major")


def _together(call: LayerCall, mode: str | None, sides: dict[str, Layer]) -> Any:
    """One operator, which advances both directions in the same step."""
    x, initial = sequence_of(call)
    ops: dict[str, Any] = {}
    params: dict[str, Any] = {}
    for side, layer in sides.items():
        inner = LayerCall(layer, {})
        # Within an `.h5`'s list of arrays forward comes first, so the order of calls matters.
        frame, held = _read(inner, x.shape[-1])
        inner.done()
        assert isinstance(held, Cell)
        ops[side] = replace(held.op, **frame.options(layer.state_name))
        params.update({f"{side}_{role}": array for role, array in held.params.items()})
        if frame.stateful and x.shape[0] is None:
            raise call.refusal(
                "it is stateful and its batch size is not fixed",
                "give the model's Input a batch_shape with a batch size",
            )
    op = Bidirectional(merge_mode=mode, **ops)
    found = call.emit_all(op, x, mask_of(call, x), *initial, params=params)
    return _outputs(mode, op.forward.return_sequences, x.mask, found)


def _apart(call: LayerCall, mode: str | None, sides: dict[str, Layer]) -> Any:
    """Both layers by themselves, then what joins them."""
    x, initial = sequence_of(call)
    config = sides["forward"].spec.config
    half = len(initial) // 2
    given = {"forward": initial[:half], "backward": initial[half:]}
    results = {
        side: tensors_in(layer([x], {"initial_state": given[side] or None}))
        for side, layer in sides.items()
    }
    one, two = (
        _in_own_dtype(call, results[side][0], f"{side}_cast") for side in ("forward", "backward")
    )
    if config.get("return_sequences"):
        axis = 0 if config.get("time_major") else 1
        part = "" if mode is None else "turned"
        two = call.emit(Flip(axis=(axis,)), two, part=part)
    merged = (one, two) if mode is None else (call.emit(MERGES[mode], one, two),)
    states = (*results["forward"][1:], *results["backward"][1:])
    return _outputs(mode, config.get("return_sequences", False), x.mask, (*merged, *states))


def _in_own_dtype(call: LayerCall, y: Tensor, part: str) -> Tensor:
    """What a side returned in the dtype of the layer that wraps it, as Keras 3 has it."""
    dtype = compute_dtype(call.layer)
    if call.layer.context.keras_major < 3 or dtype in (None, y.type.dtype):
        return y
    return call.emit(Cast(dtype=str(dtype)), y, part=part)


def _outputs(
    mode: str | None, sequences: bool, mask: Value | None, found: tuple[Tensor, ...]
) -> Any:
    """Outputs nested as Keras nests them, with masks on sequences."""
    count = 2 if mode is None else 1
    outputs = [t.masked(mask if sequences else None) for t in found[:count]] + list(found[count:])
    return outputs if len(outputs) > 1 else outputs[0]


# --- TimeDistributed --------------------------------------------------------------------


@reads("TimeDistributed", masking="own", arguments=("inputs",))
def time_distributed(call: LayerCall) -> Any:
    """keras/src/layers/rnn/time_distributed.py: every step is a row of the wrapped layer.

    A mask that has more than one element a step goes to the wrapped layer step
    by step. Behind it Keras 3 puts the input's mask, Keras 2 the wrapped
    layer's or, if that has none, whether any element of the step is on.
    """
    spec = call.config.take("layer")
    if not isinstance(spec, LayerSpec):
        raise call.refusal(f"it wraps {spec!r}, a layer was expected")
    masks = call.config.choice("masks", ("inner", "outer"), "outer")
    if spec.keeps_states:
        raise call.refusal(
            "it wraps a stateful layer, whose states would pass from step to step",
            "save the wrapped layer with stateful=False",
        )
    child = call.layer.child(spec, "layer")
    # Keras 3 runs the layer's `call`, but those with cells call them as any other.
    if masks == "outer" and isinstance(child, Layer) and not child.spec.has_cells:
        child.scope = scope_dtype(call.layer)
    first = call.inputs()[0]
    folded = map_tensors(call.argument(next(iter(call.arguments))), lambda t: _folded(call, t))
    inner = child([folded])
    count, parts = len(tensors_in(inner)), iter(range(len(tensors_in(inner))))

    def unfolded(tensor: Tensor) -> Tensor:
        number = next(parts)
        mask = first.mask
        if masks == "inner" and tensor.mask is not None:
            mask = call.emit(UnfoldTime(), tensor.mask, first, part="mask").value
        elif masks == "inner" and mask is not None:
            mask = _any_of_step(call, mask)
        part = f"output_{number}" if count > 1 else ""
        return call.emit(UnfoldTime(), tensor, first, part=part).masked(mask)

    return map_tensors(inner, unfolded)


def _folded(call: LayerCall, x: Tensor) -> Tensor:
    """Steps as rows, with their masks where these have more than one element."""
    rows = call.emit(FoldTime(), x, part="fold")
    if x.mask is None or call.build.type_of(x.mask).rank < 3:
        return rows
    return rows.masked(call.emit(FoldTime(), x.mask, part="fold_mask").value)


def _any_of_step(call: LayerCall, mask: Value) -> Value:
    rank = call.build.type_of(mask).rank
    if rank < 3:
        return mask
    axes = tuple(range(2, rank))
    return call.emit(Reduce(kind="any", axis=axes), mask, part="mask").value
