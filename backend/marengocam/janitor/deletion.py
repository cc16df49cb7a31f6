"""Deleting, in the order that no kill can harm: sentence in the hub, then the file, then the row."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from marengocam.core.clock import Clock
from marengocam.core.model import Chunk
from marengocam.db.hub import Hub
from marengocam.janitor.quiet import QuietThread
from marengocam.media.store import MOVING_SUFFIX, Store

BATCH_CHUNKS = 50
PAUSE_S = 0.05  # between files: recording comes first
Breath = Callable[[], Awaitable[None]]


async def condemn(hub: Hub, chunks: Sequence[Chunk], clock: Clock) -> None:
    """Sentence chunks: from now on nobody is shown them."""
    if chunks:
        await hub.chunks.condemn([chunk.chunk_id for chunk in chunks], clock.now())


async def carry_out(
    hub: Hub, store: Store, quiet: QuietThread, *, pause_s: float = PAUSE_S, breath: Breath | None = None
) -> int:
    """Delete the files of condemned chunks, then their rows; return how many. Calling it again is no harm.

    `breath` is awaited between batches and returns when deleting may go on.
    """
    total = 0
    while chunks := await hub.chunks.condemned(BATCH_CHUNKS):
        ids = [chunk.chunk_id for chunk in chunks]
        seconds = await hub.chunks.second_paths(ids)
        halves = [path.with_name(path.name + MOVING_SUFFIX) for path in seconds]
        for path in [*(chunk.path for chunk in chunks), *seconds, *halves]:
            await quiet.run(store.delete, path)
            if pause_s:
                await asyncio.sleep(pause_s)
        await hub.chunks.forget(ids)
        total += len(chunks)
        if breath is not None:
            await breath()
    return total
