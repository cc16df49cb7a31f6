"""The janitor process: heartbeats to health, retention, disk, old rows."""

import asyncio
import contextlib
import logging
import os
from datetime import timedelta

from marengocam.core.errors import HubUnavailableError, MarengoCamError, StoreError
from marengocam.core.ids import new_id
from marengocam.core.model import EventType, NewEvent
from marengocam.janitor.deletion import carry_out, condemn
from marengocam.janitor.retention import Limits, survival_mode, to_condemn, to_sacrifice
from marengocam.media.store import Space, Store
from marengocam.runtime.context import ServiceContext
from marengocam.runtime.health import HealthReport

ROUND_S = 5.0
GONE_AFTER_S = 20.0
STARTING = timedelta(seconds=30)
FORGET_GONE_AFTER_S = 3600.0
RETENTION_EVERY_S = 60.0
PRUNE_EVERY_S = 600.0
OLDEST_CHUNKS = 500
EVENTS_KEPT = timedelta(days=90)
HEALTH_LOG_KEPT = timedelta(days=30)
PRUNED_TRACKS = 500
STRANGERS_KEPT = timedelta(days=90)  # as far back as the resolver looks for them
PRUNED_IDENTITIES = 2000
FORGOTTEN_TRACKS = 500
NICENESS = 10
_LOG = logging.getLogger(__name__)


class JanitorService:
    """Deletes in small steps and tells how the rest is doing."""

    def __init__(self) -> None:
        self._space: Space | None = None
        self._survival = False
        self._problem = ""
        self._deleted = 0
        self._statuses: dict[str, str] | None = None

    async def run(self, context: ServiceContext) -> None:
        """Do rounds until told to end."""
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
        store = Store(context.settings.media_dir)
        retention_due_s = prune_due_s = 0.0
        while await context.pause(ROUND_S):
            try:
                await self._watch_services(context)
                await self._watch_disk(context, store)
                if context.clock.monotonic_s() >= retention_due_s:
                    await self._retain(context, store)
                    retention_due_s = context.clock.monotonic_s() + RETENTION_EVERY_S
                if context.clock.monotonic_s() >= prune_due_s:
                    await self._prune(context, store)
                    prune_due_s = context.clock.monotonic_s() + PRUNE_EVERY_S
                self._problem = ""
            except HubUnavailableError as error:
                self._problem = str(error)
            except MarengoCamError as error:
                self._problem = str(error)
                _LOG.warning("%s", error)

    def health(self) -> HealthReport:
        """Return ok, or what keeps it from its work."""
        detail = {
            "survival_mode": self._survival,
            "deleted_chunks": self._deleted,
            "disk_used_share": round(self._space.used_share, 4) if self._space else None,
        }
        if self._problem:
            return HealthReport("degraded", self._problem, detail)
        if self._survival:
            return HealthReport("degraded", "The disk is nearly full: the oldest footage is deleted.", detail)
        return HealthReport("ok", "", detail)

    async def _watch_services(self, context: ServiceContext) -> None:
        """Turn missing heartbeats and changed statuses into events, one per change."""
        await context.hub.health.mark_gone(GONE_AFTER_S)
        statuses: dict[str, str] = {}
        reasons: dict[str, str] = {}
        for one in await context.hub.health.list():
            # The newest instance of a service speaks for it.
            if one.service not in statuses:
                young = one.heartbeat_at - one.started_at < STARTING
                # A service that is just starting is allowed to lack things.
                status = "ok" if young and one.status == "degraded" else one.status
                statuses[one.service], reasons[one.service] = status, one.reason
        now = context.clock.now()
        if self._statuses is not None:
            events = [
                NewEvent(
                    new_id(now),
                    EventType.HEALTH_CHANGED,
                    now,
                    data={"service": service, "status": status, "reason": reasons[service]},
                )
                for service, status in statuses.items()
                if self._statuses.get(service, "ok") != status
            ]
            await context.hub.events.append(events)
        self._statuses = statuses
        await context.hub.health.drop_gone(FORGET_GONE_AFTER_S)

    async def _watch_disk(self, context: ServiceContext, store: Store) -> None:
        try:
            self._space = await asyncio.to_thread(store.space)
        except StoreError:
            self._space = None
            return
        survival = survival_mode(self._space, before=self._survival)
        if survival != self._survival:
            self._survival = survival
            now = context.clock.now()
            data = {"state": "on" if survival else "off", "disk_used_share": round(self._space.used_share, 4)}
            await context.hub.events.append([NewEvent(new_id(now), EventType.SURVIVAL_MODE_CHANGED, now, data=data)])
        if survival:
            oldest = await context.hub.chunks.oldest(OLDEST_CHUNKS)
            await condemn(context.hub, to_sacrifice(oldest, self._space), context.clock)
            self._deleted += await carry_out(context.hub, store)

    async def _retain(self, context: ServiceContext, store: Store) -> None:
        settings = context.settings
        limits = Limits(timedelta(days=settings.retention_days), settings.retention_max_bytes)
        while True:
            oldest = await context.hub.chunks.oldest(OLDEST_CHUNKS)
            going = to_condemn(oldest, await context.hub.chunks.total_bytes(), limits, context.clock.now())
            await condemn(context.hub, going, context.clock)
            self._deleted += await carry_out(context.hub, store)
            if len(going) < OLDEST_CHUNKS:
                return

    async def _prune(self, context: ServiceContext, store: Store) -> None:
        now = context.clock.now()
        before = now - timedelta(days=context.settings.retention_days)
        while True:
            pruned = await context.hub.tracks.prune(before, PRUNED_TRACKS)
            for picture in pruned.pictures:
                await asyncio.to_thread(store.delete, picture)
            if pruned.count < PRUNED_TRACKS:
                break
        await self._forget_strangers(context, store)
        await context.hub.persons.prune_identities(now - STRANGERS_KEPT, PRUNED_IDENTITIES)
        await context.hub.events.prune(now - EVENTS_KEPT)
        await context.hub.health.prune(now - HEALTH_LOG_KEPT)

    async def _forget_strangers(self, context: ServiceContext, store: Store) -> None:
        """Forget what unknown people looked like, as long ago as their owner wants."""
        before = context.clock.now() - timedelta(days=context.settings.stranger_days)
        while True:
            count, pictures = await context.hub.privacy.forget_strangers(before, FORGOTTEN_TRACKS)
            for picture in pictures:
                await asyncio.to_thread(store.delete, picture)
            if count < FORGOTTEN_TRACKS:
                return
