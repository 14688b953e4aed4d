"""A graph turned into a flat list of steps over numbered slots."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from layergraph.backends.numpy.scratch import Arena, Pool, current
from layergraph.backends.numpy.table import Kernel, prepare
from layergraph.backends.numpy.threads import blas_on_one_thread
from layergraph.ir.errors import InputError, KernelError, LayerGraphError
from layergraph.ir.graph import Graph, Node, Value
from layergraph.ir.op import Constant, Input, Op
from layergraph.ir.types import Array, type_of


class Step(NamedTuple):
    """One node to run."""

    node: Node
    kernel: Kernel
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    frees: tuple[int, ...]
    kept: tuple[str, ...]


States: TypeAlias = dict[str, tuple[Array, ...]]
"""What stateful layers keep between runs, by ``Op.kept``."""


class Traced(NamedTuple):
    """What one step of a run did.

    Attributes:
        node: the node that ran.
        outputs: its output arrays; valid until the run goes on, copy to keep
            them beyond that.
        seconds: time its kernel took.
        variant: which of several ways of computing the kernel chose, ``""`` where
            there is one.
    """

    node: Node
    outputs: tuple[Array, ...]
    seconds: float
    variant: str = ""

    @property
    def name(self) -> str:
        """Name of the node."""
        return self.node.name

    @property
    def op(self) -> Op:
        """Operator of the node."""
        return self.node.op


class Plan:
    """Steps that compute chosen values of a graph; read-only once made.

    Args:
        graph: the graph to run.
        outputs: values wanted, in order; only their ancestors are run.
        kernels: prepared kernels by node name, shared between plans.
        threads: how many threads a kernel may spread its tiles over.
    """

    def __init__(
        self, graph: Graph, outputs: Iterable[Value], kernels: dict[str, Kernel], threads: int = 1
    ) -> None:
        self._threads = threads
        self._arenas = Pool(Arena)
        self.outputs = tuple(outputs)
        needed = graph.ancestors(v.node for v in self.outputs)
        nodes = [node for node in graph if node.name in needed]
        slots = {v: i + 1 for i, v in enumerate(v for node in nodes for v in node.values)}
        # Slot 0 stays None: it is what an absent optional input reads.
        self._blank: list[Any] = [None] * (len(slots) + 1)
        self.feeds = {name: slots[Value(name)] for name in graph.inputs if name in needed}
        for node in nodes:
            if isinstance(node.op, Constant):
                self._blank[slots[Value(node.name)]] = node.params["value"]
        self.steps = _steps(
            graph,
            [n for n in nodes if not isinstance(n.op, (Input, Constant))],
            slots,
            self.outputs,
            kernels,
        )
        self._results = tuple(slots[v] for v in self.outputs)
        self._copies = _borrowed(nodes, self.outputs)
        self.stateful = any(step.kept for step in self.steps)

    def walk(
        self, feeds: Mapping[str, Array], states: States | None = None
    ) -> Generator[Traced, None, list[Array]]:
        """Run step by step; the generator's return value is the list of outputs.

        Args:
            feeds: arrays by input name.
            states: what stateful layers begin with; holds what they end with
                once they have run. Its arrays are replaced, never written to.

        Raises:
            KernelError: a kernel failed; names node, layer and input types.
        """
        env = self._blank.copy()
        for name, slot in self.feeds.items():
            env[slot] = feeds[name]
        states = {} if states is None else states
        arena = self._arenas.take()
        single = all(len(a) <= 1 for a in feeds.values() if a.ndim)
        with ExitStack() as stack:
            stack.callback(self._end, arena)
            # Tiles are spread over threads; products within them keep to one each.
            stack.enter_context(blas_on_one_thread())
            for node, kernel, inputs, outputs, frees, kept in self.steps:
                current.arena, current.threads, current.single = arena, self._threads, single
                started = perf_counter()
                try:
                    if kept:
                        result, left = kernel(
                            *[env[i] for i in inputs], kept=[states.get(k) for k in kept]
                        )
                        states.update(zip(kept, left, strict=True))
                    else:
                        result = kernel(*[env[i] for i in inputs])
                except Exception as error:
                    raise _failure(node, [env[i] for i in inputs], error) from error
                seconds = perf_counter() - started
                if type(result) is not tuple:
                    result = (result,)
                for slot, array in zip(outputs, result, strict=True):
                    env[slot] = array
                yield Traced(node, result, seconds, getattr(kernel, "variant", ""))
                del result
                for slot in frees:
                    env[slot] = None
            return self._owned([env[i] for i in self._results])

    def _end(self, arena: Arena) -> None:
        """The run is over, or was given up: its arena serves the next one."""
        current.arena, current.threads, current.single = None, 1, False
        arena.end_run()
        self._arenas.give(arena)

    def run(self, feeds: Mapping[str, Array], states: States | None = None) -> list[Array]:
        """Run all steps and return the outputs, each owning its memory."""
        walk = self.walk(feeds, states)
        while True:
            try:
                next(walk)
            except StopIteration as stop:
                outputs: list[Array] = stop.value
                return outputs

    def _owned(self, arrays: list[Array]) -> list[Array]:
        # NumPy gives numbers, not arrays, for values without axes.
        return [
            np.array(a, order="C") if borrowed or a.base is not None or a.ndim == 0 else a
            for a, borrowed in zip(arrays, self._copies, strict=True)
        ]


def _steps(
    graph: Graph,
    nodes: list[Node],
    slots: Mapping[Value, int],
    outputs: tuple[Value, ...],
    kernels: dict[str, Kernel],
) -> tuple[Step, ...]:
    """Steps in order, each freeing what nobody reads after it."""
    held = {slots[v] for v in outputs}
    steps: list[Step] = []
    for node in reversed(nodes):
        inputs = tuple(0 if v is None else slots[v] for v in node.inputs)
        written = tuple(slots[v] for v in node.values)
        frees = tuple({s for s in (*inputs, *written) if s and s not in held})
        held.update(frees)
        if node.name not in kernels:
            types = [None if v is None else graph.type_of(v) for v in node.inputs]
            kernels[node.name] = prepare(node.op, node.params, types, node.types, node=node.name)
        steps.append(Step(node, kernels[node.name], inputs, written, frees, node.op.kept))
    return tuple(reversed(steps))


def _borrowed(nodes: list[Node], outputs: tuple[Value, ...]) -> tuple[bool, ...]:
    """Which outputs may share memory with a feed, a parameter or another output."""
    root: dict[Value, Value] = {}
    foreign: set[Value] = set()
    for node in nodes:
        for value in node.values:
            first = node.inputs[0] if node.op.aliases and value.index == 0 else None
            root[value] = value if first is None else root[first]
            if isinstance(node.op, (Input, Constant)):
                foreign.add(value)
    copies, seen = [], set(foreign)
    for value in outputs:
        copies.append(root[value] in seen)
        seen.add(root[value])
    return tuple(copies)


def _failure(node: Node, arrays: list[Any], error: Exception) -> LayerGraphError:
    layers = ", ".join(f"{s.layer!r} ({s.class_name})" for s in node.sources) or "no layer"
    if isinstance(error, InputError):
        return InputError(f"layer {layers}: {error}")
    if isinstance(error, LayerGraphError):
        return error
    given = ", ".join("none" if a is None else str(type_of(a)) for a in arrays)
    wanted = ", ".join(map(str, node.types))
    return KernelError(
        f"node {node.name!r} of layer {layers} failed: {node.op} on inputs ({given}), "
        f"expected to give {wanted}: {type(error).__name__}: {error}; "
        "try Interpreter(graph, optimize=False), and please report it"
    )
