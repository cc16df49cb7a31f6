"""Threads for the disks that keep out of recording's way: lowest processor and input/output priority."""

import contextlib
import ctypes
import os
import platform
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TypeVar

from marengocam.media.disk_thread import DiskThread
from marengocam.media.store import ARCHIVE, RECORDINGS, Store

NICENESS = 10
LOOK_LIMIT_S = 10.0
LIMIT_S = 30.0  # a disk that sleeps, or is busy with recording, answers within it
IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30}  # the system call's number; libc has no name for it
IOPRIO_WHO_PROCESS, IOPRIO_CLASS_SHIFT = 1, 13
BEST_EFFORT_LAST, IDLE = (2 << IOPRIO_CLASS_SHIFT) | 7, 3 << IOPRIO_CLASS_SHIFT
T = TypeVar("T")


class QuietThread(DiskThread):
    """Does one thing after the other; `hurry` while the disk must be emptied, since an idle class may starve."""

    def __init__(self, folder: Path, limit_s: float = LIMIT_S) -> None:
        super().__init__(folder, limit_s)
        self.hurry = False
        self._hurries: bool | None = None

    def _begin(self) -> None:
        with contextlib.suppress(OSError, PermissionError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)

    def _do(self, work: Callable[[], T]) -> T:
        if self._hurries is not self.hurry:
            self._hurries = self.hurry
            set_io_priority(BEST_EFFORT_LAST if self.hurry else IDLE)
        return work()


class Disks:
    """A quiet thread for each of the store's folders: one that hangs keeps nobody from tidying up the other."""

    def __init__(self, store: Store) -> None:
        self.first = QuietThread(store.root)
        self.look = DiskThread(store.root, LOOK_LIMIT_S)  # how full it is, while a long deletion is under way
        self._archive = QuietThread(store.archive) if store.archive is not None else None

    @property
    def archive(self) -> QuietThread:
        """The archive's; only where there is one."""
        assert self._archive is not None
        return self._archive

    @property
    def answering(self) -> list[str]:
        """The first parts of paths of recordings whose disk does not hang."""
        archive = self._archive or self.first  # paths in an archive that is not set are refused by the store
        return [name for name, disk in ((RECORDINGS, self.first), (ARCHIVE, archive)) if not disk.hangs]

    def of(self, path: PurePosixPath) -> QuietThread:
        """Return the thread of the disk on which a path lies."""
        in_archive = self._archive is not None and path.parts[:1] == (ARCHIVE,)
        return self.archive if in_archive else self.first

    async def delete(self, store: Store, path: PurePosixPath) -> None:
        """Delete a file. Raises StoreError."""
        await self.of(path).run(store.delete, path)

    def close(self) -> None:
        """Let go of the threads."""
        for disk in (self.first, self.look, self._archive):
            if disk is not None:
                disk.close()


def set_io_priority(value: int) -> bool:
    """Set the calling thread's input/output priority; False where that cannot be done."""
    number = IOPRIO_SET.get(platform.machine())
    if number is None:
        return False
    return bool(ctypes.CDLL(None).syscall(number, IOPRIO_WHO_PROCESS, 0, value) == 0)
