"""Run a layer graph, with NumPy or another backend."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeAlias

from layergraph.backends.numpy.feeds import cast_batch, from_call, from_names
from layergraph.backends.numpy.plan import Plan, States, Traced
from layergraph.backends.numpy.states import checked_states, zero_states
from layergraph.backends.numpy.table import Kernel, evaluate
from layergraph.backends.numpy.threads import available_threads
from layergraph.ir.errors import InputError
from layergraph.ir.graph import Graph, Value, pack
from layergraph.ir.types import Array, TensorType

if TYPE_CHECKING:
    from layergraph.backends.numpy.profile import Profile
    from layergraph.backends.onnx.session import SessionPlan

BACKENDS = ("numpy", "onnxruntime")

AnyPlan: TypeAlias = "Plan | SessionPlan"


class Interpreter:
    """Executes a graph node by node; plans once, runs many times.

    One interpreter serves many threads: nothing on it changes with a run
    except caches whose entries are interchangeable, and the states of stateful
    layers.

    Stateful layers (``stateful=True``) go on where the last run ended, as in
    Keras, until ``reset_states``. Runs of such a model follow each other, one
    thread at a time; a run that fails leaves the states as they were. A thread
    with a sequence of its own takes an interpreter of its own (they may share
    the graph), or puts ``states`` away and back.

    Call tree::

        __call__ / run / predict
            feeds.from_call / from_names     check and cast inputs
            _run                             states in, states out
            Plan.walk                        the one run loop
                kernel(*arrays)              prepared closure of a node
        trace / profile                      observe the same loop

    Args:
        graph: a graph, or the path of any file ``layergraph.load`` reads.
        optimize: apply the default passes first; ``False`` runs the graph
            exactly as read; names out of ``layergraph.ir.passes.DEFAULT``
            apply those alone.
        layers: as for ``layergraph.load``, when ``graph`` is a path.
        dtype: float dtype to compute in instead of the graph's own; see
            ``layergraph.load``.
        weights: as for ``layergraph.load``, when ``graph`` is a path.
        backend: ``"numpy"``, or ``"onnxruntime"`` to export the graph in memory and
            run it there; ``optimize`` then is onnxruntime's own.
        providers: onnxruntime's execution providers.
        threads: how many threads a convolution, pooling or the like spreads its tiles
            over; by default as many as BLAS has, which ``OPENBLAS_NUM_THREADS`` and
            the like limit. BLAS itself keeps to one thread during a run.

    Example:

        >>> import numpy as np, layergraph as lg
        >>> from layergraph.tools.demo import model_path
        >>> interp = lg.Interpreter(model_path())
        >>> interp(np.zeros((2, 32, 32, 3), "float32")).shape
        (2, 10)
    """

    def __init__(
        self,
        graph: Graph | str | os.PathLike[str],
        *,
        optimize: bool | Sequence[str] = True,
        layers: Mapping[str, Any] | None = None,
        dtype: str | None = None,
        weights: str | os.PathLike[str] | None = None,
        backend: str = "numpy",
        providers: Sequence[Any] | None = None,
        threads: int | None = None,
    ) -> None:
        if backend not in BACKENDS:
            raise InputError(f"backend {backend!r} is unknown; there are {', '.join(BACKENDS)}")
        if providers is not None and backend != "onnxruntime":
            raise InputError("providers are onnxruntime's; pass backend='onnxruntime' too")
        if threads is not None and (backend != "numpy" or threads < 1):
            raise InputError("threads is a number from 1 on, and goes with backend='numpy'")
        if not isinstance(graph, Graph):
            from layergraph import load

            graph = load(graph, weights=weights, layers=layers, dtype=dtype)
        elif weights is not None:
            raise InputError(
                "weights= goes with the path of a model file, and this is a graph, which has its "
                "own; load the graph with lg.load(path, weights=...)"
            )
        elif dtype is not None:
            from layergraph.ir.passes.recast import recast

            graph = recast(graph, dtype)
        self.source = graph
        """The graph as given."""
        self.graph = graph
        """The graph that runs, after passes."""
        self.backend = backend
        """What runs it."""
        self._threads = threads or available_threads()
        self._session: dict[str, Any] = {"providers": providers, "optimize": bool(optimize)}
        if optimize and backend == "numpy":
            from layergraph.ir import passes

            names = passes.DEFAULT if optimize is True else optimize
            self.graph = passes.optimize(graph, names, evaluate=evaluate)
        self._kernels: dict[int, dict[str, Kernel]] = {id(self.graph): {}, id(self.source): {}}
        self._plan = self._planned(self.graph, self.graph.outputs)
        self._plans: dict[tuple[str, ...], AnyPlan] = {}
        self._states: States = {}
        self._turn = RLock()

    @property
    def inputs(self) -> dict[str, TensorType]:
        """Names and types of the inputs, in order."""
        return {name: self.graph.type_of(Value(name)) for name in self.graph.inputs}

    @property
    def outputs(self) -> dict[str, TensorType]:
        """Names and types of the outputs, in order."""
        return {str(v): self.source.type_of(v) for v in self.source.outputs}

    def __call__(self, *args: Any) -> Any:
        """Predictions, nested as the Keras model returns them.

        Args:
            *args: an array an input, in order; or one dict by input name; or
                one list or dict nested as the model's inputs are.

        Raises:
            InputError: the arrays do not fit; says how they should look.
        """
        outputs = self._run(self._plan, from_call(self.graph, args))
        return pack(outputs, self.graph.output_structure)

    def run(self, output_names: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Array]:
        """Values of named nodes; onnxruntime's calling convention.

        Args:
            output_names: names of any nodes (``lstm#1`` for a node's second
                output), or ``None`` for the model's outputs. Only what they
                depend on is computed.
            feeds: arrays by input name.

        Raises:
            InputError: no such node, or the feeds do not fit.
        """
        plan = self._plan if output_names is None else self._plan_for(tuple(output_names))
        return self._run(plan, from_names(self.graph, feeds, plan.feeds))

    def trace(self, *args: Any) -> Iterator[Traced]:
        """Run node by node; yields each node with its outputs and time.

        Stateful layers keep their new states when the last node has run.

        Args:
            *args: as for a call.
        """
        states = dict(self._states)
        yield from self._plan.walk(from_call(self.graph, args), states)
        self._states = states

    def profile(self, *args: Any, repeat: int = 10) -> Profile:
        """Time each node over several runs; states of stateful layers stay as they are.

        Args:
            *args: as for a call.
            repeat: number of runs after one warm-up.
        """
        from layergraph.backends.numpy.profile import profile

        if self.backend != "numpy":
            raise InputError(
                "onnxruntime runs all nodes at once, so that none has a time of its own; "
                "profile with backend='numpy'"
            )
        feeds = from_call(self.graph, args)
        return profile(lambda: self._plan.walk(feeds), self.graph, feeds, repeat)

    def predict(
        self, *args: Any, batch_size: int = 32, progress: bool = False, out: Any = None
    ) -> Any:
        """The same as a call in batches, so that memory stays bounded.

        Rows of a memory-mapped file (``np.load(path, mmap_mode="r")``) are read a
        batch at a time, and with ``out`` predictions are written as they come, so
        that neither needs to fit into memory. Stateful layers carry their states
        from batch to batch.

        Args:
            *args: as for a call; all rows at once.
            batch_size: rows a step; a model of a fixed batch size has its own.
            progress: show how far it is on standard error.
            out: where predictions go instead of new arrays: a ``.npy`` file, which
                is put in place when it is whole, or an array, mapped or not; for
                several outputs a mapping of these by output name, or a list.

        Returns:
            What a call returns; of a file the array mapped read-only, and the
            arrays of ``out`` themselves.

        Raises:
            InputError: the rows do not fill batches of the model's fixed size, or
                ``out`` does not fit.
        """
        from contextlib import ExitStack

        from layergraph.backends.numpy.streaming import opened, sinks

        targets = sinks(out, list(self.outputs))
        with ExitStack() as stack:
            if self._plan.stateful:
                stack.enter_context(self._turn)
            for target in targets:
                stack.enter_context(opened(target))
            for outputs in self.stream(*args, batch_size=batch_size, progress=progress):
                for target, part in zip(targets, outputs, strict=True):
                    target.add(part)
        return pack([target.whole() for target in targets], self.graph.output_structure)

    def stream(
        self, *args: Any, batch_size: int = 32, progress: bool = False
    ) -> Iterator[list[Array]]:
        """Predictions of one batch after another, as flat lists of outputs.

        Args:
            *args, batch_size, progress: as for ``predict``.

        Raises:
            InputError: as for ``predict``.
        """
        from contextlib import nullcontext

        from layergraph.backends.numpy.progress import progress as shown
        from layergraph.backends.numpy.streaming import batch_rows, stream

        feeds = from_call(self.graph, args, batches=True)
        shapes = [type_.shape for type_ in self.inputs.values()]
        rows, step = batch_rows(feeds, shapes, batch_size)
        with shown(rows) if progress and rows > step else nullcontext() as advance:
            yield from stream(
                lambda part: self._run(self._plan, cast_batch(self.graph, part)),
                feeds, rows, step, advance,
            )  # fmt: skip

    @property
    def states(self) -> States:
        """Copies of what each stateful layer holds, by name; zeros before the first run."""
        held = {**zero_states(self.graph), **self._states}
        return {name: tuple(state.copy() for state in states) for name, states in held.items()}

    def reset_states(self, states: Mapping[str, Sequence[Array]] | None = None) -> None:
        """Let stateful layers begin afresh, or with given states.

        Args:
            states: arrays by layer name, as the property ``states`` gives them;
                layers not named, or all without it, begin with zeros.

        Raises:
            InputError: no such stateful layer, or its states do not fit.
        """
        fresh = checked_states(self.graph, states or {})
        with self._turn:
            self._states = fresh

    def _run(self, plan: AnyPlan, feeds: Mapping[str, Array]) -> list[Array]:
        if not plan.stateful:
            return plan.run(feeds)
        with self._turn:
            states = dict(self._states)
            outputs = plan.run(feeds, states)
            self._states = states
        return outputs

    def kernels_of(self, graph: Graph) -> Mapping[str, Kernel]:
        """Kernels prepared for ``source`` or ``graph`` so far, by node."""
        return self._kernels.get(id(graph), {})

    def _planned(self, graph: Graph, outputs: Sequence[Value]) -> AnyPlan:
        if self.backend == "onnxruntime":
            from layergraph.backends.onnx.session import SessionPlan

            return SessionPlan(graph, outputs, **self._session)
        return Plan(graph, outputs, self._kernels[id(graph)], self._threads)

    def _plan_for(self, names: tuple[str, ...]) -> AnyPlan:
        if names not in self._plans:
            values = [self._value(name) for name in names]
            # Passes keep the outputs in place, under whatever name.
            placed = dict(zip(self.source.outputs, self.graph.outputs, strict=True))
            found = [placed.get(v, v) for v in values]
            if all(v.node in self.graph for v in found):
                self._plans[names] = self._planned(self.graph, found)
            else:
                # A value that a pass has fused away is computed from the graph as read.
                self._plans[names] = self._planned(self.source, values)
        return self._plans[names]

    def _value(self, name: str) -> Value:
        node, _, index = name.rpartition("#")
        value = Value(node, int(index)) if node and index.isdigit() else Value(name)
        found = self.source.nodes.get(value.node)
        if found is None or value.index >= len(found.types):
            from difflib import get_close_matches

            near = get_close_matches(name, list(self.source.nodes), 1)
            hint = f"did you mean {near[0]!r}?" if near else "`layergraph inspect` lists the names"
            raise InputError(f"the graph has no node {name!r}; {hint}")
        return value
