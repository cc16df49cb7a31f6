"""Moments that an owner marked become favourites: they go last, whoever deletes."""

from marengocam.db.hub import Hub
from marengocam.janitor.quiet import Disks
from marengocam.media.last_resort import Favourite, write_favourites
from marengocam.media.store import Store

BEFORE_S, AFTER_S = 60.0, 60.0  # kept around a marked moment


class Favourites:
    """Takes them over from the events, and leaves word in the media folder for whoever has no hub."""

    def __init__(self, hub: Hub, store: Store, disks: Disks) -> None:
        self._hub = hub
        self._store = store
        self._disks = disks
        self._written: list[Favourite] | None = None

    async def take(self) -> None:
        """Take over what was marked since the last time. Raises HubUnavailableError, StoreError."""
        await self._hub.retention.take_favourites(BEFORE_S, AFTER_S)
        kept = [Favourite(one.camera_id, one.from_at, one.to_at) for one in await self._hub.retention.favourites()]
        if kept != self._written:
            await self._disks.on_ours(self._disks.first, write_favourites, self._store, kept)
            self._written = kept
