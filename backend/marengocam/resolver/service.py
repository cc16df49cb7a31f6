"""The resolver process: takes turns over changed tracks until it is told to stop."""

import logging

from marengocam.core.errors import ConflictError, MarengoCamError
from marengocam.core.identity import CameraGraph
from marengocam.resolver.leaving import tell_who_left
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.rehearsal import rehearse
from marengocam.resolver.turn import take_turn
from marengocam.runtime.context import ServiceContext
from marengocam.runtime.health import HealthReport

POLL_S = 2.0  # behind every wake-up
RETRY_S = 0.5  # after the hub was away or refused
GRAPH_EVERY_S = 60.0
BACKLOG_EVERY_S = 5.0
LEAVING_EVERY_S = 15.0
WISHES_EVERY_S = 5.0
BACKLOG_DEGRADED = 500  # tracks that wait: announcements come late

_LOG = logging.getLogger(__name__)


class ResolverService:
    """LocalTracks into identities into events; any number of processes may run at once."""

    def __init__(self) -> None:
        self._graph = CameraGraph()
        self._graph_due_s = 0.0
        self._backlog = 0
        self._backlog_due_s = 0.0
        self._leaving_due_s = 0.0
        self._confirm_probability = 1.0
        self._wishes_due_s = 0.0
        self._rehearsed = False
        self._trouble: str | None = None

    async def run(self, context: ServiceContext) -> None:
        """Decide on every changed track until `context.stopping` is set; a turn under way is finished first."""
        metrics = ResolverMetrics(context.metrics)
        self._confirm_probability = context.settings.confirm_probability
        resolution, clock = context.hub.resolution, context.clock
        with context.bus.subscribed("local_track") as changed:
            while not context.stopping.is_set():
                try:
                    await self._now_and_then(context, metrics)
                    busy = await take_turn(resolution, self._graph, self._confirm_probability, clock, metrics)
                    self._trouble = None
                except ConflictError as error:
                    _LOG.info("turn is taken again: %s", error)
                    await context.pause(RETRY_S)
                except MarengoCamError as error:
                    if self._trouble is None:
                        _LOG.warning("no decisions now, tracks wait in the hub: %s", error)
                    self._trouble = str(error)
                    self._rehearsed = False  # its connections may be new ones when the hub is back
                    await context.pause(RETRY_S)
                else:
                    if not busy:
                        await context.woken(changed, POLL_S)

    def health(self) -> HealthReport:
        """Return ok, or why decisions are late."""
        detail = {"backlog": self._backlog, "learned_transits": len(self._graph.transits)}
        if self._trouble is not None:
            return HealthReport("degraded", f"Tracks wait in the hub: {self._trouble}", detail)
        if self._backlog > BACKLOG_DEGRADED:
            return HealthReport("degraded", f"{self._backlog} tracks wait for a decision.", detail)
        return HealthReport("ok", "", detail)

    async def _now_and_then(self, context: ServiceContext, metrics: ResolverMetrics) -> None:
        now_s = context.clock.monotonic_s()
        if now_s >= self._graph_due_s:
            self._graph = await context.hub.resolution.camera_graph(context.clock.now())
            self._graph_due_s = now_s + GRAPH_EVERY_S
        if now_s >= self._wishes_due_s:
            wished = (await context.hub.preferences.get()).confirm_probability
            self._confirm_probability = context.settings.confirm_probability if wished is None else wished
            self._wishes_due_s = now_s + WISHES_EVERY_S
        if now_s >= self._backlog_due_s:
            self._backlog = await context.hub.resolution.backlog()
            metrics.backlog.set(self._backlog)
            self._backlog_due_s = now_s + BACKLOG_EVERY_S
        if now_s >= self._leaving_due_s:
            await tell_who_left(context.hub.visits, context.hub.events, context.clock)
            self._leaving_due_s = now_s + LEAVING_EVERY_S
        if not self._rehearsed:
            await rehearse(context.hub.resolution, self._graph, self._confirm_probability, context.clock)
            self._rehearsed = True
