"""A thread for the disk that keeps out of recording's way: lowest processor and input/output priority."""

import asyncio
import contextlib
import ctypes
import os
import platform
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

NICENESS = 10
IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30}  # the system call's number; libc has no name for it
IOPRIO_WHO_PROCESS, IOPRIO_CLASS_SHIFT = 1, 13
BEST_EFFORT_LAST, IDLE = (2 << IOPRIO_CLASS_SHIFT) | 7, 3 << IOPRIO_CLASS_SHIFT
P = ParamSpec("P")
T = TypeVar("T")


class QuietThread:
    """Runs one thing after the other; `hurry` while the disk must be emptied, since an idle class may starve."""

    def __init__(self) -> None:
        self.hurry = False
        self._hurries: bool | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="quiet", initializer=_be_nice)

    async def run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Return what `work` returns."""
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, partial(self._quietly, partial(work, *arguments, **named))
        )

    def close(self) -> None:
        """Let go of the thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _quietly(self, work: Callable[[], T]) -> T:
        if self._hurries is not self.hurry:
            self._hurries = self.hurry
            set_io_priority(BEST_EFFORT_LAST if self.hurry else IDLE)
        return work()


def set_io_priority(value: int) -> bool:
    """Set the calling thread's input/output priority; False where that cannot be done."""
    number = IOPRIO_SET.get(platform.machine())
    if number is None:
        return False
    return bool(ctypes.CDLL(None).syscall(number, IOPRIO_WHO_PROCESS, 0, value) == 0)


def _be_nice() -> None:
    with contextlib.suppress(OSError, PermissionError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
