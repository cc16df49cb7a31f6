"""What a former holder of a camera left: tracks that are open, files without rows, pictures that nothing names."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any

from marengocam.core.errors import HubUnavailableError, StoreError
from marengocam.core.model import CameraState
from marengocam.ingest.catching_up import index_leftovers
from marengocam.ingest.hub_writer import HubWriter
from marengocam.ingest.stray_pictures import remove_strays
from marengocam.ingest.worker import CameraWorker
from marengocam.media.adoption import held_since_before
from marengocam.media.store import Store
from marengocam.runtime.context import ServiceContext

LEFTOVERS_REACHES = (timedelta(days=2), timedelta(days=36525))  # what is recent first, then all: clocks begin in 1970
LEFTOVERS_RETRY_S = 5.0
HELD_RETRY_S = 30.0  # a former holder that hangs still has its file
_LOG = logging.getLogger(__name__)


class TakingOver:
    """Tidies up after the former holders of this process's cameras; runs on the event loop only."""

    def __init__(
        self,
        context: ServiceContext,
        store: Store,
        workers: Mapping[str, CameraWorker],
        writer: HubWriter,
        background: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._hub = context.hub
        self._clock = context.clock
        self._store = store
        self._workers = workers
        self._writer = writer
        self._background = background
        self._done: dict[str, int] = {}  # camera and the fence of the lease it was tidied up under
        self._held_elsewhere: set[str] = set()  # cameras of which a former holder still has a file

    def is_done(self, camera_id: str) -> bool:
        """Return whether a camera was tidied up since it was started here."""
        return camera_id in self._done

    def forget(self, camera_id: str) -> None:
        """Have a camera tidied up again, since it was started anew."""
        self._done.pop(camera_id, None)

    async def tidy_up(self, fences: Mapping[str, int]) -> None:
        """Tidy up after the holder before each new lease, its files in the background. Raises HubUnavailableError."""
        new = [key for key in self._workers if key in fences and self._done.get(key) != fences[key]]
        if not new:
            return
        statuses = await self._hub.cameras.statuses()
        for camera_id in new:
            # Tracks that our own worker opened meanwhile would be closed too, but their next state opens them again.
            await self._hub.tracks.close_abandoned(camera_id, fences[camera_id])
            before = statuses.get(camera_id)
            told_offline = before is not None and before.state is CameraState.OFFLINE
            self._workers[camera_id].events.told_offline = told_offline
            self._done[camera_id] = fences[camera_id]
            self.index_leftovers(camera_id)

    def index_leftovers(self, camera_id: str) -> None:
        """Have what of a camera lies on the disk without a row adopted and indexed, in the background."""
        self._background(self._index_leftovers(camera_id))

    async def _index_leftovers(self, camera_id: str) -> None:
        for reach in LEFTOVERS_REACHES:
            await self._index(camera_id, reach)
        if camera_id in self._held_elsewhere:
            return  # that is waited for already
        self._held_elsewhere.add(camera_id)
        try:
            while await self._is_held_elsewhere(camera_id):
                await asyncio.sleep(HELD_RETRY_S)
                await self._index(camera_id, LEFTOVERS_REACHES[0])
        finally:
            self._held_elsewhere.discard(camera_id)

    async def _index(self, camera_id: str, reach: timedelta) -> None:
        """Adopt and index what lies there without a row, again and again until hub and disk have answered."""
        while True:
            try:
                await index_leftovers(self._hub, self._store, camera_id, self._clock, reach)
                await self._remove_strays(camera_id, reach)
            except (HubUnavailableError, StoreError, OSError) as error:
                _LOG.info("camera %s: leftovers are looked for again: %s", camera_id, error)
                await asyncio.sleep(LEFTOVERS_RETRY_S)
            else:
                return

    async def _is_held_elsewhere(self, camera_id: str) -> bool:
        """Return whether a file of a former holder still grows, or hangs, while the camera is ours."""
        worker = self._workers.get(camera_id)
        if worker is None:
            return False
        now = self._clock.now()
        return await asyncio.to_thread(
            held_since_before, self._store, camera_id, worker.began_at, LEFTOVERS_REACHES[0], now
        )

    async def _remove_strays(self, camera_id: str, reach: timedelta) -> None:
        worker = self._workers.get(camera_id)
        if worker is not None:
            waiting = self._writer.waiting_tracks
            await remove_strays(self._hub, self._store, camera_id, worker.began_at, waiting, reach)
