"""Telling that somebody has left: one event per visit, whatever crashes or runs twice (I3)."""

from uuid import UUID, uuid5

from marengocam.core.clock import Clock
from marengocam.core.model import EventType, NewEvent
from marengocam.core.visits import Visit
from marengocam.db.events import Events
from marengocam.db.visits import Visits

VISIT_NAMESPACE = UUID("d2b2a7b4-2a57-4c0b-9d0a-5f2f0c5f7a11")


def leaving(visit: Visit) -> NewEvent:
    """Return what is said when a visit has ended; its id follows from the visit, so saying it twice is noticed."""
    newest = visit.newest
    return NewEvent(
        event_id=uuid5(VISIT_NAMESPACE, str(visit.visit_id)),
        type=EventType.VISIT_ENDED,
        occurred_at=visit.last_seen_at,
        camera_id=newest.camera_id,
        local_track_id=newest.local_track_id,
        identity_id=newest.identity_id,
        person_id=newest.person_id,
        person_name=newest.person_name,
        data={
            "visit_id": str(visit.visit_id),
            "first_seen_at": visit.first_seen_at.isoformat(),
            "duration_s": round((visit.last_seen_at - visit.first_seen_at).total_seconds(), 1),
            "path": [
                {"camera_id": stop.camera_id, "from_at": stop.from_at.isoformat(), "to_at": stop.to_at.isoformat()}
                for stop in visit.path
            ],
            "tracks": len(visit.sights),
            "picture_track_id": str(visit.picture_track_id) if visit.picture_track_id else None,
        },
    )


async def tell_who_left(visits: Visits, events: Events, clock: Clock) -> int:
    """Write an event for each visit that has ended and was not told; return how many. Raises HubUnavailableError."""
    ended = await visits.ended(clock.now())
    return len(await events.append([leaving(visit) for visit in ended]))
