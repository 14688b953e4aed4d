"""Cells of recurrent layers: what RNN, StackedRNNCells and the cell wrappers hold.

No cell sees another's state, so several cells that advance step by step are the
same as one layer after the other. That is how stacks become operators.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, TypeAlias

from layergraph.frontends.keras.layer import Layer, LayerCall, Tensor
from layergraph.frontends.keras.layers.activation import pointwise
from layergraph.frontends.keras.spec import LayerSpec
from layergraph.frontends.keras.weights_tree import snake_case
from layergraph.ir.graph import Value
from layergraph.ir.op import Op
from layergraph.ir.ops.elementwise import Cast, Where
from layergraph.ir.ops.indexing import Flip, Slice
from layergraph.ir.ops.merge import Merge
from layergraph.ir.ops.recurrent import GRU, LSTM, HoldOutput, Recurrent, SimpleRNN
from layergraph.ir.ops.shape import ExpandDims
from layergraph.ir.types import Array, Shape

CELLS: dict[str, type[Recurrent]] = {
    "SimpleRNNCell": SimpleRNN,
    "LSTMCell": LSTM,
    "GRUCell": GRU,
}
WRAPPERS = ("DeviceWrapper", "DropoutWrapper", "ResidualWrapper")
SAME_IN_TRAINING_ONLY = ("dropout", "recurrent_dropout", "unit_forget_bias", "implementation")


@dataclass(frozen=True)
class Frame:
    """What a recurrent layer does around its cells.

    Attributes:
        return_sequences, return_state, go_backwards, zero_output_for_mask: as in
            ``ir.ops.recurrent.Recurrent``.
        stateful: states are kept from run to run.
        kept_first, outputs_states: as in ``Recurrent``.
        time_major: inputs and sequences put time before the batch.
    """

    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    zero_output_for_mask: bool = False
    stateful: bool = False
    kept_first: bool = False
    outputs_states: bool = False
    time_major: bool = False

    def options(self, layer: str, part: str = "") -> dict[str, Any]:
        """Attributes of the operator of a whole layer, or of a part of it."""
        return {
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "zero_output_for_mask": self.zero_output_for_mask,
            "stateful": "/".join(filter(None, (layer, part))) if self.stateful else "",
            "kept_first": self.kept_first and self.stateful,
            "outputs_states": self.outputs_states,
        }


def frame_of(call: LayerCall, **known: bool | None) -> Frame:
    """Read a layer's options beside its cells, but those already known."""
    config = call.config
    config.ignore("unroll", "input_length", "input_dim")
    if config.take("num_constants", None) or call.argument("constants"):
        raise call.refusal(
            "it is called with constants, which only cells of your own use",
            "use Keras' own cells and concatenate the constants to the sequence",
        )
    flags = {
        field.name: config.bool(field.name, False)
        for field in fields(Frame)
        if known.get(field.name) is None
    }
    return Frame(**flags | {name: flag for name, flag in known.items() if flag is not None})


class Cell(NamedTuple):
    """One of Keras' own cells.

    Attributes:
        op: the operator of the layer it belongs to, every frame option off.
        params: its arrays by role.
    """

    op: Recurrent
    params: Mapping[str, Array]

    @property
    def units(self) -> int:
        """Width of its output."""
        return int(self.params["recurrent_kernel"].shape[0])


class Stack(NamedTuple):
    """Cells, each reading the output of the one before.

    Attributes:
        cells: in the order they run.
        states_reversed: the states of the last come first.
    """

    cells: tuple[AnyCell, ...]
    states_reversed: bool = False


class Residual(NamedTuple):
    """A cell whose input is added to its output."""

    cell: AnyCell


AnyCell: TypeAlias = "Cell | Stack | Residual"


def cell_of(call: LayerCall, kind: type[Recurrent], features: int | None, *path: str) -> Cell:
    """Read a cell whose options stand in the call's config.

    Args:
        call: call of the cell, or of the layer of its kind.
        kind: its operator.
        features: width of its input.
        path: attributes that hold its arrays.
    """
    config = call.config
    config.ignore(*SAME_IN_TRAINING_ONLY)
    options: dict[str, Any] = {"activation": pointwise(call, "activation", "tanh")}
    if kind is not SimpleRNN:
        options["recurrent_activation"] = pointwise(call, "recurrent_activation", "sigmoid")
    units = config.int("units")
    if kind is GRU:
        options["reset_after"] = config.bool("reset_after", _two_biases(call, units, path))
    op = kind(**options)
    width = units * op.gates
    bias: Shape | None = (width,)
    if isinstance(op, GRU) and op.reset_after:
        bias = (2, width)
    if not config.bool("use_bias", True):
        bias = None
    params = call.weights(
        *path, kernel=(features, width), recurrent_kernel=(units, width), bias=bias
    )
    return Cell(op, params)


def _two_biases(call: LayerCall, units: int, path: tuple[str, ...]) -> bool:
    """Whether a GRU has a recurrent bias of its own, as where the reset gate applies late."""
    if (known := call.layer.arrays.get("/".join(path))) is not None:
        stored = list(known.values())
    else:
        source = call.layer.weights
        for attribute in path:
            source = source.child(*attribute.split("|"))
        stored = [array for _, array in source.peek()]
    uses_bias = call.config.bool("use_bias", True)
    return uses_bias and len(stored) > 2 and stored[2].size == 2 * 3 * units


def cells_of(layer: Layer, features: int | None) -> AnyCell:
    """Read a cell that is a layer object: one of Keras' own, a stack or a wrapper.

    Raises:
        UnsupportedError: a cell of the user's own, or a wrapper that draws at random.
    """
    call, name = LayerCall(layer, {}), layer.spec.class_name
    if name in CELLS:
        found: AnyCell = cell_of(call, CELLS[name], features)
    elif name == "StackedRNNCells":
        found = _stack(call, features)
    elif name in WRAPPERS:
        found = _wrapped(call, features)
    else:
        raise layer.refusal(
            f"cells of the class {name} are not Keras' own",
            f"build it from {', '.join(CELLS)} and StackedRNNCells, or from layers",
        )
    call.done()
    return found


def _stack(call: LayerCall, features: int | None) -> Stack:
    # Keras numbers the members of a list by class. `reverse_state_order` changes which
    # shapes tf-keras announces for the states, not the order in which they come.
    call.config.ignore("reverse_state_order")
    states_reversed = call.config.bool("states_reversed", False)
    specs = call.config.take("cells")
    cells: list[AnyCell] = []
    counts: dict[str, int] = {}
    for spec in specs if isinstance(specs, list) else []:
        if not isinstance(spec, LayerSpec):
            raise call.refusal(f"a cell is {str(spec)[:40]!r}", "use Keras' own cells")
        snake = snake_case(spec.class_name)
        number = counts.get(snake, 0)
        counts[snake] = number + 1
        path = f"cells/{snake}_{number}" if number else f"cells/{snake}"
        cells.append(cells_of(call.layer.child(spec, path), features))
        features = plain_cells(cells[-1])[-1].units
    if not cells:
        raise call.refusal("it has no cells")
    return Stack(tuple(cells), states_reversed)


def _wrapped(call: LayerCall, features: int | None) -> AnyCell:
    """tf_keras/src/layers/rnn/cell_wrappers.py, tf-keras 2.21."""
    config, kind = call.config, call.spec.class_name
    spec = config.take("cell")
    if not isinstance(spec, LayerSpec):
        raise call.refusal(f"its cell is {str(spec)[:40]!r}", "use Keras' own cells")
    inner = cells_of(call.layer.child(spec, "wrapped_cell", "cell"), features)
    config.ignore("device", "variational_recurrent", "input_size", "seed")
    if kind == "DropoutWrapper":
        for key in ("input_keep_prob", "output_keep_prob", "state_keep_prob"):
            if config.float(key, 1.0) < 1:
                raise call.refusal(
                    f"{key}={config.float(key)} drops values in predictions too",
                    "wrap the cell with keep probabilities of 1 and save it again",
                )
    if config.take("residual_fn", None) is not None:
        raise call.refusal("residual_fn is Python code, which is never executed", "leave it out")
    return Residual(inner) if kind == "ResidualWrapper" else inner


def plain_cells(cell: AnyCell) -> list[Cell]:
    """Keras' own cells within a cell, in the order they run."""
    if isinstance(cell, Cell):
        return [cell]
    if isinstance(cell, Residual):
        return plain_cells(cell.cell)
    return [plain for member in cell.cells for plain in plain_cells(member)]


def _turned(states: list[Tensor], counts: list[int]) -> list[Tensor]:
    """States of several cells, those of the last cell first."""
    rest = list(states)
    groups = [[rest.pop(0) for _ in range(count)] for count in counts if rest]
    return [state for group in reversed(groups) for state in group]


def mask_of(call: LayerCall, x: Tensor) -> Value | None:
    """The mask of a sequence as booleans, where the layer is handed it."""
    if not call.heeds_mask:
        return None
    if x.mask is None or call.build.type_of(x.mask).dtype == "bool":
        return x.mask
    return call.emit(Cast(dtype="bool"), x.mask, part="mask").value


class Emitter:
    """Emits the operators of one call of a recurrent layer.

    Args:
        call: the call.
        frame: what the layer does around its cells.
        cell: all of them.
        initial: initial states, flat, empty for none.
        part: name of the node that yields the output; empty for the layer's own.
    """

    def __init__(
        self,
        call: LayerCall,
        frame: Frame,
        cell: AnyCell,
        initial: list[Tensor],
        part: str = "",
    ) -> None:
        self.call = call
        self._part = part
        self.frame = frame
        self.cell = cell
        self.initial = initial
        self.states: list[Tensor] = []
        self._done = 0

    def run(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The output, and the final states in the order of the cells."""
        call, frame = self.call, self.frame
        if frame.stateful and x.shape[0] is None:
            raise call.refusal(
                "it is stateful and its batch size is not fixed",
                "give the model's Input a batch_shape with a batch size",
            )
        mask = mask_of(call, x)
        if mask is not None and call.build.type_of(mask).rank != 2:
            raise call.refusal(f"its mask is {call.build.type_of(mask)}, one flag a step is needed")
        cells = plain_cells(self.cell)
        if self.initial and len(self.initial) != sum(c.op.states for c in cells):
            raise call.refusal(f"it is called with {len(self.initial)} initial states")
        if frame.stateful and frame.kept_first and self.initial and len(cells) > 1:
            raise call.refusal(
                "it is stateful, has several cells and is called with an initial state",
                "use one layer a cell",
            )
        if frame.go_backwards and not isinstance(self.cell, Cell):
            # All cells run from the end, and the sequence stays in the order computed.
            x = call.emit(Flip(axis=(1,)), x, part="backwards")
            mask = mask and call.emit(Flip(axis=(1,)), mask, part="backwards_mask").value
            self.frame = replace(frame, go_backwards=False)
        if not (isinstance(self.cell, Stack) and self.cell.states_reversed):
            return self._emit(self.cell, x, mask, last=True), self.states
        counts = [cell.op.states for cell in cells]
        self.initial = _turned(self.initial, counts[::-1])
        y = self._emit(self.cell, x, mask, last=True)
        return y, _turned(self.states, counts)

    def _emit(self, cell: AnyCell, x: Tensor, mask: Value | None, *, last: bool) -> Tensor:
        """The output of one cell; of every step unless it is the last cell's."""
        if isinstance(cell, Stack):
            outputs = [x]
            first_shown = self._shows_first(cell, mask, last=last)
            for member in cell.cells[:-1]:
                outputs.append(self._emit(member, outputs[-1], mask, last=False))
            y = self._emit(cell.cells[-1], outputs[-1], mask, last=last and not first_shown)
            return self._first_shown(y, outputs[1], mask) if first_shown else y
        if isinstance(cell, Residual):
            return self._residual(cell, x, mask, last=last)
        alone = isinstance(self.cell, Cell)
        part = self._part if last else f"cell_{self._done}"
        name = "" if alone else f"cell_{self._done}"
        options = self.frame.options(self.call.layer.state_name, name)
        if not last:
            options["return_sequences"] = True
        op = replace(cell.op, **options)
        begin, self.initial = self.initial[: op.states], self.initial[op.states :]
        y, *final = self.call.emit_all(op, x, mask, *begin, params=cell.params, part=part)
        self._done += 1
        self.states += final
        return y

    def _shows_first(self, cell: Stack, mask: Value | None, *, last: bool) -> bool:
        """Whether a masked step outputs the first cell's state, not the last's.

        What keras.io before 2.2.5 outputs there is the first of all states.
        """
        shown = last and mask is not None and self.frame.outputs_states
        return shown and len(cell.cells) > 1 and not cell.states_reversed

    def _first_shown(self, y: Tensor, first: Tensor, mask: Value | None) -> Tensor:
        call, sequences = self.call, self.frame.return_sequences
        if y.shape != first.shape:
            raise call.refusal(
                "its cells differ in width and it has a mask, which its Keras cannot compute",
                "load the model with the Keras that runs it and save it again",
            )
        flags = call.emit(ExpandDims(axis=-1), mask, part="mask_expanded")
        part = self._part if sequences else "every_step"
        y = call.emit(Where(), flags, y, first, part=part)
        last = Slice(key=((None, None, None), -1))
        return y if sequences else call.emit(last, y, part=self._part)

    def _residual(self, cell: Residual, x: Tensor, mask: Value | None, *, last: bool) -> Tensor:
        number = self._done
        y = self._emit(cell.cell, x, mask, last=False)
        then: list[tuple[Op, tuple[Tensor | Value, ...]]] = [(Merge(kind="add"), (x,))]
        if last and mask is not None:
            hold = HoldOutput(zero_output_for_mask=self.frame.zero_output_for_mask)
            then.append((hold, (mask,)))
        if last and not self.frame.return_sequences:
            then.append((Slice(key=((None, None, None), -1)), ()))
        for step, (op, more) in enumerate(then, 1):
            part = self._part if last and step == len(then) else f"residual_{number}_{step}"
            y = self.call.emit(op, y, *more, part=part)
        return y
