"""Who it would have been: the resolver's own decisions, in order of the recording, in tables of the run's own."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from marengocam.core.clock import Clock
from marengocam.core.errors import HubUnavailableError, MarengoCamError
from marengocam.core.identity import CameraGraph, ClaimedTrack, Surroundings
from marengocam.core.model import LocalTrack, NewEvent
from marengocam.db.hub import Hub
from marengocam.db.isolation import Decided, Gallery, Isolation, isolated
from marengocam.replay.findings import FoundTrack, Revision
from marengocam.resolver.candidates import hypotheses
from marengocam.resolver.decision import judge
from marengocam.resolver.hypothesis import Hypothesis
from marengocam.resolver.turn import Rules, decide_on, near_each_other

IDENTITIES = UUID("8f6c0f0a-3f6b-4d39-9a40-7d3f0a3f1c55")
CANDIDATES_TOLD = 8
REST_SHARE = 0.5  # of the time the hub worked for a replay it then has to itself
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Who:
    """What identity says of a run; `problem` tells why it says nothing."""

    decided: dict[UUID, Decided] = field(default_factory=dict)
    events: tuple[NewEvent, ...] = ()
    gallery: Gallery | None = None
    problem: str = ""
    considered: tuple["Considered", ...] = ()


@dataclass(frozen=True, slots=True)
class Considered:
    """Everything a track could have been, at one of its revisions."""

    track_id: UUID
    at: datetime
    candidates: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What identity is asked about."""

    camera_id: str
    from_at: datetime
    to_at: datetime
    gallery_at: datetime
    confirm_probability: float
    watch_at: datetime | None = None  # candidates are told of what was followed then


async def identify(hub: Hub, asked: Asked, tracks: Sequence[FoundTrack], clock: Clock) -> Who:
    """Decide on a run's tracks as the resolver would have, revision by revision; the hub's live tables are only read.

    Without a hub the answer says so.
    """
    if not tracks:
        return Who()
    try:
        graph = await hub.resolution.camera_graph(asked.gallery_at)
        around = (asked.camera_id, asked.from_at, asked.to_at, asked.gallery_at)
        async with isolated(hub.database, *around) as isolation:
            return await _Deciding(isolation, graph, asked, clock).all(tracks)
    except HubUnavailableError as error:
        _LOG.warning("who it was is left open: %s", error)
        return Who(problem=str(error))
    except MarengoCamError as error:
        _LOG.warning("who it was is left open: %s", error)
        return Who(problem=f"The database account may make no temporary tables, or refused: {error}")


class _Deciding:
    def __init__(self, isolation: Isolation, graph: CameraGraph, asked: Asked, clock: Clock) -> None:
        self._isolation = isolation
        self._rules = Rules(graph, asked.confirm_probability, self._new_identity, self._watch)
        self._asked = asked
        self._clock = clock
        self._considered: list[Considered] = []
        self._made = 0

    async def all(self, tracks: Sequence[FoundTrack]) -> Who:
        own = [track.track_id for track in tracks]
        for at, together in _by_moment(tracks):
            started_s = self._clock.monotonic_s()
            await self._isolation.reveal(at)
            await self._isolation.save([one.local_track(self._asked.camera_id, state) for one, state in together])
            while claimed := near_each_other(await self._isolation.claim(own)):
                await self._isolation.write(await decide_on(self._isolation.vicinity, claimed, self._rules, at), at)
            await asyncio.sleep(REST_SHARE * (self._clock.monotonic_s() - started_s))
        decided = {one.local_track_id: one for one in await self._isolation.decided(own)}
        mine = set(own)
        events = tuple(event for event in self._isolation.events if event.local_track_id in mine)
        return Who(decided, events, self._isolation.gallery, considered=tuple(self._considered))

    def _watch(self, claimed: ClaimedTrack, surroundings: Surroundings) -> None:
        """Keep all that a track could have been, where somebody asks why."""
        watched, track = self._asked.watch_at, claimed.track
        if watched is None or track.first_seen_at > watched:
            return
        explanations = hypotheses(track, surroundings, self._rules.graph, claimed.assignment)
        verdict = judge(explanations, claimed.assignment, self._asked.confirm_probability)
        names = {person.person_id: person.name for person in surroundings.persons}
        told = tuple(
            _told(one, names) | {"chosen": one is verdict.chosen} for one in explanations.ordered[:CANDIDATES_TOLD]
        )
        self._considered.append(Considered(track.local_track_id, track.last_seen_at, told))

    def _new_identity(self, track: LocalTrack) -> UUID:
        self._made += 1
        return uuid5(IDENTITIES, f"{track.local_track_id} {self._made}")


def _by_moment(tracks: Sequence[FoundTrack]) -> list[tuple[datetime, list[tuple[FoundTrack, Revision]]]]:
    """Return what ingest would have written, in order of time: the resolver sees what came within a moment at once."""
    moments: dict[datetime, list[tuple[FoundTrack, Revision]]] = {}
    for track in tracks:
        for revision in track.revisions:
            moments.setdefault(revision.at, []).append((track, revision))
    return [(at, moments[at]) for at in sorted(moments)]


def _told(one: Hypothesis, names: dict[UUID, str]) -> dict[str, Any]:
    who = "somebody new"
    if one.person_id is not None:
        who = names.get(one.person_id, "somebody")
    elif one.identity_id is not None:
        who = f"unknown {str(one.identity_id)[:8]}"
    cues = [{"cue": str(cue.kind), "log_ratio": round(cue.log_ratio, 2)} for cue in one.cues]
    return {"who": who, "log_odds": round(one.log_odds, 2), "prior": round(one.prior, 2), "cues": cues}
