"""`hub.resolution`: turns over changed tracks, and how many wait."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from marengocam.core.identity import Assignment, CameraGraph, ClaimedTrack
from marengocam.db.camera_graph import read_graph
from marengocam.db.database import Connection, Database
from marengocam.db.events import Events
from marengocam.db.queries import load, rows
from marengocam.db.tracks import track_of
from marengocam.db.turn import Turn

TURN_KEY = 0x6D63_7265_736F  # advisory lock "mcreso": resolvers, and whoever writes a human's word, take turns
_QUERIES = load("resolution")


class Resolution:
    """`hub.resolution`: turns, the backlog, and what past journeys taught."""

    def __init__(self, database: Database, events: Events) -> None:
        self._database = database
        self._events = events

    @asynccontextmanager
    async def claim(self, limit: int) -> AsyncIterator[Turn]:
        """Open a turn over at most `limit` changed live tracks, those still followed first.

        One transaction: it commits when the block ends, or leaves everything as it was when the block raises.
        Turns of several resolvers follow one another. Raises HubUnavailableError.
        """
        async with self._database.transaction() as connection:
            await _QUERIES.take_turn(connection, key=TURN_KEY)
            yield Turn(connection, self._events, await claimed_on(connection, limit), self._beside)

    @asynccontextmanager
    async def _beside(self) -> AsyncIterator[Connection]:
        """Lend a second connection to a turn, which reads as the turn's own does."""
        async with self._database.transaction() as connection:
            await _QUERIES.read_beside(connection)
            yield connection

    async def backlog(self) -> int:
        """Return how many live tracks wait for a decision."""
        async with self._database.connection() as connection:
            return int(await _QUERIES.backlog(connection))

    async def camera_graph(self, now: datetime) -> CameraGraph:
        """Return transit times and overlapping views, as journeys of the last days taught and owners say."""
        async with self._database.connection() as connection:
            return await read_graph(connection, now)


async def claimed_on(connection: Connection, limit: int) -> list[ClaimedTrack]:
    """Return the changed tracks that are next, with what was decided about them before."""
    return [_claimed(row) for row in await rows(_QUERIES.claim(connection, batch=limit))]


def _claimed(row: Any) -> ClaimedTrack:
    before = None
    if row["identity_id"] is not None:
        before = Assignment(
            identity_id=row["identity_id"],
            person_id=row["person_id"],
            probability=row["probability"],
            decided_by=row["decided_by"],
            announced_person_id=row["announced_person_id"],
            announced_unknown=row["announced_unknown"],
            decided_at=row["decided_at"],
            alone=row["others"] == 0,
        )
    return ClaimedTrack(track_of(row), row["revision"], before, row["others"])
