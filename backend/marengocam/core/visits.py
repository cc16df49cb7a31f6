"""Visits: an individual's LocalTracks, over all cameras, from coming to leaving."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

LEFT_AFTER = timedelta(minutes=3)  # unseen for so long, somebody has left


@dataclass(frozen=True, slots=True)
class VisitSight:
    """One LocalTrack as part of a visit."""

    local_track_id: UUID
    identity_id: UUID
    person_id: UUID | None
    person_name: str | None
    camera_id: str
    first_seen_at: datetime
    last_seen_at: datetime
    open: bool
    score: float
    has_crop: bool

    @property
    def individual(self) -> UUID:
        """The person, or the unknown identity."""
        return self.person_id or self.identity_id


@dataclass(frozen=True, slots=True)
class Stop:
    """A stretch of a visit in front of one camera."""

    camera_id: str
    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """Sights of one individual with no gap of LEFT_AFTER between them, in order of time."""

    sights: tuple[VisitSight, ...]

    @property
    def visit_id(self) -> UUID:
        """The first track's id: it stays while later tracks join."""
        return self.sights[0].local_track_id

    @property
    def newest(self) -> VisitSight:
        return max(self.sights, key=lambda one: (one.last_seen_at, one.local_track_id))

    @property
    def first_seen_at(self) -> datetime:
        return self.sights[0].first_seen_at

    @property
    def last_seen_at(self) -> datetime:
        return self.newest.last_seen_at

    @property
    def path(self) -> tuple[Stop, ...]:
        """Where it led, camera after camera; sights in one camera that follow each other are one stop."""
        stops: list[Stop] = []
        for one in self.sights:
            if stops and stops[-1].camera_id == one.camera_id:
                stops[-1] = Stop(one.camera_id, stops[-1].from_at, max(stops[-1].to_at, one.last_seen_at))
            else:
                stops.append(Stop(one.camera_id, one.first_seen_at, one.last_seen_at))
        return tuple(stops)

    @property
    def picture_track_id(self) -> UUID | None:
        """The track with the surest picture."""
        pictured = [one for one in self.sights if one.has_crop]
        return max(pictured, key=lambda one: (one.score, one.local_track_id)).local_track_id if pictured else None

    def has_ended(self, now: datetime) -> bool:
        """Return whether the individual has left."""
        return not any(one.open for one in self.sights) and now - self.last_seen_at >= LEFT_AFTER


def visits_of(sights: Iterable[VisitSight]) -> list[Visit]:
    """Group sights into visits, those that began first in front."""
    by_individual: dict[UUID, list[VisitSight]] = defaultdict(list)
    for one in sights:
        by_individual[one.individual].append(one)
    visits = [visit for own in by_individual.values() for visit in _split(own)]
    return sorted(visits, key=lambda visit: (visit.first_seen_at, visit.visit_id))


def _split(sights: Sequence[VisitSight]) -> list[Visit]:
    ordered = sorted(sights, key=lambda one: (one.first_seen_at, one.local_track_id))
    groups: list[list[VisitSight]] = []
    until: datetime | None = None
    for one in ordered:
        if until is None or one.first_seen_at - until >= LEFT_AFTER:
            groups.append([])
        groups[-1].append(one)
        until = one.last_seen_at if until is None or one.last_seen_at > until else until
    return [Visit(tuple(group)) for group in groups]
