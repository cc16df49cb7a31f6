"""Files that the index does not know: adopted after a crash, indexed after the database was away."""

import asyncio
import logging
from datetime import datetime, timedelta

from marengocam.core.clock import Clock
from marengocam.core.errors import MediaError
from marengocam.core.model import Chunk
from marengocam.db.hub import Hub
from marengocam.media.adoption import adopt_partials, chunk_of, finished_since
from marengocam.media.store import Store

HOUR = timedelta(hours=1)
_LOG = logging.getLogger(__name__)


async def index_leftovers(hub: Hub, store: Store, camera_id: str, clock: Clock, reach: timedelta) -> None:
    """Adopt what a crash left of a camera, and index its finished files of the last time that have no row.

    What lies ahead of our clock, which may have been wrong, belongs to them. Raises HubUnavailableError; calling it
    again is no harm.
    """
    from_at = clock.now() - reach
    adopted = await asyncio.to_thread(adopt_partials, store, camera_id, from_at)
    await hub.chunks.add(adopted)
    known = await hub.chunks.known_paths(camera_id, from_at - HOUR)  # its hour's folder is read whole
    found = await asyncio.to_thread(_unknown, store, camera_id, known, from_at)
    await hub.chunks.add(found)
    if adopted or found:
        _LOG.info("camera %s: %d files adopted, %d indexed late", camera_id, len(adopted), len(found))


def _unknown(store: Store, camera_id: str, known: set[str], from_at: datetime) -> list[Chunk]:
    chunks = []
    for file in finished_since(store, camera_id, from_at):
        if str(store.relative(file)) in known:
            continue
        try:
            chunks.append(chunk_of(store, file))
        except (MediaError, OSError) as error:
            _LOG.warning("%s is not indexed: %s", file.name, error)
    return chunks
