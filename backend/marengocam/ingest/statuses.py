"""What ingest tells of its cameras: how each is doing, the events that come of it, which are switched off."""

import contextlib
import logging
from collections.abc import Callable, Mapping

from marengocam.core.errors import HubUnavailableError, MarengoCamError
from marengocam.core.ids import new_id
from marengocam.core.model import CameraState, EventType, NewEvent
from marengocam.db.cameras import CameraStatus
from marengocam.ingest.memories import Memories
from marengocam.ingest.metrics import CameraFigures
from marengocam.ingest.worker import CameraWorker, Glance
from marengocam.runtime.context import ServiceContext

DISABLED_REASON = "Switched off by its owner: neither recorded nor analysed."
_LOG = logging.getLogger(__name__)


class Statuses:
    """Tells of the cameras of this process, under the fences of their leases; runs on the event loop only."""

    def __init__(
        self,
        context: ServiceContext,
        workers: Mapping[str, CameraWorker],
        fences: Callable[[], dict[str, int]],
        is_tidied_up: Callable[[str], bool],
        memories: Memories,
    ) -> None:
        self._context = context
        self._hub = context.hub
        self._workers = workers
        self._fences = fences
        self._is_tidied_up = is_tidied_up
        self._memories = memories
        self._figures = CameraFigures(context.metrics)
        self._unwritten: dict[str, NewEvent] = {}  # events on their way, by camera
        self._told_disabled: set[str] = set()
        self._glances: dict[str, Glance] = {}  # as they were told

    async def tell_all(self) -> None:
        """Write how each camera is doing, and the events that are due."""
        for worker in list(self._workers.values()):
            if self._context.stopping.is_set():
                return  # with a slow hub the time to drain would go by
            if self._workers.get(worker.camera.camera_id) is not worker:
                continue  # stopped while others were told
            await self._memories.keep_now_and_then(worker)
            await self._tell(worker)

    async def tell_changes(self) -> None:
        """Tell at once of the cameras that look different from what was told of them last."""
        changed = [one for one in self._workers.values() if self._glances.get(one.camera.camera_id) != one.glance]
        for worker in changed:
            if self._context.stopping.is_set():
                return  # with a slow hub the time to drain would go by
            if self._workers.get(worker.camera.camera_id) is not worker:
                continue  # stopped while others were told
            if await self._tell(worker):
                with contextlib.suppress(MarengoCamError):
                    await self._hub.cameras.tell_change(worker.camera.camera_id)

    async def tell_disabled(self, disabled: set[str]) -> None:
        """Tell of the cameras that were switched off since the last call."""
        now = self._context.clock.now()
        for camera_id in disabled - self._told_disabled:
            status = CameraStatus(camera_id, CameraState.DISABLED, DISABLED_REASON, since=now, updated_at=now)
            await self._hub.cameras.write_status(status)
        self._told_disabled = disabled

    def forget(self, camera_id: str) -> None:
        """Drop the figures of a camera that is not served any more."""
        self._figures.forget(camera_id)

    async def _tell(self, worker: CameraWorker) -> bool:
        """Write how a camera is doing and the event that is due with it; return whether both are written."""
        camera_id, glance, status = worker.camera.camera_id, worker.glance, worker.status()
        self._figures.set(status)
        fence = self._fences().get(camera_id)
        if fence is None:
            return False  # served for want of a hub: whoever has the lease tells of it
        try:
            if not await self._hub.cameras.write_status(status, fence):
                return False  # another process has it by now, or it was removed; the next round will see to it
            if self._is_tidied_up(camera_id):
                await self._tell_event(worker, status)
        except HubUnavailableError:
            return False
        except MarengoCamError as error:
            _LOG.warning("the status of camera %s is not written: %s", camera_id, error)
            return False
        self._glances[camera_id] = glance
        return True

    async def _tell_event(self, worker: CameraWorker, status: CameraStatus) -> None:
        camera_id = worker.camera.camera_id
        due = worker.events.due(status.state)
        if due is None:
            self._unwritten.pop(camera_id, None)
            return
        kind = EventType.CAMERA_ONLINE if due is CameraState.ONLINE else EventType.CAMERA_OFFLINE
        event = self._unwritten.get(camera_id)
        if event is None or event.type is not kind:
            data = {"reason": status.reason} if due is CameraState.OFFLINE else {}
            event = NewEvent(new_id(status.updated_at), kind, status.since, camera_id=camera_id, data=data)
            self._unwritten[camera_id] = event  # its id stays when it has to be written twice
        await self._hub.events.append([event])
        del self._unwritten[camera_id]
        worker.events.told(due)
