"""Visits on the wire."""

from datetime import datetime
from uuid import UUID

from marengocam.web.wire.base import Told


class StopOut(Told):
    """A stretch of a visit in front of one camera."""

    camera_id: str
    from_at: datetime
    to_at: datetime


class VisitOut(Told):
    """An individual's way through the cameras, from coming to leaving; its id is its first track's."""

    visit_id: UUID
    identity_id: UUID
    person_id: UUID | None
    person_name: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    ended: bool
    path: list[StopOut]
    local_track_ids: list[UUID]
    picture_track_id: UUID | None


class VisitList(Told):
    """Newest first; `next` is what to give as `to_at` for those before."""

    visits: list[VisitOut]
    next: datetime | None
