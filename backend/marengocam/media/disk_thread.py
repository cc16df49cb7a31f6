"""A thread for one folder's disk: a network share or disk that hangs holds it, and nobody who waits for it."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from marengocam.core.errors import StoreError

P = ParamSpec("P")
T = TypeVar("T")


class DiskHangsError(StoreError):
    """A disk does not answer; what was asked of it may still happen, when it answers again."""


class DiskThread:
    """Does one thing after the other; what hangs is given up, and all else refused until it has ended.

    The thread is a daemon: the end of the process does not wait for a disk either.
    """

    def __init__(self, folder: Path, limit_s: float) -> None:
        self._folder = folder
        self._limit_s = limit_s
        self._works: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._stuck: Future[Any] | None = None
        self._thread: threading.Thread | None = None

    @property
    def hangs(self) -> bool:
        """Whether something that was given up has not ended yet."""
        return self._stuck is not None and not self._stuck.done()

    async def run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Return what `work` returns; raises DiskHangsError."""
        return await self.run_within(self._limit_s, partial(work, *arguments, **named))

    async def run_within(self, limit_s: float, work: Callable[[], T]) -> T:
        """Return what `work` returns, where it has a limit of its own; raises DiskHangsError."""
        if self.hangs:
            raise self._error()
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=f"disk of {self._folder}", daemon=True)
            self._thread.start()
        future: Future[T] = Future()
        self._works.put((future, work))
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            if future.done() and not future.cancelled():
                raise  # the work's own
            if future.running():
                self._stuck = future
            raise self._error() from None

    def close(self) -> None:
        """Let the thread end, after what it is at."""
        self._works.put(None)

    def _error(self) -> DiskHangsError:
        return DiskHangsError(f"The folder {self._folder} does not answer: look at its disk or network share.")

    def _begin(self) -> None:
        """Do what the thread needs before its first work."""

    def _serve(self) -> None:
        self._begin()
        while (item := self._works.get()) is not None:
            future, work = item
            if not future.set_running_or_notify_cancel():
                continue  # given up while it waited
            try:
                future.set_result(self._do(work))
            except BaseException as error:  # noqa: BLE001 - carried over to who awaits it
                future.set_exception(error)

    def _do(self, work: Callable[[], T]) -> T:
        return work()
