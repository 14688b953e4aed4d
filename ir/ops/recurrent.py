"""Recurrent layers, kept whole, and the fold that lets a layer run on every step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from layergraph.ir.op import Activation, Op
from layergraph.ir.types import TensorType, product

MergeMode = Literal["concat", "sum", "mul", "ave"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrent(Op):
    """Base of the recurrent operators.

    Inputs: x ``(batch, time, features)``; mask ``(batch, time)`` optional; then
    initial states ``(batch, units)`` each, zeros when absent.
    Output: ``(batch, time, units)`` or, of the last step only, ``(batch,
    units)``; then the final states with ``return_state``.

    A masked step keeps the state; its output is the output before it, or zeros
    with ``zero_output_for_mask``. Source: keras/src/backend/tensorflow/rnn.py
    ``rnn``, Keras 3.15.

    Attributes:
        return_sequences: output every step.
        return_state: also output the final states.
        go_backwards: run from the last step to the first; outputs stay in the
            order computed.
        zero_output_for_mask: see above.
        stateful: name under which the final states are kept for the next run,
            which begins with them; empty when every run begins afresh.
        kept_first: given initial states count only while the kept ones are all
            zeros, as in Keras 2; otherwise they count whenever given.
        outputs_states: a masked step outputs the state it keeps, which before the
            first unmasked step is the given one. Source:
            keras/backend/tensorflow_backend.py ``rnn``, Keras 2.2.4.
    """

    states: ClassVar[int] = 1
    gates: ClassVar[int] = 1

    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    zero_output_for_mask: bool = False
    stateful: str = ""
    kept_first: bool = False
    outputs_states: bool = False

    @property
    def kept(self) -> tuple[str, ...]:
        """The name, when states are kept."""
        return (self.stateful,) if self.stateful else ()

    def kept_types(self, *inputs: Any, **params: Any) -> tuple[tuple[TensorType, ...], ...]:
        """Types of the states."""
        return (replace(self, return_state=True).infer(*inputs, **params)[1:],)

    def infer(
        self,
        x: TensorType,
        mask: TensorType | None = None,
        *initial_state: TensorType,
        kernel: TensorType,
        recurrent_kernel: TensorType,
        bias: TensorType | None = None,
    ) -> tuple[TensorType, ...]:
        """The output, then the final states."""
        units = recurrent_kernel.shape[0]
        if x.rank != 3:
            raise ValueError(f"expects (batch, time, features), got {x}")
        if x.shape[2] is not None and x.shape[2] != kernel.shape[0]:
            raise ValueError(f"{x.shape[2]} features, the kernel expects {kernel.shape[0]}")
        if initial_state and len(initial_state) != self.states:
            raise ValueError(f"{len(initial_state)} initial states, {self.states} are needed")
        last = TensorType((x.shape[0], units), kernel.dtype)
        every = last.with_shape((x.shape[0], x.shape[1], units))
        out = every if self.return_sequences else last
        return (out, *([last] * self.states if self.return_state else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleRNN(Recurrent):
    """``h = activation(x @ kernel + bias + h @ recurrent_kernel)``.

    Parameters: kernel ``(features, units)``, recurrent_kernel ``(units, units)``,
    bias ``(units,)`` optional.
    Source: keras/src/layers/rnn/simple_rnn.py, Keras 3.15.
    """

    activation: Activation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LSTM(Recurrent):
    """Long short-term memory; gates i, f, c, o side by side.

    Parameters: kernel ``(features, 4 units)``, recurrent_kernel ``(units, 4
    units)``, bias ``(4 units,)`` optional. States: h, c.
    Source: keras/src/layers/rnn/lstm.py, Keras 3.15.
    """

    states: ClassVar[int] = 2
    gates: ClassVar[int] = 4

    activation: Activation | None
    recurrent_activation: Activation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GRU(Recurrent):
    """Gated recurrent unit; gates z, r, h side by side.

    Parameters: kernel ``(features, 3 units)``, recurrent_kernel ``(units, 3
    units)``, bias optional: ``(2, 3 units)`` with ``reset_after`` (input, then
    recurrent), else ``(3 units,)``.
    Source: keras/src/layers/rnn/gru.py, Keras 3.15.

    Attributes:
        reset_after: the reset gate applies after the recurrent product.
    """

    gates: ClassVar[int] = 3

    activation: Activation | None
    recurrent_activation: Activation | None
    reset_after: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Bidirectional(Op):
    """Two recurrent operators over one input, the second from the end.

    Inputs: x, mask, then the initial states of both, forward first.
    Output: the merged outputs, or both where ``merge_mode`` is ``None``; then
    the final states, forward first. A backward sequence is turned around so
    that its steps meet the forward's.
    Source: keras/src/layers/rnn/bidirectional.py, Keras 3.15.

    Attributes:
        forward, backward: the operators; ``backward.go_backwards`` differs from
            ``forward.go_backwards``.
        merge_mode: how outputs join.
    """

    forward: Recurrent
    backward: Recurrent
    merge_mode: str | None = "concat"

    @property
    def kept(self) -> tuple[str, ...]:
        """The names of both, when states are kept."""
        return (*self.forward.kept, *self.backward.kept)

    def kept_types(self, *inputs: Any, **params: Any) -> tuple[tuple[TensorType, ...], ...]:
        """Types of the states of both."""
        sides = (self.forward, self.backward)
        forward, backward = (replace(side, return_state=True) for side in sides)
        whole = replace(self, forward=forward, backward=backward)
        states = whole.infer(*inputs, **params)[1 if self.merge_mode else 2 :]
        return (states[: forward.states], states[forward.states :])

    def infer(
        self,
        x: TensorType,
        mask: TensorType | None = None,
        *initial_state: TensorType,
        forward_kernel: TensorType,
        forward_recurrent_kernel: TensorType,
        forward_bias: TensorType | None = None,
        backward_kernel: TensorType,
        backward_recurrent_kernel: TensorType,
        backward_bias: TensorType | None = None,
    ) -> tuple[TensorType, ...]:
        """Merged output, then states."""
        states = self.forward.states
        one = self.forward.infer(
            x, mask, *initial_state[:states], kernel=forward_kernel,
            recurrent_kernel=forward_recurrent_kernel, bias=forward_bias,
        )  # fmt: skip
        two = self.backward.infer(
            x, mask, *initial_state[states:], kernel=backward_kernel,
            recurrent_kernel=backward_recurrent_kernel, bias=backward_bias,
        )  # fmt: skip
        final = (*one[1:], *two[1:])
        if self.merge_mode is None:
            return (one[0], two[0], *final)
        if self.merge_mode == "concat":
            ends = (one[0].shape[-1], two[0].shape[-1])
            width = None if None in ends else sum(e or 0 for e in ends)
            return (one[0].with_shape((*one[0].shape[:-1], width)), *final)
        return (one[0], *final)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOutput(Op):
    """A sequence in which masked steps repeat the output before, or are zeros.

    Inputs: x ``(batch, time, ...)``, mask ``(batch, time)``.
    Output: as x; steps before the first unmasked one are zeros.
    Source: keras/src/backend/tensorflow/rnn.py ``rnn``, Keras 3.15.

    Attributes:
        zero_output_for_mask: every masked step is zeros.
    """

    zero_output_for_mask: bool = False

    def infer(self, x: TensorType, mask: TensorType) -> TensorType:
        """The type of ``x``."""
        return x


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldTime(Op):
    """``(batch, time, ...)`` to ``(batch * time, ...)``: every step a row.

    Source: keras/src/layers/rnn/time_distributed.py, Keras 3.15, which runs the
    wrapped layer step by step; the rows do not meet, so they may run at once.
    """

    aliases: ClassVar[bool] = True

    def infer(self, x: TensorType) -> TensorType:
        """``(batch * time, ...)``."""
        return x.with_shape((product(x.shape[:2]), *x.shape[2:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfoldTime(Op):
    """The inverse of ``FoldTime``; batch and time are those of ``like``.

    Source: as for ``FoldTime``.
    """

    aliases: ClassVar[bool] = True

    def infer(self, x: TensorType, like: TensorType) -> TensorType:
        """``(batch, time, ...)``."""
        return x.with_shape((*like.shape[:2], *x.shape[1:]))
