"""What a decision is made from besides rule and event: plain values, gathered by whoever asks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from marengocam.core.geometry import Point, polygon_contains
from marengocam.core.model import PathPoint
from marengocam.core.visits import LEFT_AFTER

ZONE_SLACK = timedelta(seconds=2)  # outside for less is a step aside, or a box that wavered


@dataclass(frozen=True, slots=True)
class Sun:
    """Where the sun is, and its times on that local day; None where it does not rise, set or sink so far that day."""

    elevation_deg: float
    times: Mapping[str, datetime | None]


@dataclass(frozen=True, slots=True)
class Stay:
    """A stretch in which a camera saw a person."""

    person_id: UUID
    name: str
    from_at: datetime
    to_at: datetime
    open: bool


@dataclass(frozen=True, slots=True)
class TrackFacts:
    """How long what an event is about stayed in sight, and in the zone it had entered."""

    last_seen_at: datetime
    open: bool
    left_zone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fired:
    """One firing of a rule, for its limit."""

    at: datetime
    camera_id: str | None
    person_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleContext:
    """Everything around an event that a decision may need.

    `now` is the moment of deciding, `local` the event's moment by the owner's clock; `sun` None: no location is known;
    `track` None: it is not known, or deleted; `present` holds the persons seen at the event's moment.
    """

    now: datetime
    local: datetime
    sun: Sun | None = None
    present: frozenset[Stay] = frozenset()
    track: TrackFacts | None = None
    fired: Sequence[Fired] = ()


def present_at(stays: Iterable[Stay], at: datetime) -> frozenset[Stay]:
    """Return the stays of who was on the property: seen, or out of sight for less than a visit's gap."""
    return frozenset(one for one in stays if one.from_at <= at and (one.open or at - one.to_at <= LEFT_AFTER))


def left_zone_at(path: Sequence[PathPoint], polygon: Sequence[Point], since: datetime) -> datetime | None:
    """Return when a track left a zone that it was in at `since`; None: it stayed, as far as its path goes."""
    outside_since: datetime | None = None
    for point in path:
        if point.at < since or polygon_contains(polygon, point.box.foot):
            outside_since = None
            continue
        outside_since = outside_since or point.at
        if point.at - outside_since >= ZONE_SLACK:
            return outside_since
    return None
