"""The line protocol between the benchmark and its processes: JSON, a request and an answer a line.

Whatever libraries print goes to standard error, so that the protocol's own pipe holds
nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import layergraph
from layergraph.ir.errors import LayerGraphError

START_SECONDS = 120.0
"""How long a process may take to say that it is there."""


class WorkerError(LayerGraphError):
    """A process answered that it cannot, or died; the text says which."""


class OverdueError(WorkerError):
    """A process took too long, and was ended."""


class Worker:
    """A process that answers requests, one at a time.

    Args:
        module: module to run, which calls ``serve``.
        arguments: its arguments.
        python: interpreter; it needs layergraph too.
        env: environment variables besides ours.

    Raises:
        WorkerError: it did not start.
    """

    def __init__(
        self,
        module: str,
        arguments: Iterable[str] = (),
        *,
        python: str = sys.executable,
        env: Mapping[str, str] | None = None,
    ) -> None:
        try:
            self._process = subprocess.Popen(
                [python, "-m", module, *arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=quiet_environment(env or {}, python),
            )  # fmt: skip
        except OSError as error:
            raise WorkerError(f"{python} does not start ({error.strerror})") from error
        self._lines: Queue[bytes] = Queue()
        Thread(target=self._read, daemon=True).start()
        self.hello = self._answer(START_SECONDS)
        """What it said first."""

    def ask(self, what: str, limit: float, **arguments: Any) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Args:
            what: name of the request.
            limit: seconds to wait; a process that takes longer is ended.
            **arguments: of the request.

        Raises:
            WorkerError: see the class.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"ask": what, **arguments}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise WorkerError("died") from None
        return self._answer(limit)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._lines.put(line)
        except ValueError:
            # Closed while we waited.
            pass
        self._lines.put(b"")

    def _answer(self, limit: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=limit)
        except Empty:
            self.close()
            raise OverdueError(f"slower than {limit:.0f} s") from None
        except BaseException:
            self.close()
            raise
        if not line:
            self._process.wait()
            raise WorkerError("out of memory" if self._process.returncode == -9 else "died")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer


def serve(handlers: Mapping[str, Callable[..., dict[str, Any]]], hello: dict[str, Any]) -> int:
    """Say hello, then answer requests on standard input until it ends.

    Args:
        handlers: by name of the request; called with its arguments.
        hello: the first answer.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(data: dict[str, Any]) -> None:
        answers.write(json.dumps(data) + "\n")
        answers.flush()

    answer(hello)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            found = handlers[request.pop("ask")](**request)
        except Exception as error:
            found = {"error": spelled(error)}
        answer(found)
    return 0


def spelled(error: Exception) -> str:
    """An error in one short line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:120]


def missing_packages(packages: Iterable[str]) -> list[str]:
    """Those that are not installed."""
    return [name for name in packages if find_spec(name) is None]


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of those that are installed."""
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def quiet_environment(more: Mapping[str, str], python: str = sys.executable) -> dict[str, str]:
    """The environment with TensorFlow's log off and no GPU, and some variables besides.

    A process of our own interpreter finds this very layergraph, installed or not.
    """
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    if python == sys.executable:
        paths = [str(Path(layergraph.__file__).parents[1]), env.get("PYTHONPATH", "")]
        env["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return {**env, "JAX_PLATFORMS": "cpu", **more}
