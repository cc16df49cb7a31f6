"""Visits, read from the tracks and who they are: nothing is stored twice, so a human's word changes them at once."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from marengocam.core.errors import NotFoundError
from marengocam.core.visits import LEFT_AFTER, Visit, VisitSight, visits_of
from marengocam.db.database import Database
from marengocam.db.queries import load, rows

LONGEST_VISIT = timedelta(hours=24)  # a longer stay is told as several
UNTOLD_REACH = timedelta(hours=2)  # whose leaving may still be told after the resolver was away
SIGHTS_LIMIT = 20_000
_QUERIES = load("visits")


class Visits:
    """`hub.visits`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def between(
        self, from_at: datetime, to_at: datetime, person_id: UUID | None = None, identity_id: UUID | None = None
    ) -> list[Visit]:
        """Return the visits that touch a stretch of time, those that began first in front."""
        found = await self._sights(from_at - LONGEST_VISIT, to_at + LONGEST_VISIT, person_id, identity_id)
        return [one for one in visits_of(found) if one.last_seen_at >= from_at and one.first_seen_at <= to_at]

    async def get(self, visit_id: UUID) -> Visit:
        """Return the visit that a track belongs to; raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await _QUERIES.individual_of(connection, local_track_id=visit_id)
        if row is None:
            raise NotFoundError("There is no such visit; its tracks may have been deleted by retention.")
        at, identity_id = row["first_seen_at"], None if row["person_id"] else row["identity_id"]
        found = await self._sights(at - LONGEST_VISIT, at + LONGEST_VISIT, row["person_id"], identity_id)
        for visit in visits_of(found):
            if any(one.local_track_id == visit_id for one in visit.sights):
                return visit
        raise NotFoundError("There is no such visit; its tracks may have been deleted by retention.")

    async def ended(self, now: datetime) -> list[Visit]:
        """Return the last visits of those who left within the last two hours."""
        async with self._database.connection() as connection:
            found = await rows(
                _QUERIES.sights_of_those_who_left(
                    connection,
                    reach_from=now - LONGEST_VISIT,
                    gone_from=now - UNTOLD_REACH,
                    gone_to=now - LEFT_AFTER,
                )
            )
        visits = visits_of(_sight(row) for row in found)
        return [one for one in visits if one.has_ended(now) and one.last_seen_at >= now - UNTOLD_REACH]

    async def _sights(
        self, from_at: datetime, to_at: datetime, person_id: UUID | None, identity_id: UUID | None
    ) -> list[VisitSight]:
        async with self._database.connection() as connection:
            found = await rows(
                _QUERIES.sights(
                    connection,
                    from_at=from_at,
                    to_at=to_at,
                    person_id=person_id,
                    identity_id=identity_id,
                    most=SIGHTS_LIMIT,
                )
            )
        return [_sight(row) for row in found]


def _sight(row: Any) -> VisitSight:
    return VisitSight(**dict(row))
