"""Watching the others: heartbeats that stop, statuses that change, the clock, the lag of ingest, the day's gaps."""

import logging
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from marengocam.core.ids import new_id
from marengocam.core.model import CameraState, EventType, NewEvent
from marengocam.db.cameras import CameraStatus
from marengocam.db.history import MeantCamera, RecordingDay
from marengocam.janitor.clock_watch import ClockWatch, told
from marengocam.runtime.context import ServiceContext

GONE_AFTER_S = 20.0
STARTING = timedelta(seconds=30)
FORGET_GONE_AFTER_S = 3600.0
FRESH_S = 15.0  # an older status says nothing about the present
DAY_CLOSED_AFTER = timedelta(minutes=20)  # files of the day's last minutes have their rows by then
LEVELS = {"ok": "info", "degraded": "warning", "failing": "error", "gone": "error"}
_LOG = logging.getLogger(__name__)


class Watching:
    """Turns what is seen into events, entries of the log, and days."""

    def __init__(self) -> None:
        self.clock = ClockWatch()
        self._statuses: dict[str, str] | None = None
        self._closed_day: date | None = None

    async def services(self, context: ServiceContext) -> None:
        """Turn missing heartbeats and changed statuses into events and entries of the log, one per change."""
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
            changed = [service for service in statuses if self._statuses.get(service, "ok") != statuses[service]]
            data = [{"service": name, "status": statuses[name], "reason": reasons[name]} for name in changed]
            events = [NewEvent(new_id(now), EventType.HEALTH_CHANGED, now, data=one) for one in data]
            await context.hub.events.append(events)
            self._statuses = statuses  # told: an entry of the log that fails must not have it told again
            for name in changed:
                message = f"{name} is {statuses[name]}{': ' if reasons[name] else '.'}{reasons[name]}"
                await context.hub.health.log("janitor", f"service:{name}", LEVELS[statuses[name]], message)
        self._statuses = statuses
        await context.hub.health.drop_gone(FORGET_GONE_AFTER_S)

    async def time(self, context: ServiceContext) -> None:
        """Notice when the clock of this machine was set."""
        jump = self.clock.look(context.clock.now(), context.clock.monotonic_s())
        if jump is not None:
            message = told(jump)
            _LOG.warning("%s", message)
            detail = {"jump_s": round(jump.total_seconds(), 1)}
            await context.hub.health.log("janitor", "clock", "warning", message, detail)

    async def pauses(self, context: ServiceContext, cameras: list[MeantCamera]) -> None:
        """Note which cameras are not meant to be recorded always now: what they lack is no gap."""
        now, privacy = context.clock.now(), (await context.hub.preferences.get()).privacy
        for camera in cameras:
            if camera.enabled and camera.always and not privacy:
                await context.hub.history.end_pause(camera.camera_id, now)
            else:
                await context.hub.history.begin_pause(camera.camera_id, now)

    async def day(self, context: ServiceContext) -> None:
        """When a day (UTC) is over, count what of it each camera lost, and say so once."""
        now = context.clock.now()
        day = (now - DAY_CLOSED_AFTER).date() - timedelta(days=1)
        if day == self._closed_day or not self.clock.trusted(context.clock.monotonic_s()):
            return
        from_at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        found = await context.hub.history.gaps(
            None, from_at, from_at + timedelta(days=1), chunk_s=context.settings.chunk_s, over=True
        )
        by_camera = groupby(sorted(found, key=lambda gap: gap.camera_id), lambda gap: gap.camera_id)
        lost = {camera_id: [gap.lost_s for gap in gaps] for camera_id, gaps in by_camera}
        for camera in await context.hub.history.cameras():
            gaps = lost.get(camera.camera_id, [])
            one = RecordingDay(camera.camera_id, day, sum(gaps), len(gaps), max(gaps, default=0.0))
            if await context.hub.history.add_day(one) and gaps:
                message = f"Camera {camera.name} lost {clock_time(one.lost_s)} on {day} ({len(gaps)} gaps)."
                await context.hub.health.log("janitor", f"camera:{camera.camera_id}", "warning", message)
        self._closed_day = day


def lag_of(statuses: dict[str, CameraStatus]) -> float | None:
    """Return how far the camera that is most behind is behind; None when no camera is online."""
    lags = [
        float(one.metrics.get("ingest_lag_s", 0.0))
        for one in statuses.values()
        if one.state is CameraState.ONLINE and one.silent_s < FRESH_S
    ]
    return max(lags, default=None)


def clock_time(seconds_s: float) -> str:
    """Return a length as hours, minutes and seconds."""
    minutes, seconds = divmod(round(seconds_s), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
