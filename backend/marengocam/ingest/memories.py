"""What cameras have learned, brought from the hub when they are started and kept there now and then."""

import logging
from collections.abc import Callable

from marengocam.core.clock import Clock
from marengocam.core.errors import MarengoCamError
from marengocam.db.hub import Hub
from marengocam.ingest.furniture import Furniture
from marengocam.ingest.worker import CameraWorker

KEEP_EVERY_S = 300.0
_LOG = logging.getLogger(__name__)


class Memories:
    """The furniture of the cameras of this process; runs on the event loop only.

    What could not be loaded is not overwritten: a camera that was started without a hub is told once there is one, and
    nothing is kept until then. Nor does a process keep anything that has lost the camera's lease.
    """

    def __init__(self, hub: Hub, clock: Clock, fences: Callable[[], dict[str, int]]) -> None:
        self._hub = hub
        self._clock = clock
        self._fences = fences
        self._loaded: dict[str, Furniture] = {}
        self._kept_at_s: dict[str, float] = {}

    async def load(self, camera_id: str) -> None:
        """Bring what a camera has learned; without it the camera learns anew."""
        try:
            kept = await self._hub.memory.furniture(camera_id)
        except MarengoCamError as error:
            _LOG.info("camera %s learns its furniture anew: %s", camera_id, error)
            self._loaded.pop(camera_id, None)
            return
        try:
            self._loaded[camera_id] = Furniture.from_json(kept)
        except (KeyError, TypeError, ValueError):
            _LOG.warning("camera %s: what it had learned cannot be read; it learns anew", camera_id)
            self._loaded[camera_id] = Furniture()
        self._kept_at_s[camera_id] = self._clock.monotonic_s()

    async def load_late(self, worker: CameraWorker) -> None:
        """Bring what a camera has learned that had to be started without it."""
        camera_id = worker.camera.camera_id
        if camera_id in self._loaded:
            return
        await self.load(camera_id)
        if camera_id in self._loaded:
            worker.remember(self._loaded[camera_id])

    def furniture(self, camera_id: str) -> Furniture:
        """Return what was brought for a camera."""
        return self._loaded.get(camera_id) or Furniture()

    async def keep_now_and_then(self, worker: CameraWorker) -> None:
        """Keep what a camera has learned, when that is due."""
        if self._clock.monotonic_s() - self._kept_at_s.get(worker.camera.camera_id, 0.0) >= KEEP_EVERY_S:
            await self.keep(worker)

    async def keep(self, worker: CameraWorker) -> None:
        """Keep what a camera has learned; no error leaves it, since the next time will do."""
        camera_id, learned = worker.camera.camera_id, worker.furniture
        fence = self._fences().get(camera_id)
        if camera_id not in self._loaded or learned is None or fence is None:
            return
        self._kept_at_s[camera_id] = self._clock.monotonic_s()
        try:
            await self._hub.memory.keep_furniture(camera_id, learned, fence)
        except MarengoCamError as error:
            _LOG.info("what camera %s has learned is not kept now: %s", camera_id, error)
