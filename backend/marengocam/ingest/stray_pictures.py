"""Pictures that a crash left behind: written in the moment before the row that would have named them."""

import asyncio
import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from marengocam.db.hub import Hub
from marengocam.media.names import track_of_picture
from marengocam.media.store import Store

PAGE = 500
_LOG = logging.getLogger(__name__)


async def remove_strays(
    hub: Hub, store: Store, camera_id: str, written_before: datetime, waiting: Collection[UUID], reach: timedelta
) -> int:
    """Delete a camera's pictures that nothing names; return how many there were.

    Only those of a former holder can be stray: `written_before` is when the present one began, `waiting` are tracks
    whose rows it still has to write. Raises HubUnavailableError.
    """
    files = await asyncio.to_thread(_older, store, camera_id, written_before, reach)
    removed = 0
    for start in range(0, len(files), PAGE):
        page = {str(store.relative(file)): file for file in files[start : start + PAGE]}
        named = await hub.tracks.known_pictures(list(page))
        for path, file in page.items():
            if path not in named and track_of_picture(file.name) not in waiting:
                await asyncio.to_thread(store.delete, store.relative(file))
                removed += 1
    if removed:
        _LOG.info("camera %s: %d pictures removed that no track names", camera_id, removed)
    return removed


def _older(store: Store, camera_id: str, written_before: datetime, reach: timedelta) -> list[Path]:
    before_s = written_before.timestamp()
    files = store.pictures(camera_id, written_before - reach)
    return [file for file in files if _modified_s(file) < before_s]


def _modified_s(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return float("inf")  # renamed in this moment
