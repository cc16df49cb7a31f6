"""Deleting, in the order that no kill can harm: sentence in the hub, then the file, then the row."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from uuid import UUID

from marengocam.core.clock import Clock
from marengocam.core.errors import StoreError
from marengocam.core.model import Chunk
from marengocam.db.hub import Hub
from marengocam.janitor.quiet import Disks
from marengocam.media.mounting import NotOurDiskError
from marengocam.media.names import MOVING_SUFFIX
from marengocam.media.store import Store

BATCH_CHUNKS = 50
PAUSE_S = 0.05  # between files: recording comes first
MAX_STUCK = 1000  # files that cannot be deleted; with more of them the disk itself is in trouble
Breath = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """How many recordings went, and what kept another from going, or ''."""

    count: int
    problem: str = ""


async def condemn(hub: Hub, chunks: Sequence[Chunk], clock: Clock) -> None:
    """Sentence chunks: from now on nobody is shown them."""
    if chunks:
        await hub.chunks.condemn([chunk.chunk_id for chunk in chunks], clock.now())


async def carry_out(
    hub: Hub, store: Store, disks: Disks, *, pause_s: float = PAUSE_S, breath: Breath | None = None
) -> CarriedOut:
    """Delete the files of condemned chunks, then their rows. Calling it again is no harm.

    A file that cannot be deleted keeps its row, and no other file from going; those of a disk that hangs, or that
    is not ours, wait.
    `breath` is awaited between batches and returns when deleting may go on.
    """
    total, problem = 0, ""
    stuck: list[UUID] = []
    others: set[Path] = set()  # folders with another disk than ours
    while len(stuck) < MAX_STUCK and (
        chunks := await hub.chunks.condemned(BATCH_CHUNKS, folders=disks.answering(others), but=stuck)
    ):
        gone, seconds = [], await hub.chunks.second_paths([chunk.chunk_id for chunk in chunks])
        for chunk in chunks:
            try:
                await _delete(store, disks, chunk.path, seconds.get(chunk.chunk_id), pause_s)
            except StoreError as error:
                stuck.append(chunk.chunk_id)
                problem = problem or str(error)
                if isinstance(error, NotOurDiskError):
                    others.add(error.folder)
            else:
                gone.append(chunk.chunk_id)
        await hub.chunks.forget(gone)
        total += len(gone)
        if breath is not None:
            await breath()
    return CarriedOut(total, problem)


async def _delete(
    store: Store, disks: Disks, path: PurePosixPath, second: PurePosixPath | None, pause_s: float
) -> None:
    seconds = () if second is None else (second, second.with_name(second.name + MOVING_SUFFIX))
    for one in (path, *seconds):
        await disks.delete(store, one)
        if pause_s:
            await asyncio.sleep(pause_s)
