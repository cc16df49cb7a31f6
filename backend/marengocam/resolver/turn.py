"""One turn: a few changed tracks claimed, decided on one after another and written in one transaction."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from marengocam.core.clock import Clock
from marengocam.core.identity import CameraGraph, ClaimedTrack, Outcome, Surroundings, Vicinity
from marengocam.core.ids import new_id
from marengocam.core.model import LocalTrack
from marengocam.db.resolution import Resolution
from marengocam.db.turn import HUMAN
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.neighbourhood import Neighbourhood
from marengocam.resolver.resolve import PERSON_LABEL, obey, resolve, resolve_other

TURN_TRACKS = 48  # ingest waits for its rows while a turn runs: keep turns short
TURN_SPAN = timedelta(minutes=10)  # tracks of one turn have their surroundings in common
CANDIDATE_WINDOW = timedelta(hours=2)  # of either side: clothes have faded by then

Vicinities = Callable[[Sequence[ClaimedTrack], timedelta], Awaitable[Vicinity]]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """What decisions go by besides what they see; `watch` is told of each before it falls."""

    graph: CameraGraph
    confirm_probability: float
    new_identity: Callable[[LocalTrack], UUID]
    watch: Callable[[ClaimedTrack, Surroundings], None] = lambda _claimed, _surroundings: None


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
        rules = Rules(graph, confirm_probability, lambda _track: new_id(clock.now()))
        outcomes += await decide_on(turn.vicinity, near_each_other(turn.claimed), rules, clock.now())
        events = await turn.write(outcomes, clock.now()) if outcomes else []
    for outcome in outcomes:
        # What it had to wait for from claim to commit, which all tracks of a turn have in common.
        metrics.decision_s.observe(clock.monotonic_s() - started_s)
        metrics.decisions.labels(_kind(outcome)).inc()
    for event in events:
        metrics.events.labels(str(event.type)).inc()
    return len(outcomes)


async def decide_on(
    vicinity: Vicinities, claimed: Sequence[ClaimedTrack], rules: Rules, now: datetime
) -> list[Outcome]:
    """Return the decisions on claimed tracks, one after another; each sees those before it."""
    people = [one for one in claimed if one.track.label == PERSON_LABEL]
    around = None
    if people:
        around = Neighbourhood(await vicinity(people, CANDIDATE_WINDOW), people, CANDIDATE_WINDOW)
    return [_decide(around, one, rules, now) for one in claimed]


def near_each_other(claimed: Sequence[ClaimedTrack]) -> list[ClaimedTrack]:
    """Return those first tracks that lie within a short time; the others wait for the next turn."""
    chosen: list[ClaimedTrack] = []
    for one in claimed:
        seen = [one.track.last_seen_at, *(other.track.last_seen_at for other in chosen)]
        if max(seen) - min(seen) > TURN_SPAN:
            break
        chosen.append(one)
    return chosen


def _decide(around: Neighbourhood | None, claimed: ClaimedTrack, rules: Rules, now: datetime) -> Outcome:
    if around is None or claimed.track.label != PERSON_LABEL:
        return resolve_other(claimed)
    outcome = around.with_room(_resolved(around, claimed, rules, now))
    around.take_in(outcome)
    return outcome


def _resolved(around: Neighbourhood, claimed: ClaimedTrack, rules: Rules, now: datetime) -> Outcome:
    before = around.assignment(claimed)
    claimed = replace(claimed, assignment=before)
    surroundings = around.surroundings(claimed.track)
    if before is not None and before.decided_by == HUMAN:
        return obey(claimed, before, surroundings, now)
    rules.watch(claimed, surroundings)
    try:
        return resolve(
            claimed,
            surroundings,
            rules.graph,
            confirm_probability=rules.confirm_probability,
            new_identity=lambda: rules.new_identity(claimed.track),
        )
    except (ArithmeticError, ValueError, LookupError):
        _LOG.exception("track %s cannot be decided on; it is left until it changes", claimed.track.local_track_id)
        return Outcome(claimed=claimed, identity_id=None)


def _kind(outcome: Outcome) -> str:
    if outcome.identity_id is None:
        return "other"
    return "person" if outcome.person_id is not None else "unknown"
