"""A thread for one folder's disk: a network share or disk that hangs holds it, and nobody who waits for it."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from marengocam.core.errors import StoreError

P = ParamSpec("P")
T = TypeVar("T")
COPY_BLOCK_BYTES = 4 << 20
_HERE = threading.local()  # which disk's thread this is


class DiskHangsError(StoreError):
    """A disk does not answer; what was asked of it may still happen, when it answers again."""


class DiskThread:
    """Does one thing after the other; what hangs is given up, and all else refused until it has ended.

    It hangs when there was no sign of life for `limit_s`: nothing ended, nothing began, and a long work did not say
    that it goes on. So what waits behind others, or takes long, is no hang. The thread is a daemon: the end of the
    process does not wait for a disk either.
    """

    def __init__(self, folder: Path, limit_s: float) -> None:
        self._folder = folder
        self._limit_s = limit_s
        self._works: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._at: Future[Any] | None = None  # what the thread is at
        self._stuck: Future[Any] | None = None
        self._sign_s = 0.0  # of life, by the monotonic clock
        self._thread: threading.Thread | None = None

    @property
    def hangs(self) -> bool:
        """Whether something that was given up has neither ended yet nor shown a sign of life since."""
        if self._stuck is None or self._stuck.done():
            return False
        return time.monotonic() - self._sign_s >= self._limit_s

    async def run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Return what `work` returns; raises DiskHangsError."""
        if self.hangs:
            raise self._error()
        future: Future[T] = Future()
        asked_s = time.monotonic()
        self._put(future, partial(work, *arguments, **named))
        waiting = asyncio.wrap_future(future)
        try:
            while not waiting.done():
                left_s = max(asked_s, self._sign_s) + self._limit_s - time.monotonic()
                if left_s <= 0:
                    self._stuck = self._at
                    raise self._error()
                await asyncio.wait({waiting}, timeout=left_s)
            return waiting.result()
        finally:
            waiting.cancel()  # what has not begun is not done any more

    @property
    def load(self) -> int:
        """How much is asked of it and has not ended."""
        at = self._at
        return self._works.qsize() + (at is not None and not at.done())

    def later(self, work: Callable[[], object]) -> None:
        """Have something done that nobody waits for."""
        self._put(Future(), work)

    def _put(self, future: Future[Any], work: Callable[[], Any]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=f"disk of {self._folder}", daemon=True)
            self._thread.start()
        self._works.put((future, work))

    def close(self) -> None:
        """Let the thread end, after what it is at."""
        self._works.put(None)

    def _error(self) -> DiskHangsError:
        return DiskHangsError(f"The folder {self._folder} does not answer: look at its disk or network share.")

    def _begin(self) -> None:
        """Do what the thread needs before its first work."""

    def _serve(self) -> None:
        _HERE.disk = self
        self._begin()
        while (item := self._works.get()) is not None:
            future, work = item
            if not future.set_running_or_notify_cancel():
                continue  # given up while it waited
            self._at, self._sign_s = future, time.monotonic()
            try:
                future.set_result(self._do(work))
            except BaseException as error:  # noqa: BLE001 - carried over to who awaits it
                future.set_exception(error)

    def _do(self, work: Callable[[], T]) -> T:
        return work()


class DiskThreads:
    """Several threads for one disk: what is quick need not wait for what is long; if all hang, it is refused."""

    def __init__(self, folder: Path, limit_s: float, count: int) -> None:
        self._threads = [DiskThread(folder, limit_s) for _ in range(count)]

    async def run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Return what `work` returns; raises DiskHangsError."""
        return await self._freest().run(work, *arguments, **named)

    def later(self, work: Callable[[], object]) -> None:
        """Have something done that nobody waits for."""
        self._freest().later(work)

    def close(self) -> None:
        """Let the threads end, after what they are at."""
        for thread in self._threads:
            thread.close()

    def _freest(self) -> DiskThread:
        return min(self._threads, key=lambda one: (one.hangs, one.load))


def still_answers() -> None:
    """Say, within a long work on a disk's thread, that the disk takes and gives: it is no hang."""
    disk: DiskThread | None = getattr(_HERE, "disk", None)
    if disk is not None:
        disk._sign_s = time.monotonic()  # noqa: SLF001 - its own module


def copy_file(source: Path, target: Path) -> None:
    """Copy a file's content so that what is there is on the disk; that it takes long is no hang. Raises OSError."""
    with source.open("rb") as reading, target.open("wb") as writing:
        while block := reading.read(COPY_BLOCK_BYTES):
            writing.write(block)
            writing.flush()
            os.fdatasync(writing.fileno())  # what only memory took says nothing of the disk
            still_answers()
