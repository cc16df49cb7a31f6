"""One turn: a few changed tracks claimed, decided on one after another and written in one transaction."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from marengocam.core.clock import Clock
from marengocam.core.identity import CameraGraph, ClaimedTrack, Outcome
from marengocam.core.ids import new_id
from marengocam.db.resolution import Resolution
from marengocam.db.turn import HUMAN
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.neighbourhood import Neighbourhood
from marengocam.resolver.resolve import PERSON_LABEL, obey, resolve, resolve_other

TURN_TRACKS = 48  # ingest waits for its rows while a turn runs: keep turns short
TURN_SPAN = timedelta(minutes=10)  # tracks of one turn have their surroundings in common
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
    outcomes: list[Outcome] = []
    async with resolution.claim(TURN_TRACKS) as turn:
        started_s = clock.monotonic_s()
        metrics.turn_wait_s.observe(started_s - asked_s)
        claimed = near_each_other(turn.claimed)
        people = [one for one in claimed if one.track.label == PERSON_LABEL]
        around = None
        if people:
            around = Neighbourhood(await turn.vicinity(people, CANDIDATE_WINDOW), people, CANDIDATE_WINDOW)
        outcomes += [_decide(around, one, graph, confirm_probability, clock.now()) for one in claimed]
        events = await turn.write(outcomes, clock.now()) if outcomes else []
    for outcome in outcomes:
        # What it had to wait for from claim to commit, which all tracks of a turn have in common.
        metrics.decision_s.observe(clock.monotonic_s() - started_s)
        metrics.decisions.labels(_kind(outcome)).inc()
    for event in events:
        metrics.events.labels(str(event.type)).inc()
    return len(outcomes)


def near_each_other(claimed: Sequence[ClaimedTrack]) -> list[ClaimedTrack]:
    """Return those first tracks that lie within a short time; the others wait for the next turn."""
    chosen: list[ClaimedTrack] = []
    for one in claimed:
        seen = [one.track.last_seen_at, *(other.track.last_seen_at for other in chosen)]
        if max(seen) - min(seen) > TURN_SPAN:
            break
        chosen.append(one)
    return chosen


def _decide(
    around: Neighbourhood | None, claimed: ClaimedTrack, graph: CameraGraph, confirm_probability: float, now: datetime
) -> Outcome:
    if around is None or claimed.track.label != PERSON_LABEL:
        return resolve_other(claimed)
    outcome = around.with_room(_resolved(around, claimed, graph, confirm_probability, now))
    around.take_in(outcome)
    return outcome


def _resolved(
    around: Neighbourhood, claimed: ClaimedTrack, graph: CameraGraph, confirm_probability: float, now: datetime
) -> Outcome:
    before = around.assignment(claimed)
    claimed = replace(claimed, assignment=before)
    surroundings = around.surroundings(claimed.track)
    if before is not None and before.decided_by == HUMAN:
        return obey(claimed, before, surroundings, now)
    try:
        return resolve(
            claimed, surroundings, graph, confirm_probability=confirm_probability, new_identity=lambda: new_id(now)
        )
    except (ArithmeticError, ValueError, LookupError):
        _LOG.exception("track %s cannot be decided on; it is left until it changes", claimed.track.local_track_id)
        return Outcome(claimed=claimed, identity_id=None)


def _kind(outcome: Outcome) -> str:
    if outcome.identity_id is None:
        return "other"
    return "person" if outcome.person_id is not None else "unknown"
