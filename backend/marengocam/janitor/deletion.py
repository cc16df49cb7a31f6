"""Deleting, in the order that no kill can harm: sentence in the hub, then the file, then the row."""

import asyncio

from marengocam.core.clock import Clock
from marengocam.core.model import Chunk
from marengocam.db.hub import Hub
from marengocam.media.store import Store

BATCH_CHUNKS = 50
PAUSE_S = 0.05  # between files: recording comes first


async def condemn(hub: Hub, chunks: list[Chunk], clock: Clock) -> None:
    """Sentence chunks: from now on nobody is shown them."""
    if chunks:
        await hub.chunks.condemn([chunk.chunk_id for chunk in chunks], clock.now())


async def carry_out(hub: Hub, store: Store) -> int:
    """Delete the files of condemned chunks, then their rows; return how many. Calling it again is no harm."""
    total = 0
    while chunks := await hub.chunks.condemned(BATCH_CHUNKS):
        for chunk in chunks:
            await asyncio.to_thread(store.delete, chunk.path)
            await asyncio.sleep(PAUSE_S)
        await hub.chunks.forget([chunk.chunk_id for chunk in chunks])
        total += len(chunks)
    return total
