"""The resolver process: takes turns over changed tracks until it is told to stop."""

import asyncio
import contextlib
import logging
from datetime import timedelta

from marengocam.core.errors import ConflictError, HubUnavailableError
from marengocam.core.identity import CameraGraph, ClaimedTrack, Outcome
from marengocam.core.ids import new_id
from marengocam.core.model import LocalTrack
from marengocam.db.resolution import Turn
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.resolve import HUMAN, PERSON_LABEL, obey, resolve, resolve_other
from marengocam.runtime.context import ServiceContext
from marengocam.runtime.health import HealthReport

TURN_TRACKS = 8  # ingest waits for its rows while a turn runs: keep turns short
POLL_S = 2.0  # behind every wake-up
RETRY_S = 0.5  # after the hub was away
CANDIDATE_WINDOW = timedelta(hours=4)
GRAPH_EVERY_S = 60.0
BACKLOG_EVERY_S = 5.0
BACKLOG_DEGRADED = 500  # tracks that wait: announcements come late

_LOG = logging.getLogger(__name__)


class ResolverService:
    """LocalTracks into identities into events; any number of processes may run at once."""

    def __init__(self) -> None:
        self._graph = CameraGraph()
        self._graph_due_s = 0.0
        self._backlog = 0
        self._backlog_due_s = 0.0
        self._hub_away: str | None = None
        self._metrics: ResolverMetrics | None = None

    async def run(self, context: ServiceContext) -> None:
        """Decide on every changed track until `context.stopping` is set; a turn under way is finished first."""
        self._metrics = ResolverMetrics(context.metrics)
        while not context.stopping.is_set():
            try:
                await self._learn(context)
                busy = await self._turn(context, self._metrics)
                self._hub_away = None
            except ConflictError as error:
                _LOG.info("turn is taken again: %s", error)
                busy = True
            except HubUnavailableError as error:
                if self._hub_away is None:
                    _LOG.warning("hub is away, tracks wait in it: %s", error)
                self._hub_away = str(error)
                await _pause(context, RETRY_S)
                continue
            if not busy:
                await _woken(context)

    def health(self) -> HealthReport:
        """Return ok, or why decisions are late."""
        detail = {"backlog": self._backlog, "learned_transits": len(self._graph.transits)}
        if self._hub_away is not None:
            return HealthReport("degraded", f"The hub is away: {self._hub_away}", detail)
        if self._backlog > BACKLOG_DEGRADED:
            return HealthReport("degraded", f"{self._backlog} tracks wait for a decision.", detail)
        return HealthReport("ok", "", detail)

    async def _learn(self, context: ServiceContext) -> None:
        now_s = context.clock.monotonic_s()
        if now_s >= self._graph_due_s:
            self._graph = await context.hub.resolution.camera_graph(context.clock.now())
            self._graph_due_s = now_s + GRAPH_EVERY_S
        if now_s >= self._backlog_due_s and self._metrics is not None:
            self._backlog = await context.hub.resolution.backlog()
            self._metrics.backlog.set(self._backlog)
            self._backlog_due_s = now_s + BACKLOG_EVERY_S

    async def _turn(self, context: ServiceContext, metrics: ResolverMetrics) -> bool:
        """Decide on a few tracks; return whether there may be more."""
        asked_s = context.clock.monotonic_s()
        done: list[Outcome] = []
        async with context.hub.resolution.claim(TURN_TRACKS) as turn:
            metrics.turn_wait_s.observe(context.clock.monotonic_s() - asked_s)
            for track, revision in turn.tracks:
                started_s = context.clock.monotonic_s()
                outcome = await self._decide(context, turn, track, revision)
                for event in await turn.write(outcome, context.clock.now()):
                    metrics.events.labels(str(event.type)).inc()
                metrics.decision_s.observe(context.clock.monotonic_s() - started_s)
                done.append(outcome)
        for outcome in done:
            metrics.decisions.labels(_kind(outcome)).inc()
        return bool(done)

    async def _decide(self, context: ServiceContext, turn: Turn, track: LocalTrack, revision: int) -> Outcome:
        before = await turn.assignment_of(track.local_track_id) if track.label == PERSON_LABEL else None
        claimed = ClaimedTrack(track, revision, before)
        if track.label != PERSON_LABEL:
            return resolve_other(claimed)
        surroundings = await turn.surroundings(track, CANDIDATE_WINDOW)
        try:
            if before is not None and before.decided_by == HUMAN:
                return obey(claimed, before, surroundings, context.clock.now())
            return resolve(
                claimed,
                surroundings,
                self._graph,
                confirm_probability=context.settings.confirm_probability,
                new_identity=lambda: new_id(context.clock.now()),
            )
        except (ArithmeticError, ValueError, LookupError):
            _LOG.exception("track %s cannot be decided on; it is left until it changes", track.local_track_id)
            return Outcome(claimed=claimed, identity_id=None)


def _kind(outcome: Outcome) -> str:
    if outcome.identity_id is None:
        return "other"
    return "person" if outcome.person_id is not None else "unknown"


async def _woken(context: ServiceContext) -> None:
    """Wait for news of tracks, the poll, or the end."""
    waits = {
        asyncio.ensure_future(context.bus.wait("local_track", timeout_s=POLL_S)),
        asyncio.ensure_future(context.stopping.wait()),
    }
    _, pending = await asyncio.wait(waits, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


async def _pause(context: ServiceContext, seconds_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(context.stopping.wait(), seconds_s)
