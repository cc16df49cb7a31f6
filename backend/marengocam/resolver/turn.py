"""One turn: a few changed tracks claimed, decided on one after another and written in one transaction."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Self
from uuid import UUID

from marengocam.core.clock import Clock
from marengocam.core.identity import CameraGraph, ClaimedTrack, Outcome, Surroundings, Vicinity
from marengocam.core.ids import new_id
from marengocam.core.model import Event, LocalTrack
from marengocam.db.resolution import Resolution
from marengocam.db.turn import HUMAN, Turn
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.neighbourhood import Neighbourhood
from marengocam.resolver.resolve import PERSON_LABEL, obey, resolve, resolve_other
from marengocam.runtime.memory import uncollected

TURN_TRACKS = 48  # ingest waits for its rows while a turn runs: keep turns short
TURN_SPAN = timedelta(minutes=30)  # tracks of one turn have their surroundings in common
PART_TRACKS = 12  # are written while the next ones of the turn are decided on
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
    with uncollected():
        return await _turn(resolution, graph, confirm_probability, clock, metrics)


async def _turn(
    resolution: Resolution, graph: CameraGraph, confirm_probability: float, clock: Clock, metrics: ResolverMetrics
) -> int:
    asked_s = clock.monotonic_s()
    outcomes: list[Outcome] = []
    async with resolution.claim(TURN_TRACKS) as turn:
        started_s = clock.monotonic_s()
        metrics.turn_wait_s.observe(started_s - asked_s)
        numbers = count()  # of two equally likely the one founded first is chosen: ids have to tell, also within a turn
        rules = Rules(graph, confirm_probability, lambda _track: new_id(clock.now(), next(numbers)))
        claimed = near_each_other(turn.claimed)
        around = await neighbourhood(turn.vicinity, claimed)
        async with _Writing(turn, clock.now) as writing:
            for outcome in _decisions(around, claimed, rules, clock.now):
                outcomes.append(outcome)
                await writing.add(outcome)
    for outcome in outcomes:
        # What it had to wait for from claim to commit, which all tracks of a turn have in common.
        metrics.decision_s.observe(clock.monotonic_s() - started_s)
        metrics.decisions.labels(_kind(outcome)).inc()
    for event in writing.events:
        metrics.events.labels(str(event.type)).inc()
    return len(outcomes)


async def decide_on(
    vicinity: Vicinities, claimed: Sequence[ClaimedTrack], rules: Rules, now: datetime
) -> list[Outcome]:
    """Return the decisions on claimed tracks, one after another; each sees those before it.

    Where one brings other tracks back it is the last: those that are left have to be claimed anew.
    """
    around = await neighbourhood(vicinity, claimed)
    return list(_decisions(around, claimed, rules, lambda: now))


async def neighbourhood(vicinity: Vicinities, claimed: Sequence[ClaimedTrack]) -> Neighbourhood | None:
    """Return what surrounds the people among claimed tracks; None: there are none."""
    people = [one for one in claimed if one.track.label == PERSON_LABEL]
    return Neighbourhood(await vicinity(people, CANDIDATE_WINDOW), people, CANDIDATE_WINDOW) if people else None


class _Writing:
    """Decisions on their way to the hub, a part at a time: the server writes while the next ones fall."""

    def __init__(self, turn: Turn, now: Callable[[], datetime]) -> None:
        self._turn = turn
        self._now = now
        self._part: list[Outcome] = []
        self._under_way: asyncio.Task[list[Event]] | None = None
        self.events: list[Event] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Have all written; after an error what is under way ends first, since it holds the connection."""
        if kind is None:
            await self._begin()
            await self._written()
        elif self._under_way is not None:
            self._under_way.cancel()
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await self._under_way

    async def add(self, outcome: Outcome) -> None:
        """Take a decision in, and let what is being written go on: the server may have answered a statement."""
        self._part.append(outcome)
        if len(self._part) == PART_TRACKS:
            await self._begin()
        await asyncio.sleep(0)

    async def _begin(self) -> None:
        """Begin to write a part once those before it are written."""
        await self._written()
        if self._part:
            self._under_way = asyncio.create_task(self._turn.write(self._part, self._now()))
            self._part = []

    async def _written(self) -> None:
        if self._under_way is not None:
            self.events += await self._under_way
            self._under_way = None


def near_each_other(claimed: Sequence[ClaimedTrack]) -> list[ClaimedTrack]:
    """Return those first tracks that lie within a short time; the others wait for the next turn."""
    chosen: list[ClaimedTrack] = []
    for one in claimed:
        seen = [one.track.last_seen_at, *(other.track.last_seen_at for other in chosen)]
        if max(seen) - min(seen) > TURN_SPAN:
            break
        chosen.append(one)
    return chosen


def _decisions(
    around: Neighbourhood | None, claimed: Sequence[ClaimedTrack], rules: Rules, now: Callable[[], datetime]
) -> Iterator[Outcome]:
    """Yield decisions up to one that brings other tracks back.

    Those are next, in their order of time, before the rest: as they would be if each track had a turn of its own.
    """
    for one in claimed:
        outcome = _decide(around, one, rules, now())
        yield outcome
        if around is not None and around.brought_back(outcome):
            return


def _decide(around: Neighbourhood | None, claimed: ClaimedTrack, rules: Rules, now: datetime) -> Outcome:
    if around is None or claimed.track.label != PERSON_LABEL:
        return resolve_other(claimed)
    outcome = around.with_room(_resolved(around, claimed, rules, now))
    around.take_in(outcome)
    return outcome


def _resolved(around: Neighbourhood, claimed: ClaimedTrack, rules: Rules, now: datetime) -> Outcome:
    before = around.assignment(claimed)
    if before is not None:
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
