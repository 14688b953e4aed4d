"""A random model, drawn line by line: each line is Python that real Keras runs at once.

The lines are the model's description: they print, they run anywhere, and when a
test fails hypothesis drops lines and lowers numbers until nothing can go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

T = TypeVar("T")


class Choices(Protocol):
    """Where decisions come from: hypothesis, or a random number generator."""

    def integer(self, low: int, high: int) -> int:
        """A whole number, simplest when low."""

    def pick(self, options: Sequence[T]) -> T:
        """One of several, simplest when first."""


@dataclass
class Row:
    """One kind of line.

    Attributes:
        name: what it is.
        fits: whether it can be applied to a tensor of this shape, batch first.
        write: the expression, given choices, the tensor's name and its shape.
        kerases: which Kerases have it.
    """

    name: str
    fits: Callable[[tuple[Any, ...]], bool]
    write: Callable[[Choices, str, tuple[Any, ...]], str]
    kerases: tuple[str, ...] = ("keras", "tf_keras")


@dataclass
class Sketch:
    """A model being drawn.

    Attributes:
        keras: the Keras that runs each line.
        name: its module name.
        lines: what has been run so far.
    """

    keras: Any
    name: str
    choices: Choices
    rows: Sequence[Row]
    prefix: str = ""
    lines: list[str] = field(default_factory=list)
    scope: dict[str, Any] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    tensors: list[str] = field(default_factory=list)
    models: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scope.setdefault("k", self.keras)
        self.scope.setdefault("np", np)
        self._count = 0

    def shape(self, tensor: str) -> tuple[Any, ...]:
        """Shape of a tensor, batch first."""
        return tuple(self.scope[tensor].shape)

    def run(self, line: str) -> bool:
        """Run a line; one that Keras itself refuses is no line of the model."""
        try:
            exec(line, self.scope)
        except Exception:
            return False
        self.lines.append(line)
        return True

    def input(self, shape: tuple[Any, ...], dtype: str = "float32") -> None:
        """An input of the model."""
        name = f"{self.prefix}in{len(self.inputs)}"
        extra = "" if dtype == "float32" else f", dtype={dtype!r}"
        assert self.run(f"{name} = k.layers.Input({shape!r}, name={name!r}{extra})")
        self.inputs.append(name)
        if dtype == "float32":
            self.tensors.append(name)
        else:
            size = self.choices.integer(2, 5)
            masked = self.choices.pick(["", ", mask_zero=True"])
            self.tensor(f"k.layers.Embedding(11, {size}{masked})({name})")

    def tensor(self, expression: str) -> bool:
        """A new tensor; several outputs are several tensors."""
        name = f"{self.prefix}x{self._count}"
        if not self.run(f"{name} = {expression}"):
            return False
        self._count += 1
        value = self.scope[name]
        if isinstance(value, (list, tuple)):
            for i in range(len(value)):
                part = f"{name}_{i}"
                self.run(f"{part} = {name}[{i}]")
                self.tensors.append(part)
        else:
            self.tensors.append(name)
        return True

    def step(self) -> None:
        """One more line, on a recent tensor if there is one that fits."""
        tensor = self.tensors[-1 - self.choices.integer(0, min(len(self.tensors), 4) - 1)]
        shape = self.shape(tensor)
        fitting = [row for row in self.rows if self.name in row.kerases and row.fits(shape)]
        kind = self.choices.integer(0, 9)
        if kind <= 6 and fitting:
            row = self.choices.pick(fitting)
            self.tensor(row.write(self.choices, tensor, shape))
        elif kind == 7:
            self._shared(tensor, shape, fitting)
        else:
            self._combined(tensor, shape)

    def _shared(self, tensor: str, shape: tuple[Any, ...], fitting: Sequence[Row]) -> None:
        """A layer or a model made once and called on every tensor of that shape."""
        name = f"{self.prefix}f{self._count}"
        if self.choices.integer(0, 1) and len(self.prefix) < 2:
            if not self._nested(name, shape):
                return
        else:
            layers = [row for row in fitting if row.name.startswith("layer")]
            if not layers:
                return
            row = self.choices.pick(layers)
            text = row.write(self.choices, "?", shape)
            if not text.endswith("(?)") or not self.run(f"{name} = {text[: -len('(?)')]}"):
                return
        alike = [t for t in self.tensors if self.shape(t) == shape]
        for other in dict.fromkeys([tensor, *alike[-2:]]):
            self.tensor(f"{name}({other})")

    def _nested(self, name: str, shape: tuple[Any, ...]) -> bool:
        inner = Sketch(
            self.keras, self.name, self.choices, self.rows, f"{self.prefix}m{self._count}_"
        )
        inner.scope = self.scope
        inner.input(shape[1:])
        for _ in range(self.choices.integer(1, 3)):
            inner.step()
        last = inner.tensors[-1]
        if last in inner.inputs or self.shape(last)[0] is not None:
            return False
        self.lines += inner.lines
        return self.run(f"{name} = k.Model({inner.inputs[0]}, {last})")

    def _combined(self, tensor: str, shape: tuple[Any, ...]) -> None:
        """A merge with another tensor of the same or a broadcastable shape."""
        same = [t for t in self.tensors if self.shape(t) == shape]
        if None in shape[1:]:
            # Two unknown sizes need not be equal.
            same = [tensor]
        other = self.choices.pick(same[::-1])
        kinds = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"]
        kind = self.choices.pick(kinds)
        axes = [i for i in range(1, len(shape)) if shape[i] is not None]
        if kind == "Concatenate":
            axis = self.choices.pick(axes or [-1])
            self.tensor(f"k.layers.Concatenate(axis={axis})([{tensor}, {other}])")
            return
        wider = (
            []
            if None in shape[1:]
            else [t for t in self.tensors if self._broadcasts(self.shape(t), shape)]
        )
        if self.choices.integer(0, 2) == 2 and kind != "Subtract" and wider:
            other = self.choices.pick(wider)
        three = kind not in ("Subtract",) and self.choices.integer(0, 3) == 3
        values = [tensor, other, *([tensor] if three else [])]
        self.tensor(f"k.layers.{kind}()([{', '.join(values)}])")

    @staticmethod
    def _broadcasts(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
        return len(a) == len(b) and all(x == y or 1 in (x, y) for x, y in zip(a, b, strict=True))

    def finish(self) -> Any:
        """The model: of tensors nothing else reads, and perhaps of others."""
        usable = [t for t in self.tensors if t not in self.inputs and self._is_output(t)]
        if not usable:
            self.tensor(f"k.layers.Activation('tanh')({self.tensors[0]})")
            usable = [self.tensors[-1]]
        count = self.choices.integer(1, min(3, len(usable)))
        chosen = list(dict.fromkeys(usable[-count:]))
        form = self.choices.pick(["single", "list", "dict"])
        if form == "dict":
            outputs = "{" + ", ".join(f"'out_{t}': {t}" for t in chosen) + "}"
        elif form == "single" and len(chosen) == 1:
            outputs = chosen[0]
        else:
            outputs = "[" + ", ".join(chosen) + "]"
        inputs = self.inputs[0] if len(self.inputs) == 1 else "[" + ", ".join(self.inputs) + "]"
        assert self.run(f"model = k.Model({inputs}, {outputs})"), self.lines
        return self.scope["model"]

    def _is_output(self, tensor: str) -> bool:
        shape = self.shape(tensor)
        return bool(shape) and shape[0] is None and 0 not in shape
