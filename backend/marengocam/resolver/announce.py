"""Which events a decision gives rise to; the ids follow from the facts, so saying one twice is noticed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from marengocam.core.identity import ClaimedTrack, KnownPerson
from marengocam.core.model import EventType, LocalTrack, NewEvent

EVENT_NAMESPACE = UUID("6f7d2a52-5b0e-4f0a-9a3c-6d1b1f0c8e11")
CHANCE_S = 2.5  # seen for so long without a name: unknown
CHANCE_OBSERVATIONS = 3
MAYBE_PROBABILITY = 0.5  # a person this likely may still be confirmed: not yet unknown
RECENT_S = 60.0  # a human's word about older tracks is no news


@dataclass(frozen=True, slots=True)
class Belief:
    """What shall be said about a track's person."""

    identity_id: UUID
    person: KnownPerson | None  # whom it is surely enough to say the name
    probability: float
    maybe_person: float  # how likely the likeliest person is
    evidence: Mapping[str, Any]
    ignored: bool = False  # its owner does not want to hear of it
    word: str = ""  # tells one human's word from the next about the same track


@dataclass(frozen=True, slots=True)
class Announcement:
    """Events in the order they are to be numbered, and what has been said about the track afterwards."""

    events: tuple[NewEvent, ...]
    person_id: UUID | None
    unknown: bool


def event_id(track_id: UUID, kind: EventType, subject: str = "") -> UUID:
    """Return the id of the fact `kind` about this track and subject (a person's id or a zone's name)."""
    return uuid5(EVENT_NAMESPACE, f"{track_id}/{kind}/{subject}")


def announce(claimed: ClaimedTrack, belief: Belief, names: Mapping[UUID, KnownPerson]) -> Announcement:
    """Return what is news about a person's track."""
    track, before = claimed.track, claimed.assignment
    said = before.announced_person_id if before else None
    unknown = before.announced_unknown if before else False
    if belief.ignored:
        return Announcement((), said, unknown)
    # What comes to hold again is a fact of its own, or nobody would hear that a name is taken back a second time.
    again = belief.word or (f"/{claimed.revision}" if said is not None or unknown else "")
    events = []
    if before is None:
        events.append(_event(track, EventType.PERSON_DETECTED, belief, data={"label": track.label}))
    person = belief.person
    evidence = dict(belief.evidence)
    if person is not None and said != person.person_id:
        if said is None:
            kind = EventType.PERSON_CONFIRMED
            data = {"evidence": evidence, "crop_path": str(track.crop_path) if track.crop_path else None}
        else:
            kind = EventType.PERSON_CORRECTED
            data = _was(said, names) | {"evidence": evidence}
        events.append(_event(track, kind, belief, str(person.person_id) + again, data))
        said = person.person_id
    elif said is not None and person is None:
        was = _was(said, names) | {"evidence": evidence}
        events.append(_event(track, EventType.PERSON_UNKNOWN, belief, again, was))
        said, unknown = None, True
    elif said is None and not unknown and belief.maybe_person <= MAYBE_PROBABILITY and had_its_chance(track):
        events.append(_event(track, EventType.PERSON_UNKNOWN, belief, data={"evidence": evidence}))
        unknown = True
    events += zone_events(track, belief)
    return Announcement(tuple(events), said, unknown)


def had_its_chance(track: LocalTrack) -> bool:
    """Return whether a track was seen long enough for a name to have come up."""
    seen_s = (track.last_seen_at - track.first_seen_at).total_seconds()
    return track.observations >= CHANCE_OBSERVATIONS and (not track.open or seen_s >= CHANCE_S)


def is_news(track: LocalTrack, now: datetime) -> bool:
    """Return whether a human's word about this track is worth an event."""
    return track.open or (now - track.last_seen_at).total_seconds() <= RECENT_S


def zone_events(track: LocalTrack, belief: Belief | None) -> list[NewEvent]:
    """Return one event per zone the track has entered."""
    return [
        _event(track, EventType.ZONE_ENTERED, belief, zone, {"zone": zone, "label": track.label})
        for zone in dict.fromkeys(track.zones)
    ]


def movement_events(track: LocalTrack) -> list[NewEvent]:
    """Return what is said about something that walks and is not recognised; its zones stand in the event."""
    return [_event(track, EventType.MOVEMENT_SEEN, None, data={"label": track.label})]


def _was(person_id: UUID, names: Mapping[UUID, KnownPerson]) -> dict[str, Any]:
    known = names.get(person_id)
    return {"was_person_id": str(person_id), "was_person_name": known.name if known else None}


def _event(
    track: LocalTrack, kind: EventType, belief: Belief | None, subject: str = "", data: dict[str, Any] | None = None
) -> NewEvent:
    person = belief.person if belief is not None else None
    return NewEvent(
        event_id=event_id(track.local_track_id, kind, subject),
        type=kind,
        occurred_at=track.last_seen_at,
        camera_id=track.camera_id,
        local_track_id=track.local_track_id,
        identity_id=belief.identity_id if belief else None,
        person_id=person.person_id if person else None,
        person_name=person.name if person else None,
        probability=round(belief.probability, 5) if belief else None,
        zones=track.zones,
        data=data or {},
    )
