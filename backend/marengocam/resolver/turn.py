"""One turn: a few changed tracks claimed, decided on and written in one transaction."""

import logging
from datetime import datetime, timedelta

from marengocam.core.clock import Clock
from marengocam.core.identity import CameraGraph, ClaimedTrack, Outcome
from marengocam.core.ids import new_id
from marengocam.core.model import LocalTrack
from marengocam.db.resolution import Resolution, Turn
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.resolve import HUMAN, PERSON_LABEL, obey, resolve, resolve_other

TURN_TRACKS = 8  # ingest waits for its rows while a turn runs: keep turns short
CANDIDATE_WINDOW = timedelta(hours=2)  # of either side: clothes have faded by then

_LOG = logging.getLogger(__name__)


async def take_turn(
    resolution: Resolution,
    graph: CameraGraph,
    confirm_probability: float,
    clock: Clock,
    metrics: ResolverMetrics,
) -> int:
    """Decide on a few changed tracks; return how many there were.

    Raises HubUnavailableError, or ConflictError when the turn is to be taken again; either way nothing was written.
    """
    asked_s = clock.monotonic_s()
    done: list[Outcome] = []
    written: list[str] = []
    async with resolution.claim(TURN_TRACKS) as turn:
        metrics.turn_wait_s.observe(clock.monotonic_s() - asked_s)
        for track, revision in turn.tracks:
            started_s = clock.monotonic_s()
            outcome = await _decide(turn, track, revision, graph, confirm_probability, clock.now())
            written += [str(event.type) for event in await turn.write(outcome, clock.now())]
            metrics.decision_s.observe(clock.monotonic_s() - started_s)
            done.append(outcome)
    for outcome in done:
        metrics.decisions.labels(_kind(outcome)).inc()
    for kind in written:
        metrics.events.labels(kind).inc()
    return len(done)


async def _decide(
    turn: Turn, track: LocalTrack, revision: int, graph: CameraGraph, confirm_probability: float, now: datetime
) -> Outcome:
    if track.label != PERSON_LABEL:
        return resolve_other(ClaimedTrack(track, revision, None))
    before = await turn.assignment_of(track.local_track_id)
    claimed = ClaimedTrack(track, revision, before)
    surroundings = await turn.surroundings(track, CANDIDATE_WINDOW)
    if before is not None and before.decided_by == HUMAN:
        return obey(claimed, before, surroundings, now)
    try:
        return resolve(
            claimed, surroundings, graph, confirm_probability=confirm_probability, new_identity=lambda: new_id(now)
        )
    except (ArithmeticError, ValueError, LookupError):
        _LOG.exception("track %s cannot be decided on; it is left until it changes", track.local_track_id)
        return Outcome(claimed=claimed, identity_id=None)


def _kind(outcome: Outcome) -> str:
    if outcome.identity_id is None:
        return "other"
    return "person" if outcome.person_id is not None else "unknown"
