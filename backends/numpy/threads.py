"""Tiles of one kernel spread over threads, each multiplying on one BLAS thread meanwhile;
of a single row, BLAS' own threads instead (see ``spread``).

NumPy lets other threads run while it computes, so that gathering, activations and
pooling use all cores, which BLAS' own threads leave to one. A GEMM split by BLAS makes
its threads wait for each other many times; tiles only meet at the end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from layergraph.backends.numpy.blas import thread_count
from layergraph.backends.numpy.scratch import Pool, current

WORTH_SPREADING = 200_000
"""Nanoseconds of work below which waking another thread costs more than it saves."""

WORTH_SPLITTING = 50_000
"""Nanoseconds of work from which BLAS' own threads share a product."""

Task = Callable[[int], None]


def spread(task: Task, count: int, nanoseconds: float) -> None:
    """Call ``task(i)`` for each ``i`` below ``count``, on the run's threads where that pays.

    Of a single row, layers take a fraction of a millisecond, and waking a thread takes a
    good part of that. BLAS' threads watch for work instead of sleeping, so that they share
    the products; the rest is done here. Both at once are in each other's way.

    Args:
        task: does one tile; tiles are done in any order, several at once.
        count: number of tiles.
        nanoseconds: about how long all of them take one thread.
    """
    threads = current.threads
    helpers = 0 if current.single else min(threads, count) - 1
    # Tiles that are spread are not cut once more.
    current.threads = 1
    try:
        if helpers < 1 or nanoseconds < WORTH_SPREADING:
            splits = current.single and nanoseconds >= WORTH_SPLITTING
            with blas_threads(threads if splits else 1):
                for i in range(count):
                    task(i)
            return
        job = _Job(task, count)
        _staff(helpers)
        with blas_on_one_thread():
            for _ in range(helpers):
                _queue.put(job)
            job.finish()
    finally:
        current.threads = threads


def over_tiles(
    task: Callable[[Any, Any], None], tiles: Sequence[Any], pool: Pool, nanoseconds: float
) -> None:
    """Call ``task`` with each tile and buffers out of a pool, as ``spread`` does.

    Args:
        task: does one tile in the buffers lent to it.
        tiles: what there is to do.
        pool: where the buffers come from and go back to.
        nanoseconds: about how long all tiles take one thread.
    """

    def one(i: int) -> None:
        work = pool.take()
        task(tiles[i], work)
        pool.give(work)

    spread(one, len(tiles), nanoseconds)


STRETCH = 1 << 16
"""Elements at a time, of which several arrays stay in a core's cache."""


def over_rows(
    task: Callable[[slice], None], rows: int, width: int, nanoseconds: float, most: int = STRETCH
) -> None:
    """Call ``task`` with some rows at a time, as ``spread`` does.

    Args:
        task: computes these rows of a result.
        rows: how many there are.
        width: elements of a row.
        nanoseconds: about how long an element takes one thread.
        most: elements at a time.
    """
    most = max(most // max(width, 1), 1)
    if rows <= most:
        task(slice(0, rows))
        return
    # An even number of equal parts, so that two threads have the same to do.
    step = -(-rows // (2 * -(-rows // (2 * most))))
    starts = range(0, rows, step)
    spread(
        lambda i: task(slice(starts[i], starts[i] + step)),
        len(starts),
        rows * width * nanoseconds,
    )


class _Job:
    """Tiles that several threads take from one list; ``list.pop`` is atomic."""

    def __init__(self, task: Task, count: int) -> None:
        self._task = task
        self._left = list(range(count - 1, -1, -1))
        self._lock = threading.Lock()
        self._helping = 0
        self._closed = False
        self._idle = threading.Lock()
        self._idle.acquire()
        self._error: BaseException | None = None

    def help(self) -> None:
        """Do tiles as long as there are any; called by a helper."""
        with self._lock:
            if self._closed:
                return
            self._helping += 1
        self._work()
        with self._lock:
            self._helping -= 1
            if self._closed and not self._helping:
                self._idle.release()

    def finish(self) -> None:
        """Do tiles, then wait for the helpers; raises what any of them raised."""
        self._work()
        with self._lock:
            # A helper that has not begun by now finds the job closed.
            self._closed = True
            waiting = self._helping > 0
        if waiting:
            self._idle.acquire()
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            while True:
                try:
                    i = self._left.pop()
                except IndexError:
                    return
                self._task(i)
        except BaseException as error:  # raised again by ``finish``
            self._error = error
            self._left.clear()


_queue: SimpleQueue[_Job] = SimpleQueue()
_helpers: list[threading.Thread] = []
_hiring = threading.Lock()


def _staff(count: int) -> None:
    """See that there are so many helpers; they wait for jobs as long as the process lives."""
    if len(_helpers) >= count:
        return
    with _hiring:
        while len(_helpers) < count:
            helper = threading.Thread(target=_serve, name="layergraph tiles", daemon=True)
            helper.start()
            _helpers.append(helper)


def _serve() -> None:
    while True:
        _queue.get().help()


def _after_fork() -> None:
    """A forked process has no helpers yet, and no lock of theirs."""
    global _queue, _hiring
    _queue, _hiring = SimpleQueue(), threading.Lock()
    _helpers.clear()
    _Limit.reset()


class _Limit:
    """How many callers want BLAS on one thread, and what it had before."""

    lock = threading.Lock()
    callers = 0
    before = 1

    @classmethod
    def reset(cls) -> None:
        cls.lock, cls.callers = threading.Lock(), 0


@contextmanager
def blas_on_one_thread() -> Iterator[None]:
    """Keep BLAS from starting threads; the last to leave restores what it had."""
    blas = thread_count()
    if blas is None:
        yield
        return
    get, put = blas
    with _Limit.lock:
        if not _Limit.callers:
            _Limit.before = get()
            put(1)
        _Limit.callers += 1
    try:
        yield
    finally:
        with _Limit.lock:
            _Limit.callers -= 1
            if not _Limit.callers:
                put(_Limit.before)


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Let BLAS start threads within a run, which else keeps it to one."""
    blas = thread_count()
    if blas is None or count <= 1 or not _Limit.callers:
        yield
        return
    _, put = blas
    put(min(count, _Limit.before))
    try:
        yield
    finally:
        put(1)


def available_threads() -> int:
    """Threads to spread tiles over: as many as BLAS has, ``1`` where it cannot be told.

    So what limits BLAS (``OPENBLAS_NUM_THREADS``, a container's share of cores) limits us.
    """
    blas = thread_count()
    if blas is None:
        return 1
    with _Limit.lock:
        return int(_Limit.before if _Limit.callers else blas[0]())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
