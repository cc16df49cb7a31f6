"""The janitor process: survival mode at once, everything else in peace."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any

from marengocam.core.errors import HubUnavailableError, MarengoCamError
from marengocam.core.model import CameraState
from marengocam.db.history import HealthSample
from marengocam.janitor.favourites import Favourites
from marengocam.janitor.quiet import NICENESS, Disks
from marengocam.janitor.rescue import Rescue
from marengocam.janitor.upkeep import Upkeep
from marengocam.janitor.watching import Watching
from marengocam.media.store import Store
from marengocam.runtime.context import ServiceContext
from marengocam.runtime.health import HealthReport

ROUND_S = 2.0
WATCH_EVERY_S = 5.0
UPKEEP_EVERY_S = 60.0
SAMPLE_EVERY_S = 300.0
_LOG = logging.getLogger(__name__)


class JanitorService:
    """Keeps the disk from filling, deletes what is too old, and tells how the rest is doing."""

    def __init__(self) -> None:
        self._rescue: Rescue | None = None
        self._upkeep: Upkeep | None = None
        self._watching = Watching()
        self._problems: dict[str, str] = {}
        self._sample_due_s = 0.0
        self._watch_due_s = 0.0

    async def run(self, context: ServiceContext) -> None:
        """Do rounds until told to end."""
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
        store = Store(context.settings.media_dir, context.settings.archive_dir)
        disks = Disks(store, context.hub)
        favourites = Favourites(context.hub, store, disks)
        rescue = self._rescue = Rescue(context, store, disks, favourites)
        upkeep = self._upkeep = Upkeep(context, store, disks, lambda: rescue.lag_s)

        async def in_peace() -> None:
            await favourites.take()
            await upkeep.classify()
            if "disk" not in rescue.state.reasons:
                await upkeep.round(ages_are_believed=self._watching.clock.trusted(context.clock.monotonic_s()))

        try:
            await asyncio.gather(
                self._again_and_again(context, "survival", ROUND_S, rescue.look),
                self._again_and_again(context, "watching", ROUND_S, lambda: self._watch(context, rescue)),
                self._again_and_again(context, "upkeep", UPKEEP_EVERY_S, in_peace),
            )
        finally:
            disks.close()

    def health(self) -> HealthReport:
        """Return ok, or what keeps it from its work."""
        rescue, upkeep = self._rescue, self._upkeep
        if rescue is None or upkeep is None:
            return HealthReport("degraded", "The janitor is starting.", {"survival_mode": False})
        state = rescue.state
        detail: dict[str, Any] = {
            "survival_mode": state.on,
            "survival_level": state.level,
            "survival_step": state.step,
            "survival_reasons": list(state.reasons),
            "deleted_chunks": upkeep.deleted + rescue.sacrificed,
            "sacrificed_chunks": rescue.sacrificed,
            "archived_chunks": upkeep.moved,
            "disk_used_share": round(rescue.space.used_share, 4) if rescue.space else None,
            "ingest_lag_s": rescue.lag_s,
        }
        problems = (rescue.disk_problem, *self._problems.values(), upkeep.deletion_problem, upkeep.archive_problem)
        problem = next((text for text in problems if text), "")
        if state.on and not rescue.disk_problem:
            return HealthReport("degraded", rescue.reason, detail)
        return HealthReport("degraded" if problem else "ok", problem, detail)

    async def _again_and_again(
        self, context: ServiceContext, name: str, every_s: float, work: Callable[[], Awaitable[None]]
    ) -> None:
        """Do something at once and then every so often; what fails is told in health and done again."""
        while True:
            try:
                await work()
                self._problems[name] = ""
            except HubUnavailableError as error:
                self._problems[name] = str(error)
            except MarengoCamError as error:
                self._problems[name] = str(error)
                _LOG.warning("%s", error)
            except Exception:  # noqa: BLE001 - one job's trouble must not end the others, survival mode above all
                self._problems[name] = f"The janitor's {name} failed; see its log."
                _LOG.exception("%s failed; it is done again", name)
            if not await context.pause(min(every_s, ROUND_S) if self._problems[name] else every_s):
                return

    async def _watch(self, context: ServiceContext, rescue: Rescue) -> None:
        await self._watching.time(context)
        now_s = context.clock.monotonic_s()
        if now_s < self._watch_due_s:
            return
        await self._watching.services(context)
        cameras = await context.hub.history.cameras()
        await self._watching.pauses(context, cameras)
        await self._watching.day(context)
        self._watch_due_s = now_s + WATCH_EVERY_S
        if now_s >= self._sample_due_s:
            statuses = await context.hub.cameras.statuses()
            wanted = [camera.camera_id for camera in cameras if camera.enabled]
            online = [key for key in wanted if key in statuses and statuses[key].state is CameraState.ONLINE]
            used_share = rescue.space.used_share if rescue.space is not None else None
            sample = HealthSample(
                context.clock.now(), used_share, rescue.lag_s, rescue.state.level, len(wanted), len(online)
            )
            await context.hub.history.add_sample(sample)
            self._sample_due_s = now_s + SAMPLE_EVERY_S
