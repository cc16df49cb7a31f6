"""Moving recordings to the archive folder, in an order that keeps I1 and I2 whatever instruction is the last.

The row is told first where a second file may lie; the copy is whole and synced before the row points to it; the old
file goes after that, and only then is the second place struck off. Whatever stands there after a kill is not needed.
"""

import contextlib
import logging
from pathlib import PurePosixPath

from marengocam.core.errors import StoreError
from marengocam.core.model import Chunk
from marengocam.db.hub import Hub
from marengocam.janitor.quiet import Disks
from marengocam.media.disk_thread import DiskHangsError
from marengocam.media.mounting import NotOurDiskError
from marengocam.media.names import ARCHIVE, MOVING_SUFFIX
from marengocam.media.store import Store

BATCH_CHUNKS = 20
_LOG = logging.getLogger(__name__)


async def move(hub: Hub, store: Store, chunk: Chunk, disks: Disks) -> bool:
    """Move one recording; False when it was condemned meanwhile. Raises HubUnavailableError, StoreError."""
    there = ARCHIVE / chunk.path
    if not await hub.retention.begin_move(chunk.chunk_id, there):
        return False
    try:
        await disks.on_ours(disks.archive, store.copy_to_archive, chunk.path)
    except (DiskHangsError, NotOurDiskError):
        raise  # the copy may still come to lie there: it stays noted, and is ended as one that was cut short
    except StoreError:
        await hub.retention.end_move(chunk.chunk_id, there)
        raise
    if not await hub.retention.switch_over(chunk.chunk_id, there):
        return False  # condemned: both files go with it
    await disks.delete(store, chunk.path)
    await hub.retention.end_move(chunk.chunk_id, chunk.path)
    return True


async def end_cut_short_moves(hub: Hub, store: Store, disks: Disks) -> int:
    """Delete what moves that were cut short left in the second place; return how many there were."""
    total = 0
    while cut_short := await hub.retention.on_the_move(BATCH_CHUNKS):
        for chunk_id, other in cut_short:
            await disks.delete(store, PurePosixPath(f"{other}{MOVING_SUFFIX}"))
            await disks.delete(store, other)
            await hub.retention.end_move(chunk_id, other)
        total += len(cut_short)
    return total


def archive_problem(store: Store) -> str:
    """Return why the archive cannot be used now, or ''; it asks the disk."""
    if store.archive is None:
        return ""
    with contextlib.suppress(OSError):
        if store.archive.is_dir():
            return ""
    return f"The archive folder {store.archive} is not there: mount its disk. Old recordings stay where they are."
