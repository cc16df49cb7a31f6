"""Threads for the disks that keep out of recording's way: lowest processor and input/output priority."""

import contextlib
import ctypes
import os
import platform
import threading
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path, PurePosixPath
from typing import ParamSpec, TypeVar
from uuid import UUID

from marengocam.db.hub import Hub
from marengocam.media.disk_thread import DiskThread
from marengocam.media.mounting import check_ours, while_ours
from marengocam.media.names import ARCHIVE, RECORDINGS
from marengocam.media.space import Space
from marengocam.media.store import Store

NICENESS = 10
LOOK_LIMIT_S = 10.0
LIMIT_S = 30.0  # a disk that sleeps, or is busy with recording, answers within it
IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30}  # the system call's number; libc has no name for it
IOPRIO_WHO_PROCESS, IOPRIO_CLASS_SHIFT = 1, 13
BEST_EFFORT_LAST, IDLE = (2 << IOPRIO_CLASS_SHIFT) | 7, 3 << IOPRIO_CLASS_SHIFT
P = ParamSpec("P")
T = TypeVar("T")


class QuietThread(DiskThread):
    """Does one thing after the other; `hurry` while the disk must be emptied, since an idle class may starve."""

    def __init__(self, folder: Path, limit_s: float = LIMIT_S) -> None:
        super().__init__(folder, limit_s)
        self.folder = folder
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
    """A quiet thread for each of the store's folders: one that hangs keeps nobody from tidying up the other.

    Nothing is measured, deleted or written on a disk that is not ours: one that is not mounted, or another's.
    """

    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._installation_id: UUID | None = None
        self.first = QuietThread(store.root)
        self.look = DiskThread(store.root, LOOK_LIMIT_S)  # how full it is, while a long deletion is under way
        self._archive = QuietThread(store.archive) if store.archive is not None else None

    @property
    def archive(self) -> QuietThread:
        """The archive's; only where there is one."""
        assert self._archive is not None
        return self._archive

    def answering(self, but: Collection[Path] = ()) -> list[str]:
        """Return the first parts of paths of recordings whose disk does not hang, without those of some folders."""
        archive = self._archive or self.first  # paths in an archive that is not set are refused by the store
        disks = ((RECORDINGS, self.first), (ARCHIVE, archive))
        return [name for name, disk in disks if not disk.hangs and disk.folder not in but]

    def of(self, path: PurePosixPath) -> QuietThread:
        """Return the thread of the disk on which a path lies."""
        in_archive = self._archive is not None and path.parts[:1] == (ARCHIVE,)
        return self.archive if in_archive else self.first

    async def check(self) -> None:
        """Raise NotOurDiskError while the first disk is not ours, or StoreError."""
        await self.first.run(check_ours, self.first.folder, await self._ours())

    async def space(self) -> Space:
        """Return how full the first disk is, however busy. Raises NotOurDiskError, StoreError."""
        return await self.look.run(while_ours, self.first.folder, await self._ours(), self._store.space)

    async def on_ours(self, disk: QuietThread, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Have something done on a disk that is ours before and after. Raises NotOurDiskError, StoreError."""
        whole = partial(work, *arguments, **named)
        return await disk.run(while_ours, disk.folder, await self._ours(), whole)

    async def delete(self, store: Store, path: PurePosixPath) -> None:
        """Delete a file; that it is not there counts on our disk alone. Raises NotOurDiskError, StoreError."""
        await self.on_ours(self.of(path), store.delete, path)

    async def _ours(self) -> UUID:
        if self._installation_id is None:
            self._installation_id = await self._hub.settings_store.installation_id()
        return self._installation_id

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
