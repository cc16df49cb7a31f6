"""Pictures of persons that nothing names: a crash came between a row's end and its file's, or before its first row."""

import logging
from pathlib import PurePosixPath

from marengocam.core.clock import Clock
from marengocam.db.hub import Hub
from marengocam.janitor.quiet import Disks
from marengocam.media.store import Store

UNNAMED_FOR_S = 300.0  # a registration writes its picture some seconds before the row that names it
_LOG = logging.getLogger(__name__)


class StrayFaces:
    """Removes them once they have been without a name for long; no clock that is set makes it sooner."""

    def __init__(self, hub: Hub, store: Store, disks: Disks, clock: Clock) -> None:
        self._hub = hub
        self._store = store
        self._disks = disks
        self._clock = clock
        self._seen_s: dict[PurePosixPath, float] = {}

    async def remove(self) -> int:
        """Look once; return how many were deleted; one that cannot be keeps no other.

        Raises HubUnavailableError, StoreError.
        """
        installation_id = await self._hub.settings_store.installation_id()
        if not await self._disks.first.run(self._store.belongs_to, installation_id):
            return 0  # nothing on another installation's disk is named here
        files = await self._disks.first.run(self._store.person_pictures)
        kept = await self._hub.persons.kept_pictures()
        now_s = self._clock.monotonic_s()
        self._seen_s = {path: self._seen_s.get(path, now_s) for path in files if path not in kept}
        going = [path for path, seen_s in self._seen_s.items() if now_s - seen_s >= UNNAMED_FOR_S]
        await self._disks.first.run(self._store.delete_all, going)
        if going:
            _LOG.info("%d pictures of persons removed that nothing names", len(going))
        return len(going)
